//! Logs that grow and rotate, read on from where the last reading ended.
//!
//! `production.log`, `production.log.1`, `production.log.2.gz`… are one [`Stream`] of lines, the oldest file first. A
//! [`Bookmark`] says how far a stream was read; its place is found again by what stands there, not by a name: files are renamed,
//! compressed, and copied and truncated meanwhile. So each byte is read once, however often and whenever somebody looks.

mod live;
mod mark;
mod plan;
mod position;
mod rotation;
mod wake;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use live::{Followed, News};
pub(crate) use plan::Plan;
pub use position::Bookmark;

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
        let shown_input = input.display().to_string();
        let rotated: Vec<PathBuf> = rotation::patterns(&shown_input).into_iter().map(PathBuf::from).collect();
        let found = if input.exists() { Vec::new() } else { expand(&rotated).0 };
        if found.iter().any(|source| source.path.as_deref().is_some_and(Path::exists)) {
            errors.retain(|error| !matches!(error, SourceError::NoMatch { name } if *name == shown(input)));
        }
        sources.extend(found);
    }
    let bases: BTreeSet<PathBuf> = sources.iter().filter_map(|source| source.path.as_deref()).map(base_of).collect();
    (bases.into_iter().map(|base| Stream { name: shown(&base), base }).collect(), errors)
}

/// Usual names of the folder, beside the log, into which logrotate's `olddir` puts rotated files.
const OLD_FOLDERS: [&str; 6] = ["old", "olddir", "archive", "archived", "rotated", "backup"];

/// The path of the log that a file is a rotation of.
fn base_of(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (log, rank, _) = rotation::of(&name);
    let base = path.with_file_name(&log);
    let folder = path.parent().filter(|folder| {
        let name = folder.file_name().and_then(|name| name.to_str());
        // A log that is written in such a folder has its own rotations there.
        rank != rotation::Rank::Current && name.is_some_and(|name| OLD_FOLDERS.contains(&name)) && !base.exists()
    });
    folder.and_then(Path::parent).map_or(base, |parent| parent.join(log))
}

impl Stream {
    /// The folder in which it is written: where a link leads.
    fn folder(&self) -> PathBuf {
        let written = self.written();
        match written.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        }
    }

    /// The path of the log itself. A link leads to where it is written, and its rotations lie there.
    fn written(&self) -> PathBuf {
        let linked = self.base.is_symlink().then(|| std::fs::canonicalize(&self.base).ok()).flatten();
        linked.map_or_else(|| self.base.clone(), |path| base_of(&path))
    }

    /// Its files that are there, the oldest first. A log that is being compressed is there twice; its compressed form is not
    /// whole before the other is gone.
    fn files(&self) -> std::io::Result<Vec<PathBuf>> {
        let written = self.written();
        let base = written.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let old = OLD_FOLDERS.iter().map(|name| written.with_file_name(name).join(&base));
        let old = old.filter(|log| log.parent().is_some_and(Path::is_dir) && !log.exists());
        // What is in a folder for old files is older than what is beside the log, if they are of one number.
        let mut found: BTreeMap<(rotation::Rank, usize), (bool, PathBuf)> = BTreeMap::new();
        for (place, log) in old.chain([written.clone()]).enumerate() {
            let folder = log.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            for entry in std::fs::read_dir(folder)? {
                let name = entry?.file_name().to_string_lossy().into_owned();
                let (of, rank, compressed) = rotation::of(&name);
                let path = log.with_file_name(&name);
                if of != base || !path.is_file() {
                    continue;
                }
                let file = found.entry((rank, place)).or_insert_with(|| (compressed, path.clone()));
                if !compressed {
                    *file = (false, path);
                }
            }
        }
        Ok(found.into_values().map(|(_, path)| path).collect())
    }
}
