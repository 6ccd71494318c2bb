//! Counts, times and names in words.

use chrono::{DateTime, Utc};
use why401_parsers::event::is_hidden;

use crate::cause::Label;
use crate::cause::case::span;
use crate::diagnosis::{Impact, Incident, LifetimeFinding};
use crate::session::SECOND;
use crate::session::habit::Refreshing;
use crate::session::lifetime::KnownBy;

pub(super) fn whose(incident: &Incident) -> String {
    match &incident.actor {
        None => "the service".into(),
        Some(actor) => match (&actor.user, &actor.email, actor.ips.first()) {
            (Some(user), ..) => format!("user {}", clean(user)),
            (None, Some(email), _) => clean(email),
            (None, None, Some(ip)) => clean(ip),
            _ => "somebody whom no log names".into(),
        },
    }
}

pub(super) fn impact(impact: Impact) -> &'static str {
    match impact {
        Impact::Dropped => "dropped",
        Impact::Degraded => "degraded",
        Impact::Latent => "latent",
    }
}

pub(super) fn persons(count: u64) -> String {
    if count == 1 { "1 person".into() } else { format!("{} people", number(count)) }
}

pub(super) fn incidents(count: usize) -> String {
    if count == 1 { "1 incident".into() } else { format!("{} incidents", number(count as u64)) }
}

pub(super) fn percent(value: f64) -> String {
    format!("{:.0}%", value * 100.0)
}

/// How sure a cause is, in a cell of a table. Where none was named there is nothing to be sure of.
pub(super) fn sureness(cause: Label, confidence: f64) -> String {
    if cause == Label::Inconclusive { "–".to_owned() } else { percent(confidence) }
}

/// The same in a sentence.
pub(super) fn how_sure(incident: &Incident) -> String {
    if incident.cause == Label::Inconclusive {
        "not explained".to_owned()
    } else {
        format!("{} sure", percent(incident.confidence))
    }
}

/// `12,345`.
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn parsed(time: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(time).ok().map(|time| time.with_timezone(&Utc))
}

pub(super) fn clock(time: &str) -> String {
    parsed(time).map_or_else(|| clean(time), |time| time.format("%H:%M:%S").to_string())
}

pub(super) fn clock_and_day(time: &str) -> String {
    parsed(time).map_or_else(|| clean(time), |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
}

/// As much of a text as fits, by its width on a terminal.
pub(crate) fn cut_to(text: &str, width: usize) -> String {
    use textwrap::core::display_width;
    if display_width(text) <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    for letter in text.chars() {
        out.push(letter);
        if display_width(&out) >= width {
            out.pop();
            break;
        }
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// Text without what steers a reader's eye or a terminal. What logs say is clean by then; a saved diagnosis may say anything.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\n' | '\r' | '\t' => ' ',
            letter if is_hidden(letter) => char::REPLACEMENT_CHARACTER,
            letter => letter,
        })
        .collect()
}

/// `stale_token/websocket`, as `explain` and `--cause` take it.
pub(super) fn with_kind(label: Label, kind: &str) -> String {
    if kind.is_empty() { label.as_str().to_owned() } else { format!("{}/{}", label.as_str(), clean(kind)) }
}

/// Where a lifetime is known from.
pub(super) fn known_by(lifetime: &LifetimeFinding) -> String {
    let seconds = |seconds: i64| span(seconds.saturating_mul(SECOND));
    let mut known = match lifetime.known_by {
        KnownBy::Configuration => "as configured".to_owned(),
        KnownBy::ExpiresIn => format!("as told to clients in {} answers", number(lifetime.support)),
        KnownBy::Uses => {
            let (accepted, refused) = lifetime.between;
            let accepted = if accepted > 0 { format!("accepted up to {}, ", seconds(accepted)) } else { String::new() };
            format!("{} reached it; {accepted}refused from {}", number(lifetime.support), seconds(refused))
        }
    };
    if let Some(lead) = lifetime.refreshed_at_seconds {
        known.push_str(&format!("; most clients refresh at {}", seconds(lead)));
    }
    if let (Some(habit), Some(refreshing)) = (lifetime.refreshes, lifetime.refreshing) {
        let (proactive, reactive) = (number(habit.proactive), number(habit.reactive));
        known.push_str(&match refreshing {
            Refreshing::Proactive => {
                format!("; refreshed ahead of its end ({proactive} times, {reactive} after a refusal)")
            }
            Refreshing::Reactive => format!("; refreshed only after a refusal ({reactive} times, {proactive} ahead)"),
            Refreshing::Both => format!("; refreshed both ways: {proactive} times ahead, {reactive} after a refusal"),
        });
    }
    known
}

/// Whose a lifetime is.
pub(super) fn platform(lifetime: &LifetimeFinding) -> &str {
    if lifetime.platform == "unknown" { "any client" } else { &lifetime.platform }
}
