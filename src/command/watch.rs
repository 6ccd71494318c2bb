//! `why401 watch`: verdicts while the logs are written.

mod hands;
mod panel;
mod view;

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;
use hands::Hands;
use view::View;

use super::diagnose::parse_cause;
use super::settings::Flags;
use super::{Exit, span};
use crate::config::Filter;
use crate::notify::Format as Body;
use crate::source::How;
use crate::source::error::SourceError;
use crate::watch::{Change, Options, Watch};

/// How changes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One line for each.
    Plain,
    /// One JSON object a line.
    Ndjson,
}

/// What `watch` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  why401 watch log/production.log                      with all its rotations\n  render logs -r srv-… --tail -o text | why401 watch   a pipe\n  why401 watch log/*.log --notify-format slack --notify-secret-file slack.url --spool /var/lib/why401\n\nAn incident is opened when it is clear enough why, updated when that changes, and closed when the actor recovers or nothing is seen of it for ten minutes of log time. What leaves the machine by --notify is under pseudonyms.\n\nExit codes: as diagnose; ^C ends with a summary."
)]
pub struct Args {
    /// Files, folders, globs (each log with its rotations), named pipes; `-` is standard input, which is also read when nothing is given
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Only incidents of this user (id or e-mail)
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Only incidents of this cause, or cause/kind; may be repeated
    #[arg(long, value_name = "CAUSE", value_parser = parse_cause)]
    pub cause: Vec<String>,
    /// How to write what changes
    #[arg(long, value_enum, default_value_t = Format::Plain)]
    pub format: Format,
    /// How much log time is looked at
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "1h")]
    pub window_kept: i64,
    /// Say that a source is silent after this time
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "5m")]
    pub silent_after: i64,
    /// Tell also of incidents that were over before the watch began
    #[arg(long)]
    pub backlog: bool,
    /// How often files are looked at, in milliseconds, where the system does not tell of writes sooner
    #[arg(long, value_name = "MS", default_value_t = 150, value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pub every: u64,
    /// Post every change to this URL; one that is a secret belongs into --notify-secret-file
    #[arg(long, value_name = "URL")]
    pub notify: Option<String>,
    /// The form of what is posted
    #[arg(long, value_enum, value_name = "FORM", default_value = "json")]
    pub notify_format: Body,
    /// A file with what must not be on a command line, one a line: the URL, PagerDuty's routing key, or a bearer token; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub notify_secret_file: Option<PathBuf>,
    /// Trust only the authorities in this file (certificates in PEM) to vouch for the receiver at the URL
    #[arg(long, value_name = "FILE")]
    pub notify_ca: Option<PathBuf>,
    /// Post names, e-mails, addresses and devices as logged
    #[arg(long)]
    pub no_redact: bool,
    /// Run this with the shell for every change, the event as JSON on its standard input, names as logged
    #[arg(long, value_name = "COMMAND")]
    pub exec: Option<String>,
    /// Keep what is to be handed on in this folder until it is taken, over kills and restarts
    #[arg(long, value_name = "FOLDER")]
    pub spool: Option<PathBuf>,
    /// Configuration file; `why401.toml` is read if it is there
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Time zone of times without one, for all sources or `PART-OF-SOURCE-NAME=ZONE`
    #[arg(long, value_name = "ZONE")]
    pub tz: Vec<String>,
    /// Year of times without one
    #[arg(long, value_name = "YEAR")]
    pub year: Vec<String>,
}

/// Watches until no more can come or a signal says so.
///
/// # Errors
/// What cannot be used of what was told, or what writing gives.
pub fn run(args: &Args, out: &mut impl Write) -> Result<Exit> {
    if args.inputs.is_empty() && io::stdin().is_terminal() {
        bail!("nothing to watch: name files, or pipe a log in");
    }
    let reads_stdin = args.inputs.is_empty() || args.inputs.iter().any(|input| input.as_os_str() == "-");
    if reads_stdin && args.notify_secret_file.as_deref() == Some(Path::new("-")) {
        bail!("standard input cannot be both the log and the secret: put the secret into a file");
    }
    let flags = Flags { tz: args.tz.clone(), year: args.year.clone(), window: None, config: args.config.clone() };
    let filter = Filter { user: args.user.clone(), causes: args.cause.clone(), ..Filter::default() };
    let config = flags.config(filter)?;
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // A second one ends at once.
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&ended))?;
        signal_hook::flag::register(signal, Arc::clone(&ended))?;
    }
    let mut hands = Hands::begin(args)?;
    let options = Options {
        kept: args.window_kept.saturating_mul(1_000_000),
        silent_after: Duration::from_secs(u64::try_from(args.silent_after)?),
        backlog: args.backlog,
        every: Duration::from_millis(args.every),
    };
    let how = How { progress: true, ..How::default() };
    let (mut watch, errors) = Watch::begin(&args.inputs, config, hands.ledger()?, options, how);
    let mut partial = false;
    for error in errors.iter().filter(|error| error.is_loss()) {
        let may_come =
            matches!(error, SourceError::Missing { .. } | SourceError::NoMatch { .. } | SourceError::NoLogs { .. });
        partial |= !may_come;
        eprintln!("why401: {error}{}", if may_come { "; watching for it" } else { "" });
    }
    if watch.is_empty() {
        return Ok(Exit::Usage);
    }
    let mut view = View::new(args.format, io::stdout().is_terminal());
    while !ended.load(Ordering::Relaxed) {
        let Some(changes) = watch.step() else { break };
        for change in &changes {
            view.show(change, out)?;
            if let Change::Incident(event) = change {
                hands.pass(event);
            }
        }
        if changes.iter().any(|change| matches!(change, Change::Incident(_))) {
            hands.remember(watch.ledger());
        }
        for trouble in hands.troubles() {
            view.show(&Change::Message(trouble), out)?;
        }
        view.status(&watch, out)?;
    }
    let totals = watch.totals();
    view.summary(&totals, out)?;
    let (left, troubles) = hands.close();
    for trouble in troubles {
        eprintln!("why401: {trouble}");
    }
    if left > 0 {
        let kept = if args.spool.is_some() {
            "the spool keeps them for the next watch"
        } else {
            "they are lost; --spool would keep them"
        };
        eprintln!("why401: {left} messages were not taken: {kept}");
    }
    Ok(match totals.incidents {
        _ if partial => Exit::Partial,
        0 => Exit::Clean,
        _ => Exit::Incidents,
    })
}
