//! `why401 compare`: did the fix work?

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::ValueEnum;
use comfy_table::{CellAlignment, Table, presets};

use super::Exit;
use super::saved::diagnosed;
use super::settings::config_file;
use crate::compare::{Change, Comparison, Rate, Row, Stretch, compare};
use crate::config::{Config, Filter};
use crate::render::clean;

/// How the comparison is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table to read.
    Terminal,
    /// JSON.
    Json,
}

/// What `compare` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  why401 compare logs/monday/ logs/tuesday/\n  why401 compare before.json after.json    diagnoses saved by --format json\n  why401 compare hist/@2026-11-01..2026-11-07 hist/@2026-11-08..\n\nExit codes: 0 nothing is worse or new, 1 something is, 2 usage or nothing readable, 3 some input could not be read."
)]
pub struct Args {
    /// Logs before the change: a file, a folder, a saved JSON diagnosis, or days of a history: hist/@2026-11-01..2026-11-07
    pub before: PathBuf,
    /// Logs after it
    pub after: PathBuf,
    /// How to write
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    pub format: Format,
    /// Configuration; `why401.toml` in the current folder is read without being named
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Diagnoses both, compares, writes.
///
/// # Errors
/// Nothing that can be read, or what writing gives.
pub fn run(args: &Args, out: &mut impl Write) -> Result<Exit> {
    let config = || -> Result<Config> {
        config_file(args.config.as_deref())?.config(Filter::default()).map_err(anyhow::Error::msg)
    };
    let (before, partly_before) = stretch(&args.before, config()?)?;
    let (after, partly_after) = stretch(&args.after, config()?)?;
    let comparison = compare(&before, &after);
    match args.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &comparison)?;
            writeln!(out)?;
        }
        Format::Terminal => write(&comparison, out)?,
    }
    Ok(match (partly_before || partly_after, comparison.worse()) {
        (true, _) => Exit::Partial,
        (false, true) => Exit::Incidents,
        (false, false) => Exit::Clean,
    })
}

/// One side, and whether some of it could not be read.
fn stretch(path: &Path, config: Config) -> Result<(Stretch, bool)> {
    #[cfg(feature = "tables")]
    if let Some(range) = crate::tables::Range::read(path).map_err(anyhow::Error::msg)? {
        return Ok((range.stretch()?, false));
    }
    let (diagnosis, partial) = diagnosed(path, config)?;
    Ok((Stretch::of(&diagnosis), partial))
}

fn write(comparison: &Comparison, out: &mut impl Write) -> Result<()> {
    for (name, extent) in [("before", &comparison.before), ("after", &comparison.after)] {
        writeln!(
            out,
            "{name:<7} {} people seen in {} person-hours; the logs cover {:.1} h",
            extent.actors, extent.active_hours, extent.log_hours
        )?;
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["", "before", "after", "per 1,000 h before", "after", "ratio (interval)", ""]);
    for column in 1..=5 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.add_row(cells("drops".into(), &comparison.drops));
    for cause in &comparison.causes {
        let kinds: Vec<&Row> = comparison.kinds.iter().filter(|kind| kind.cause == cause.cause).collect();
        let label = cause.cause.map_or("", |label| label.as_str());
        match kinds.as_slice() {
            [only] => {
                let kind = only.kind.as_deref().filter(|kind| !kind.is_empty());
                let name = kind.map_or_else(|| label.to_owned(), |kind| format!("{label}/{kind}"));
                table.add_row(cells(name, only));
            }
            several => {
                table.add_row(cells(label.to_owned(), cause));
                for kind in several {
                    table.add_row(cells(format!("  {}", kind.kind.as_deref().unwrap_or_default()), kind));
                }
            }
        }
    }
    writeln!(out, "\n{table}\n")?;
    writeln!(out, "{}.", comparison.method)?;
    for note in &comparison.notes {
        writeln!(out, "{}", clean(note))?;
    }
    Ok(())
}

fn cells(name: String, row: &Row) -> Vec<String> {
    let counted = |rate: &Rate| match (row.hours_of, rate.incidents) {
        (_, 0) => "0".to_owned(),
        ("service", incidents) => incidents.to_string(),
        (_, incidents) => format!("{incidents} ({} people)", rate.people),
    };
    let rate = |rate: &Rate| format!("{:.1} ({:.1}–{:.1})", rate.per_1000_hours, rate.interval.0, rate.interval.1);
    let ratio = |ratio: f64| if ratio < 10.0 { format!("{ratio:.2}") } else { format!("{ratio:.0}") };
    let (low, high) = row.ratio_interval;
    let shown = match row.ratio {
        Some(value) => format!("{} ({}–{})", ratio(value), ratio(low), high.map_or("∞".into(), ratio)),
        None => "–".into(),
    };
    let change = match row.change {
        Change::NotEnoughData if row.before.incidents + row.after.incidents == 0 => "none either side",
        change => change.as_str(),
    };
    vec![
        clean(&name),
        counted(&row.before),
        counted(&row.after),
        rate(&row.before),
        rate(&row.after),
        shown,
        change.to_owned(),
    ]
}
