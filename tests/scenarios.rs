//! Labelled logs of a real Rails server and real Dio clients, read three ways: server only, client only, both.
//!
//! Prints precision and recall per cause and asserts the bars. `truth.json` is read here and nowhere else. The trimmed set in
//! `samples/` is always checked; all of `../shared/samples` where that folder is there.

mod support;

use std::path::{Path, PathBuf};

use support::scenario::{Sides, Table, scenarios};

fn shared() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples");
    folder.is_dir().then_some(folder)
}

fn bundled() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

fn table(folder: &Path, sides: Sides) -> Table {
    table_with(folder, sides, None)
}

/// With room for so many uneventful requests of each log.
fn table_with(folder: &Path, sides: Sides, room: Option<usize>) -> Table {
    let mut table = Table { room, ..Table::default() };
    for scenario in scenarios(folder) {
        if room.is_none() && scenario.name.starts_with("mixed") {
            let mut alone = Table::default();
            alone.add(&scenario, sides);
            println!("{sides:?} {:<22} macro-F1 {:.3}, kinds {:?}", scenario.name, alone.macro_f1(), alone.kinds);
        }
        table.add(&scenario, sides);
    }
    table.print(&format!("{sides:?}, {}", folder.display()));
    table
}

#[test]
fn shared_samples_both_sides() {
    let Some(folder) = shared() else {
        println!("skipped: ../shared/samples is not here");
        return;
    };
    let table = table(&folder, Sides::Both);
    table.assert_bars(0.99);
}

#[test]
fn shared_samples_server_only() {
    let Some(folder) = shared() else {
        println!("skipped: ../shared/samples is not here");
        return;
    };
    let table = table(&folder, Sides::Server);
    table.assert_bars(0.97);
}

#[test]
fn shared_samples_client_only() {
    let Some(folder) = shared() else {
        println!("skipped: ../shared/samples is not here");
        return;
    };
    let table = table(&folder, Sides::Client);
    table.assert_bars(0.95);
}

#[test]
fn bundled_samples_every_way() {
    for sides in [Sides::Both, Sides::Server, Sides::Client] {
        let table = table(&bundled(), sides);
        assert!(table.accused.is_empty(), "{sides:?}: healthy users accused: {:?}", table.accused);
    }
}

#[test]
fn verdicts_hold_where_requests_that_say_nothing_are_let_go() {
    for folder in [Some(bundled()), shared()].into_iter().flatten() {
        for sides in [Sides::Both, Sides::Server] {
            let (all, thinned) = (table(&folder, sides), table_with(&folder, sides, Some(64)));
            assert!(thinned.accused.is_empty(), "{sides:?}: {:?}", thinned.accused);
            assert!(
                thinned.macro_f1() >= all.macro_f1() - 0.005,
                "{sides:?}: {:.3} of {:.3}",
                thinned.macro_f1(),
                all.macro_f1()
            );
        }
    }
}
