//! Those who are told besides: a URL, a command, and the next watch.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use crossbeam_channel::{Receiver as Troubles, Sender, unbounded};

use super::Args;
use crate::Diagnosis;
use crate::atomic::{Readers, replace};
use crate::batch::Held;
use crate::command::report::redact::redacted;
#[cfg(feature = "notify")]
use crate::notify::{Authority, Format as Body, Http};
use crate::notify::{Exec, Outbox, Patience, Receiver, Spool};
use crate::watch::{Event, Ledger};

/// A receiver gets so long for a message.
#[cfg(feature = "notify")]
const RECEIVER_PATIENCE: Duration = Duration::from_secs(10);
/// And a command.
const COMMAND_PATIENCE: Duration = Duration::from_secs(30);

/// Those who are told besides.
pub(super) struct Hands {
    notify: Option<Outbox>,
    exec: Option<Outbox>,
    redact: bool,
    ledger: Option<PathBuf>,
    to_troubles: Sender<String>,
    troubles: Troubles<String>,
    /// Two watches that share a spool would send each other's messages.
    _lock: Option<Held>,
}

impl Hands {
    pub(super) fn begin(args: &Args) -> Result<Self> {
        let lock = match &args.spool {
            None => None,
            Some(folder) => {
                fs::create_dir_all(folder).with_context(|| format!("cannot make the spool {}", folder.display()))?;
                Some(Held::take(folder)?)
            }
        };
        let spool = |name: &str| args.spool.as_deref().map(|folder| Spool::open(&folder.join(name))).transpose();
        let (to_troubles, troubles) = unbounded();
        let notify = match receiver(args)? {
            Some(receiver) => Some(Outbox::begin(receiver, spool("notify")?, Patience::default(), to_troubles.clone())),
            None => None,
        };
        let exec = match &args.exec {
            Some(command) => {
                let exec = Exec { command: command.clone(), patience: COMMAND_PATIENCE };
                Some(Outbox::begin(Box::new(exec), spool("exec")?, Patience::default(), to_troubles.clone()))
            }
            None => None,
        };
        let ledger = args.spool.as_deref().map(|folder| folder.join("told.json"));
        Ok(Self { notify, exec, redact: !args.no_redact, ledger, to_troubles, troubles, _lock: lock })
    }

    /// What an earlier watch told.
    pub(super) fn ledger(&self) -> Result<Ledger> {
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

    pub(super) fn pass(&mut self, event: &Event) {
        let trouble = &self.to_troubles;
        // (This end's own receiver is there as long as it is.)
        let say = |text: String| trouble.send(text).unwrap_or_default();
        let told = |error| say(format!("{error}; the message is sent all the same"));
        if let Some(exec) = &mut self.exec {
            exec.push(event.clone()).unwrap_or_else(told);
        }
        if let Some(notify) = &mut self.notify {
            match hidden(event, self.redact) {
                Ok(event) => notify.push(event).unwrap_or_else(told),
                Err(error) => say(format!("{} is not sent: {error:#}", event.key)),
            }
        }
    }

    /// After the messages are in the spool: in between they are told of twice rather than not at all.
    pub(super) fn remember(&self, ledger: &Ledger) {
        let Some(path) = &self.ledger else { return };
        let written = serde_json::to_vec(ledger).map_err(anyhow::Error::from);
        let written = written.and_then(|bytes| Ok(replace(path, &bytes, Readers::Owner)?));
        if let Err(error) = written {
            self.to_troubles.send(format!("{error:#}")).unwrap_or_default();
        }
    }

    /// What went wrong with them since the last time.
    pub(super) fn troubles(&self) -> Vec<String> {
        self.troubles.try_iter().collect()
    }

    /// Ends, with a little patience for what is still to be taken: how much was not, and what went wrong.
    pub(super) fn close(self) -> (usize, Vec<String>) {
        let left = [self.notify, self.exec].into_iter().flatten().map(Outbox::close).sum();
        (left, self.troubles.try_iter().collect())
    }
}

/// The event as it may leave the machine.
fn hidden(event: &Event, redact: bool) -> Result<Event> {
    let alone = Diagnosis { incidents: vec![event.incident.clone()], ..Diagnosis::default() };
    let mut incidents = redacted(alone, redact)?.incidents;
    let incident = incidents.pop().context("a redacted diagnosis has its incident")?;
    Ok(Event { incident, ..event.clone() })
}

/// Where PagerDuty takes events.
#[cfg(feature = "notify")]
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

#[cfg(feature = "notify")]
fn receiver(args: &Args) -> Result<Option<Box<dyn Receiver>>> {
    let (mut url, mut secret) = (args.notify.clone(), None);
    if let Some(path) = &args.notify_secret_file {
        let mut text = String::new();
        if path.as_os_str() == "-" {
            io::Read::read_to_string(&mut io::stdin(), &mut text)
                .context("cannot read the secret from standard input")?;
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
    let authority = args.notify_ca.as_deref().map(authority).transpose()?;
    let http = Http::new(&url, args.notify_format, secret, authority, RECEIVER_PATIENCE);
    Ok(Some(Box::new(http)))
}

#[cfg(feature = "notify")]
fn authority(path: &std::path::Path) -> Result<Authority> {
    let broken = || format!("cannot use the certificates in {} (--notify-ca)", path.display());
    let pem = fs::read(path).with_context(broken)?;
    let authority = Authority::from_pem(&pem).with_context(broken)?;
    authority.with_context(|| format!("{} (--notify-ca) holds no certificate in PEM", path.display()))
}

#[cfg(not(feature = "notify"))]
fn receiver(args: &Args) -> Result<Option<Box<dyn Receiver>>> {
    if args.notify.is_some() || args.notify_secret_file.is_some() || args.notify_ca.is_some() {
        bail!("this why401 was built without `notify`");
    }
    Ok(None)
}
