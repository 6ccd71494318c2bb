//! Configuration: a value built once at the edge from flags and `why401.toml`, and passed down.

pub mod layers;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use why401_parsers::pattern::{MOST_PATTERNS, Pattern, Written};
use why401_parsers::record::Side;

use crate::session::endpoint::Role;

/// What a diagnosis may be told.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Endpoints whose roles are stated.
    pub endpoints: Endpoints,
    /// Lifetimes that are stated.
    pub lifetimes: Lifetimes,
    /// Zones and years of sources.
    pub clock: ClockConfig,
    /// How long a pause between refusals still belongs to one incident.
    pub window: Window,
    /// Which events count.
    pub filter: Filter,
    /// Formats of the user's own.
    pub patterns: Arc<[Pattern]>,
    /// How far back is looked; everything, if not said.
    pub keep: Option<Keep>,
}

/// How far back is looked, from the latest time in the logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Microseconds.
    pub span: i64,
    /// A later time (microseconds since 1970) than this is a clock that is wrong, and no reason to let everything go.
    pub no_later_than: i64,
}

impl Keep {
    /// This long, as seen now. A clock may be a day ahead.
    #[must_use]
    pub fn from_now(span: i64) -> Self {
        Self { span, no_later_than: chrono::Utc::now().timestamp_micros() + 86_400_000_000 }
    }

    /// From when on is looked, given the latest time.
    #[must_use]
    pub fn since(self, latest: i64) -> i64 {
        latest.min(self.no_later_than) - self.span
    }
}

/// `[endpoints]`: paths by role, beyond what is detected.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Endpoints {
    /// Paths that sign in.
    pub sign_in: Vec<String>,
    /// Paths that refresh.
    pub refresh: Vec<String>,
    /// Paths that sign out.
    pub sign_out: Vec<String>,
    /// Paths that change a password or revoke sessions.
    pub revoke: Vec<String>,
    /// Paths that become WebSockets.
    pub socket: Vec<String>,
}

impl Endpoints {
    /// The role that is stated for a path. A stated path ending in `*` holds for all that begin so.
    #[must_use]
    pub fn role(&self, path: &str) -> Option<Role> {
        let is = |list: &[String]| {
            list.iter().any(|stated| stated.strip_suffix('*').map_or(stated == path, |start| path.starts_with(start)))
        };
        [
            (Role::Refresh, &self.refresh),
            (Role::SignIn, &self.sign_in),
            (Role::SignOut, &self.sign_out),
            (Role::Revoke, &self.revoke),
            (Role::Socket, &self.socket),
        ]
        .into_iter()
        .find_map(|(role, list)| is(list).then_some(role))
    }
}

/// `[lifetimes]`: what the server is configured to, in seconds, where it is known.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lifetimes {
    /// Of an access token.
    pub access_seconds: Option<u32>,
    /// Of a refresh token.
    pub refresh_seconds: Option<u32>,
}

/// `[clock]`: zones and years, for all sources or by source.
#[derive(Clone, Debug, Default)]
pub struct ClockConfig {
    /// `(source pattern or None for all, zone)`.
    pub zones: Vec<(Option<String>, chrono_tz::Tz)>,
    /// `(source pattern or None for all, year)`.
    pub years: Vec<(Option<String>, i32)>,
}

impl ClockConfig {
    /// What is stated for a source, a pattern for it before one for all. A pattern fits where the source's name contains it.
    fn of<T: Copy>(list: &[(Option<String>, T)], source: &str) -> Option<T> {
        let named =
            list.iter().find(|(pattern, _)| pattern.as_ref().is_some_and(|pattern| source.contains(pattern.as_str())));
        named.or_else(|| list.iter().find(|(pattern, _)| pattern.is_none())).map(|(_, value)| *value)
    }

    /// The zone stated for a source.
    #[must_use]
    pub fn zone(&self, source: &str) -> Option<chrono_tz::Tz> {
        Self::of(&self.zones, source)
    }

    /// The year stated for a source.
    #[must_use]
    pub fn year(&self, source: &str) -> Option<i32> {
        Self::of(&self.years, source)
    }
}

/// The pause that ends an incident, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window(pub i64);

impl Default for Window {
    /// Ten minutes: longer than the back-off of the usual reconnecting clients (ActionCable's monitor gives up or repeats
    /// within some two minutes, hand-written ones cap at one to five) and than usual polling, shorter than the usual time
    /// between two openings of an app.
    fn default() -> Self {
        Self(10 * 60 * 1_000_000)
    }
}

/// Which part of the diagnosis is asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only this user (id or e-mail).
    pub user: Option<String>,
    /// Only this address.
    pub address: Option<String>,
    /// Only incidents that end after this time, microseconds since 1970.
    pub since: Option<i64>,
    /// Only incidents that begin before this time.
    pub until: Option<i64>,
    /// Only these causes, by label, each with or without `/kind`.
    pub causes: Vec<String>,
}

impl Filter {
    /// Whether everything is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { user, address, since, until, causes } = self;
        user.is_none() && address.is_none() && since.is_none() && until.is_none() && causes.is_empty()
    }
}

/// `why401.toml` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigFile {
    /// See [`Endpoints`].
    pub endpoints: Endpoints,
    /// See [`Lifetimes`].
    pub lifetimes: Lifetimes,
    /// `[clock]`
    pub clock: ClockFile,
    /// Minutes; see [`Window`].
    pub window_minutes: Option<u32>,
    /// `[[pattern]]`
    pub pattern: Vec<PatternFile>,
    /// `[batch]`
    pub batch: Option<BatchFile>,
}

/// `[batch]` as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchFile {
    /// Logs, folders and patterns. A log's rotations belong to it.
    pub sources: Vec<String>,
    /// The folder for what is kept between runs.
    pub state: std::path::PathBuf,
    /// Files to write; the ending says how.
    #[serde(default)]
    pub report: OneOrMore,
    /// How much log time is kept: `35d`.
    pub keep: Option<String>,
    /// Pseudonyms in reports; if not said, in those for readers (`.html`, `.md`) and not in those for programs.
    pub redact: Option<bool>,
}

/// One file or a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore {
    /// One.
    One(std::path::PathBuf),
    /// A list.
    More(Vec<std::path::PathBuf>),
}

impl Default for OneOrMore {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

impl OneOrMore {
    /// All of them.
    #[must_use]
    pub fn list(&self) -> &[std::path::PathBuf] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(list) => list,
        }
    }
}

impl ConfigFile {
    /// What it says, for a run that asks for `filter`.
    ///
    /// # Errors
    /// What is wrong with the first value that cannot be used.
    pub fn config(self, filter: Filter) -> Result<Config, String> {
        let mut clock = ClockConfig::default();
        for text in &self.clock.tz {
            let (pattern, zone) = split_pattern(text);
            let zone = zone
                .parse::<chrono_tz::Tz>()
                .map_err(|_| format!("--tz '{zone}' is no time zone: use names like Asia/Seoul or UTC"))?;
            clock.zones.push((pattern, zone));
        }
        for text in &self.clock.year {
            let (pattern, year) = split_pattern(text);
            let year = year
                .parse()
                .ok()
                .filter(|year| (1990..=2100).contains(year))
                .ok_or_else(|| format!("--year '{year}' is no year: use 2026, or PART-OF-SOURCE-NAME=2026"))?;
            clock.years.push((pattern, year));
        }
        let window =
            self.window_minutes.map_or_else(Window::default, |minutes| Window(i64::from(minutes) * 60_000_000));
        let patterns = self.patterns()?;
        Ok(Config { endpoints: self.endpoints, lifetimes: self.lifetimes, clock, window, filter, patterns, keep: None })
    }

    /// The patterns, each checked against its example.
    ///
    /// # Errors
    /// What is wrong with the first that cannot be used.
    pub fn patterns(&self) -> Result<Arc<[Pattern]>, String> {
        if self.pattern.len() > MOST_PATTERNS {
            return Err(format!("there are {} patterns; {MOST_PATTERNS} can be used", self.pattern.len()));
        }
        self.pattern.iter().map(PatternFile::checked).collect()
    }
}

/// `pattern=value` or `value`.
fn split_pattern(text: &str) -> (Option<String>, &str) {
    text.rsplit_once('=').map_or((None, text), |(pattern, value)| (Some(pattern.to_owned()), value))
}

/// `[[pattern]]` as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternFile {
    /// What it is called in counts and messages.
    pub name: String,
    /// A regular expression with groups named after the product's keys.
    pub regex: Option<String>,
    /// JSON fields by the product's keys: `json = { user = "who.id", message = "text" }`.
    #[serde(default)]
    pub json: BTreeMap<String, String>,
    /// `strftime` notation of the time, where it is none of the usual forms.
    pub time_format: Option<String>,
    /// A line that the pattern must read.
    pub example: String,
    /// `server` or `client`.
    #[serde(default)]
    pub side: PatternSide,
}

/// Which side writes the lines of a pattern.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PatternSide {
    /// The API.
    #[default]
    Server,
    /// The app.
    Client,
}

impl PatternFile {
    fn checked(&self) -> Result<Pattern, String> {
        Pattern::new(&Written {
            name: &self.name,
            regex: self.regex.as_deref(),
            json: self.json.iter().map(|(key, field)| (key.as_str(), field.as_str())).collect(),
            time_format: self.time_format.as_deref(),
            example: &self.example,
            side: match self.side {
                PatternSide::Server => Side::Server,
                PatternSide::Client => Side::Client,
            },
        })
    }
}

/// `[clock]` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClockFile {
    /// Zones: `"Asia/Seoul"` for all sources, or `"pattern=Asia/Seoul"`.
    pub tz: Vec<String>,
    /// Years: `"2026"` or `"pattern=2026"`.
    pub year: Vec<String>,
}
