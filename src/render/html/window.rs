//! The whole window as a drawing: 401s, refreshes, sockets and restarts over time, below them the incidents of each kind.

use chrono::DateTime;
use serde::Serialize;

use super::when::When;
use crate::diagnosis::{Diagnosis, Incident, Series, micros};
use crate::render::group::Group;
use crate::render::words::{clock, cut_to, impact, incidents, number};
use crate::session::SECOND;

/// Kinds with a row of their own.
const MOST_ROWS: usize = 60;
/// Restarts with a mark of their own.
const MOST_RESTARTS: usize = 60;
/// Rows of the table that says the same in numbers.
const MOST_NUMBERS: usize = 30;
/// The drawing's left edge of time, and its width, in its own units.
const LEFT: i64 = 240;
const WIDE: i64 = 740;
/// Height of a row of incidents, and of a curve.
const ROW: i64 = 24;
const CURVE: i64 = 56;
/// Between curves.
const GAP: i64 = 14;

/// The drawing.
#[derive(Serialize)]
pub(super) struct Window {
    pub(super) from: When,
    pub(super) to: When,
    height: i64,
    ticks: Vec<Tick>,
    curves: Vec<Curve>,
    restarts: Vec<Mark>,
    rows: Vec<WindowRow>,
    bin: String,
    numbers: Vec<Numbers>,
}

#[derive(Serialize)]
struct Tick {
    x: i64,
    label: When,
}

/// Counts over time: what is well above its line, what is not below it.
#[derive(Serialize)]
struct Curve {
    name: &'static str,
    scale: String,
    base: i64,
    text_y: i64,
    good: String,
    bad: String,
}

#[derive(Serialize)]
struct Mark {
    x: i64,
    label: &'static str,
    title: String,
}

#[derive(Serialize)]
struct WindowRow {
    y: i64,
    name: String,
    bars: Vec<Bar>,
}

#[derive(Serialize)]
struct Bar {
    x: i64,
    width: i64,
    class: &'static str,
    title: String,
}

/// A stretch of the window in numbers.
#[derive(Serialize)]
struct Numbers {
    from: When,
    counts: Vec<String>,
}

/// Lays out the window.
pub(super) fn window(diagnosis: &Diagnosis, groups: &[Group<'_>]) -> Window {
    let series = Some(&diagnosis.series).filter(|series| well_formed(series));
    let counted = series.and_then(|series| {
        let from = series.from.as_deref().and_then(micros)?;
        let bins = i64::try_from(series.requests.len()).ok()?;
        Some((from, from.saturating_add(bins.saturating_mul(series.bin_seconds).saturating_mul(SECOND))))
    });
    let all = || groups.iter().flat_map(|group| group.incidents.iter());
    let starts = all().filter_map(|incident| micros(&incident.start)).chain(counted.map(|(from, _)| from));
    let ends = all().filter_map(|incident| micros(&incident.end)).chain(counted.map(|(_, to)| to));
    let from = starts.min().unwrap_or(0);
    let to = ends.max().unwrap_or(from).max(from.saturating_add(SECOND));
    let length = i128::from(to) - i128::from(from);
    let place = |time: i64| {
        let into = (i128::from(time) - i128::from(from)) * i128::from(WIDE) / length;
        LEFT + i64::try_from(into).unwrap_or(0).clamp(0, WIDE)
    };
    let curves = series.zip(counted).map(|(series, (from, _))| curves(series, from, place)).unwrap_or_default();
    let top = (CURVE + GAP) * i64::try_from(curves.len()).unwrap_or(0) + if curves.is_empty() { 0 } else { GAP };
    let rows: Vec<WindowRow> = (0..)
        .zip(groups.iter().take(MOST_ROWS))
        .map(|(number, group)| WindowRow {
            y: top + number * ROW,
            name: cut_to(&group.name(), 38),
            bars: bars(group, place),
        })
        .collect();
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let ticks = (0..=4)
        .map(|quarter| {
            let time = from.saturating_add(length / 4 * quarter);
            Tick { x: place(time), label: When::tick(time, length) }
        })
        .collect();
    let said = |time: i64| DateTime::from_timestamp_micros(time).map(|time| time.to_rfc3339()).unwrap_or_default();
    Window {
        from: When::day(&said(from)),
        to: When::day(&said(to)),
        height: top + ROW * i64::try_from(rows.len()).unwrap_or(0),
        ticks,
        restarts: restarts(&diagnosis.series, place),
        bin: series.map(|series| crate::cause::case::span(series.bin_seconds * SECOND)).unwrap_or_default(),
        numbers: series.zip(counted).map(|(series, (from, _))| numbers(series, from)).unwrap_or_default(),
        curves,
        rows,
    }
}

/// As `diagnose` writes it; a file from elsewhere may say anything.
fn well_formed(series: &Series) -> bool {
    let lists = [
        &series.unauthorized,
        &series.refreshed,
        &series.refresh_failures,
        &series.cable_connects,
        &series.cable_rejects,
    ];
    let bins = series.requests.len();
    (1..=1000).contains(&bins) && series.bin_seconds > 0 && lists.iter().all(|list| list.len() == bins)
}

fn curves(series: &Series, from: i64, place: impl Fn(i64) -> i64) -> Vec<Curve> {
    let x = |bin: usize| {
        let into = i64::try_from(bin).unwrap_or(0).saturating_mul(series.bin_seconds).saturating_mul(SECOND);
        place(from.saturating_add(into))
    };
    // Per mille, so that a rate is a count like the others.
    let rate: Vec<u64> = series
        .unauthorized
        .iter()
        .zip(&series.requests)
        .map(|(refused, all)| refused.saturating_mul(1000).checked_div(*(all.max(refused))).unwrap_or(0))
        .collect();
    let none = vec![0; rate.len()];
    let most = |list: &[u64]| list.iter().copied().max().unwrap_or(0);
    let two = |name, good: &[u64], bad: &[u64]| {
        let scale = format!("at most {} well, {} not", number(most(good)), number(most(bad)));
        (name, scale, good.to_vec(), bad.to_vec())
    };
    #[allow(clippy::cast_precision_loss, reason = "a share in words")]
    let percent = most(&rate) as f64 / 10.0;
    [
        ("401s of all requests", format!("at most {percent:.1} % of a bin"), none, rate),
        two("refreshes", &series.refreshed, &series.refresh_failures),
        two("sockets", &series.cable_connects, &series.cable_rejects),
    ]
    .into_iter()
    .filter(|(.., good, bad)| most(good) + most(bad) > 0)
    .enumerate()
    .map(|(row, (name, scale, good, bad))| {
        let top = (CURVE + GAP) * i64::try_from(row).unwrap_or(0) + GAP;
        let both = most(&good) > 0;
        // With both sides the line is in the middle; alone, what is not well rises from the bottom.
        let base = if both { top + CURVE / 2 } else { top + CURVE };
        let room = if both { CURVE / 2 } else { CURVE };
        let scale_of = |list: &[u64]| if both { most(&good).max(most(list)) } else { most(list) };
        Curve {
            name,
            scale,
            base,
            text_y: top + CURVE / 2,
            good: steps(&good, scale_of(&good), base, -room, x),
            bad: steps(&bad, scale_of(&bad), base, if both { room } else { -room }, x),
        }
    })
    .collect()
}

/// A path of columns: one a bin that has something, at least a sliver of it to be seen.
fn steps(counts: &[u64], most: u64, base: i64, room: i64, x: impl Fn(usize) -> i64) -> String {
    let mut path = String::new();
    for (bin, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let share = i128::from(*count) * i128::from(room) / i128::from(most.max(1));
        let height = i64::try_from(share).unwrap_or(0);
        let height = if height.abs() < 2 { 2 * room.signum() } else { height };
        let width = (x(bin + 1) - x(bin)).max(2);
        path.push_str(&format!("M{} {base}v{height}h{width}v{}z", x(bin), -height));
    }
    path
}

fn restarts(series: &Series, place: impl Fn(i64) -> i64) -> Vec<Mark> {
    series
        .restarts
        .iter()
        .take(MOST_RESTARTS)
        .filter_map(|restart| {
            let label = if restart.orderly { "deploy" } else { "crash" };
            Some(Mark { x: place(micros(&restart.time)?), label, title: When::day(&restart.time).in_words(label) })
        })
        .collect()
}

/// The same in numbers, in as many stretches as a table can be read.
fn numbers(series: &Series, from: i64) -> Vec<Numbers> {
    let bins = series.requests.len();
    let joined = bins.div_ceil(MOST_NUMBERS).max(1);
    let lists = [
        &series.requests,
        &series.unauthorized,
        &series.refreshed,
        &series.refresh_failures,
        &series.cable_connects,
        &series.cable_rejects,
    ];
    (0..bins)
        .step_by(joined)
        .map(|bin| {
            let into = i64::try_from(bin).unwrap_or(0).saturating_mul(series.bin_seconds).saturating_mul(SECOND);
            let time = DateTime::from_timestamp_micros(from.saturating_add(into));
            let sum =
                |list: &Vec<u64>| list[bin..(bin + joined).min(bins)].iter().fold(0, |a: u64, b| a.saturating_add(*b));
            Numbers {
                from: When::day(&time.map(|time| time.to_rfc3339()).unwrap_or_default()),
                counts: lists.iter().map(|list| number(sum(list))).collect(),
            }
        })
        .collect()
}

/// The spans of a kind's incidents; those that would touch are drawn as one.
fn bars(group: &Group<'_>, place: impl Fn(i64) -> i64) -> Vec<Bar> {
    let mut spans: Vec<(i64, i64, &Incident)> = group
        .incidents
        .iter()
        .filter_map(|incident| {
            let (start, end) = (micros(&incident.start)?, micros(&incident.end)?);
            Some((place(start), place(end).max(place(start) + 4), *incident))
        })
        .collect();
    spans.sort_by_key(|(start, end, _)| (*start, *end));
    let mut joined: Vec<(i64, i64, Vec<&Incident>)> = Vec::new();
    for (start, end, incident) in spans {
        match joined.last_mut() {
            Some(last) if start <= last.1 => {
                last.1 = last.1.max(end);
                last.2.push(incident);
            }
            _ => joined.push((start, end, vec![incident])),
        }
    }
    joined
        .into_iter()
        .map(|(start, end, all)| {
            let first = all.iter().map(|incident| incident.start.as_str()).min().unwrap_or_default();
            let last = all.iter().map(|incident| incident.end.as_str()).max().unwrap_or_default();
            Bar {
                x: start,
                width: end - start,
                class: all.iter().map(|incident| incident.impact).min().map_or("latent", impact),
                title: format!("{}, {} to {} UTC", incidents(all.len()), clock(first), clock(last)),
            }
        })
        .collect()
}
