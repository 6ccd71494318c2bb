//! The tables and their columns. `docs/history.md` says what each means.

use polars::prelude::{DataType, TimeUnit};

/// The version of the layout: a folder of this name holds the tables. New columns may be added to a version; readers fill what older
/// files lack with nulls and pass over what they do not know.
pub const VERSION: &str = "v1";

/// A table of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// One row an incident, on the day on which it began.
    Incidents,
    /// One row a day for everybody (`platform` is `all`), one for each platform, and one for each release (without a platform).
    Counts,
    /// Inferred lifetimes of tokens, on the last day of the diagnosis that inferred them.
    Lifetimes,
    /// Sources and the balances of their lines, on the day of their last line.
    Inputs,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 4] = [Self::Incidents, Self::Counts, Self::Lifetimes, Self::Inputs];

    /// The folder's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Incidents => "incidents",
            Self::Counts => "counts",
            Self::Lifetimes => "lifetimes",
            Self::Inputs => "inputs",
        }
    }

    /// Names and types of the columns, in order. Times are of UTC.
    pub(super) fn columns(self) -> Vec<(&'static str, DataType)> {
        let (text, count, real) = (DataType::String, DataType::Int64, DataType::Float64);
        let time = DataType::Datetime(TimeUnit::Microseconds, None);
        let mut columns = vec![("day", DataType::Date)];
        columns.extend(match self {
            Self::Incidents => vec![
                ("incident", text.clone()),
                ("start", time.clone()),
                ("end", time),
                ("scope", text.clone()),
                ("impact", text.clone()),
                ("trigger", text.clone()),
                ("cause", text.clone()),
                ("kind", text.clone()),
                ("confidence", real.clone()),
                ("runner_up", text.clone()),
                ("runner_up_confidence", real),
                ("actor", text.clone()),
                ("user", text.clone()),
                ("email", text.clone()),
                ("ip", text.clone()),
                ("platform", text.clone()),
                ("release", text.clone()),
                ("affected_actors", count),
                ("fix", text.clone()),
                ("deploy", text),
            ],
            Self::Counts => vec![
                ("platform", text.clone()),
                ("release", text),
                ("requests", count.clone()),
                ("unauthorized", count.clone()),
                ("refreshes", count.clone()),
                ("refresh_failures", count.clone()),
                ("incidents", count.clone()),
                ("drops", count.clone()),
                ("dropped_actors", count.clone()),
                ("active_actors", count.clone()),
                ("active_hours", count),
            ],
            Self::Lifetimes => vec![
                ("platform", text.clone()),
                ("credential", text.clone()),
                ("access_seconds", count.clone()),
                ("support", count.clone()),
                ("known_by", text.clone()),
                ("accepted_at_seconds", count.clone()),
                ("refused_at_seconds", count),
                ("verdict", text),
            ],
            Self::Inputs => vec![
                ("source", text.clone()),
                ("envelope", text.clone()),
                ("dialect", text),
                ("lines", count.clone()),
                ("bytes", count.clone()),
                ("recognised", count.clone()),
                ("unrecognised", count.clone()),
                ("capped", count),
                ("first", time.clone()),
                ("last", time),
            ],
        });
        columns
    }
}
