//! `why401 watch`: verdicts while the logs are written.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;

use super::report::redact::redacted;
use super::settings::Flags;
use super::{Exit, span};
use crate::Diagnosis;
use crate::atomic::{Readers, replace};
use crate::config::Filter;
use crate::notify::{Exec, Format as Body, Outbox, Patience, Receiver, Spool, headline};
use crate::source::How;
use crate::watch::{Change, Event, Ledger, Options, Totals, Watch};

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
    after_help = "Examples:\n  why401 watch log/production.log                      with all its rotations\n  render logs -r srv-… --tail -o text | why401 watch   a pipe\n  why401 watch log/*.log --notify-format slack --notify-secret-file slack.url --spool /var/lib/why401\n\nAn incident is opened when it is clear enough why, updated when that changes, and closed when the actor recovers or nothing is\nseen of it for ten minutes of log time. What leaves the machine by --notify is under pseudonyms.\n\nExit codes: as diagnose; ^C ends with a summary."
)]
pub struct Args {
    /// Files, folders, globs (each log with its rotations), named pipes; `-` is standard input, which is also read when nothing is given
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
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
    /// How often files are looked at, in milliseconds
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

/// A receiver gets so long for a message.
const RECEIVER_PATIENCE: Duration = Duration::from_secs(10);
/// And a command.
const COMMAND_PATIENCE: Duration = Duration::from_secs(30);

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
    let config = flags.config(Filter::default())?;
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
    let partial = errors.iter().any(crate::source::error::SourceError::is_loss);
    for error in errors.iter().filter(|error| error.is_loss()) {
        eprintln!("why401: {error}");
    }
    let mut view =
        View { format: args.format, live: args.format == Format::Plain && io::stdout().is_terminal(), shown: None };
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
        view.status(&watch, out)?;
    }
    let totals = watch.totals();
    view.summary(&totals, out)?;
    let left = hands.close();
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

/// What is written to standard output.
struct View {
    format: Format,
    /// A line at the bottom says how it goes.
    live: bool,
    shown: Option<Instant>,
}

/// How often the line at the bottom is written.
const BLINK: Duration = Duration::from_millis(500);

impl View {
    fn show(&mut self, change: &Change, out: &mut impl Write) -> Result<()> {
        if let Change::Message(text) = change {
            eprintln!("why401: {text}");
            return Ok(());
        }
        if self.live {
            write!(out, "\r\x1b[2K")?;
        }
        match (self.format, change) {
            (Format::Ndjson, Change::Incident(event)) => {
                serde_json::to_writer(&mut *out, event)?;
                writeln!(out)?;
            }
            (Format::Ndjson, Change::Silent { source, for_seconds }) => {
                writeln!(
                    out,
                    "{}",
                    serde_json::json!({"event": "silent", "source": source, "for_seconds": for_seconds})
                )?;
            }
            (Format::Ndjson, Change::Speaking { source }) => {
                writeln!(out, "{}", serde_json::json!({"event": "speaking", "source": source}))?;
            }
            (Format::Plain, Change::Incident(event)) => writeln!(out, "{} {}", event.at, headline(event))?,
            (Format::Plain, Change::Silent { source, for_seconds }) => {
                writeln!(out, "{source} has been silent for {for_seconds} s")?;
            }
            (Format::Plain, Change::Speaking { source }) => writeln!(out, "{source} speaks again")?,
            (_, Change::Message(_)) => {}
        }
        out.flush()?;
        Ok(())
    }

    fn status(&mut self, watch: &Watch, out: &mut impl Write) -> Result<()> {
        if !self.live || self.shown.is_some_and(|shown| shown.elapsed() < BLINK) {
            return Ok(());
        }
        self.shown = Some(Instant::now());
        let totals = watch.totals();
        let lines: u64 = totals.lines.iter().map(|(_, lines)| lines).sum();
        write!(
            out,
            "\r\x1b[2K{} open · {} in all · {lines} lines of {} sources",
            totals.open,
            totals.incidents,
            totals.lines.len()
        )?;
        out.flush()?;
        Ok(())
    }

    fn summary(&self, totals: &Totals, out: &mut impl Write) -> Result<()> {
        match self.format {
            Format::Ndjson => writeln!(out, "{}", serde_json::json!({"event": "summary", "totals": totals}))?,
            Format::Plain => {
                if self.live {
                    write!(out, "\r\x1b[2K")?;
                }
                let Totals { lines, late, incidents, open, undecided } = totals;
                for (source, lines) in lines {
                    writeln!(out, "{source}: {lines} lines")?;
                }
                writeln!(
                    out,
                    "{incidents} incidents, {open} of them not over; {undecided} not sure enough to tell; {late} lines came late"
                )?;
            }
        }
        out.flush()?;
        Ok(())
    }
}

/// Those who are told besides.
struct Hands {
    notify: Option<Outbox>,
    exec: Option<Outbox>,
    redact: bool,
    ledger: Option<PathBuf>,
}

impl Hands {
    fn begin(args: &Args) -> Result<Self> {
        let spool = |name: &str| args.spool.as_deref().map(|folder| Spool::open(&folder.join(name))).transpose();
        let notify = match receiver(args)? {
            Some(receiver) => Some(Outbox::begin(receiver, spool("notify")?, Patience::default())),
            None => None,
        };
        let exec = match &args.exec {
            Some(command) => {
                let exec = Exec { command: command.clone(), patience: COMMAND_PATIENCE };
                Some(Outbox::begin(Box::new(exec), spool("exec")?, Patience::default()))
            }
            None => None,
        };
        let ledger = args.spool.as_deref().map(|folder| folder.join("told.json"));
        if let Some(folder) = &args.spool {
            fs::create_dir_all(folder).with_context(|| format!("cannot make the spool {}", folder.display()))?;
        }
        Ok(Self { notify, exec, redact: !args.no_redact, ledger })
    }

    /// What an earlier watch told.
    fn ledger(&self) -> Result<Ledger> {
        let Some(path) = &self.ledger else { return Ok(Ledger::default()) };
        match fs::read(path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_else(|_| {
                eprintln!("why401: {} cannot be used; incidents may be told of again", path.display());
                Ledger::default()
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ledger::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    fn pass(&mut self, event: &Event) {
        let told = |error| eprintln!("why401: {error}; the message is sent all the same");
        if let Some(exec) = &mut self.exec {
            exec.push(event.clone()).unwrap_or_else(told);
        }
        if let Some(notify) = &mut self.notify {
            match hidden(event, self.redact) {
                Ok(event) => notify.push(event).unwrap_or_else(told),
                Err(error) => eprintln!("why401: {} is not sent: {error:#}", event.key),
            }
        }
    }

    /// After the messages are in the spool: in between they are told of twice rather than not at all.
    fn remember(&self, ledger: &Ledger) {
        let Some(path) = &self.ledger else { return };
        let written = serde_json::to_vec(ledger).map_err(anyhow::Error::from);
        let written = written.and_then(|bytes| Ok(replace(path, &bytes, Readers::Owner)?));
        if let Err(error) = written {
            eprintln!("why401: {error:#}");
        }
    }

    fn close(self) -> usize {
        [self.notify, self.exec].into_iter().flatten().map(Outbox::close).sum()
    }
}

/// The event as it may leave the machine.
fn hidden(event: &Event, redact: bool) -> Result<Event> {
    let alone = Diagnosis { incidents: vec![event.incident.clone()], ..Diagnosis::default() };
    let mut incidents = redacted(&alone, redact)?.incidents;
    let incident = incidents.pop().context("a redacted diagnosis has its incident")?;
    Ok(Event { incident, ..event.clone() })
}

/// Where PagerDuty takes events.
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

#[cfg(feature = "notify")]
fn receiver(args: &Args) -> Result<Option<Box<dyn Receiver>>> {
    let (mut url, mut secret) = (args.notify.clone(), None);
    if let Some(path) = &args.notify_secret_file {
        let mut text = String::new();
        if path.as_os_str() == "-" {
            io::stdin().read_to_string(&mut text).context("cannot read the secret from standard input")?;
        } else {
            text = fs::read_to_string(path).with_context(|| format!("cannot read the secret {}", path.display()))?;
        }
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if line.starts_with("http://") || line.starts_with("https://") {
                url = Some(line.to_owned());
            } else {
                secret = Some(line.to_owned());
            }
        }
        if url.is_none() && args.notify_format != Body::Pagerduty {
            bail!("{} holds no URL and --notify names none", path.display());
        }
    }
    if args.notify_format == Body::Pagerduty && (url.is_some() || secret.is_some()) {
        url.get_or_insert_with(|| PAGERDUTY.to_owned());
        if secret.is_none() {
            bail!("PagerDuty needs a routing key: put it into a file and say --notify-secret-file FILE");
        }
    }
    let Some(url) = url else { return Ok(None) };
    if !url.starts_with("http://") && !url.starts_with("https://") {
        bail!("--notify takes a URL that begins with http:// or https://");
    }
    let http = crate::notify::Http::new(&url, args.notify_format, secret, RECEIVER_PATIENCE);
    Ok(Some(Box::new(http)))
}

#[cfg(not(feature = "notify"))]
fn receiver(args: &Args) -> Result<Option<Box<dyn Receiver>>> {
    if args.notify.is_some() || args.notify_secret_file.is_some() {
        bail!("this why401 was built without `notify`");
    }
    Ok(None)
}
