//! How it goes over days: incidents, dropped people and rates by day, cause, kind, platform or release.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, SecondsFormat};
use polars::prelude::{DataFrame, DataType, Expr, LazyFrame, PolarsResult, TimeUnit, col, len, lit};
use serde::Serialize;

use super::frame::days_since_1970;
use super::schema::Table;
use super::{History, TableError, read};

/// What rows are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// A day.
    Day,
    /// A cause.
    Cause,
    /// A cause and kind.
    Kind,
    /// A platform.
    Platform,
    /// A release of the app.
    Release,
    /// A release of the server.
    Deploy,
}

/// The history in rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trend {
    /// Version of this document.
    pub schema_version: u32,
    /// What rows are of.
    pub by: By,
    /// The first day that is looked at.
    pub first_day: NaiveDate,
    /// The last.
    pub last_day: NaiveDate,
    /// Requests, refused calls and refreshes of these days.
    pub totals: Totals,
    /// Everything.
    pub all: TrendRow,
    /// The parts.
    pub rows: Vec<TrendRow>,
}

/// Sums over all days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// HTTP requests begun.
    pub requests: i64,
    /// Answers with status 401.
    pub unauthorized: i64,
    /// Refreshes tried.
    pub refreshes: i64,
    /// Refreshes that gave no credential.
    pub refresh_failures: i64,
    /// Hours in which people were seen, added up.
    pub active_hours: i64,
}

/// One row.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TrendRow {
    /// A day, cause, `cause/kind`, platform, release, or `all`.
    pub name: String,
    /// People who were signed out or cut off.
    pub dropped_actors: i64,
    /// Incidents.
    pub incidents: i64,
    /// Incidents that signed somebody out or cut somebody off.
    pub drops: i64,
    /// Hours in which people were seen, added up: of the day, platform or release; of all for a cause or a server's release.
    pub active_hours: i64,
    /// Drops per 1,000 of these hours; null without hours.
    pub drops_per_1000_hours: Option<f64>,
    /// When the first of these incidents began.
    pub first_seen: Option<String>,
    /// When the last of them began.
    pub last_seen: Option<String>,
    /// Incidents day by day, from `first_day` to `last_day`.
    pub by_day: Vec<i64>,
}

impl History {
    /// Rows by day, cause, kind, platform or release, of the days from `since` to `until`, both included.
    ///
    /// # Errors
    /// A folder that is no history, or what reading gives.
    pub fn trend(&self, by: By, since: Option<NaiveDate>, until: Option<NaiveDate>) -> Result<Trend, TableError> {
        let inside =
            |day: &NaiveDate| since.is_none_or(|since| *day >= since) && until.is_none_or(|until| *day <= until);
        let days: Vec<NaiveDate> = self.days()?.into_iter().filter(inside).collect();
        let (Some(first), Some(last)) = (days.first().copied(), days.last().copied()) else {
            return Err(TableError::Empty { path: self.folder().to_owned() });
        };
        let incidents = read::scan(Table::Incidents, &self.parts(Table::Incidents, since, until)?)?;
        let counts = read::scan(Table::Counts, &self.parts(Table::Counts, since, until)?)?;
        let span = Span { first, last };
        let told = |result: PolarsResult<Trend>| result.map_err(TableError::table(self.folder()));
        told(trend(by, span, &incidents, &counts))
    }
}

#[derive(Clone, Copy)]
struct Span {
    first: NaiveDate,
    last: NaiveDate,
}

fn trend(by: By, span: Span, incidents: &LazyFrame, counts: &LazyFrame) -> PolarsResult<Trend> {
    let name = match by {
        By::Day => col("day").cast(DataType::String),
        By::Cause => col("cause"),
        By::Kind => col("cause") + lit("/") + col("kind"),
        By::Platform => col("platform"),
        By::Release => col("release").fill_null(lit("unknown")),
        By::Deploy => col("deploy").fill_null(lit("unknown")),
    };
    let totals = totals(counts)?;
    let all = rows(incidents, lit("all"), span)?.remove("all").unwrap_or_else(|| empty("all", span));
    let mut rows = rows(incidents, name, span)?;
    let hours = match by {
        By::Day => hours(counts.clone().filter(col("platform").eq(lit("all"))), col("day").cast(DataType::String))?,
        By::Platform => hours(counts.clone().filter(col("platform").neq(lit("all"))), col("platform"))?,
        By::Release => hours(counts.clone().filter(col("platform").is_null()), col("release"))?,
        By::Cause | By::Kind | By::Deploy => BTreeMap::new(),
    };
    for name in hours.keys() {
        rows.entry(name.clone()).or_insert_with(|| empty(name, span));
    }
    let rated = |row: TrendRow| {
        let active_hours = hours.get(&row.name).copied().unwrap_or(match by {
            By::Cause | By::Kind | By::Deploy => totals.active_hours,
            By::Day | By::Platform | By::Release => {
                if row.name == "all" {
                    totals.active_hours
                } else {
                    0
                }
            }
        });
        #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let rate = (active_hours > 0).then(|| 1000.0 * row.drops as f64 / active_hours as f64);
        TrendRow { active_hours, drops_per_1000_hours: rate, ..row }
    };
    let all = rated(all);
    let mut rows: Vec<TrendRow> = rows.into_values().map(rated).collect();
    if by != By::Day {
        rows.sort_by(|a, b| (b.dropped_actors, b.incidents, &a.name).cmp(&(a.dropped_actors, a.incidents, &b.name)));
    }
    Ok(Trend { schema_version: 1, by, first_day: span.first, last_day: span.last, totals, all, rows })
}

fn empty(name: &str, span: Span) -> TrendRow {
    TrendRow { name: name.to_owned(), by_day: vec![0; days_in(span)], ..TrendRow::default() }
}

fn days_in(span: Span) -> usize {
    usize::try_from((span.last - span.first).num_days() + 1).unwrap_or(0)
}

fn whole(expression: Expr) -> Expr {
    expression.cast(DataType::Int64)
}

/// Counts of incidents by a name.
fn rows(incidents: &LazyFrame, name: Expr, span: Span) -> PolarsResult<BTreeMap<String, TrendRow>> {
    let dropped = || col("impact").eq(lit("dropped"));
    let time = |expression: Expr| whole(expression.cast(DataType::Datetime(TimeUnit::Microseconds, None)));
    let named = incidents.clone().with_column(name.alias("name"));
    let sums = named
        .clone()
        .group_by([col("name")])
        .agg([
            whole(len()).alias("incidents"),
            whole(dropped().sum()).alias("drops"),
            whole(col("actor").filter(dropped()).drop_nulls().n_unique()).alias("dropped_actors"),
            time(col("start").min()).alias("first"),
            time(col("start").max()).alias("last"),
        ])
        .collect()?;
    let mut rows = BTreeMap::new();
    for place in 0..sums.height() {
        let Some(name) = sums.column("name")?.str()?.get(place) else { continue };
        let row = TrendRow {
            incidents: number(&sums, "incidents", place)?,
            drops: number(&sums, "drops", place)?,
            dropped_actors: number(&sums, "dropped_actors", place)?,
            first_seen: sums.column("first")?.i64()?.get(place).and_then(rfc3339),
            last_seen: sums.column("last")?.i64()?.get(place).and_then(rfc3339),
            ..empty(name, span)
        };
        rows.insert(name.to_owned(), row);
    }
    let by_day = named
        .group_by([col("name"), col("day")])
        .agg([whole(len()).alias("incidents")])
        .with_column(col("day").cast(DataType::Int32))
        .collect()?;
    let first = days_since_1970(span.first);
    for place in 0..by_day.height() {
        let name = by_day.column("name")?.str()?.get(place);
        let day = by_day.column("day")?.i32()?.get(place).and_then(|day| usize::try_from(day - first).ok());
        let cell = name.and_then(|name| rows.get_mut(name)).and_then(|row| row.by_day.get_mut(day?));
        if let Some(cell) = cell {
            *cell = number(&by_day, "incidents", place)?;
        }
    }
    Ok(rows)
}

fn hours(counts: LazyFrame, name: Expr) -> PolarsResult<BTreeMap<String, i64>> {
    let sums = counts
        .with_column(name.alias("name"))
        .group_by([col("name")])
        .agg([whole(col("active_hours").sum()).alias("hours")])
        .collect()?;
    let mut hours = BTreeMap::new();
    for place in 0..sums.height() {
        if let Some(name) = sums.column("name")?.str()?.get(place) {
            hours.insert(name.to_owned(), number(&sums, "hours", place)?);
        }
    }
    Ok(hours)
}

fn totals(counts: &LazyFrame) -> PolarsResult<Totals> {
    let names = ["requests", "unauthorized", "refreshes", "refresh_failures", "active_hours"];
    let sums = counts
        .clone()
        .filter(col("platform").eq(lit("all")))
        .select(names.map(|name| whole(col(name).sum())))
        .collect()?;
    Ok(Totals {
        requests: number(&sums, "requests", 0)?,
        unauthorized: number(&sums, "unauthorized", 0)?,
        refreshes: number(&sums, "refreshes", 0)?,
        refresh_failures: number(&sums, "refresh_failures", 0)?,
        active_hours: number(&sums, "active_hours", 0)?,
    })
}

fn number(frame: &DataFrame, name: &str, place: usize) -> PolarsResult<i64> {
    Ok(frame.column(name)?.i64()?.get(place).unwrap_or(0))
}

fn rfc3339(micros: i64) -> Option<String> {
    DateTime::from_timestamp_micros(micros).map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

impl Trend {
    /// The days in order, also those of which nothing is known.
    #[must_use]
    pub fn days(&self) -> Vec<NaiveDate> {
        let count = days_in(Span { first: self.first_day, last: self.last_day });
        (0..count as u64).filter_map(|offset| self.first_day.checked_add_days(Days::new(offset))).collect()
    }
}
