//! `why401 batch`: what is new since the last run, for a timer.

use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::report::redact::redacted;
use super::settings::config_file;
use super::{Exit, span};
use crate::Diagnosis;
use crate::atomic::{Readers, replace, sweep};
use crate::batch::{Job, KEEP, Run};
use crate::config::{BatchFile, Filter};
use crate::render::{html, json, markdown};
use crate::source::How;

/// What `batch` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "CONFIG is a why401.toml with a part for batch; its paths count from its folder:\n\n  [batch]\n  sources = [\"log/production.log\"]       # with its rotations: .1, .2.gz, -20261117.zst\n  state = \"state/why401\"                 # what is kept between runs\n  report = [\"why401.json\", \"why401.html\"] # .json, .ndjson, .html, .md\n  keep = \"35d\"                           # how much log time is looked at\n\nEvery run reads only what is new and reports on all that is kept. A run that is killed has not happened; runs do not overlap.\n\nExit codes: 0 nothing found, 1 incidents found, 2 another run at work or nothing could be done, 3 some input could not be read."
)]
pub struct Args {
    /// The configuration
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// Exit with 0 also when incidents were found
    #[arg(long)]
    pub exit_zero: bool,
    /// Say nothing when all is well
    #[arg(short, long)]
    pub quiet: bool,
    /// Threads that parse; the number of cores by default
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// One run.
///
/// # Errors
/// A configuration that cannot be used, another run at work, or a file that cannot be written.
pub fn run(args: &Args, out: &mut impl Write) -> Result<Exit> {
    let mut file = config_file(Some(&args.config))?;
    let batch = file.batch.take().with_context(|| {
        format!(
            "{} has no [batch]: say sources, state and report there (see `why401 batch --help`)",
            args.config.display()
        )
    })?;
    let config = file.config(Filter::default()).map_err(anyhow::Error::msg)?;
    let job = job(&batch)?;
    let reports = batch.report.list();
    reports.iter().try_for_each(|path| Kind::of(path).map(|_| ()))?;
    // Sources are called in reports as the configuration calls them, from wherever a timer starts the run.
    if let Some(folder) = args.config.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::env::set_current_dir(folder).with_context(|| format!("cannot go to {}", folder.display()))?;
    }
    let how = How { threads: args.threads, progress: std::io::stderr().is_terminal(), ..How::default() };
    let run = Run::begin(&job, config, how)?;
    for message in &run.messages {
        eprintln!("why401: {message}");
    }
    for path in reports {
        sweep(path);
        write(path, &run.diagnosis, batch.redact)?;
    }
    let (incidents, partial, new_bytes) = (run.diagnosis.incidents.len(), run.partial, run.new_bytes);
    let people = run.diagnosis.summary.dropped_actors;
    run.finish()?;
    if !args.quiet {
        writeln!(out, "{new_bytes} new bytes; {incidents} incidents in all that is kept, {people} people dropped")?;
    }
    Ok(match incidents {
        _ if partial => Exit::Partial,
        0 => Exit::Clean,
        _ if args.exit_zero => Exit::Clean,
        _ => Exit::Incidents,
    })
}

fn job(batch: &BatchFile) -> Result<Job> {
    let keep = match &batch.keep {
        None => KEEP,
        Some(text) => {
            let seconds = span(text).map_err(|why| anyhow::anyhow!("[batch] keep: {why}"))?;
            seconds.checked_mul(1_000_000).context("[batch] keep is too long")?
        }
    };
    if batch.sources.is_empty() {
        bail!("[batch] sources is empty: name the logs to read");
    }
    Ok(Job { sources: batch.sources.iter().map(PathBuf::from).collect(), state: batch.state.clone(), keep })
}

/// How a report is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Ndjson,
    Html,
    Markdown,
}

impl Kind {
    fn of(path: &Path) -> Result<Self> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        Ok(match ending.as_deref() {
            Some("json") => Self::Json,
            Some("ndjson" | "jsonl") => Self::Ndjson,
            Some("html" | "htm") => Self::Html,
            Some("md" | "markdown") => Self::Markdown,
            _ => bail!("[batch] report: {} says no format: end it with .json, .ndjson, .html or .md", path.display()),
        })
    }
}

fn write(path: &Path, diagnosis: &Diagnosis, redact: Option<bool>) -> Result<()> {
    let kind = Kind::of(path)?;
    let for_readers = matches!(kind, Kind::Html | Kind::Markdown);
    let diagnosis = redacted(diagnosis, redact.unwrap_or(for_readers))?;
    let mut text = Vec::new();
    match kind {
        Kind::Json => json::whole(&diagnosis, &mut text)?,
        Kind::Ndjson => json::lines(&diagnosis, &mut text)?,
        Kind::Html => text = html::page(&diagnosis)?.into_bytes(),
        Kind::Markdown => text = markdown::draft(&diagnosis)?.into_bytes(),
    }
    Ok(replace(path, &text, Readers::Usual)?)
}
