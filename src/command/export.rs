//! `why401 export`: tables for other programs.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use chrono::NaiveDate;
use clap::ValueEnum;

use super::Exit;
use super::saved::diagnosed;
use super::settings::config_file;
use crate::config::Filter;
use crate::tables::{self, History, VERSION, table_of, write_table};

/// Which table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Table {
    /// One row an incident
    Incidents,
    /// One row a day, and one for each platform
    Counts,
    /// Inferred lifetimes of tokens
    Lifetimes,
    /// Sources and the balances of their lines
    Inputs,
}

impl From<Table> for tables::Table {
    fn from(table: Table) -> Self {
        match table {
            Table::Incidents => Self::Incidents,
            Table::Counts => Self::Counts,
            Table::Lifetimes => Self::Lifetimes,
            Table::Inputs => Self::Inputs,
        }
    }
}

/// What `export` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  why401 export hist/ --to parquet -o incidents.parquet\n  why401 export logs/ --to csv --table counts -o counts.csv"
)]
pub struct Args {
    /// A history's folder, logs, or a saved JSON diagnosis
    #[arg(value_name = "DIR|LOGS")]
    pub input: PathBuf,
    /// How to write
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub to: tables::Format,
    /// Which table
    #[arg(long, value_enum, default_value_t = Table::Incidents)]
    pub table: Table,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Of a history: from this day of UTC
    #[arg(long, value_name = "DAY")]
    pub since: Option<NaiveDate>,
    /// Of a history: to this day, included
    #[arg(long, value_name = "DAY")]
    pub until: Option<NaiveDate>,
}

/// Reads or diagnoses, writes.
///
/// # Errors
/// Nothing that can be read, or what writing gives.
pub fn run(args: &Args, out: &mut impl Write) -> Result<Exit> {
    let (mut frame, partial) = if args.input.join(VERSION).is_dir() {
        (History::new(&args.input).table(args.table.into(), args.since, args.until)?, false)
    } else {
        let config = config_file(None)?.config(Filter::default()).map_err(anyhow::Error::msg)?;
        let (diagnosis, partial) = diagnosed(&args.input, config)?;
        (table_of(&diagnosis, args.table.into()).context("the table cannot be made")?, partial)
    };
    write_table(&mut frame, args.to, &args.output)?;
    writeln!(out, "{}: {} rows", args.output.display(), frame.height())?;
    Ok(if partial { Exit::Partial } else { Exit::Clean })
}
