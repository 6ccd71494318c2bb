//! Where bytes come from: files, folders, globs, standard input, compressed or not; cut into chunks, parsed on all cores, handed on
//! in order.
//!
//! [`read_inputs`] is the whole of it. What cannot be read is an [`error::SourceError`] in the outcome and costs nothing else.

mod chunk;
pub mod error;
pub(crate) mod expand;
mod frames;
pub(crate) mod open;
pub(crate) mod parallel;
pub(crate) mod progress;
mod turned;

use std::path::PathBuf;

use error::SourceError;

use crate::report::section::Budget;
use crate::spread::Crew;
use crate::{Config, Reading};

/// What became of the inputs.
#[derive(Debug)]
pub struct Outcome {
    /// What was read.
    pub reading: Reading,
    /// What could not be read, or is worth a word.
    pub errors: Vec<SourceError>,
}

impl Outcome {
    /// Whether there was nothing to read in any input.
    #[must_use]
    pub fn nothing_read(&self) -> bool {
        self.reading.bytes() == 0
    }

    /// Whether some input could not be read, or not to its end.
    #[must_use]
    pub fn partial(&self) -> bool {
        self.errors.iter().any(SourceError::is_loss)
    }
}

/// How inputs are read.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// Threads that parse; `None`: one a core.
    pub threads: Option<usize>,
    /// Show a progress bar on standard error when it takes longer than a second and somebody watches.
    pub progress: bool,
    /// How much is parsed at a time, in bytes. The outcome is the same for any size.
    pub chunk: usize,
    /// How much memory the process may take, in bytes, [`LEAST_MEMORY`] at least: a longer log is diagnosed in sections of log time.
    pub max_memory: Option<usize>,
}

/// 1 MiB: large enough that handing a chunk over costs nothing beside parsing it, small enough that all cores have work on a
/// file of some megabytes, and no smaller than the longest line that is read whole.
pub const CHUNK: usize = 1 << 20;

/// With less memory than this, in bytes, hardly anything of a log could be held.
pub const LEAST_MEMORY: usize = 48_000_000;

/// This part of the memory is for chunks that are read, parsed and put together.
const CHUNKS: usize = 4;

/// So many chunks are on their way for each thread, each with what was parsed of it, which is about as much again.
const PER_THREAD: usize = 24;

/// For so many threads it is meant to be enough.
const USUAL_THREADS: usize = 4;

impl How {
    /// The same with chunks so small, and then so few threads, that their part of the memory is enough. The size of chunks decides where
    /// sections end, so it is the same for any number of threads.
    fn within_memory(self) -> Self {
        let Some(memory) = self.max_memory else { return self };
        let chunk = (memory / CHUNKS / PER_THREAD / USUAL_THREADS).clamp(CHUNK / 8, CHUNK).min(self.chunk);
        let most = (memory / CHUNKS / PER_THREAD / chunk).max(1);
        Self { threads: Some(Crew::of(self.threads).threads().min(most)), chunk, ..self }
    }
}

impl Default for How {
    fn default() -> Self {
        Self { threads: None, progress: false, chunk: CHUNK, max_memory: None }
    }
}

/// Reads files, folders, globs and standard input (`-`, or when nothing is given).
#[must_use]
pub fn read_inputs(inputs: &[PathBuf], config: Config, how: How) -> Outcome {
    let (sources, mut errors) = expand::expand(inputs);
    let how = how.within_memory();
    let mut reading = Reading::new(config, run_key()).within(how.max_memory.map(Budget::of));
    let progress = progress::Progress::new(how.progress, sources.iter().filter_map(expand::Source::size).sum());
    let parts = sources.iter().cloned().map(expand::Source::part).collect();
    parallel::read(parts, how, &mut reading, &mut errors, &progress, |reading, place| {
        reading.begin(&sources[place].name, sources[place].year);
    });
    progress.finish();
    Outcome { reading, errors }
}

/// The whole text of one input (`-` is standard input), decompressed.
///
/// # Errors
/// What stands in the way of reading it.
pub fn whole_text(input: &std::path::Path) -> Result<(String, Vec<u8>), SourceError> {
    let (sources, errors) = expand::expand(&[input.to_owned()]);
    let Some(source) = sources.first() else {
        let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
        let named = || SourceError::of(&input.to_string_lossy(), 0, missing());
        return Err(errors.into_iter().next().unwrap_or_else(named));
    };
    let mut text = Vec::new();
    let opened = open::open(source, &std::sync::Arc::default())?;
    let mut reader = opened.text;
    std::io::Read::read_to_end(&mut reader, &mut text)
        .map_err(|cause| SourceError::of(&source.name, text.len() as u64, cause))?;
    Ok((source.name.clone(), text))
}

/// The key under which this run turns tokens into fingerprints.
pub(crate) fn run_key() -> [u8; 16] {
    let mut key = [0; 16];
    // Without the system's randomness fingerprints still join; they never leave the process either way.
    if getrandom::fill(&mut key).is_err() {
        key = u128::from(std::process::id()).to_le_bytes();
    }
    key
}
