//! Tables for other programs: Parquet, Arrow, CSV, NDJSON.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta};
use polars::prelude::{AnyValue, CompatLevel, DataFrame, IpcWriter, PolarsResult, SerWriter as _, TimeUnit, concat};
use polars::prelude::{IntoLazy as _, UnionArgs};

use super::schema::Table;
use super::store::parquet;
use super::{Frames, History, TableError, frames, read};
use crate::diagnosis::Diagnosis;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Parquet
    Parquet,
    /// Comma-separated values; cells that a spreadsheet would compute are made harmless
    Csv,
    /// A JSON object a line
    Ndjson,
    /// An Arrow IPC file (Feather)
    Arrow,
}

impl History {
    /// A whole table of the history, the days in order.
    ///
    /// # Errors
    /// A folder that is no history, or what reading gives.
    pub fn table(
        &self,
        table: Table,
        since: Option<NaiveDate>,
        until: Option<NaiveDate>,
    ) -> Result<DataFrame, TableError> {
        // Says so where there is no history.
        self.days()?;
        let parts = self.parts(table, since, until)?;
        read::scan(table, &parts)?.collect().map_err(TableError::table(self.folder()))
    }
}

/// A whole table of a diagnosis, the days in order.
///
/// # Errors
/// What Polars says.
pub fn table_of(diagnosis: &Diagnosis, table: Table) -> PolarsResult<DataFrame> {
    let Frames { by_day, .. } = frames(diagnosis)?;
    let mut parts = vec![read::empty(table)?.lazy()];
    parts.extend(by_day.into_iter().filter(|((own, _), _)| *own == table).map(|(_, frame)| frame.lazy()));
    concat(parts, UnionArgs::default())?.collect()
}

/// Writes a table to a file, beside it first.
///
/// # Errors
/// What writing gives.
pub fn write_table(frame: &mut DataFrame, format: Format, path: &Path) -> Result<(), TableError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let beside = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = match format {
        Format::Parquet => parquet(&beside, frame),
        _ => File::create(&beside).map_err(TableError::file(&beside)).and_then(|file| {
            let mut out = BufWriter::new(&file);
            match format {
                Format::Csv => csv(frame, &mut out).map_err(TableError::file(path))?,
                Format::Ndjson => ndjson(frame, &mut out).map_err(TableError::file(path))?,
                Format::Arrow | Format::Parquet => {
                    IpcWriter::new(&mut out)
                        // Older readers know no string views.
                        .with_compat_level(CompatLevel::oldest())
                        .finish(frame)
                        .map_err(TableError::table(path))?;
                }
            }
            out.flush().and_then(|()| file.sync_all()).map_err(TableError::file(path))
        }),
    };
    let written = written.and_then(|()| fs::rename(&beside, path).map_err(TableError::file(path)));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// One cell as other programs read it.
enum Cell {
    Nothing,
    Text(String),
    Whole(i64),
    Real(f64),
}

fn cell(value: &AnyValue<'_>) -> Cell {
    match value {
        AnyValue::Null => Cell::Nothing,
        AnyValue::String(text) => Cell::Text((*text).to_owned()),
        AnyValue::StringOwned(text) => Cell::Text(text.to_string()),
        AnyValue::Int64(number) => Cell::Whole(*number),
        AnyValue::Float64(number) => Cell::Real(*number),
        AnyValue::Date(days) => Cell::Text((NaiveDate::default() + TimeDelta::days(i64::from(*days))).to_string()),
        AnyValue::Datetime(micros, TimeUnit::Microseconds, _) => DateTime::from_timestamp_micros(*micros)
            .map_or(Cell::Nothing, |time| Cell::Text(time.to_rfc3339_opts(SecondsFormat::Millis, true))),
        other => Cell::Text(other.to_string()),
    }
}

/// The cells of all rows, in order.
fn each_row(frame: &DataFrame, mut row: impl FnMut(Vec<(&str, Cell)>) -> io::Result<()>) -> io::Result<()> {
    for place in 0..frame.height() {
        let cells = frame.columns().iter().map(|column| {
            let value = column.get(place).unwrap_or(AnyValue::Null);
            (column.name().as_str(), cell(&value))
        });
        row(cells.collect())?;
    }
    Ok(())
}

/// RFC 4180. What a spreadsheet would take for a formula gets an apostrophe before it, which makes it text (OWASP, CSV injection).
pub(super) fn csv(frame: &DataFrame, out: &mut impl Write) -> io::Result<()> {
    let names: Vec<&str> = frame.columns().iter().map(|column| column.name().as_str()).collect();
    write!(out, "{}\r\n", names.join(","))?;
    each_row(frame, |cells| {
        let cells: Vec<String> = cells
            .into_iter()
            .map(|(_, cell)| match cell {
                Cell::Nothing => String::new(),
                Cell::Text(text) => quoted(&text),
                Cell::Whole(number) => number.to_string(),
                Cell::Real(number) => number.to_string(),
            })
            .collect();
        write!(out, "{}\r\n", cells.join(","))
    })
}

fn quoted(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

pub(super) fn ndjson(frame: &DataFrame, out: &mut impl Write) -> io::Result<()> {
    each_row(frame, |cells| {
        let object: serde_json::Map<String, serde_json::Value> = cells
            .into_iter()
            .map(|(name, cell)| {
                let value = match cell {
                    Cell::Nothing => serde_json::Value::Null,
                    Cell::Text(text) => text.into(),
                    Cell::Whole(number) => number.into(),
                    Cell::Real(number) => number.into(),
                };
                (name.to_owned(), value)
            })
            .collect();
        serde_json::to_writer(&mut *out, &object)?;
        writeln!(out)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert!(quoted(text).trim_start_matches('"').starts_with('\''), "{text}");
        }
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("plain"), "plain");
    }
}
