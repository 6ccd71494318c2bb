//! `why401 simulate`: logs with a known truth, of any size and mix.
//!
//! For teaching on-call people, for testing alerts, for proving the tool before trusting it. It shares no code with the
//! parsers: formats come from the documents, so that a mistake in one is not hidden by the same mistake in the other. The same
//! seed and options give the same bytes.

mod clock;
mod envelope;
mod life;
mod plan;
mod rare;
mod rng;
mod server;
mod trace;
mod truth;

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::Path;

use chrono::SecondsFormat;
use clap::ValueEnum;

pub use envelope::Envelope;
use plan::Fault;

/// Microseconds.
const MILLI: i64 = 1000;
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

/// How the server logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// Rails 7.2's default formatter with request ids
    Rails,
    /// Rails 8: no time but on `Started`
    Rails8,
    /// Rails 6.1
    Rails61,
    /// lograge, key=value
    LogrageKv,
    /// lograge, JSON
    LogrageJson,
}

impl Dialect {
    /// As in `truth.json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rails => "rails",
            Self::Rails8 => "rails8",
            Self::Rails61 => "rails61",
            Self::LogrageKv => "lograge-kv",
            Self::LogrageJson => "lograge-json",
        }
    }
}

/// What the logs do not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Withheld {
    /// Request ids
    Tags,
    /// Clients' addresses: a proxy's stands on every line
    Addresses,
    /// The app's own words
    Words,
    /// Users' ids on lines (an ActionCable identifier still names them)
    Names,
    /// Requests that refresh
    Refresh,
    /// Clients' traces
    Client,
    /// The first half of the server's log
    Half,
}

impl Withheld {
    /// As in `truth.json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::Addresses => "addresses",
            Self::Words => "words",
            Self::Names => "names",
            Self::Refresh => "refresh",
            Self::Client => "client",
            Self::Half => "half",
        }
    }
}

/// From which level on the server logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// With ActiveRecord's look-ups
    Debug,
    /// As in production
    Info,
    /// No requests: the app's warnings, errors and exceptions only
    Warn,
}

impl Level {
    /// As in `truth.json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
        }
    }
}

/// What devices run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Platform {
    /// logcat, `flutter run`
    Android,
    /// Xcode's console
    Ios,
}

/// How users are identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Ids {
    /// 7001, 7002, …
    Int,
    /// UUIDs
    Uuid,
    /// ULIDs
    Ulid,
    /// E-mail addresses
    Email,
}

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Options {
    /// Everything that is left to chance follows from it.
    pub seed: u64,
    /// People.
    pub users: usize,
    /// Length of the log.
    pub hours: f64,
    /// `mixed`, `rare`, `healthy`, causes, or kinds of the samples.
    pub mix: Vec<String>,
    /// How the server logs.
    pub dialect: Dialect,
    /// What the logs do not tell.
    pub withhold: Vec<Withheld>,
    /// How users are identified.
    pub ids: Ids,
    /// The server's log goes on until it has so many bytes.
    pub size: Option<u64>,
    /// Life of an access token, in seconds.
    pub access_seconds: i64,
    /// So many people share one address.
    pub nat: usize,
    /// What the platform wraps around each line of the server's.
    pub envelope: Envelope,
    /// So many of a hundred people have a second device, with which nothing is wrong.
    pub second_devices: usize,
    /// So many of a hundred people's phones change between two networks.
    pub roaming: usize,
    /// From which level on the server logs.
    pub level: Level,
    /// What devices run, as their traces show it.
    pub platforms: Vec<Platform>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            users: 60,
            hours: 3.0,
            mix: vec!["mixed".into()],
            dialect: Dialect::Rails,
            withhold: Vec::new(),
            ids: Ids::Int,
            size: None,
            access_seconds: 3600,
            nat: 0,
            envelope: Envelope::None,
            second_devices: 0,
            roaming: 0,
            level: Level::Info,
            platforms: vec![Platform::Android, Platform::Ios],
        }
    }
}

/// A mix that is none.
#[derive(Debug, thiserror::Error)]
#[error("there is no mix `{0}`: say mixed, rare, healthy, a cause (stale_token, refresh_failure, …) or a kind ({1})")]
pub struct UnknownMix(String, String);

impl Options {
    /// Checks the mix.
    ///
    /// # Errors
    /// The first word that is neither a mix, nor a cause, nor a kind.
    pub fn checked(self) -> Result<Self, UnknownMix> {
        let known = |word: &str| {
            matches!(word, "mixed" | "rare" | "healthy" | "server_restart" | "credential_attack")
                || Fault::ALL.iter().any(|fault| fault.label().0 == word || fault.label().1 == word)
                || Fault::RARE.iter().any(|fault| fault.label().1 == word)
        };
        match self.mix.iter().find(|word| !known(word)) {
            Some(word) => {
                let kinds: Vec<&str> = Fault::ALL.iter().chain(Fault::RARE).map(|fault| fault.label().1).collect();
                Err(UnknownMix(word.clone(), kinds.join(", ")))
            }
            None => Ok(self),
        }
    }

    fn mixed(&self) -> bool {
        self.mix.iter().any(|word| word == "mixed")
    }

    fn asks_for(&self, word: &str) -> bool {
        self.mixed() || self.mix.iter().any(|asked| asked == word)
    }

    fn faults(&self) -> Vec<Fault> {
        let named = |word: &str| self.mix.iter().any(|asked| asked == word);
        Fault::ALL
            .iter()
            .copied()
            .filter(|fault| self.asks_for(fault.label().0) || self.asks_for(fault.label().1))
            .chain(Fault::RARE.iter().copied().filter(|fault| named("rare") || named(fault.label().1)))
            .collect()
    }

    fn restarts(&self) -> bool {
        self.asks_for("server_restart")
    }

    fn attacks(&self) -> bool {
        self.asks_for("credential_attack")
    }

    fn withholds(&self, what: Withheld) -> bool {
        self.withhold.contains(&what)
    }

    /// Time between two calls of one person: that of people, faster where a given size is to be reached.
    fn pace(&self) -> i64 {
        if self.size.is_some() { 20 * SECOND } else { 4 * MINUTE }
    }
}

/// When every simulated log begins: a Monday morning, in no relation to the clock of the machine.
const BEGINNING: i64 = 1_773_648_000 * SECOND;

/// What was written.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// Bytes of the server's log.
    pub bytes: u64,
    /// Traces of clients.
    pub traces: usize,
}

/// Writes `server.log`, `client-*.log` and `truth.json` into a folder.
///
/// # Errors
/// What writing gives.
pub fn simulate(options: &Options, folder: &Path) -> io::Result<Written> {
    fs::create_dir_all(folder)?;
    let mut rng = rng::Rng::new(options.seed);
    let people = plan::people(options, &mut rng);
    // Ten years: a given size is reached long before.
    let hours = if options.size.is_some() { 87_600.0 } else { options.hours.clamp(0.1, 87_600.0) };
    #[allow(clippy::cast_possible_truncation, reason = "at most ten years")]
    let end = BEGINNING + (hours * 3600.0) as i64 * SECOND;
    let from = if options.withholds(Withheld::Half) { BEGINNING + (end - BEGINNING) / 2 } else { i64::MIN };
    let file = BufWriter::with_capacity(1 << 20, File::create(folder.join("server.log"))?);
    let server = server::Server::new(file, options, from);
    let outcome = life::Life::new(options, &people, server, BEGINNING, end).run()?;
    let traces = outcome.traces.len();
    for (place, text) in outcome.traces {
        fs::write(folder.join(truth::trace_name(place)), text)?;
    }
    let window = (outcome.window.0.max(from), outcome.window.1);
    let truth = outcome.notes.write(options, &people, window);
    fs::write(folder.join("truth.json"), serde_json::to_string_pretty(&truth)?)?;
    Ok(Written { bytes: outcome.bytes, traces })
}

fn rfc3339(micros: i64) -> String {
    chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}
