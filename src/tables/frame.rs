//! A diagnosis as tables.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate};
use polars::prelude::{Column, DataFrame, DataType, IntoColumn as _, NamedFrom as _, PolarsResult, Series};

use super::schema::Table;
use crate::diagnosis::{ActorRef, Diagnosis, Incident, micros};

/// The tables of a diagnosis, by table and day.
pub struct Frames {
    /// Every day that the diagnosis speaks of; a day may have no row in some table.
    pub days: BTreeSet<NaiveDate>,
    /// Rows.
    pub by_day: BTreeMap<(Table, NaiveDate), DataFrame>,
}

/// One cell.
enum Cell {
    Text(Option<String>),
    Count(Option<i64>),
    Real(Option<f64>),
}

/// One row: the day, and the cells of the other columns in order.
type Row = (NaiveDate, Vec<Cell>);

/// Turns a diagnosis into tables.
///
/// # Errors
/// What Polars says; the columns are of this module's making, so nothing should be said.
pub fn frames(diagnosis: &Diagnosis) -> PolarsResult<Frames> {
    let mut days: BTreeSet<NaiveDate> = diagnosis.days.iter().filter_map(|day| day.day.parse().ok()).collect();
    let tables = [
        (Table::Incidents, incidents(diagnosis)),
        (Table::Counts, counts(diagnosis)),
        (Table::Lifetimes, lifetimes(diagnosis, days.last().copied())),
        (Table::Inputs, inputs(diagnosis)),
    ];
    let mut by_day = BTreeMap::new();
    for (table, rows) in tables {
        let mut of_day: BTreeMap<NaiveDate, Vec<Vec<Cell>>> = BTreeMap::new();
        for (day, cells) in rows {
            days.insert(day);
            of_day.entry(day).or_default().push(cells);
        }
        for (day, rows) in of_day {
            by_day.insert((table, day), frame(table, day, rows)?);
        }
    }
    Ok(Frames { days, by_day })
}

fn frame(table: Table, day: NaiveDate, rows: Vec<Vec<Cell>>) -> PolarsResult<DataFrame> {
    let height = rows.len();
    let mut columns: Vec<Vec<Cell>> = table.columns().iter().skip(1).map(|_| Vec::with_capacity(height)).collect();
    for row in rows {
        for (column, cell) in columns.iter_mut().zip(row) {
            column.push(cell);
        }
    }
    let days = Series::new("day".into(), vec![days_since_1970(day); height]).cast(&DataType::Date)?;
    let mut out = vec![days.into_column()];
    for ((name, dtype), cells) in table.columns().into_iter().skip(1).zip(columns) {
        out.push(column(name, &dtype, cells)?);
    }
    DataFrame::new(height, out)
}

fn column(name: &str, dtype: &DataType, cells: Vec<Cell>) -> PolarsResult<Column> {
    let series = match dtype {
        DataType::String => {
            let texts = cells.into_iter().map(|cell| if let Cell::Text(text) = cell { text } else { None });
            Series::new(name.into(), texts.collect::<Vec<Option<String>>>())
        }
        DataType::Float64 => {
            let reals = cells.into_iter().map(|cell| if let Cell::Real(real) = cell { real } else { None });
            Series::new(name.into(), reals.collect::<Vec<Option<f64>>>())
        }
        _ => {
            let counts = cells.into_iter().map(|cell| if let Cell::Count(count) = cell { count } else { None });
            Series::new(name.into(), counts.collect::<Vec<Option<i64>>>())
        }
    };
    Ok(series.cast(dtype)?.into_column())
}

/// The first day that was looked at from its beginning; `None` where all days were.
pub(super) fn first_whole_day(diagnosis: &Diagnosis) -> Option<NaiveDate> {
    let since = DateTime::parse_from_rfc3339(diagnosis.since.as_deref()?).ok()?.to_utc();
    let day = since.date_naive();
    if since.time() == chrono::NaiveTime::MIN { Some(day) } else { day.succ_opt() }
}

pub(super) fn days_since_1970(day: NaiveDate) -> i32 {
    i32::try_from((day - NaiveDate::default()).num_days()).unwrap_or(0)
}

fn text(text: impl Into<String>) -> Cell {
    Cell::Text(Some(text.into()))
}

fn count(count: u64) -> Cell {
    Cell::Count(i64::try_from(count).ok())
}

fn day_of(time: &str) -> Option<NaiveDate> {
    DateTime::parse_from_rfc3339(time).ok().map(|time| time.to_utc().date_naive())
}

fn incidents(diagnosis: &Diagnosis) -> Vec<Row> {
    let nobody = ActorRef::default();
    let mut rows: Vec<(String, Row)> = diagnosis
        .incidents
        .iter()
        .filter_map(|incident| {
            let actor = incident.actor.as_ref().unwrap_or(&nobody);
            let who = who(incident);
            let key = key(incident, who.as_deref());
            let runner_up = incident.runner_up.as_ref();
            let cells = vec![
                text(&key),
                Cell::Count(micros(&incident.start)),
                Cell::Count(micros(&incident.end)),
                text(word(&incident.scope)),
                text(word(&incident.impact)),
                text(&incident.trigger),
                text(incident.cause.as_str()),
                text(&incident.kind),
                Cell::Real(Some(incident.confidence)),
                Cell::Text(runner_up.map(|other| other.cause.as_str().to_owned())),
                Cell::Real(runner_up.map(|other| other.confidence)),
                Cell::Text(who),
                Cell::Text(actor.user.clone()),
                Cell::Text(actor.email.clone()),
                Cell::Text(actor.ips.first().cloned()),
                text(actor.platform.as_deref().unwrap_or("unknown")),
                Cell::Text(incident.release.clone()),
                count(incident.affected_actors),
                text(&incident.fix),
                Cell::Text(incident.deploy.clone()),
            ];
            Some((format!("{} {key}", incident.start), (day_of(&incident.start)?, cells)))
        })
        .collect();
    // The diagnosis orders by severity over all its days; a day's file must not depend on the other days.
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// By what people are told apart.
fn who(incident: &Incident) -> Option<String> {
    let actor = incident.actor.as_ref()?;
    actor.user.clone().or_else(|| actor.email.clone()).or_else(|| actor.ips.first().cloned())
}

/// A name of the incident that is the same in every run that sees it. (`i1`, `i2`, … are only within one diagnosis.)
fn key(incident: &Incident, who: Option<&str>) -> String {
    /// FNV-1a, which is the same everywhere and for ever.
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let parts = [&incident.start, &incident.trigger, incident.cause.as_str(), &incident.kind, who.unwrap_or("")];
    let hash = parts
        .iter()
        .flat_map(|part| part.bytes().chain([0]))
        .fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    format!("{hash:016x}")
}

fn counts(diagnosis: &Diagnosis) -> Vec<Row> {
    let mut rows = Vec::new();
    for day in &diagnosis.days {
        let Ok(date) = day.day.parse::<NaiveDate>() else { continue };
        rows.push((
            date,
            vec![
                text("all"),
                Cell::Text(None),
                count(day.requests),
                count(day.unauthorized),
                count(day.refreshes),
                count(day.refresh_failures),
                count(day.incidents),
                count(day.drops),
                count(day.dropped_actors),
                count(day.active_actors),
                count(day.active_hours),
            ],
        ));
        let platforms = day.platforms.iter().map(|part| {
            let counts =
                [part.incidents, part.drops, part.dropped_actors, part.active_actors, part.active_hours].map(count);
            ([text(&part.platform), Cell::Text(None)], counts)
        });
        let releases = day.releases.iter().map(|part| {
            let counts =
                [part.incidents, part.drops, part.dropped_actors, part.active_actors, part.active_hours].map(count);
            ([Cell::Text(None), text(&part.release)], counts)
        });
        for (names, counts) in platforms.chain(releases) {
            // Requests of nobody known have neither.
            let unknown = (0..4).map(|_| Cell::Count(None));
            rows.push((date, names.into_iter().chain(unknown).chain(counts).collect()));
        }
    }
    rows
}

fn lifetimes(diagnosis: &Diagnosis, last: Option<NaiveDate>) -> Vec<Row> {
    let Some(day) = last else { return Vec::new() };
    diagnosis
        .lifetimes
        .iter()
        .map(|life| {
            let cells = vec![
                text(&life.platform),
                text(&life.credential),
                Cell::Count(Some(life.access_seconds)),
                count(life.support),
                text(word(&life.known_by)),
                Cell::Count(Some(life.between.0)),
                Cell::Count(Some(life.between.1)),
                text(&life.verdict),
            ];
            (day, cells)
        })
        .collect()
}

fn inputs(diagnosis: &Diagnosis) -> Vec<Row> {
    diagnosis
        .inputs
        .iter()
        .filter_map(|input| {
            let cells = vec![
                text(&input.source),
                Cell::Text(input.envelope.clone()),
                Cell::Text(input.dialect.clone()),
                count(input.lines),
                count(input.bytes),
                count(input.recognised),
                count(input.unrecognised),
                count(input.capped),
                Cell::Count(input.first.as_deref().and_then(micros)),
                Cell::Count(input.last.as_deref().and_then(micros)),
            ];
            Some((day_of(input.last.as_deref()?)?, cells))
        })
        .collect()
}

/// As the JSON contract writes it.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
