//! What is kept over time: diagnoses as tables in Parquet, a folder a day. Everything that uses Polars is in here.
//!
//! A history is a folder: `DIR/v1/incidents/day=2026-11-01/part.parquet`, and beside `incidents` the tables `counts`, `lifetimes` and
//! `inputs`. `docs/history.md` describes the columns. Whoever reads it needs no `why401`: DuckDB, pandas and Spark take the folder as
//! it is.

mod export;
mod frame;
mod read;
mod schema;
mod store;
mod stretch;
mod trend;

use std::io;
use std::path::PathBuf;

use polars::error::PolarsError;

pub use export::{Format, table_of, write_table};
pub use frame::{Frames, frames};
pub use schema::{Table, VERSION};
pub use store::{History, Recorded};
pub use stretch::Range;
pub use trend::{By, Totals, Trend, TrendRow};

/// What can go wrong with tables.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A file or folder.
    #[error("{path}: {error}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What.
        error: io::Error,
    },
    /// A table that cannot be read, written or computed.
    #[error("{path}: {error}", path = path.display())]
    Table {
        /// Which file, or the history's folder.
        path: PathBuf,
        /// What.
        error: PolarsError,
    },
    /// A folder that is no history.
    #[error("{path} holds no history: `why401 batch` or `why401 history {path} --record LOGS` begins one", path = path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// A history of a later version.
    #[error("{path} is a history of {found}, which this why401 does not know; it reads {VERSION}", path = path.display())]
    Newer {
        /// The folder.
        path: PathBuf,
        /// The version.
        found: String,
    },
}

impl TableError {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::File { path, error }
    }

    pub(crate) fn table(path: impl Into<PathBuf>) -> impl FnOnce(PolarsError) -> Self {
        let path = path.into();
        move |error| Self::Table { path, error }
    }
}
