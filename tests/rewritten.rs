//! Samples as other loggers would have written them: the verdicts are those of the original, but for what a dialect withholds.
//!
//! The table in `docs/formats.md` is what this finds; `WHY401_WRITE=1` writes it (`just formats`).

mod support;

use std::fmt::Write as _;
use std::path::Path;

use support::dialects::{REWRITES, Rewrite};
use support::scenario::{Scenario, Sides, Table, scenarios};

const BEGIN: &str = "<!-- what tests/rewritten.rs found -->\n";
const END: &str = "<!-- end -->";

/// The samples with this server's log, read with the clients' traces or without.
fn table(rewrite: &Rewrite, samples: &[Scenario], sides: Sides) -> Table {
    let mut table = Table::default();
    for sample in samples {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in sample.logs(Sides::Both) {
            let text = if name == "server.log" {
                (rewrite.write)(&String::from_utf8_lossy(&bytes)).into_bytes()
            } else {
                bytes
            };
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        let rewritten =
            Scenario { name: sample.name.clone(), folder: folder.path().to_path_buf(), truth: sample.truth.clone() };
        table.add(&rewritten, sides);
    }
    table
}

#[test]
fn samples_give_the_same_verdicts_in_every_dialect() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let samples = scenarios(&here.join("samples"));
    let mut shown = "| the server logs as | it withholds | F1, server's log alone | wrongly accused | F1, with traces | wrongly accused |\n| --- | --- | --- | --- | --- | --- |\n".to_owned();
    let mut worse = Vec::new();
    for rewrite in REWRITES {
        let tables = [Sides::Server, Sides::Both].map(|sides| table(rewrite, &samples, sides));
        let [alone, both] = &tables;
        let _ = writeln!(
            shown,
            "| {} | {} | {:.3} | {} | {:.3} | {} |",
            rewrite.name,
            rewrite.withholds,
            alone.macro_f1(),
            alone.accused.len(),
            both.macro_f1(),
            both.accused.len()
        );
        for table in &tables {
            if !table.misses.is_empty() || !table.accused.is_empty() {
                println!("{}:\n  {}", rewrite.name, [&table.misses[..], &table.accused].concat().join("\n  "));
            }
        }
        let (least, most) = rewrite.bars();
        if tables.iter().any(|table| table.macro_f1() < least || table.accused.len() > most) {
            worse.push(rewrite.name);
        }
    }
    println!("{shown}");
    let page = here.join("docs/formats.md");
    let text = std::fs::read_to_string(&page).expect("the page is there");
    let (before, rest) = text.split_once(BEGIN).expect("a place for the table");
    let (held, after) = rest.split_once(END).expect("an end of the table");
    if std::env::var_os("WHY401_WRITE").is_some() {
        std::fs::write(&page, format!("{before}{BEGIN}{shown}{END}{after}")).expect("written");
    } else {
        assert!(held == shown, "docs/formats.md is out of step; `just formats` writes it");
    }
    assert!(worse.is_empty(), "{worse:?}");
}
