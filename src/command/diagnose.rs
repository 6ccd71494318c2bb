//! `why401 diagnose`, and `why401` alone.

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use clap::ValueEnum;

use super::Exit;
use super::settings::Flags;
use crate::cause::CAUSES;
use crate::config::Filter;
use crate::diagnosis::{Diagnosis, Input};
use crate::render::{json, junit, openmetrics, terminal};
use crate::source::{How, LEAST_MEMORY, Outcome, read_inputs};
use crate::stats::Stages;
use crate::threshold::Threshold;

/// How the diagnosis is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A report to read.
    Terminal,
    /// The whole diagnosis as JSON (`why401 schema`).
    Json,
    /// One incident a line.
    Ndjson,
    /// Metrics for node_exporter's textfile collector.
    Openmetrics,
    /// A test report for CI: one test case a cause.
    Junit,
}

/// When to use what only some terminals show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// Where the terminal can show it (colours: unless `NO_COLOR` is set).
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What `diagnose` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, folders, globs; `-` is standard input, which is also read when nothing is given
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// How to write the diagnosis
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    pub format: Format,
    /// Only incidents of this user (id or e-mail)
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Instead of the diagnosis: which keys were joined to this user, by which line, and which joins were refused
    #[arg(long, value_name = "USER", conflicts_with_all = ["format", "user", "ip", "cause", "top"])]
    pub explain_identity: Option<String>,
    /// Only incidents of actors with this address
    #[arg(long, value_name = "ADDRESS")]
    pub ip: Option<String>,
    /// Only incidents that end after this time: RFC 3339, `2026-11-16`, or `2026-11-16 06:00` (UTC)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub since: Option<i64>,
    /// Only incidents that begin before this time
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub until: Option<i64>,
    /// Only incidents of this cause, or cause/kind; may be repeated
    #[arg(long, value_name = "CAUSE", value_parser = parse_cause)]
    pub cause: Vec<String>,
    /// List this many single incidents below the table of causes
    #[arg(long, value_name = "N")]
    pub top: Option<usize>,
    /// Settings, which may also stand in a file or in the environment
    #[command(flatten)]
    pub flags: Flags,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// When places link to their file: `auto` is on terminals that are known to take links
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub hyperlinks: Color,
    /// Columns of the report; the terminal's by default, 80 where there is none
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(40..=400))]
    pub width: Option<u16>,
    /// Show the report in the pager (`$PAGER`, else `less -R`)
    #[arg(long)]
    pub pager: bool,
    /// Let these conditions decide between exit codes 0 and 1, not whether there are incidents: 'dropped_actors>5',
    /// 'cause=refresh_failure', 'confidence>0.8 cause=stale_token incidents>=3'; may be repeated
    #[arg(long, value_name = "CONDITION")]
    pub fail_on: Vec<Threshold>,
    /// End with exit code 0 whether or not incidents were found
    #[arg(long)]
    pub exit_zero: bool,
    /// Say on standard error what the run cost: speed, processor time, peak memory, time per stage
    #[arg(long)]
    pub stats: bool,
    /// Hold no more than this in memory (`64MB`; at least 48MB): a longer log is diagnosed in sections of log time. All is counted; detail
    /// goes where it has to
    #[arg(long, value_name = "SIZE", value_parser = parse_memory, conflicts_with = "explain_identity")]
    pub max_memory: Option<usize>,
    /// Threads that parse; the number of cores by default
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// Reads, diagnoses, writes.
///
/// # Errors
/// A configuration that cannot be used, or what writing gives.
pub fn run(args: &Args, out: &mut impl Write) -> Result<Exit> {
    let mut stages = Stages::default();
    let Some(outcome) = read(args)? else { return Ok(Exit::Usage) };
    stages.done("read");
    let partial = outcome.partial();
    if let Some(user) = &args.explain_identity {
        let Some(text) = crate::identity(outcome.reading, user) else {
            eprintln!("why401: nobody called `{user}` is in these logs; say the id or e-mail as logged");
            return Ok(Exit::Usage);
        };
        out.write_all(text.as_bytes())?;
        out.flush()?;
        return Ok(if partial { Exit::Partial } else { Exit::Clean });
    }
    let diagnosis = crate::diagnose_timed(outcome.reading, &mut stages);
    write(args, &diagnosis, out)?;
    stages.done("write");
    if args.stats {
        let sum = |of: fn(&Input) -> u64| diagnosis.inputs.iter().map(of).sum();
        eprint!("{}", stages.report(sum(|input| input.bytes), sum(|input| input.lines)));
    }
    let exit = ending(args, &diagnosis, partial);
    // The run is over: its memory goes with it, all at once.
    std::mem::forget(diagnosis);
    Ok(exit)
}

/// Reads the inputs as told; `None`, and a word on standard error, if there is nothing to diagnose.
pub(super) fn read(args: &Args) -> Result<Option<Outcome>> {
    if args.max_memory.is_some() {
        super::memory::give_back_at_once();
    }
    let filter = Filter {
        user: args.user.clone(),
        address: args.ip.clone(),
        since: args.since,
        until: args.until,
        causes: args.cause.clone(),
    };
    let config = args.flags.config(filter)?;
    if args.inputs.is_empty() && io::stdin().is_terminal() {
        use clap::CommandFactory as _;
        super::Cli::command().print_help()?;
        return Ok(None);
    }
    let how = How { threads: args.threads, progress: true, max_memory: args.max_memory, ..How::default() };
    let outcome = read_inputs(&args.inputs, config, how);
    for error in &outcome.errors {
        eprintln!("why401: {error}");
    }
    if outcome.nothing_read() {
        eprintln!("why401: nothing to diagnose");
        return Ok(None);
    }
    Ok(Some(outcome))
}

/// What a run that found this ends with.
pub(super) fn ending(args: &Args, diagnosis: &Diagnosis, partial: bool) -> Exit {
    let held: Vec<String> = args.fail_on.iter().filter_map(|threshold| threshold.held(diagnosis)).collect();
    for held in &held {
        eprintln!("why401: --fail-on {held}");
    }
    let fails = if args.fail_on.is_empty() { !diagnosis.incidents.is_empty() } else { !held.is_empty() };
    match (partial, fails && !args.exit_zero) {
        (true, _) => Exit::Partial,
        (false, true) => Exit::Incidents,
        (false, false) => Exit::Clean,
    }
}

fn write(args: &Args, diagnosis: &Diagnosis, out: &mut impl Write) -> Result<()> {
    match args.format {
        Format::Json => json::whole(diagnosis, out)?,
        Format::Ndjson => json::lines(diagnosis, out)?,
        Format::Openmetrics => openmetrics::metrics(diagnosis, out)?,
        Format::Junit => junit::suite(diagnosis, out)?,
        Format::Terminal => {
            let look = terminal::Look {
                width: super::columns(args.width),
                color: colored(args.color),
                unicode: unicode(),
                links: if linked(args.hyperlinks) { here() } else { None },
                top: args.top,
            };
            let report = terminal::report(diagnosis, look);
            if args.pager { paged(&report)? } else { out.write_all(report.as_bytes())? }
        }
    }
    out.flush()?;
    Ok(())
}

/// Colours: told so, or a terminal and nobody who objects (<https://no-color.org>).
pub(super) fn colored(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    }
}

/// Whether the locale can show more than ASCII: the first of these that says something, as for the C library. A container that says
/// nothing is mostly read on a terminal that can.
fn unicode() -> bool {
    let said =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    said.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// Links: told so, or a terminal that is known to take them or at least to leave them out.
fn linked(hyperlinks: Color) -> bool {
    let has = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match hyperlinks {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            io::stdout().is_terminal()
                && std::env::var("TERM").is_ok_and(|term| term != "dumb" && term != "linux")
                && ["VTE_VERSION", "KITTY_WINDOW_ID", "WT_SESSION", "WEZTERM_PANE", "KONSOLE_VERSION", "TERM_PROGRAM"]
                    .iter()
                    .any(|name| has(name))
        }
    }
}

/// The folder that relative names start from.
fn here() -> Option<String> {
    Some(std::env::current_dir().ok()?.to_str()?.trim_end_matches('/').to_owned())
}

/// Shows the report in the user's pager.
fn paged(report: &str) -> Result<()> {
    let pager =
        std::env::var("PAGER").ok().filter(|pager| !pager.trim().is_empty()).unwrap_or_else(|| "less -R".into());
    let mut words = pager.split_whitespace();
    let program = words.next().context("PAGER is empty")?;
    let mut child = std::process::Command::new(program)
        .args(words)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .with_context(|| format!("the pager '{pager}' does not start: set PAGER, or leave --pager out"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // Quitting the pager early is no error.
        let _ = stdin.write_all(report.as_bytes());
    }
    child.wait()?;
    Ok(())
}

fn parse_time(text: &str) -> Result<i64, String> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.timestamp_micros());
    }
    for format in ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return Ok(time.and_utc().timestamp_micros());
        }
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .and_then(|day| day.and_hms_opt(0, 0, 0))
        .map(|time| time.and_utc().timestamp_micros())
        .ok_or_else(|| "use RFC 3339 (2026-11-16T06:00:00+09:00), 2026-11-16 06:00 or 2026-11-16 (UTC)".into())
}

fn parse_memory(text: &str) -> Result<usize, String> {
    let size = usize::try_from(super::size(text)?).map_err(|error| error.to_string())?;
    if size < LEAST_MEMORY {
        return Err(format!("less than {} MB is not enough to diagnose a log", LEAST_MEMORY / 1_000_000));
    }
    Ok(size)
}

pub(super) fn parse_cause(text: &str) -> Result<String, String> {
    let (label, kind) = text.split_once('/').map_or((text, None), |(label, kind)| (label, Some(kind)));
    if label == "inconclusive" && kind.is_none() {
        return Ok(text.to_owned());
    }
    let Some(cause) = CAUSES.iter().find(|cause| cause.label().as_str() == label) else {
        let known: Vec<&str> = CAUSES.iter().map(|cause| cause.label().as_str()).collect();
        return Err(format!("known causes: {}, inconclusive", known.join(", ")));
    };
    let kinds: Vec<&str> = cause.doc().kinds.iter().map(|(kind, _)| *kind).collect();
    match kind {
        Some(kind) if !kinds.contains(&kind) => Err(format!("kinds of {label}: {}", kinds.join(", "))),
        _ => Ok(text.to_owned()),
    }
}
