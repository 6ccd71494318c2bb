//! `why401 compare`: fixed is gone, a half of the people is like the other half, and little is not enough.

mod support;

use std::path::{Path, PathBuf};

use support::binary::{run, why401};
use support::scenario::{Sides, simulated};
use why401::compare::{Change, Stretch, compare};
use why401::simulate::Options;

/// Places in an order of chance (SplitMix64; Fisher and Yates).
fn shuffled(count: usize, state: &mut u64) -> Vec<usize> {
    let mut next = || {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let mut order: Vec<usize> = (0..count).collect();
    for place in (1..count).rev() {
        order.swap(place, next() as usize % (place + 1));
    }
    order
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

fn mix(seed: u64, users: u32, mix: &[&str]) -> Stretch {
    let mix = mix.iter().map(|one| (*one).to_owned()).collect();
    let (_folder, scenario) = simulated(&Options { seed, users: users as usize, mix, ..Options::default() });
    Stretch::of(&scenario.diagnose(Sides::Both))
}

#[test]
fn a_fixed_scenario_is_gone() {
    for (name, kind) in [
        ("stale_token-ws", "stale_token/websocket"),
        ("refresh_failure-server_error", "refresh_failure/server_error"),
        ("clock_skew", "clock_skew/client"),
    ] {
        let ran = run(why401().args(["compare", "--format", "json"]).arg(sample(name)).arg(sample("healthy")));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let json = ran.json();
        let kinds = json["kinds"].as_array().expect("kinds");
        let of = |row: &&serde_json::Value| format!("{}/{}", text(&row["cause"]), text(&row["kind"])) == kind;
        let row = kinds.iter().find(of).unwrap_or_else(|| panic!("{kind} is missing in {json}"));
        assert_eq!(row["change"], "gone", "{row}");
    }
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn what_comes_back_is_new() {
    let ran = run(why401().arg("compare").arg(sample("healthy")).arg(sample("stale_token-ws")));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let row = ran.stdout.lines().find(|line| line.contains("stale_token/websocket")).expect("a row");
    assert!(row.trim_end().ends_with("new"), "{row}");
}

#[test]
fn every_simulated_fault_is_gone_in_a_healthy_mix() {
    let healthy = mix(7, 60, &["healthy"]);
    for kind in [
        "ws_closure_captured",
        "http_header_captured",
        "server_error",
        "swallowed",
        "reuse_race",
        "expired",
        "rejected",
        "reactive_only_1h",
        "never_refreshes",
        "client_offline",
        "straggling_poll",
        "password_change",
        "device_ahead",
        "keystore_failure",
        "reinstall",
    ] {
        let comparison = compare(&mix(11, 60, &[kind]), &healthy);
        let most = comparison.causes.iter().max_by_key(|row| row.before.people).expect("a cause");
        assert_eq!(most.change, Change::Gone, "{kind}: {most:?}");
    }
}

#[test]
fn half_of_the_people_is_like_the_other_half() {
    const TRIES: usize = 100;
    let mut state = 7;
    for (users, seed) in [(240, 3), (600, 4)] {
        let whole = mix(seed, users, &["mixed"]);
        let (mut same, mut quiet) = (0, 0);
        for _ in 0..TRIES {
            let order = shuffled(whole.people.len(), &mut state);
            let half = |places: &[usize]| Stretch {
                people: places.iter().map(|place| whole.people[*place].clone()).collect(),
                ..whole.clone()
            };
            let (one, other) = order.split_at(order.len() / 2);
            let comparison = compare(&half(one), &half(other));
            same += usize::from(comparison.drops.change == Change::Same);
            let calm = |change| matches!(change, Change::Same | Change::NotEnoughData);
            let rows = || comparison.causes.iter().chain(&comparison.kinds);
            quiet += usize::from(rows().chain([&comparison.drops]).all(|row| calm(row.change)));
        }
        println!("{users} people: drops are the same in {same} of {TRIES}, nothing differs in {quiet}");
        assert!(same >= 95 && quiet >= 95, "{users} people: same {same}, quiet {quiet}");
    }
}

#[test]
fn little_is_not_enough() {
    let comparison = compare(&mix(5, 4, &["server_error"]), &mix(6, 4, &["healthy"]));
    assert_eq!(comparison.drops.change, Change::NotEnoughData, "{:?}", comparison.drops);
    assert!(comparison.kinds.iter().all(|row| row.change == Change::NotEnoughData), "{:?}", comparison.kinds);
    let nothing = compare(&Stretch::default(), &Stretch::default());
    assert_eq!(nothing.drops.change, Change::NotEnoughData);
    assert!(nothing.notes.iter().any(|note| note.contains("nobody is seen")));
}

#[test]
fn a_saved_diagnosis_compares_like_its_logs() {
    let folder = tempfile::tempdir().expect("a folder");
    let saved = folder.path().join("saved.json");
    let json = run(why401().args(["--format", "json"]).arg(sample("clock_skew"))).stdout;
    std::fs::write(&saved, json).expect("written");
    let compared = |before: &Path| run(why401().args(["compare"]).arg(before).arg(sample("healthy"))).stdout;
    assert_eq!(compared(&saved), compared(&sample("clock_skew")));
    let missing = run(why401().arg("compare").arg("/nowhere.log").arg(sample("healthy")));
    assert_eq!(missing.code, 2);
}
