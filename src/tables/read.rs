//! Tables read lazily, whichever version of the columns their files have.

use std::path::{Path, PathBuf};

use polars::prelude::{
    DataFrame, Expr, IntoLazy as _, LazyFrame, NULL, PlRefPath, PolarsResult, ScanArgsParquet, UnionArgs,
    UniqueKeepStrategy, col, concat, lit,
};

use super::TableError;
use super::frame::days_since_1970;
use super::schema::Table;
use super::store::day_of;

/// All files of a table as one: columns that a file lacks are null, columns that are not known are passed over.
pub(super) fn scan(table: Table, parts: &[PathBuf]) -> Result<LazyFrame, TableError> {
    let mut frames = vec![empty(table).map_err(TableError::table(table.name()))?.lazy()];
    for part in parts {
        frames.push(scan_part(table, part).map_err(TableError::table(part))?);
    }
    concat(frames, UnionArgs::default()).map_err(TableError::table(table.name()))
}

fn scan_part(table: Table, part: &Path) -> PolarsResult<LazyFrame> {
    // A folder's name is taken as it stands, with whatever `*` it has.
    let args = ScanArgsParquet { glob: false, ..ScanArgsParquet::default() };
    let mut frame = LazyFrame::scan_parquet(PlRefPath::try_from_path(part)?, args)?;
    let known = frame.collect_schema()?;
    let day = part.parent().and_then(day_of).map(days_since_1970);
    let columns: Vec<Expr> = table
        .columns()
        .into_iter()
        .map(|(name, dtype)| {
            let value = match (name, day) {
                ("day", Some(day)) => lit(day).alias(name),
                _ if known.contains(name) => col(name),
                _ => lit(NULL).alias(name),
            };
            value.cast(dtype)
        })
        .collect();
    Ok(frame.select(columns))
}

/// A table without rows.
pub(super) fn empty(table: Table) -> PolarsResult<DataFrame> {
    let columns = table
        .columns()
        .into_iter()
        .map(|(name, dtype)| polars::prelude::Column::new_empty(name.into(), &dtype))
        .collect();
    DataFrame::new(0, columns)
}

/// Several files of a day as one table without double rows.
pub(super) fn distinct(table: Table, parts: &[PathBuf]) -> Result<DataFrame, TableError> {
    scan(table, parts)?
        .unique_stable(None, UniqueKeepStrategy::First)
        .collect()
        .map_err(TableError::table(table.name()))
}
