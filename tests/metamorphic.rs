//! What must not change a verdict: other dates, another zone, other names, neighbours, a few lines lost or doubled.

mod support;

use std::collections::BTreeMap;

use regex::{Captures, Regex};
use support::scenario::{Scenario, Sides, diagnose_logs, simulated};
use why401::simulate::{Ids, Options};

type Logs = Vec<(String, Vec<u8>)>;

fn mix(seed: u64) -> Options {
    Options { seed, users: 72, ids: Ids::Uuid, ..Options::default() }
}

/// What is said of each user.
fn verdicts(logs: &Logs) -> BTreeMap<String, String> {
    diagnose_logs(logs).actors.into_iter().filter_map(|actor| Some((actor.user?, actor.verdict.into_owned()))).collect()
}

fn texts(logs: &Logs, change: impl Fn(&str, &str) -> String) -> Logs {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    logs.iter().map(|(name, bytes)| (name.clone(), change(name, &text(bytes)).into_bytes())).collect()
}

fn case(seed: u64) -> (tempfile::TempDir, Scenario, Logs) {
    let (folder, scenario) = simulated(&mix(seed));
    let logs = scenario.logs(Sides::Both);
    (folder, scenario, logs)
}

/// Nobody healthy is accused, and what changed turned to "not enough evidence" or to nothing: at most `most` users.
fn nearly(scenario: &Scenario, before: &BTreeMap<String, String>, after: &BTreeMap<String, String>, most: usize) {
    let quiet = |verdict: &str| matches!(verdict, "healthy" | "inconclusive");
    let mut changed = Vec::new();
    for user in scenario.users() {
        let id = user["user"].as_str().unwrap_or_default();
        let (was, is) = (before.get(id), after.get(id).map_or("healthy", String::as_str));
        if user["cause"] == "healthy" {
            assert!(quiet(is), "healthy user {id}: {is}");
        } else if was.is_some_and(|was| was != is) {
            changed.push(format!("{id}: {was:?} -> {is}"));
        }
    }
    assert!(changed.len() <= most, "{changed:#?}");
}

#[test]
fn other_dates_change_nothing() {
    let (_folder, _, logs) = case(21);
    let moved = texts(&logs, |_, text| {
        text.replace("2026-03-16", "2026-07-01")
            .replace("03-16 ", "07-01 ")
            .replace("Mon, 16 Mar 2026", "Wed, 01 Jul 2026")
    });
    assert_eq!(verdicts(&logs), verdicts(&moved));
}

#[test]
fn a_servers_zone_changes_nothing() {
    let (_folder, _, logs) = case(22);
    let stamp = Regex::new(r"2026-03-16([T ])(\d\d)(:\d\d:\d\d)").unwrap();
    let moved = texts(&logs, |name, text| {
        if name != "server.log" {
            return text.to_owned();
        }
        let east = |found: &Captures<'_>| {
            format!("2026-03-16{}{:02}{}", &found[1], found[2].parse::<u32>().unwrap() + 9, &found[3])
        };
        stamp.replace_all(text, east).replace(" +0000", " +0900")
    });
    assert_eq!(verdicts(&logs), verdicts(&moved));
}

#[test]
fn another_services_log_beside_changes_nothing() {
    let ((_one, _, logs), (_two, _, others)) = (case(23), case(24));
    let both: Logs =
        logs.iter().cloned().chain(others.iter().map(|(name, bytes)| (format!("b/{name}"), bytes.clone()))).collect();
    let (alone, other, together) = (verdicts(&logs), verdicts(&others), verdicts(&both));
    let lost: Vec<_> =
        alone.iter().chain(&other).filter(|(user, verdict)| together.get(*user) != Some(verdict)).collect();
    // Attackers try both services from one address, and one person's address may be another's: at most a handful.
    assert!(lost.len() <= 2, "{lost:#?}");
}

#[test]
fn fifty_healthy_people_more_change_nothing() {
    let (_folder, scenario, logs) = case(25);
    let (_healthy, more) =
        simulated(&Options { seed: 900, users: 50, mix: vec!["healthy".into()], ids: Ids::Uuid, ..Options::default() });
    let crowd = texts(&more.logs(Sides::Server), |_, text| text.replace(" for 81.", " for 93."));
    let all: Logs =
        logs.iter().cloned().chain(crowd.into_iter().map(|(name, bytes)| (format!("more-{name}"), bytes))).collect();
    let (before, after) = (verdicts(&logs), verdicts(&all));
    nearly(&scenario, &before, &after, 0);
}

#[test]
fn other_names_for_everything_change_nothing() {
    let (_folder, _, logs) = case(26);
    let renamed = texts(&logs, |_, text| {
        [
            ("Identity::", "Accounts::"),
            ("/identity/", "/accounts/"),
            ("Mobile::V3::", "Api::"),
            ("/mobile/v3/", "/api/"),
            ("shipments", "invoices"),
            ("Shipments", "Invoices"),
            ("berths", "vendors"),
            ("Berths", "Vendors"),
            ("harborline", "ledgerly"),
            ("Harborline", "Ledgerly"),
            ("gatekeeper", "warden"),
            ("FleetChannel", "LedgerChannel"),
            ("SessionBloc", "AccountBloc"),
        ]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    });
    assert_eq!(verdicts(&logs), verdicts(&renamed));
}

/// A cheap chance that repeats.
fn chance(line: usize, seed: usize, one_in: usize) -> bool {
    (line.wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(40_503)) >> 7).is_multiple_of(one_in)
}

#[test]
fn one_line_in_a_hundred_lost_accuses_nobody() {
    let (_folder, scenario, logs) = case(27);
    let lossy = texts(&logs, |_, text| {
        text.lines().enumerate().filter(|(n, _)| !chance(*n, 1, 100)).map(|(_, line)| format!("{line}\n")).collect()
    });
    nearly(&scenario, &verdicts(&logs), &verdicts(&lossy), 3);
}

#[test]
fn one_line_in_a_hundred_twice_accuses_nobody() {
    let (_folder, scenario, logs) = case(28);
    let doubled = texts(&logs, |_, text| {
        let twice = |(n, line): (usize, &str)| {
            if chance(n, 2, 100) { format!("{line}\n{line}\n") } else { format!("{line}\n") }
        };
        text.lines().enumerate().map(twice).collect()
    });
    nearly(&scenario, &verdicts(&logs), &verdicts(&doubled), 3);
}

#[test]
fn neighbouring_lines_swapped_change_next_to_nothing() {
    let (_folder, scenario, logs) = case(29);
    let swapped = texts(&logs, |name, text| {
        if name != "server.log" {
            return text.to_owned();
        }
        // Lines of different requests within 200 ms; a block of one request stays as it is.
        let mut lines: Vec<&str> = text.lines().collect();
        let id = |line: &str| line.get(47..83).map(str::to_owned);
        for n in (0..lines.len().saturating_sub(1)).step_by(7) {
            let framed = |line: &str| line.starts_with("I, [") && line.contains("-- : [");
            if framed(lines[n]) && framed(lines[n + 1]) && id(lines[n]) != id(lines[n + 1]) {
                lines.swap(n, n + 1);
            }
        }
        lines.iter().map(|line| format!("{line}\n")).collect()
    });
    nearly(&scenario, &verdicts(&logs), &verdicts(&swapped), 1);
}
