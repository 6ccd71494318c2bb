//! Streams and pipes followed as they grow: looked at again and again, read in small pieces.

use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, bounded, never, select};
use why401_parsers::line::{Framing, MAX_LINE};
use why401_parsers::writer::Manner;

use super::wake::Wake;
use super::{Bookmark, Stream, streams};
use crate::Reading;
use crate::source::How;
use crate::source::error::SourceError;
use crate::source::expand::shown;
use crate::source::open::Opened;
use crate::source::parallel::{Part, read};
use crate::source::progress::Progress;

/// Logs that are followed.
pub struct Followed {
    streams: Vec<(Stream, Bookmark)>,
    /// Files, folders and patterns: logs may come that were not there at first.
    inputs: Vec<PathBuf>,
    searched: Instant,
    pipes: Vec<Pipe>,
    arrivals: Receiver<(usize, Vec<u8>)>,
    wake: Wake,
    looked: Instant,
}

/// What standard input is called.
const STDIN: &str = "(standard input)";

/// A pipe, read by a thread of its own.
struct Pipe {
    name: String,
    manner: Option<Manner>,
    /// The beginning of an entry.
    rest: Vec<u8>,
    /// Its over-long line is being dropped.
    skipping: bool,
    ended: bool,
}

/// So much is read of a pipe at a time.
const PIECE: usize = 256 * 1024;
/// And so many pieces wait at most: whoever writes faster has to wait, as with any pipe.
const PIECES: usize = 32;

/// A log that is written to all the time is looked at this often at most: a look costs some system calls for each of its files.
const LEAST_PAUSE: Duration = Duration::from_millis(20);

/// How often folders and patterns are searched for logs that are new.
const SEARCH_EVERY: Duration = Duration::from_secs(2);

impl Followed {
    /// Begins to follow files, folders and patterns (with all rotations), named pipes, and `-` for standard input; what is in
    /// files already is read at once. Nothing given is standard input.
    ///
    /// Rotated files that were last written longer than `kept` ago are passed over.
    pub fn begin(inputs: &[PathBuf], reading: &mut Reading, kept: Duration, how: How) -> (Self, Vec<SourceError>) {
        let is_pipe = |input: &&PathBuf| input.as_os_str() == "-" || is_fifo(input);
        let (pipes, files): (Vec<&PathBuf>, Vec<&PathBuf>) = inputs.iter().partition(is_pipe);
        let files: Vec<PathBuf> = files.into_iter().cloned().collect();
        let (streams, mut errors) = if files.is_empty() { Default::default() } else { streams(&files) };
        let (sender, arrivals) = bounded(PIECES);
        let standard = [PathBuf::from("-")];
        let pipes = if inputs.is_empty() { standard.iter().collect() } else { pipes };
        let mut open = Vec::new();
        for path in pipes {
            let (number, sender, path) = (open.len(), sender.clone(), path.clone());
            let name = if path.as_os_str() == "-" { STDIN.to_owned() } else { shown(&path) };
            open.push(Pipe { name, manner: None, rest: Vec::new(), skipping: false, ended: false });
            thread::spawn(move || {
                let source: io::Result<Box<dyn Read>> = if path.as_os_str() == "-" {
                    Ok(Box::new(io::stdin()))
                } else {
                    std::fs::File::open(&path).map(|file| Box::new(file) as _)
                };
                let mut buffer = vec![0; PIECE];
                if let Ok(mut source) = source {
                    while let Ok(count @ 1..) = source.read(&mut buffer) {
                        if sender.send((number, buffer[..count].to_vec())).is_err() {
                            return;
                        }
                    }
                }
                let _ = sender.send((number, Vec::new()));
            });
        }
        let before = SystemTime::now().checked_sub(kept).unwrap_or(SystemTime::UNIX_EPOCH);
        let streams = streams
            .into_iter()
            .map(|stream| {
                let mut bookmark = Bookmark::default();
                // What cannot be passed over is read.
                let _ = bookmark.pass_over(&stream, before);
                (stream, bookmark)
            })
            .collect();
        // Without a pipe nothing ever arrives.
        let arrivals = if open.is_empty() { never() } else { arrivals };
        let now = Instant::now();
        let wake = Wake::new();
        let mut followed = Self { streams, inputs: files, searched: now, pipes: open, arrivals, wake, looked: now };
        followed.be_woken();
        errors.extend(followed.look(reading, how, true).errors);
        (followed, errors)
    }

    /// Whether there is nothing that could be followed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.pipes.is_empty()
    }

    /// Whether no more can come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.inputs.is_empty() && self.pipes.iter().all(|pipe| pipe.ended)
    }

    /// Asks to be told of writes to the logs that are known.
    fn be_woken(&mut self) {
        for (stream, _) in &self.streams {
            self.wake.add(&stream.folder());
        }
    }

    /// Waits for a pipe to say something or a file to be written, at most so long; reads what is new everywhere.
    pub fn poll(&mut self, reading: &mut Reading, how: How, patience: Duration) -> News {
        let mut news = News::default();
        select! {
            recv(self.arrivals) -> first => match first {
                Ok(first) => {
                    let more: Vec<(usize, Vec<u8>)> = self.arrivals.try_iter().take(PIECES).collect();
                    for (number, bytes) in std::iter::once(first).chain(more) {
                        news.bytes += bytes.len() as u64;
                        self.pipes[number].take(&bytes, reading);
                    }
                }
                // All pipes have ended.
                Err(_) => self.arrivals = never(),
            },
            recv(self.wake.hints()) -> hint => match hint {
                Ok(()) => thread::sleep(LEAST_PAUSE.saturating_sub(self.looked.elapsed())),
                Err(_) => self.wake.end(),
            },
            default(patience) => {}
        }
        if self.searched.elapsed() >= SEARCH_EVERY && !self.inputs.is_empty() {
            self.searched = Instant::now();
            for stream in streams(&self.inputs).0 {
                if !self.streams.iter().any(|(known, _)| *known == stream) {
                    self.streams.push((stream, Bookmark::default()));
                }
            }
            self.be_woken();
        }
        let seen = self.look(reading, how, false);
        News { bytes: news.bytes + seen.bytes, ..seen }
    }

    /// Reads what is new in files.
    fn look(&mut self, reading: &mut Reading, how: How, at_first: bool) -> News {
        let mut news = News::default();
        self.looked = Instant::now();
        for (stream, bookmark) in &mut self.streams {
            let planned = bookmark.plan(stream).and_then(|plan| {
                let parts = bookmark.parts(&plan).map_err(|cause| SourceError::of(&stream.name, 0, cause))?;
                Ok((plan, parts))
            });
            let (mut plan, mut parts) = match planned {
                Ok(planned) => planned,
                // It has not been written yet, or is between two rotations.
                Err(SourceError::Missing { .. }) if !at_first => continue,
                Err(error) => {
                    news.errors.push(error);
                    continue;
                }
            };
            if parts.is_empty() && plan.warnings.is_empty() && !plan.has_changed() {
                continue;
            }
            if !at_first {
                // Into memory first: what was truncated and written anew in this moment is not what it seems.
                let whole: io::Result<Vec<Part>> = parts.into_iter().map(in_memory).collect();
                match whole {
                    Ok(whole) if plan.is_sound() => parts = whole,
                    _ => continue,
                }
            }
            news.warnings.append(&mut plan.warnings);
            let quiet = Progress::new(how.progress && at_first, plan.size());
            let before = reading.bytes();
            let year = plan.year;
            let taken = read(parts, how, reading, &mut news.errors, &quiet, |reading, _| {
                reading.resume(&stream.name, year);
            });
            quiet.finish();
            news.bytes += reading.bytes() - before;
            // Whether the file changed since does not matter: what was read was sound.
            let _ = bookmark.advance(plan, taken);
        }
        news
    }

    /// Takes the last lines of pipes, which have no end.
    pub fn finish(&mut self, reading: &mut Reading) {
        for pipe in &mut self.pipes {
            pipe.finish(reading);
        }
    }
}

/// What one look gave.
#[derive(Debug, Default)]
pub struct News {
    /// So many bytes were read.
    pub bytes: u64,
    /// What could not be read.
    pub errors: Vec<SourceError>,
    /// What its user should know.
    pub warnings: Vec<String>,
}

/// The same part, with its text read.
fn in_memory(part: Part) -> io::Result<Part> {
    let Part { name, open, manner, open_end } = part;
    let opened = match open(&Arc::default()) {
        Ok(mut opened) => {
            let mut text = Vec::new();
            // What can be read of damaged data counts, as everywhere.
            let read = opened.text.read_to_end(&mut text);
            if opened.compressed.is_none() {
                read?;
            }
            Ok(Opened { text: Box::new(Cursor::new(text)), compressed: opened.compressed })
        }
        Err(error) => Err(error),
    };
    Ok(Part { name, open: Box::new(move |_| opened), manner, open_end })
}

#[cfg(unix)]
fn is_fifo(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    std::fs::metadata(path).is_ok_and(|about| about.file_type().is_fifo())
}

impl Pipe {
    fn take(&mut self, bytes: &[u8], reading: &mut Reading) {
        if bytes.is_empty() {
            self.ended = true;
            self.finish(reading);
            return;
        }
        let mut bytes = bytes;
        if self.skipping {
            let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
            reading.resume(&self.name, None);
            reading.dropped(end as u64);
            self.skipping = end == bytes.len();
            bytes = &bytes[end..];
        }
        self.rest.extend_from_slice(bytes);
        let manner = self.manner.get_or_insert_with(|| Framing::detect(&self.rest).into());
        let framing = manner.framing;
        if let Some(cut) = framing.last_cut(&self.rest) {
            *manner = manner.after(&self.rest[..cut]);
            reading.read_more(&self.name, *manner, &self.rest[..cut]);
            self.rest.drain(..cut);
            return;
        }
        let kept = framing.open_line(&self.rest) + MAX_LINE + 1;
        if self.rest.len() > kept {
            reading.resume(&self.name, None);
            reading.dropped((self.rest.len() - kept) as u64);
            self.rest.truncate(kept);
            self.skipping = true;
        }
    }

    fn finish(&mut self, reading: &mut Reading) {
        if let (Some(manner), false) = (self.manner, self.rest.is_empty()) {
            reading.read_more(&self.name, manner, &std::mem::take(&mut self.rest));
        }
    }
}
