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
    Ages {
        lifetimes: diagnosis.lifetimes.iter().take(MOST).map(lifetime).collect(),
        histogram: histogram(&diagnosis.ages),
    }
}

/// The scale, from half a minute to half a year, in the thousandths that a page lays out by.
fn scale(seconds: i64) -> i64 {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a place on a drawing")]
    let place = ((seconds.max(30) as f64 / 30.0).ln() / 13.2 * 1000.0) as i64;
    place.clamp(0, 1000)
}

fn in_words(seconds: i64) -> String {
    span(seconds.saturating_mul(SECOND))
}

fn lifetime(lifetime: &LifetimeFinding) -> LifetimeRow {
    let (low, high) = (scale(lifetime.recommended.0), scale(lifetime.recommended.1));
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
        at: scale(lifetime.access_seconds),
        low,
        span: (high - low).max(8),
    }
}

fn histogram(bins: &[AgeBin]) -> Option<Histogram> {
    let bins = &bins[..bins.len().min(64)];
    let most =
        bins.iter().map(|bin| bin.refused.max(bin.sockets_refused).max(bin.accepted)).max().filter(|m| *m > 0)?;
    let high = |count: u64| if count == 0 { 0 } else { (count.saturating_mul(HIGH) / most).max(3) };
    let columns = bins
        .iter()
        .map(|bin| {
            let x = scale(bin.from_seconds);
            let width = (scale(bin.until_seconds) - x - 2) / 3;
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
    let ticks = TICKS.iter().map(|(seconds, label)| Tick { x: scale(*seconds), label: (*label).to_owned() }).collect();
    Some(Histogram { columns, ticks })
}

fn age(seconds: i64) -> String {
    if seconds == 0 { "new".to_owned() } else { in_words(seconds) }
}
