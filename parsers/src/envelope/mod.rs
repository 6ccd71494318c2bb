//! Envelopes: what a platform wraps around a line. They nest, so they are peeled from outside in until none fits.
//!
//! A new envelope is a new file here and a line in [`ENVELOPES`].

mod app_time;
mod flutter_run;
mod logcat;
mod render_json;
mod render_text;
mod ruby_logger;
mod syslog;

use bumpalo::Bump;

use crate::time::Stamp;

/// How deep envelopes are peeled: a Rails line in syslog in Docker is three; more is no log but a riddle.
const MAX_DEPTH: usize = 4;

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
}

/// One way of wrapping a line.
pub trait Envelope: Sync {
    /// Its name, as in `why401 formats`.
    fn name(&self) -> &'static str;
    /// The line without it, or `None` if the line is not wrapped so.
    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>>;
}

/// All envelopes. A line is tried against them in this order.
pub static ENVELOPES: &[&dyn Envelope] = &[
    &ruby_logger::RubyLogger,
    &logcat::Logcat,
    &flutter_run::FlutterRun,
    &syslog::Syslog,
    &render_text::RenderText,
    &render_json::RenderJson,
    &app_time::AppTime,
];

/// The bit of an app's own time prefix in [`Unwrapped::envelopes`].
#[must_use]
pub fn app_time_bit() -> u32 {
    ENVELOPES.iter().position(|envelope| envelope.name() == app_time::NAME).map_or(0, |place| 1 << place)
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
    /// Wrapped by one program: its text is understood whatever it says.
    pub program: bool,
    /// Which envelopes were peeled, as bits by place in [`ENVELOPES`].
    pub envelopes: u32,
}

/// Peels every envelope off a line.
#[must_use]
pub fn unwrap<'a>(line: &'a [u8], arena: &'a Bump) -> Unwrapped<'a> {
    let mut out = Unwrapped { text: line, ..Unwrapped::default() };
    for _ in 0..MAX_DEPTH {
        let Some((place, peeled)) =
            ENVELOPES.iter().enumerate().find_map(|(place, envelope)| Some((place, envelope.peel(out.text, arena)?)))
        else {
            break;
        };
        out.text = peeled.inner;
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
        out.envelopes |= 1 << place;
    }
    out
}
