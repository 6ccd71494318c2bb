//! `why401 diagnose`, and `why401` alone.

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use clap::ValueEnum;

use super::Exit;
use crate::cause::CAUSES;
use crate::config::{ClockConfig, Config, ConfigFile, Filter, Window};
use crate::diagnosis::{Diagnosis, Input};
use crate::render::{json, terminal};
use crate::source::{How, read_inputs};
use crate::stats::Stages;

/// How the diagnosis is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A report to read.
    Terminal,
    /// The whole diagnosis as JSON (`why401 schema`).
    Json,
    /// One incident a line.
    Ndjson,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
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
    /// Zone of times that state none: `Asia/Seoul`, or `PART-OF-SOURCE-NAME=Asia/Seoul`; may be repeated
    #[arg(long, value_name = "ZONE")]
    pub tz: Vec<String>,
    /// Year of times that state none: `2026`, or `PART-OF-SOURCE-NAME=2026`; may be repeated
    #[arg(long, value_name = "YEAR")]
    pub year: Vec<String>,
    /// Minutes without a refusal that end an incident
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub window: Option<u32>,
    /// Configuration; `why401.toml` in the current folder is read without being named
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Columns of the report; the terminal's by default, 80 where there is none
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(40..=400))]
    pub width: Option<u16>,
    /// Show the report in the pager (`$PAGER`, else `less -R`)
    #[arg(long)]
    pub pager: bool,
    /// End with exit code 0 whether or not incidents were found
    #[arg(long)]
    pub exit_zero: bool,
    /// Say on standard error what the run cost: speed, processor time, peak memory, time per stage
    #[arg(long)]
    pub stats: bool,
    /// Threads that parse; the number of cores by default
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// The configuration file that is read without being named.
const CONFIG_FILE: &str = "why401.toml";

/// Reads, diagnoses, writes.
///
/// # Errors
/// A configuration that cannot be used, or what writing gives.
pub fn run(args: &Args, out: &mut impl Write) -> Result<Exit> {
    let config = config(args)?;
    if args.inputs.is_empty() && io::stdin().is_terminal() {
        use clap::CommandFactory as _;
        super::Cli::command().print_help()?;
        return Ok(Exit::Usage);
    }
    let how = How { threads: args.threads, progress: true, ..How::default() };
    let mut stages = Stages::default();
    let outcome = read_inputs(&args.inputs, config, how);
    stages.done("read");
    for error in &outcome.errors {
        eprintln!("why401: {error}");
    }
    if outcome.nothing_read() {
        eprintln!("why401: nothing to diagnose");
        return Ok(Exit::Usage);
    }
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
    let diagnosis = crate::diagnose(outcome.reading);
    stages.done("diagnose");
    write(args, &diagnosis, out)?;
    stages.done("write");
    if args.stats {
        let sum = |of: fn(&Input) -> u64| diagnosis.inputs.iter().map(of).sum();
        eprint!("{}", stages.report(sum(|input| input.bytes), sum(|input| input.lines)));
    }
    if partial {
        return Ok(Exit::Partial);
    }
    Ok(if diagnosis.incidents.is_empty() || args.exit_zero { Exit::Clean } else { Exit::Incidents })
}

fn write(args: &Args, diagnosis: &Diagnosis, out: &mut impl Write) -> Result<()> {
    match args.format {
        Format::Json => json::whole(diagnosis, out)?,
        Format::Ndjson => json::lines(diagnosis, out)?,
        Format::Terminal => {
            let look = terminal::Look { width: super::columns(args.width), color: colored(args.color), top: args.top };
            let report = terminal::report(diagnosis, look);
            if args.pager { paged(&report)? } else { out.write_all(report.as_bytes())? }
        }
    }
    out.flush()?;
    Ok(())
}

/// Colours: told so, or a terminal and nobody who objects (<https://no-color.org>).
fn colored(color: Color) -> bool {
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

/// Flags over file over defaults.
fn config(args: &Args) -> Result<Config> {
    let file = config_file(args.config.as_deref())?;
    let filter = Filter {
        user: args.user.clone(),
        address: args.ip.clone(),
        since: args.since,
        until: args.until,
        causes: args.cause.clone(),
    };
    configured(file, &args.tz, &args.year, args.window, filter)
}

/// What a file says, with what was said on the command line before it.
pub(super) fn configured(
    file: ConfigFile,
    tz: &[String],
    year: &[String],
    window: Option<u32>,
    filter: Filter,
) -> Result<Config> {
    let mut clock = ClockConfig::default();
    for text in tz.iter().chain(&file.clock.tz) {
        let (pattern, zone) = split_pattern(text);
        let zone = zone
            .parse::<chrono_tz::Tz>()
            .map_err(|_| anyhow::anyhow!("--tz '{zone}' is no time zone: use names like Asia/Seoul or UTC"))?;
        clock.zones.push((pattern, zone));
    }
    for text in year.iter().chain(&file.clock.year) {
        let (pattern, year) = split_pattern(text);
        let year: i32 = year
            .parse()
            .ok()
            .filter(|year| (1990..=2100).contains(year))
            .with_context(|| format!("--year '{year}' is no year: use 2026, or PART-OF-SOURCE-NAME=2026"))?;
        clock.years.push((pattern, year));
    }
    let window =
        window.or(file.window_minutes).map_or_else(Window::default, |minutes| Window(i64::from(minutes) * 60_000_000));
    let patterns = file.patterns().map_err(anyhow::Error::msg)?;
    Ok(Config { endpoints: file.endpoints, lifetimes: file.lifetimes, clock, window, filter, patterns, keep: None })
}

/// The configuration file: the one that is named, else the usual one if it is there.
pub(super) fn config_file(named: Option<&Path>) -> Result<ConfigFile> {
    let path = match named {
        Some(path) => path.to_owned(),
        None if Path::new(CONFIG_FILE).is_file() => PathBuf::from(CONFIG_FILE),
        None => return Ok(ConfigFile::default()),
    };
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("cannot read the configuration {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("the configuration {} cannot be used", path.display()))
}

/// `pattern=value` or `value`.
fn split_pattern(text: &str) -> (Option<String>, &str) {
    text.rsplit_once('=').map_or((None, text), |(pattern, value)| (Some(pattern.to_owned()), value))
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

fn parse_cause(text: &str) -> Result<String, String> {
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
