//! The history's folder: days written whole, kept for a while, tidied.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use chrono::{Days, NaiveDate};
use polars::prelude::{DataFrame, KeyValueMetadata, ParquetWriter};

use super::frame::{Frames, first_whole_day, frames};
use super::schema::{Table, VERSION};
use super::{TableError, read};
use crate::diagnosis::Diagnosis;

/// The only file of a day.
const PART: &str = "part.parquet";

/// A history in a folder.
#[derive(Clone, Debug)]
pub struct History {
    folder: PathBuf,
}

/// What recording did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Days written.
    pub days: usize,
    /// Incidents in them.
    pub incidents: usize,
}

impl History {
    /// The history in `folder`, which need not be there yet.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes the days that the diagnosis speaks of, each whole: what the history had of these days is replaced, other days stay as
    /// they are. So the diagnosis must be of whole days, or hold all that is known of a day so far; doing it again changes nothing. A day
    /// that the diagnosis looks at only in part (`since`) stays as it is.
    ///
    /// Every file is written beside, synced and renamed: a reader, or a run after a kill, sees a day as before or as after.
    ///
    /// # Errors
    /// What writing gives.
    pub fn record(&self, diagnosis: &Diagnosis) -> Result<Recorded, TableError> {
        let Frames { days, mut by_day } = frames(diagnosis).map_err(TableError::table(&self.folder))?;
        let mut recorded = Recorded::default();
        // What is no longer looked at as a whole was recorded when it was.
        let first = first_whole_day(diagnosis);
        for day in days.into_iter().filter(|day| first.is_none_or(|first| *day >= first)) {
            recorded.days += 1;
            for table in Table::ALL {
                let folder = self.day_folder(table, day);
                match by_day.remove(&(table, day)) {
                    Some(frame) => {
                        if table == Table::Incidents {
                            recorded.incidents += frame.height();
                        }
                        write(&folder, &frame)?;
                    }
                    None => remove(&folder)?,
                }
            }
        }
        Ok(recorded)
    }

    /// Drops days before the last `keep` days, counted back from the last day that there is. Says how many.
    ///
    /// # Errors
    /// What removing gives.
    pub fn retain(&self, keep: u64) -> Result<usize, TableError> {
        let days = self.days()?;
        let Some(first_kept) = days.last().and_then(|last| last.checked_sub_days(Days::new(keep.saturating_sub(1))))
        else {
            return Ok(0);
        };
        let old: Vec<NaiveDate> = days.into_iter().filter(|day| *day < first_kept).collect();
        for day in &old {
            for table in Table::ALL {
                remove(&self.day_folder(table, *day))?;
            }
        }
        Ok(old.len())
    }

    /// Makes one file of each day again where others were put beside (by hand, or by a copy of another history), and takes away
    /// what killed runs left. Says how many files are gone.
    ///
    /// # Errors
    /// What reading and writing gives.
    pub fn compact(&self) -> Result<usize, TableError> {
        let mut gone = 0;
        for table in Table::ALL {
            for (_, folder) in self.day_folders(table)? {
                for file in files(&folder)? {
                    if file.extension().is_some_and(|ending| ending == "tmp") {
                        fs::remove_file(&file).map_err(TableError::file(&file))?;
                        gone += 1;
                    }
                }
                let parts = parquet_files(&folder)?;
                let others: Vec<&PathBuf> =
                    parts.iter().filter(|part| part.file_name().is_none_or(|name| name != PART)).collect();
                if others.is_empty() {
                    continue;
                }
                let whole = read::distinct(table, &parts)?;
                write(&folder, &whole)?;
                for other in others {
                    fs::remove_file(other).map_err(TableError::file(other))?;
                    gone += 1;
                }
            }
        }
        Ok(gone)
    }

    /// The days of which there is anything, in order.
    ///
    /// # Errors
    /// A folder that cannot be read, or is of a later version.
    pub fn days(&self) -> Result<Vec<NaiveDate>, TableError> {
        let mut days = Vec::new();
        for table in Table::ALL {
            days.extend(self.day_folders(table)?.into_iter().map(|(day, _)| day));
        }
        days.sort_unstable();
        days.dedup();
        if days.is_empty() { Err(self.nothing()) } else { Ok(days) }
    }

    /// The files of a table between two days, both included.
    pub(super) fn parts(
        &self,
        table: Table,
        since: Option<NaiveDate>,
        until: Option<NaiveDate>,
    ) -> Result<Vec<PathBuf>, TableError> {
        let mut parts = Vec::new();
        for (day, folder) in self.day_folders(table)? {
            if since.is_none_or(|since| day >= since) && until.is_none_or(|until| day <= until) {
                parts.extend(parquet_files(&folder)?);
            }
        }
        Ok(parts)
    }

    fn day_folder(&self, table: Table, day: NaiveDate) -> PathBuf {
        self.folder.join(VERSION).join(table.name()).join(format!("day={day}"))
    }

    fn day_folders(&self, table: Table) -> Result<Vec<(NaiveDate, PathBuf)>, TableError> {
        let folder = self.folder.join(VERSION).join(table.name());
        let mut days: Vec<(NaiveDate, PathBuf)> =
            files(&folder)?.into_iter().filter_map(|path| Some((day_of(&path)?, path))).collect();
        days.sort();
        Ok(days)
    }

    /// Why there is nothing: no history at all, or one of a version that is not known.
    fn nothing(&self) -> TableError {
        let newer = files(&self.folder).unwrap_or_default().into_iter().find_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            let number: u32 = name.strip_prefix('v')?.parse().ok()?;
            (number > 1).then_some(name)
        });
        match newer {
            Some(found) => TableError::Newer { path: self.folder.clone(), found },
            None => TableError::Empty { path: self.folder.clone() },
        }
    }
}

/// The day that a folder's name says.
pub(super) fn day_of(folder: &Path) -> Option<NaiveDate> {
    folder.file_name()?.to_str()?.strip_prefix("day=")?.parse().ok()
}

/// What is in a folder; nothing where there is none.
fn files(folder: &Path) -> Result<Vec<PathBuf>, TableError> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.path()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(TableError::file(folder)(error)),
    }
}

fn parquet_files(folder: &Path) -> Result<Vec<PathBuf>, TableError> {
    let mut parts: Vec<PathBuf> =
        files(folder)?.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "parquet")).collect();
    parts.sort();
    Ok(parts)
}

/// Writes a day. Its folder's name says which, and a partition's column is not in its files (Hive's convention, which Arrow insists on).
fn write(folder: &Path, frame: &DataFrame) -> Result<(), TableError> {
    let mut frame = frame.drop("day").map_err(TableError::table(folder))?;
    fs::create_dir_all(folder).map_err(TableError::file(folder))?;
    let (part, beside) = (folder.join(PART), folder.join(format!(".{PART}.{}.tmp", std::process::id())));
    let written = parquet(&beside, &mut frame)
        .and_then(|()| fs::rename(&beside, &part).map_err(TableError::file(&part)))
        // The rename is on the disk when the folder is.
        .and_then(|()| File::open(folder).and_then(|folder| folder.sync_all()).map_err(TableError::file(folder)));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// Writes a table to a file and syncs it.
pub(super) fn parquet(path: &Path, frame: &mut DataFrame) -> Result<(), TableError> {
    let file = File::create(path).map_err(TableError::file(path))?;
    let version = vec![
        ("why401.schema".to_owned(), VERSION.to_owned()),
        ("why401.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ];
    ParquetWriter::new(&file)
        .with_key_value_metadata(Some(KeyValueMetadata::from_static(version)))
        .finish(frame)
        .map_err(TableError::table(path))?;
    file.sync_all().map_err(TableError::file(path))
}

fn remove(folder: &Path) -> Result<(), TableError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(TableError::file(folder)(error)),
        _ => Ok(()),
    }
}
