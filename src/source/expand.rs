//! From what was given on the command line to single sources: folders walked, patterns matched, the same file once, in the order
//! of names.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Datelike as _, Utc};
use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use super::error::SourceError;
use super::open::open;
use super::parallel::Part;
use why401_parsers::event::printable;

/// One input that can be opened.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// What it is called in reports.
    pub(crate) name: String,
    /// Where it is; `None` is standard input.
    pub(crate) path: Option<PathBuf>,
    /// The year in which it was last written.
    pub(crate) year: Option<i32>,
    size: Option<u64>,
}

/// What standard input is called.
const STDIN: &str = "(standard input)";

impl Source {
    fn stdin() -> Self {
        Self { name: STDIN.into(), path: None, year: Some(Utc::now().year()), size: None }
    }

    fn file(path: &Path) -> Self {
        let about = fs::metadata(path).ok();
        let written = about.as_ref().and_then(|about| about.modified().ok());
        let year = written.and_then(year_of);
        let size = about.filter(fs::Metadata::is_file).map(|about| about.len());
        Self { name: shown(path), path: Some(path.to_owned()), year, size }
    }

    /// All of it, to be read.
    pub(crate) fn part(self) -> Part {
        let name = self.name.clone();
        Part { name, open: Box::new(move |counted| open(&self, counted)), manner: None, open_end: false }
    }

    /// Its size in bytes, if it is a file.
    pub(crate) fn size(&self) -> Option<u64> {
        self.size
    }
}

/// The year of a time.
pub(crate) fn year_of(time: SystemTime) -> Option<i32> {
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    DateTime::<Utc>::from_timestamp(i64::try_from(seconds).ok()?, 0).map(|time| time.year())
}

/// A path fit to be shown.
pub(crate) fn shown(path: &Path) -> String {
    printable(path.to_string_lossy().as_bytes())
}

/// The sources, ordered by name so that the outcome does not depend on the order in which they were given, and what is wrong.
pub(crate) fn expand(inputs: &[PathBuf]) -> (Vec<Source>, Vec<SourceError>) {
    let mut errors = Vec::new();
    let mut found: BTreeMap<String, Source> = BTreeMap::new();
    let mut seen: HashSet<PathBuf> = HashSet::new();
    let mut add = |source: Source| {
        let same = source.path.as_deref().and_then(|path| fs::canonicalize(path).ok());
        if same.is_none_or(|path| seen.insert(path)) {
            found.insert(source.name.clone(), source);
        }
    };
    if inputs.is_empty() {
        add(Source::stdin());
    }
    let mut sorted: Vec<&PathBuf> = inputs.iter().collect();
    sorted.sort();
    for input in sorted {
        if input.as_os_str() == "-" {
            add(Source::stdin());
        } else if input.is_dir() {
            let (files, mut wrong) = folder(input);
            if files.is_empty() && wrong.is_empty() {
                wrong.push(SourceError::NoLogs { name: shown(input) });
            }
            errors.append(&mut wrong);
            files.iter().for_each(|file| add(Source::file(file)));
        } else if fs::symlink_metadata(input).is_err() && is_pattern(input) {
            match matching(input) {
                Ok(files) if files.is_empty() => errors.push(SourceError::NoMatch { name: shown(input) }),
                Ok(files) => files.iter().for_each(|file| add(Source::file(file))),
                Err(why) => errors.push(SourceError::Pattern { name: shown(input), why }),
            }
        } else {
            add(Source::file(input));
        }
    }
    (found.into_values().collect(), errors)
}

/// The logs below a folder, hidden ones left out.
fn folder(root: &Path) -> (Vec<PathBuf>, Vec<SourceError>) {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    let visible =
        |entry: &walkdir::DirEntry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.');
    for entry in WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter().filter_entry(visible) {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_log_name(&entry.file_name().to_string_lossy()) => {
                files.push(entry.into_path());
            }
            Ok(_) => {}
            // A link that leads back to where it came from shows nothing new.
            Err(error) if error.loop_ancestor().is_some() => {}
            Err(error) => {
                let name = error.path().map_or_else(|| shown(root), shown);
                match error.into_io_error() {
                    // A dangling link, or a file that went while we looked.
                    Some(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
                    Some(cause) => errors.push(SourceError::of(&name, 0, cause)),
                    None => {}
                }
            }
        }
    }
    (files, errors)
}

/// Whether a file in a folder is a log by its name: `production.log`, `production.log.1`, `app.log-20261116.gz`, `trace.txt`.
fn is_log_name(name: &str) -> bool {
    let mut name = name.to_ascii_lowercase();
    for ending in [".gz", ".zst"] {
        if let Some(rest) = name.strip_suffix(ending) {
            name = rest.to_owned();
        }
    }
    // logrotate: `.1`, `-20261116`, `.2026-11-16`.
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '_'));
    [".log", ".txt", ".out", ".err", ".jsonl", ".ndjson"].iter().any(|ending| stem.ends_with(ending))
        || matches!(stem, "syslog" | "messages" | "logcat")
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '[', '{'])
}

/// The files that a pattern matches, for shells that hand patterns on. `**` crosses folders.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let text = pattern.to_string_lossy();
    let glob: GlobMatcher = GlobBuilder::new(&text)
        .literal_separator(true)
        .build()
        .map_err(|error| error.kind().to_string())?
        .compile_matcher();
    // The part before the first wildcard is where to begin.
    let fixed: PathBuf = pattern.components().take_while(|part| !is_pattern(Path::new(part.as_os_str()))).collect();
    let (root, relative) = if fixed.as_os_str().is_empty() { (Path::new("."), true) } else { (fixed.as_path(), false) };
    let depth = if text.contains("**") { usize::MAX } else { pattern.components().count() };
    let mut files: Vec<PathBuf> = WalkDir::new(root)
        .max_depth(depth)
        .follow_links(true)
        .into_iter()
        .flatten()
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| {
            let path = entry.into_path();
            if relative { path.strip_prefix(".").map(Path::to_owned).unwrap_or(path) } else { path }
        })
        .filter(|path| glob.is_match(path))
        .collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_known_by_their_names() {
        for name in [
            "production.log",
            "production.log.1",
            "production.log.2.gz",
            "app.log-20261116.zst",
            "trace.txt",
            "puma.out",
            "render.jsonl",
            "syslog.1",
        ] {
            assert!(is_log_name(name), "{name}");
        }
        for name in ["truth.json", "README.md", "photo.png", "catalogue", "core.1234"] {
            assert!(!is_log_name(name), "{name}");
        }
    }

    #[test]
    fn patterns_match_within_a_folder_and_across() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.log", "b.log", "c.txt", "deep/d.log"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x\n").unwrap();
        }
        let names = |pattern: &str| -> Vec<String> {
            let found = matching(&folder.path().join(pattern)).unwrap();
            found.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names("*.log"), ["a.log", "b.log"]);
        assert_eq!(names("**/*.log"), ["a.log", "b.log", "d.log"]);
        assert_eq!(names("{a,c}.*"), ["a.log", "c.txt"]);
    }

    #[test]
    fn a_file_given_twice_is_read_once_and_the_order_does_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a.log"), folder.path().join("b.log"));
        fs::write(&a, "x\n").unwrap();
        fs::write(&b, "x\n").unwrap();
        let names =
            |inputs: &[PathBuf]| -> Vec<String> { expand(inputs).0.iter().map(|source| source.name.clone()).collect() };
        let all = names(&[a.clone(), b.clone()]);
        assert_eq!(all.len(), 2);
        assert_eq!(names(&[b.clone(), a.clone(), b]), all);
    }
}
