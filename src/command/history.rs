//! `why401 history`: how it goes over days.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use chrono::NaiveDate;
use clap::ValueEnum;
use comfy_table::{CellAlignment, Table, presets};

use super::Exit;
use super::saved::diagnosed;
use super::settings::config_file;
use crate::config::Filter;
use crate::tables::{By, History, Trend, TrendRow};

/// How the history is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table to read.
    Terminal,
    /// JSON.
    Json,
}

/// What `history` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  why401 history hist/ --record log/production.log    keep a log's days, then show all\n  why401 history hist/ --by cause --since 2026-11-01\n  why401 history hist/ --by release                    the app's; --by deploy the server's
  why401 history hist/ --keep 90                       drop what is older\n\nThe folder is Parquet by day; docs/history.md describes it."
)]
pub struct Args {
    /// The history's folder
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// What rows are of
    #[arg(long, value_enum, default_value_t = By::Day)]
    pub by: By,
    /// From this day of UTC: `2026-11-01`
    #[arg(long, value_name = "DAY")]
    pub since: Option<NaiveDate>,
    /// To this day, included
    #[arg(long, value_name = "DAY")]
    pub until: Option<NaiveDate>,
    /// How to write
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    pub format: Format,
    /// First record the days of these logs or of this saved JSON diagnosis, each day whole; may be repeated
    #[arg(long, value_name = "LOGS")]
    pub record: Vec<PathBuf>,
    /// First drop days older than the last N
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub keep: Option<u64>,
    /// First make one file of each day where there are several, and remove what killed runs left
    #[arg(long)]
    pub compact: bool,
}

/// Records, tidies, shows.
///
/// # Errors
/// A folder that is no history, or what reading and writing gives.
pub fn run(args: &Args, out: &mut impl Write) -> Result<Exit> {
    let history = History::new(&args.folder);
    let mut partial = false;
    for logs in &args.record {
        let config = config_file(None)?.config(Filter::default()).map_err(anyhow::Error::msg)?;
        let (diagnosis, partly) = diagnosed(logs, config)?;
        partial |= partly;
        let recorded = history.record(&diagnosis)?;
        eprintln!("why401: {}: {} days recorded, {} incidents", logs.display(), recorded.days, recorded.incidents);
    }
    if args.compact {
        eprintln!("why401: {} files put together or removed", history.compact()?);
    }
    if let Some(keep) = args.keep {
        eprintln!("why401: {} days dropped", history.retain(keep)?);
    }
    let trend = history.trend(args.by, args.since, args.until)?;
    match args.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &trend)?;
            writeln!(out)?;
        }
        Format::Terminal => write(&trend, out)?,
    }
    Ok(if partial { Exit::Partial } else { Exit::Clean })
}

fn write(trend: &Trend, out: &mut impl Write) -> Result<()> {
    let totals = &trend.totals;
    writeln!(
        out,
        "{} to {}: {} requests, {} answered 401; {} refreshes, {} failed; {} person-hours\n",
        trend.first_day,
        trend.last_day,
        totals.requests,
        totals.unauthorized,
        totals.refreshes,
        totals.refresh_failures,
        totals.active_hours
    )?;
    let by_day = trend.by == By::Day;
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut header = vec!["", "dropped people", "drops", "incidents", "drops/1,000 h"];
    // A day's own spark is a single bar beside the others'; causes show their days.
    header.extend(if by_day { vec![""] } else { vec!["first seen", "last seen", "by day"] });
    table.set_header(header);
    for column in 1..=4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let most = trend.rows.iter().map(|row| row.incidents).max().unwrap_or(0);
    for row in trend.rows.iter().chain([&trend.all]) {
        let mut cells = vec![
            row.name.clone(),
            row.dropped_actors.to_string(),
            row.drops.to_string(),
            row.incidents.to_string(),
            row.drops_per_1000_hours.map_or_else(|| "–".into(), |rate| format!("{rate:.1}")),
        ];
        match (by_day, row.name == "all") {
            (true, false) => cells.push(bar(row.incidents, most)),
            (true, true) => cells.push(spark(&trend.all.by_day)),
            (false, _) => cells.extend(seen(row)),
        }
        table.add_row(cells);
    }
    writeln!(out, "{table}")?;
    Ok(())
}

fn seen(row: &TrendRow) -> [String; 3] {
    // To the minute.
    let short = |time: &Option<String>| {
        time.as_ref().map_or_else(|| "–".into(), |time| time.chars().take(16).collect::<String>().replace('T', " "))
    };
    [short(&row.first_seen), short(&row.last_seen), spark(&row.by_day)]
}

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// So many bars fit beside the other columns; more days are put together.
const MOST_BARS: usize = 30;

/// A bar for each day, `·` where there is nothing.
fn spark(days: &[i64]) -> String {
    let together = days.len().div_ceil(MOST_BARS).max(1);
    let sums: Vec<i64> = days.chunks(together).map(|days| days.iter().sum()).collect();
    let most = sums.iter().copied().max().unwrap_or(0);
    sums.iter().map(|sum| level(*sum, most).map_or('·', |level| BARS[level])).collect()
}

fn bar(count: i64, most: i64) -> String {
    level(count, most).map_or_else(|| "·".into(), |level| "█".repeat(level + 1))
}

/// Which of the eight heights; `None` for nothing.
fn level(count: i64, most: i64) -> Option<usize> {
    (count > 0).then(|| usize::try_from((count * 8 - 1) / most.max(1)).unwrap_or(0).min(7))
}

#[cfg(test)]
mod tests {
    use super::spark;

    #[test]
    fn sparks_show_nothing_least_and_most() {
        assert_eq!(spark(&[0, 1, 8, 4]), "·▁█▄");
        assert_eq!(spark(&vec![1; 90]).chars().count(), 30);
        assert_eq!(spark(&[]), "");
    }
}
