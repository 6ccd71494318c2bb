//! What if: the replay under other terms, on simulated logs (and on the shared 24 h sample where it is there).

mod support;

use std::path::Path;

use support::scenario::{Sides, scenarios, simulated};
use why401::policy::{Policy, Terms, policy};
use why401::simulate::Options;
use why401::{Config, Reading};

const HOUR: Terms = Terms { access: 3600, refresh: 90 * 86_400, lead: 480, grace: 30, reconnect: false };

fn replay(logs: &[(String, Vec<u8>)], terms: Option<Terms>) -> Policy {
    let mut reading = Reading::new(Config::default(), [3; 16]);
    for (name, bytes) in logs {
        reading.read_bytes(name, bytes);
    }
    policy(reading, terms)
}

fn mix(word: &str) -> Vec<(String, Vec<u8>)> {
    let (_folder, scenario) = simulated(&Options { seed: 77, users: 40, mix: vec![word.into()], ..Options::default() });
    scenario.logs(Sides::Both)
}

#[test]
fn on_a_healthy_log_nothing_is_suggested() {
    assert!(replay(&mix("healthy"), None).suggestions.is_empty());
}

#[test]
fn a_lead_removes_what_ran_out_and_without_one_it_stays() {
    let logs = mix("lifetime_expiry");
    let with = replay(&logs, Some(HOUR));
    assert!(with.replays[0].gone > 0 && with.replays[0].staying == 0, "{with:#?}");
    let without = replay(&logs, Some(Terms { lead: 0, ..HOUR }));
    assert_eq!(without.replays[0].gone, 0, "{without:#?}");
}

#[test]
fn a_leeway_removes_races_and_reopened_sockets_the_stale_ones() {
    let races = mix("reuse_race");
    assert!(replay(&races, Some(HOUR)).replays[0].gone > 0);
    assert_eq!(replay(&races, Some(Terms { grace: 0, ..HOUR })).replays[0].gone, 0);
    let stale = mix("ws_closure_captured");
    assert_eq!(replay(&stale, Some(HOUR)).replays[0].gone, 0);
    assert!(replay(&stale, Some(Terms { reconnect: true, ..HOUR })).replays[0].gone > 0);
}

#[test]
fn a_shorter_life_costs_more_refreshes() {
    let logs = mix("healthy");
    let cost = |access: i64| replay(&logs, Some(Terms { access, ..HOUR })).replays[0].refreshes_per_day;
    assert!(cost(900) > cost(3600) && cost(3600) > cost(86_400));
}

#[test]
fn the_day_long_token_of_the_samples_becomes_an_hour_with_a_lead() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples");
    for scenario in scenarios(&folder).iter().filter(|scenario| scenario.name.starts_with("lifetime_expiry-24h")) {
        let found = replay(&scenario.logs(Sides::Both), None);
        let suggestion = &found.suggestions[0].terms;
        assert_eq!((suggestion.access, suggestion.refresh), (3600, 90 * 86_400), "{}", scenario.name);
        assert!(suggestion.lead > 0 && found.replays.iter().all(|replay| replay.staying == 0), "{}", scenario.name);
    }
}
