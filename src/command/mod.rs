//! The command line: one file per command.

pub mod batch;
pub mod compare;
pub mod diagnose;
pub mod explain;
#[cfg(feature = "tables")]
pub mod export;
pub mod formats;
#[cfg(feature = "tables")]
pub mod history;
pub mod init;
mod memory;
pub mod parse;
pub mod policy;
pub mod report;
mod saved;
pub mod settings;
pub mod shell;
pub mod simulate;
#[cfg(not(feature = "tables"))]
pub mod untabled;
pub mod watch;

use clap::{Parser, Subcommand};

/// What a command ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing found, or told to say so.
    Clean,
    /// Incidents found.
    Incidents,
    /// Used wrongly, or nothing could be read.
    Usage,
    /// Finished, but some input could not be read.
    Partial,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Clean => 0,
            Exit::Incidents => 1,
            Exit::Usage => 2,
            Exit::Partial => 3,
        })
    }
}

/// Why were these people logged out?
///
/// Reads server logs (Rails, Puma, lograge, Render) and client traces (Flutter, Dio, bloc) and says which cause explains every
/// drop: stale token, refresh failure, lifetime expiry, or one of the look-alikes, with the lines that prove it.
#[derive(Debug, Parser)]
#[command(
    name = "why401",
    version,
    args_conflicts_with_subcommands = true,
    max_term_width = 100,
    after_help = "Examples:\n  why401 production.log phone.log        both sides: the best evidence\n  render logs -r srv-… -o text | why401   from a pipe\n  why401 logs/ --user 42 --top 20        one user's incidents\n  why401 *.log.gz --format json | jq .fix_plan\n\nExit codes: 0 nothing found, 1 incidents found, 2 usage or nothing readable, 3 some input could not be read."
)]
pub struct Cli {
    /// The command; without one, `diagnose`.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What `diagnose` takes.
    #[command(flatten)]
    pub diagnose: diagnose::Args,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Diagnose logs (the default)
    Diagnose(Box<diagnose::Args>),
    /// Read what is new in logs since the last run, and write reports: for a timer
    Batch(batch::Args),
    /// Follow logs as they are written, and say what happens to whom and why
    Watch(Box<watch::Args>),
    /// Explain a cause: what it is, how it is recognised, how to fix it
    Explain(explain::Args),
    /// What if: replay the sessions under other lifetimes, leads and leeways
    Policy(policy::Args),
    /// Write logs with a known truth: to teach, to test alerts, to prove the tool
    Simulate(simulate::Args),
    /// List the formats that are read, or say what was detected in a file
    Formats(formats::Args),
    /// Print what was read from logs, one event a line, or the lines that were not understood
    Parse(parse::Args),
    /// Write a page to share: HTML, a post-mortem draft in Markdown, or JSON
    Report(Box<report::Args>),
    /// Did the fix work? Compare logs before and after it, cause by cause
    Compare(compare::Args),
    /// How it goes over days: incidents, dropped people and rates by day, cause or platform
    #[cfg(feature = "tables")]
    History(history::Args),
    /// How it goes over days (not in this build)
    #[cfg(not(feature = "tables"))]
    History(untabled::Args),
    /// Write a table for other programs: Parquet, CSV, NDJSON, Arrow
    #[cfg(feature = "tables")]
    Export(export::Args),
    /// Write a table for other programs (not in this build)
    #[cfg(not(feature = "tables"))]
    Export(untabled::Args),
    /// Write a commented why401.toml for the logs found here
    Init(init::Args),
    /// Show the configuration that holds and where each value comes from
    Config(settings::Args),
    /// Print the JSON Schema of `--format json`
    Schema,
    /// Print a script that completes commands and flags in a shell
    Completions(shell::Args),
    /// Print the manual page: `why401 man | man -l -`
    Man,
}

/// Columns to write in: as told, else the terminal's, else 80.
#[must_use]
pub fn columns(told: Option<u16>) -> usize {
    told.or_else(|| terminal_size::terminal_size().map(|(width, _)| width.0)).map_or(80, usize::from)
}

/// A length of time in seconds: `90s`, `15m`, `1h`, `90d`, or a number of seconds.
fn span(text: &str) -> Result<i64, String> {
    let seconds = |unit: &str| match unit {
        "" | "s" => Some(1),
        "m" | "min" => Some(60),
        "h" => Some(3600),
        "d" => Some(86_400),
        _ => None,
    };
    let span = amount(text, seconds).and_then(|seconds| i64::try_from(seconds).ok());
    span.ok_or_else(|| format!("`{text}` is no length of time: say 30s, 8m, 1h or 90d"))
}

/// A size in bytes: `500MB`, `2GB`, `64MiB`, or a number of bytes.
fn size(text: &str) -> Result<u64, String> {
    let bytes = |unit: &str| match unit.trim().to_ascii_lowercase().trim_end_matches('b') {
        "" => Some(1),
        "k" => Some(1_000),
        "m" => Some(1_000_000),
        "g" => Some(1_000_000_000),
        "ki" => Some(1 << 10),
        "mi" => Some(1 << 20),
        "gi" => Some(1 << 30),
        _ => None,
    };
    amount(text, bytes).ok_or_else(|| "say a size as 500MB, 2GB or 64MiB".to_owned())
}

/// A number with its unit, of which `factor` says how much it is.
fn amount(text: &str, factor: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    number.parse::<u64>().ok()?.checked_mul(factor(unit)?)
}
