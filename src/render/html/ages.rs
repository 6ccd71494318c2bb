//! Lifetimes against practice, and the age of credentials when they were refused, on one logarithmic scale of time.

use serde::Serialize;

use super::view::text;
use crate::cause::case::span;
use crate::diagnosis::{AgeBin, Diagnosis, LifetimeFinding};
use crate::render::words::{known_by, platform};
use crate::session::SECOND;

/// Lifetimes that are shown; more are not told apart in a drawing.
const MOST: usize = 12;
/// Height of the columns.
const HIGH: u64 = 110;

/// Lifetimes, and the histogram if there is something in it.
#[derive(Serialize)]
pub(super) struct Ages {
    lifetimes: Vec<LifetimeRow>,
    histogram: Option<Histogram>,
}

#[derive(Serialize)]
struct LifetimeRow {
    credential: String,
    platform: String,
    lives: String,
    known: String,
    practice: String,
    verdict: &'static str,
    at: i64,
    low: i64,
    span: i64,
}

#[derive(Serialize)]
struct Histogram {
    columns: Vec<Column>,
    ticks: Vec<Tick>,
}

/// The credentials of an age: three columns side by side.
#[derive(Serialize)]
struct Column {
    ages: String,
    x: i64,
    width: i64,
    refused: u64,
    sockets: u64,
    accepted: u64,
    refused_high: u64,
    sockets_high: u64,
    accepted_high: u64,
}

#[derive(Serialize)]
struct Tick {
    x: i64,
    label: String,
}

pub(super) fn ages(diagnosis: &Diagnosis) -> Ages {
    let scale = Scale::of(diagnosis);
    Ages {
        lifetimes: diagnosis.lifetimes.iter().take(MOST).map(|known| lifetime(known, &scale)).collect(),
        histogram: histogram(&diagnosis.ages, &scale),
    }
}

/// A logarithmic scale in the thousandths that a page lays out by, from half a minute to somewhat beyond what is shown.
struct Scale {
    longest: i64,
}

const SHORTEST: i64 = 30;

impl Scale {
    fn of(diagnosis: &Diagnosis) -> Self {
        let lifetimes =
            diagnosis.lifetimes.iter().take(MOST).map(|known| known.access_seconds.max(known.recommended.1));
        let ages = diagnosis.ages.iter().map(|bin| bin.until_seconds);
        // Up to a hundred years: a file from elsewhere may say anything.
        Self { longest: lifetimes.chain(ages).max().unwrap_or(86_400).clamp(3600, 100 * 365 * 86_400) * 3 / 2 }
    }

    fn place(&self, seconds: i64) -> i64 {
        #[allow(clippy::cast_precision_loss, reason = "a place on a drawing")]
        let far = |seconds: i64| (seconds.max(SHORTEST) as f64 / SHORTEST as f64).ln();
        #[allow(clippy::cast_possible_truncation, reason = "a place on a drawing")]
        let place = (far(seconds) / far(self.longest) * 1000.0) as i64;
        place.clamp(0, 1000)
    }
}

fn in_words(seconds: i64) -> String {
    span(seconds.saturating_mul(SECOND))
}

fn lifetime(lifetime: &LifetimeFinding, scale: &Scale) -> LifetimeRow {
    let (low, high) = (scale.place(lifetime.recommended.0), scale.place(lifetime.recommended.1));
    LifetimeRow {
        credential: text(&lifetime.credential),
        platform: text(platform(lifetime)),
        lives: in_words(lifetime.access_seconds),
        known: known_by(lifetime),
        practice: format!("{} to {}", in_words(lifetime.recommended.0), in_words(lifetime.recommended.1)),
        verdict: match lifetime.verdict.as_str() {
            "long" => "long for practice",
            "short" => "short for practice",
            _ => "within practice",
        },
        at: scale.place(lifetime.access_seconds),
        low,
        span: (high - low).max(8),
    }
}

fn histogram(bins: &[AgeBin], scale: &Scale) -> Option<Histogram> {
    let bins = &bins[..bins.len().min(64)];
    let most =
        bins.iter().map(|bin| bin.refused.max(bin.sockets_refused).max(bin.accepted)).max().filter(|m| *m > 0)?;
    let high = |count: u64| if count == 0 { 0 } else { (count.saturating_mul(HIGH) / most).max(3) };
    let columns = bins
        .iter()
        .map(|bin| {
            let x = scale.place(bin.from_seconds);
            let width = (scale.place(bin.until_seconds) - x - 2) / 3;
            Column {
                ages: format!("{} to {}", age(bin.from_seconds), age(bin.until_seconds)),
                x,
                width: width.max(3),
                refused: bin.refused,
                sockets: bin.sockets_refused,
                accepted: bin.accepted,
                refused_high: high(bin.refused),
                sockets_high: high(bin.sockets_refused),
                accepted_high: high(bin.accepted),
            }
        })
        .collect();
    const TICKS: &[(i64, &str)] = &[
        (60, "1 min"),
        (300, "5 min"),
        (900, "15 min"),
        (3600, "1 h"),
        (4 * 3600, "4 h"),
        (86_400, "1 d"),
        (7 * 86_400, "7 d"),
        (30 * 86_400, "30 d"),
        (90 * 86_400, "90 d"),
    ];
    let ticks = TICKS
        .iter()
        .filter(|(seconds, _)| *seconds < scale.longest)
        .map(|(seconds, label)| Tick { x: scale.place(*seconds), label: (*label).to_owned() })
        .collect();
    Some(Histogram { columns, ticks })
}

fn age(seconds: i64) -> String {
    if seconds == 0 { "new".to_owned() } else { in_words(seconds) }
}
