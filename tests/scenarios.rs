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
    let mut table = Table::default();
    for scenario in scenarios(folder) {
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
