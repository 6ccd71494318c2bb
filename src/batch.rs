//! A run that goes on where the last one ended: lock, load, read what is new, diagnose; the caller writes what it wants of the
//! diagnosis, and [`Run::finish`] keeps the state. Until then nothing has happened: a run that dies in between is done again by
//! the next one, with the same outcome, as all that was read and how far is in one file.

mod lock;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use lock::{Held, LockError};

use crate::atomic::{WriteError, sweep};
use crate::config::Keep;
use crate::follow::{Bookmark, Plan, Stream, streams};
use crate::source::error::SourceError;
use crate::source::parallel::{Part, read};
use crate::source::progress::Progress;
use crate::source::{How, run_key};
use crate::state::{State, Unusable, save};
use crate::{Config, Diagnosis, Reading};

/// What is to be done, again and again.
#[derive(Clone, Debug)]
pub struct Job {
    /// Logs, folders and patterns.
    pub sources: Vec<PathBuf>,
    /// The folder for what is kept between runs.
    pub state: PathBuf,
    /// How much log time is kept, in microseconds.
    pub keep: i64,
}

/// Five weeks: a month and the run-up to it, so that a monthly rhythm shows, and as long as most apps keep rotated logs.
pub const KEEP: i64 = 35 * 86_400 * 1_000_000;

/// Local times are settled when the zone is known: until then they may be off by up to 14 hours, either way.
const ZONE_SLACK: i64 = 30 * 3600 * 1_000_000;

/// Logs that are rotated just while they are read are read again.
const ATTEMPTS: u32 = 5;

/// Why a run could not be done.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// Another one is at work.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The state is there and cannot be read: nothing is built anew over what may be whole.
    #[error("{}: the state of earlier runs cannot be read: {cause}", .path.display())]
    State {
        /// The state's file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Something cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The state cannot be written down.
    #[error("what was read cannot be kept: {0}")]
    Keep(#[from] postcard::Error),
    /// Logs change faster than they can be read.
    #[error("the logs were rotated again and again while they were read; run again when that is over")]
    Restless,
}

/// A run that is not finished.
#[derive(Debug)]
pub struct Run {
    /// What was found.
    pub diagnosis: Diagnosis,
    /// What its user should know.
    pub messages: Vec<String>,
    /// Some input could not be read, or not to its end.
    pub partial: bool,
    /// So many bytes were new.
    pub new_bytes: u64,
    state_file: PathBuf,
    state: Vec<u8>,
    /// Others stay out until the run is over.
    _lock: Held,
}

/// The state's file in its folder.
const STATE_FILE: &str = "state";

impl Run {
    /// Reads what is new and diagnoses all that is kept.
    ///
    /// # Errors
    /// Another run at work, or a state folder that cannot be used.
    pub fn begin(job: &Job, config: Config, how: How) -> Result<Self, BatchError> {
        let folder = |cause| WriteError { path: job.state.clone(), cause };
        fs::create_dir_all(&job.state).map_err(folder)?;
        let lock = Held::take(&job.state)?;
        let state_file = job.state.join(STATE_FILE);
        sweep(&state_file);
        let keep = Keep::from_now(job.keep);
        let config = Config { keep: Some(keep), ..config };
        let (streams, errors) = streams(&job.sources);
        let mut said: Vec<String> = errors.iter().map(ToString::to_string).collect();
        for _ in 0..ATTEMPTS {
            let mut state = load(&state_file, &mut said)?;
            let mut messages = said.clone();
            state.reading = state.reading.with_config(config.clone());
            let before = state.reading.bytes();
            let Some(wrong) = read_new(&mut state, &streams, how, &mut messages) else { continue };
            let partial = errors.iter().chain(&wrong).any(SourceError::is_loss);
            messages.extend(wrong.iter().filter(|error| error.is_loss()).map(ToString::to_string));
            let new_bytes = state.reading.bytes() - before;
            state.reading.forget(keep, ZONE_SLACK);
            let bytes = state.to_bytes()?;
            let diagnosis = crate::diagnose_with_policy(state.reading.in_order());
            return Ok(Self { diagnosis, messages, partial, new_bytes, state_file, state: bytes, _lock: lock });
        }
        Err(BatchError::Restless)
    }

    /// Keeps what was read. From now on it was.
    ///
    /// # Errors
    /// What stands in the way; then the run has not happened.
    pub fn finish(self) -> Result<(), BatchError> {
        Ok(save(&self.state_file, &self.state)?)
    }
}

/// The state of the last run, or a new one. One that cannot be used is put aside: a newer why401 may be able to.
fn load(path: &Path, messages: &mut Vec<String>) -> Result<State, BatchError> {
    match State::load(path) {
        Ok(Some(state)) => return Ok(state),
        Ok(None) => {}
        Err(Unusable::Unreadable(cause)) => return Err(BatchError::State { path: path.to_owned(), cause }),
        Err(why) => {
            let aside = path.with_extension("unusable");
            fs::rename(path, &aside).map_err(|cause| WriteError { path: aside, cause })?;
            messages.push(format!(
                "{}: the state of earlier runs cannot be used: {why}; it is put aside as state.unusable and built anew from the files that are there, what only removed files said is lost",
                path.display()
            ));
        }
    }
    Ok(State { reading: Reading::new(Config::default(), run_key()), bookmarks: BTreeMap::new() })
}

/// Reads what is new in all streams, and says what was wrong. `None` if something was rotated meanwhile, so that it is not sure
/// what was read.
fn read_new(state: &mut State, streams: &[Stream], how: How, messages: &mut Vec<String>) -> Option<Vec<SourceError>> {
    let mut errors = Vec::new();
    let mut planned: Vec<(&Stream, Bookmark, Plan)> = Vec::new();
    let mut parts: Vec<Part> = Vec::new();
    let mut owners: Vec<usize> = Vec::new();
    let mut size = 0;
    for stream in streams {
        let bookmark = state.bookmarks.get(&stream.name).cloned().unwrap_or_default();
        let planned_parts = bookmark.plan(stream).and_then(|plan| {
            let parts = bookmark.parts(&plan).map_err(|cause| SourceError::of(&stream.name, 0, cause))?;
            Ok((plan, parts))
        });
        match planned_parts {
            Ok((plan, more)) => {
                owners.extend(more.iter().map(|_| planned.len()));
                parts.extend(more);
                size += plan.size();
                messages.extend(plan.warnings.iter().cloned());
                planned.push((stream, bookmark, plan));
            }
            Err(error) => errors.push(error),
        }
    }
    let progress = Progress::new(how.progress, size);
    let read = read(parts, how, &mut state.reading, &mut errors, &progress, |reading, place| {
        let (stream, _, plan) = &planned[owners[place]];
        reading.resume(&stream.name, plan.year);
    });
    progress.finish();
    let mut read = read.into_iter();
    for (stream, mut bookmark, plan) in planned {
        let own = read.by_ref().take(plan.steps.len()).collect();
        if !bookmark.advance(plan, own) {
            return None;
        }
        state.bookmarks.insert(stream.name.clone(), bookmark);
    }
    Some(errors)
}
