//! Fresh mixes by seeds: another app's vocabulary, other ids, each dialect, each thing withheld in turn.
//!
//! What the logs no longer tell must not be guessed: where something is withheld, fewer causes are found and the mean
//! confidence falls, and still nobody healthy is accused.

mod support;

use std::collections::BTreeMap;

use support::scenario::{Sides, Table, simulated};
use why401::simulate::{Dialect, Envelope, Ids, Level, Options, Withheld};

/// Drawn by chance when most rules stood; their first run showed faults (sockets of shared addresses, unreadable stores, kinds of
/// races) which were mended, so they are regression tests, and no measure of what is to be expected.
const SEEDS: &[u64] = &[148_162, 177_150, 194_840, 259_174, 289_349, 422_678, 472_651, 476_262, 936_957, 958_751];

/// Drawn by chance at the end of the work and run once: what is to be expected. Whoever mends a rule because of these has to draw others.
const HELD_OUT: &[u64] =
    &[2_151_514, 3_179_397, 4_625_774, 4_998_136, 5_260_264, 5_582_082, 7_136_080, 7_697_019, 7_769_941, 9_203_603];

fn mix(seed: u64) -> Options {
    let ids = [Ids::Int, Ids::Uuid, Ids::Ulid, Ids::Email][usize::try_from(seed % 4).unwrap()];
    Options { seed, users: 90, ids, nat: if seed.is_multiple_of(3) { 6 } else { 0 }, ..Options::default() }
}

fn score(options: &Options, sides: Sides, table: &mut Table) {
    let (_folder, scenario) = simulated(options);
    table.add(&scenario, sides);
}

fn three_ways(title: &str, seeds: &[u64]) {
    for (sides, bar) in [(Sides::Both, 0.99), (Sides::Server, 0.97), (Sides::Client, 0.95)] {
        let mut table = Table::default();
        for seed in seeds {
            score(&mix(*seed), sides, &mut table);
        }
        table.print(&format!("{sides:?}, {title}"));
        table.assert_bars(bar);
    }
}

#[test]
fn ten_mixes_three_ways() {
    three_ways("ten mixes", SEEDS);
}

#[test]
fn ten_held_out_mixes_three_ways() {
    three_ways("ten held-out mixes", HELD_OUT);
}

#[test]
fn every_dialect() {
    let mut rows = BTreeMap::new();
    for dialect in [Dialect::Rails, Dialect::Rails8, Dialect::Rails61, Dialect::LogrageKv, Dialect::LogrageJson] {
        let mut table = Table::default();
        for seed in &SEEDS[..3] {
            score(&Options { dialect, ..mix(*seed) }, Sides::Both, &mut table);
        }
        table.print(&format!("{dialect:?}"));
        assert!(table.accused.is_empty(), "{dialect:?}: {:?}", table.accused);
        rows.insert(dialect.name(), table.macro_f1());
    }
    println!("{rows:#?}");
    // Plain JSON lograge names nobody behind its sockets, which costs the causes that only sockets show.
    assert!(rows.values().all(|f1| *f1 >= 0.95), "{rows:?}");
}

#[test]
fn rarer_kinds_are_found_in_mixes_of_their_own() {
    for (sides, bar, accused) in [(Sides::Both, 0.97, 0), (Sides::Server, 0.9, 0)] {
        let mut table = Table::default();
        for seed in &SEEDS[..4] {
            score(&Options { mix: vec!["rare".into()], nat: 0, ..mix(*seed) }, sides, &mut table);
        }
        table.print(&format!("{sides:?}, rarer kinds"));
        assert_eq!(table.accused.len(), accused, "{:?}", table.accused);
        assert!(table.macro_f1() >= bar, "{sides:?}: {:.3}", table.macro_f1());
    }
}

#[test]
fn what_active_record_says_at_debug_changes_no_verdict_and_a_log_of_warnings_accuses_nobody() {
    for (level, bar) in [(Level::Debug, 0.97), (Level::Warn, 0.0)] {
        let mut table = Table::default();
        for seed in &SEEDS[..2] {
            score(&Options { level, ..mix(*seed) }, Sides::Both, &mut table);
        }
        table.print(&format!("{level:?}"));
        assert!(table.accused.is_empty(), "{level:?}: {:?}", table.accused);
        assert!(table.macro_f1() >= bar, "{level:?}: {:.3}", table.macro_f1());
    }
}

#[test]
fn what_is_withheld_lowers_score_and_confidence_together() {
    let all = [
        None,
        Some(Withheld::Tags),
        Some(Withheld::Addresses),
        Some(Withheld::Words),
        Some(Withheld::Names),
        Some(Withheld::Refresh),
        Some(Withheld::Client),
        Some(Withheld::Half),
    ];
    let mut rows: Vec<(f64, f64, &str)> = Vec::new();
    for withheld in all {
        let name = withheld.map_or("nothing", Withheld::name);
        let mut table = Table::default();
        for seed in &SEEDS[..3] {
            score(&Options { withhold: withheld.into_iter().collect(), ..mix(*seed) }, Sides::Both, &mut table);
        }
        table.print(&format!("without {name}"));
        println!("{name:<10} F1 {:.3} confidence {:.3}", table.macro_f1(), table.mean_confidence());
        assert!(table.accused.is_empty(), "without {name}: {:?}", table.accused);
        rows.push((table.macro_f1(), table.mean_confidence(), name));
    }
    let (f1, confidence, _) = rows[0];
    for row in &rows {
        assert!(row.0 > f1 - 0.04 || row.1 < confidence - 0.02, "the score fell and the confidence did not: {row:?}");
    }
    // Who is among the worse half by score is so by confidence.
    let worse = |by: fn(&(f64, f64, &'static str)) -> f64| {
        let mut sorted = rows.clone();
        sorted.sort_by(|a, b| by(a).total_cmp(&by(b)));
        let mut names: Vec<&str> = sorted.iter().take(rows.len() / 2).map(|row| row.2).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(worse(|row| row.0), worse(|row| row.1), "{rows:?}");
}

#[test]
fn what_a_platform_wraps_around_lines_changes_no_verdict() {
    let score = |envelope: Envelope| {
        let mut table = Table::default();
        for seed in &SEEDS[..2] {
            score(&Options { envelope, ..mix(*seed) }, Sides::Both, &mut table);
        }
        table.print(&format!("{envelope:?}"));
        assert!(table.accused.is_empty(), "{envelope:?}: {:?}", table.accused);
        table.macro_f1()
    };
    let bare = score(Envelope::None);
    for envelope in [Envelope::Render, Envelope::Syslog, Envelope::Heroku, Envelope::Cri, Envelope::Docker] {
        assert!((score(envelope) - bare).abs() < 0.02, "{envelope:?}");
    }
}

#[test]
fn second_devices_and_phones_that_change_networks_accuse_nobody() {
    for (second_devices, roaming) in [(40, 0), (0, 40), (30, 30)] {
        for (sides, bar) in [(Sides::Both, 0.97), (Sides::Server, 0.95)] {
            let mut table = Table::default();
            for seed in &SEEDS[..3] {
                score(&Options { second_devices, roaming, nat: 0, ..mix(*seed) }, sides, &mut table);
            }
            table.print(&format!("{sides:?}, {second_devices} % second devices, {roaming} % roaming"));
            table.assert_bars(bar);
        }
    }
}
