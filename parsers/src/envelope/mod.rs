//! Envelopes: what a platform wraps around a line. They nest, so they are peeled from outside in until none fits.
//!
//! A new envelope is a new file here and a line in [`ENVELOPES`].

mod app_time;
mod browser_console;
mod client_log;
mod cloudwatch_json;
mod cloudwatch_tail;
mod compose;
mod cri;
mod csv_export;
mod dart_logging;
mod datadog;
mod docker_json;
mod fluent_bit;
mod fluentd;
mod flutter_run;
mod flutter_verbose;
mod fly;
mod foreman;
mod gcp;
mod github_actions;
mod heroku;
mod idevicesyslog;
mod journald;
mod journald_json;
mod json_logger;
mod kubectl;
mod logcat;
mod logcli;
mod logfmt;
mod logger_box;
mod loki;
mod os_log;
mod other_json;
mod otlp_logs;
mod papertrail;
mod render_json;
mod render_text;
mod ruby_logger;
mod semantic_logger;
mod stern;
mod syslog;
mod syslog_bsd;
mod timestamp;
mod vector;
mod xcode;

use std::sync::LazyLock;

use bumpalo::Bump;

use crate::about::About;
use crate::json::Object;
use crate::secret::RequestId;
use crate::time::Stamp;

/// How deep envelopes are peeled. A CI job that follows `docker compose logs -t` of an app with Ruby's formatter is four; twice that
/// bounds the work on a line that was made to nest.
const MAX_DEPTH: usize = 8;

/// What is left of a line when an envelope is off, and what the envelope said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peeled<'a> {
    /// The line inside.
    pub inner: &'a [u8],
    /// The envelope's time.
    pub stamp: Option<Stamp>,
    /// Process (and thread), as one number; 0 if not said.
    pub process: u64,
    /// The instance, dyno, pod or host that wrote it.
    pub instance: Option<&'a [u8]>,
    /// Logged as an error or worse.
    pub severe: bool,
    /// The line comes from a Flutter app (so it is never the server's).
    pub client: bool,
    /// The line's text is a program's own words whatever they are: an envelope of one program, not of a platform.
    pub program: bool,
    /// The request id that stands in a field of it.
    pub request: Option<RequestId>,
    /// The user whom a field names.
    pub user: Option<&'a [u8]>,
    /// The client's address in a field.
    pub address: Option<&'a [u8]>,
}

/// One way of wrapping a line.
pub trait Envelope: Sync {
    /// Its name, as in `why401 formats`.
    fn name(&self) -> &'static str;
    /// What `why401 formats` says of it.
    fn about(&self) -> About;
    /// Whether a line that begins with this byte can be wrapped so. Keeps plain lines from being looked at by everybody.
    fn begins(&self, first: u8) -> bool;
    /// Of an envelope that is a JSON object: the fields one of which it has, or the line is not wrapped so. Keeps objects that are
    /// lines of their own from being looked at by everybody.
    fn fields(&self) -> &'static [&'static str] {
        &[]
    }
    /// Whether other programs' words may look alike, so that it is looked for where a client is known to write only.
    fn of_clients_only(&self) -> bool {
        false
    }
    /// The line without it, or `None` if the line is not wrapped so.
    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>>;
}

/// All envelopes. A line is tried against them in this order: the strict ones before those that take any text behind a time.
pub static ENVELOPES: &[&dyn Envelope] = &[
    &ruby_logger::RubyLogger,
    &dart_logging::DartLogging,
    &logcat::Logcat,
    &flutter_run::FlutterRun,
    &flutter_verbose::FlutterVerbose,
    &syslog::Syslog,
    &idevicesyslog::DeviceSyslog,
    &syslog_bsd::SyslogBsd,
    &render_text::RenderText,
    &heroku::Heroku,
    &cri::Cri,
    &fly::Fly,
    &logcli::Logcli,
    &fluentd::Fluentd,
    &xcode::Xcode,
    &os_log::OsLog,
    &client_log::ClientLog,
    &journald::Journald,
    &papertrail::Papertrail,
    &semantic_logger::SemanticLogger,
    &github_actions::GithubActions,
    &csv_export::CsvExport,
    &cloudwatch_tail::CloudWatchTail,
    &timestamp::Timestamp,
    &kubectl::Kubectl,
    &stern::Stern,
    &foreman::Foreman,
    &compose::Compose,
    &logger_box::LoggerBox,
    &browser_console::BrowserConsole,
    &app_time::AppTime,
    &docker_json::DockerJson,
    &journald_json::JournaldJson,
    &gcp::Gcp,
    &otlp_logs::OtlpLogs,
    &cloudwatch_json::CloudWatchJson,
    &loki::Loki,
    &datadog::Datadog,
    &fluent_bit::FluentBit,
    &vector::Vector,
    &render_json::RenderJson,
    &json_logger::JsonLogger,
    &logfmt::Logfmt,
    &other_json::OtherJson,
];

/// For each byte that a line can begin with, the envelopes to try, as bits by place in [`ENVELOPES`].
static BEGINS: LazyLock<[u64; 256]> = LazyLock::new(|| {
    let mut table = [0_u64; 256];
    for first in 0..=u8::MAX {
        for (place, envelope) in ENVELOPES.iter().enumerate() {
            table[usize::from(first)] |= u64::from(envelope.begins(first)) << place;
        }
    }
    table
});

/// The envelopes that are so, as bits by place in [`ENVELOPES`].
fn bits_of(are: impl Fn(&dyn Envelope) -> bool) -> u64 {
    let places = ENVELOPES.iter().enumerate().filter(|(_, envelope)| are(**envelope));
    places.fold(0, |bits, (place, _)| bits | 1 << place)
}

/// The envelopes that are JSON objects with known fields.
static OBJECTS: LazyLock<u64> = LazyLock::new(|| bits_of(|envelope| !envelope.fields().is_empty()));

/// The envelopes that are looked for in a client's lines only.
static OF_CLIENTS: LazyLock<u64> = LazyLock::new(|| bits_of(|envelope| envelope.of_clients_only()));

/// The fields of all envelopes.
static FIELDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let mut fields = ENVELOPES.iter().flat_map(|envelope| envelope.fields()).copied().collect::<Vec<_>>();
    fields.sort_unstable();
    fields.dedup();
    fields
});

/// Whether a JSON object with these fields is in no envelope, whatever its values are, but for [`MARK`] among them. Of envelopes' fields,
/// lograge's Logstash formatter writes `message`; with the controller beside it no logger's object is it, and the other envelopes
/// that have one have more.
pub(crate) fn is_bare(keys: &[&[u8]]) -> bool {
    const OTHERS: &[&str] = &["_id", "eventId", "id", "ingestionTime", "labels", "resource", "source_type", "type"];
    let has = |name: &&str| keys.contains(&name.as_bytes());
    let mut known = FIELDS.iter().filter(|field| has(field));
    match (known.next(), known.next()) {
        (None, _) => true,
        (Some(&"message"), None) => ["controller", "action"].iter().all(has) && !OTHERS.iter().any(has),
        _ => false,
    }
}

/// By this word, wherever it stands, Vector's objects are known.
pub(crate) const MARK: &[u8] = b"source_type";

/// The bit of an app's own time prefix in [`Unwrapped::envelopes`].
#[must_use]
pub fn app_time_bit() -> u64 {
    static BIT: LazyLock<u64> = LazyLock::new(|| bits_of(|envelope| envelope.name() == app_time::NAME));
    *BIT
}

/// The envelopes that a client's lines may come in as well as a server's, as bits by place in [`ENVELOPES`].
pub(crate) fn of_anybody() -> u64 {
    static BITS: LazyLock<u64> =
        LazyLock::new(|| bits_of(|envelope| ["timestamp", app_time::NAME, "json-logger"].contains(&envelope.name())));
    *BITS
}

/// A line with its envelopes off.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwrapped<'a> {
    /// The text inside all envelopes.
    pub text: &'a [u8],
    /// The innermost time; the program's own beats the platform's.
    pub stamp: Option<Stamp>,
    /// Process (and thread), as one number; 0 if not said.
    pub process: u64,
    /// The instance that wrote it.
    pub instance: Option<&'a [u8]>,
    /// Logged as an error or worse.
    pub severe: bool,
    /// From a Flutter app.
    pub client: bool,
    /// In a source that a client alone writes.
    pub of_client: bool,
    /// Wrapped by one program: its text is understood whatever it says.
    pub program: bool,
    /// Which envelopes were peeled, as bits by place in [`ENVELOPES`].
    pub envelopes: u64,
    /// The request id that a field names.
    pub request: Option<RequestId>,
    /// The user whom a field names.
    pub user: Option<&'a [u8]>,
    /// The client's address in a field.
    pub address: Option<&'a [u8]>,
    /// The text, where it is a JSON object.
    pub(crate) object: Option<&'a Object<'a>>,
}

impl Unwrapped<'_> {
    /// Whether what a client's logger put before the words is off, behind which it may have put its name.
    pub(crate) fn may_be_named(&self) -> bool {
        static BITS: LazyLock<u64> =
            LazyLock::new(|| bits_of(|envelope| envelope.of_clients_only() || envelope.name() == dart_logging::NAME));
        self.envelopes & *BITS != 0
    }

    /// Whether the line is a client's. Inside a platform's frame an app's own time is a server's.
    pub(crate) fn is_trace(&self) -> bool {
        self.client || self.of_client || self.envelopes == app_time_bit()
    }
}

/// Peels every envelope off a line.
#[must_use]
pub fn unwrap<'a>(line: &'a [u8], arena: &'a Bump) -> Unwrapped<'a> {
    unwrap_of(line, false, arena)
}

/// Peels every envelope off a line of a source that a client alone writes, or not.
pub(crate) fn unwrap_of<'a>(line: &'a [u8], of_client: bool, arena: &'a Bump) -> Unwrapped<'a> {
    let mut out = Unwrapped { text: line, of_client, object: Object::of_line(line, arena), ..Unwrapped::default() };
    for _ in 0..MAX_DEPTH {
        // What an app prints as JSON is a body or a frame of a socket, however much it looks like a logger's object.
        if out.is_trace() && out.text.first() == Some(&b'{') && (out.envelopes != 0 || !out.of_client) {
            break;
        }
        let others = if out.client || out.of_client { 0 } else { *OF_CLIENTS };
        let Some((place, peeled)) = peel(out.text, out.object, others, arena) else { break };
        out.text = peeled.inner;
        out.object = Object::of_line(out.text, arena);
        // The program's own time is when it happened; the platform's is when the line arrived. But a time without a
        // zone inside one that has a zone is still the better one: its zone can be inferred from the other.
        out.stamp = peeled.stamp.or(out.stamp);
        if peeled.process != 0 {
            out.process = peeled.process;
        }
        out.instance = peeled.instance.or(out.instance);
        out.severe |= peeled.severe;
        out.client |= peeled.client;
        out.program |= peeled.program;
        out.request = peeled.request.or(out.request);
        out.user = peeled.user.or(out.user);
        out.address = peeled.address.or(out.address);
        out.envelopes |= 1 << place;
    }
    out
}

/// What the first envelope leaves of a line, be it which it may.
pub(crate) fn peel_text<'a>(text: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
    peel(text, Object::of_line(text, arena), *OF_CLIENTS, arena).map(|(_, peeled)| peeled)
}

/// The first envelope that fits, with its place; `but` for these.
fn peel<'a>(text: &'a [u8], object: Option<&Object<'a>>, but: u64, arena: &'a Bump) -> Option<(usize, Peeled<'a>)> {
    let mut places = BEGINS[usize::from(*text.first()?)] & !but;
    if object.is_some_and(|object| !object.has_any(&FIELDS)) {
        places &= !*OBJECTS;
    }
    while places != 0 {
        let place = places.trailing_zeros() as usize;
        if let Some(peeled) = ENVELOPES[place].peel(text, arena) {
            return Some((place, peeled));
        }
        places &= places - 1;
    }
    None
}

/// `text` without the one blank that mostly stands before it.
fn after_blank(text: &[u8]) -> &[u8] {
    text.strip_prefix(b" ").unwrap_or(text)
}

/// A message out of a JSON string, without its own line end.
fn message(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.strip_suffix(b"\r").unwrap_or(text)
}

/// Whether a word for a level says that something went wrong.
pub(crate) fn is_severe(level: &[u8]) -> bool {
    const SEVERE: &[&[u8]] = &[
        b"error",
        b"err",
        b"erro",
        b"fatal",
        b"critical",
        b"crit",
        b"alert",
        b"emerg",
        b"emergency",
        b"e",
        b"f",
        b"severe",
    ];
    SEVERE.iter().any(|word| level.eq_ignore_ascii_case(word))
}
