//! `why401 batch`: what is new since the last run, for a timer.

use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::report::redact::redacted;
use super::{Exit, settings, span};
use crate::Diagnosis;
use crate::atomic::{Readers, replace, sweep};
use crate::batch::{Job, KEEP, Run};
use crate::config::{BatchFile, Filter};
use crate::render::{html, json, junit, markdown, openmetrics};
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
    let mut file = settings::config_file(Some(&args.config))?;
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
    let mut run = Run::begin(&job, config, how)?;
    for message in &run.messages {
        eprintln!("why401: {message}");
    }
    record(&batch, &run.diagnosis)?;
    let held = batch.thresholds.held(&run.diagnosis);
    let (incidents, partial, new_bytes) = (run.diagnosis.incidents.len(), run.partial, run.new_bytes);
    let people = run.diagnosis.summary.dropped_actors;
    let nothing = run.diagnosis.inputs.is_empty();
    let diagnosis = std::mem::take(&mut run.diagnosis);
    write_all(reports, diagnosis, batch.redact)?;
    run.finish()?;
    if nothing {
        eprintln!("why401: nothing to diagnose");
        return Ok(Exit::Usage);
    }
    if !args.quiet {
        writeln!(out, "{new_bytes} new bytes; {incidents} incidents in all that is kept, {people} people dropped")?;
    }
    for threshold in &held {
        eprintln!("why401: {threshold}");
    }
    Ok(match incidents {
        _ if partial => Exit::Partial,
        // With thresholds they decide, and nothing else does.
        _ if !batch.thresholds.fail_on.is_empty() && held.is_empty() => Exit::Clean,
        0 => Exit::Clean,
        _ if args.exit_zero => Exit::Clean,
        _ => Exit::Incidents,
    })
}

/// Writes the days that the run knows into the history.
#[cfg(feature = "tables")]
fn record(batch: &BatchFile, diagnosis: &Diagnosis) -> Result<()> {
    let Some(folder) = &batch.history else { return Ok(()) };
    let history = crate::tables::History::new(folder);
    history.record(diagnosis)?;
    if let Some(days) = batch.history_days {
        history.retain(days)?;
    }
    Ok(())
}

/// Without Polars there is no history to write.
#[cfg(not(feature = "tables"))]
fn record(batch: &BatchFile, _: &Diagnosis) -> Result<()> {
    if batch.history.is_some() {
        bail!("[batch] history: this why401 was built without the feature `tables`");
    }
    Ok(())
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
    Metrics,
    JUnit,
}

impl Kind {
    fn of(path: &Path) -> Result<Self> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        Ok(match ending.as_deref() {
            Some("json") => Self::Json,
            Some("ndjson" | "jsonl") => Self::Ndjson,
            Some("html" | "htm") => Self::Html,
            Some("md" | "markdown") => Self::Markdown,
            Some("prom") => Self::Metrics,
            Some("xml") => Self::JUnit,
            _ => bail!(
                "[batch] report: {} says no format: end it with .json, .ndjson, .html, .md, .prom or .xml",
                path.display()
            ),
        })
    }

    /// Whether people are under pseudonyms in it: in what people read, unless the configuration says otherwise.
    fn hides(self, redact: Option<bool>) -> bool {
        redact.unwrap_or(matches!(self, Self::Html | Self::Markdown))
    }
}

/// First what keeps names, then what hides them: of a large diagnosis there is one at a time.
fn write_all(reports: &[PathBuf], mut diagnosis: Diagnosis, redact: Option<bool>) -> Result<()> {
    let mut kinds = Vec::new();
    for path in reports {
        kinds.push((path.as_path(), Kind::of(path)?));
    }
    for hidden in [false, true] {
        let mut wanted = kinds.iter().filter(|(_, kind)| kind.hides(redact) == hidden).peekable();
        if wanted.peek().is_none() {
            continue;
        }
        diagnosis = redacted(diagnosis, hidden)?;
        for (path, kind) in wanted {
            sweep(path);
            write(path, *kind, &diagnosis)?;
        }
    }
    Ok(())
}

fn write(path: &Path, kind: Kind, diagnosis: &Diagnosis) -> Result<()> {
    let mut text = Vec::new();
    match kind {
        Kind::Json => json::whole(diagnosis, &mut text)?,
        Kind::Ndjson => json::lines(diagnosis, &mut text)?,
        Kind::Html => text = html::page(diagnosis)?.into_bytes(),
        Kind::Markdown => text = markdown::draft(diagnosis)?.into_bytes(),
        Kind::Metrics => openmetrics::metrics(diagnosis, &mut text)?,
        Kind::JUnit => junit::suite(diagnosis, &mut text)?,
    }
    Ok(replace(path, &text, Readers::Usual)?)
}
