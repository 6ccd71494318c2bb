//! Logs that grow and rotate, read on from where the last reading ended.
//!
//! `production.log`, `production.log.1`, `production.log.2.gz`… are one [`Stream`] of lines, the oldest file first. A
//! [`Bookmark`] says how far a stream was read; its place is found again by what stands there, not by a name: files are renamed,
//! compressed, and copied and truncated meanwhile. So each byte is read once, however often and whenever somebody looks.

mod live;
mod mark;
mod position;
mod rotation;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use live::{Followed, News};
pub use position::Bookmark;
pub(crate) use position::Plan;

use crate::source::error::SourceError;
use crate::source::expand::{expand, shown};

/// All rotations of one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// What it is called in reports: the log's name without what rotation adds.
    pub name: String,
    base: PathBuf,
}

/// The streams that files, folders and patterns belong to, in the order of their names, and what is wrong with them.
#[must_use]
pub fn streams(inputs: &[PathBuf]) -> (Vec<Stream>, Vec<SourceError>) {
    let (mut sources, mut errors) = expand(inputs);
    for input in inputs {
        // A log that is just being rotated may be there in its rotated form only.
        let rotated = PathBuf::from(format!("{}[._-][0-9]*", input.display()));
        let found = if input.exists() { Vec::new() } else { expand(std::slice::from_ref(&rotated)).0 };
        if found.iter().any(|source| source.path.as_deref().is_some_and(Path::exists)) {
            errors.retain(|error| !matches!(error, SourceError::NoMatch { name } if *name == shown(input)));
        }
        sources.extend(found);
    }
    let bases: BTreeSet<PathBuf> = sources.iter().filter_map(|source| source.path.as_deref()).map(base_of).collect();
    (bases.into_iter().map(|base| Stream { name: shown(&base), base }).collect(), errors)
}

/// The path of the log that a file is a rotation of.
fn base_of(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(rotation::of(&name).0)
}

impl Stream {
    /// Its files that are there, the oldest first. A log that is being compressed is there twice; its compressed form is not
    /// whole before the other is gone.
    fn files(&self) -> std::io::Result<Vec<PathBuf>> {
        let folder = match self.base.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let base = self.base.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut found: BTreeMap<rotation::Rank, (bool, PathBuf)> = BTreeMap::new();
        for entry in std::fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !name.starts_with(&base) {
                continue;
            }
            let (of, rank, compressed) = rotation::of(&name);
            let path = self.base.with_file_name(&name);
            if of != base || !path.is_file() {
                continue;
            }
            let file = found.entry(rank).or_insert_with(|| (compressed, path.clone()));
            if !compressed {
                *file = (false, path);
            }
        }
        Ok(found.into_values().map(|(_, path)| path).collect())
    }
}
