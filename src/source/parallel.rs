//! Parsing on all cores, assembling in order: one thread reads and cuts, some parse, and the caller's puts the chunks back into
//! their order and hands them on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use bumpalo::Bump;
use crossbeam_channel::{Receiver, Sender, bounded};
use self_cell::self_cell;
use why401_parsers::assemble::Known;
use why401_parsers::detect::{Parsed, Parser};
use why401_parsers::writer::Manner;

use super::How;
use super::chunk::{Chunk, Chunks, Spare};
use super::error::SourceError;
use super::open::Opened;
use super::progress::Progress;
use super::turned::oldest_first;
use crate::Reading;
use crate::report::section::make_room;
use crate::spread::Crew;

/// A piece of a source to be read: a file, or the rest of one.
pub(crate) struct Part {
    /// What its source is called.
    pub(crate) name: String,
    /// Opens it, with a counter for the bytes taken from the disk.
    pub(crate) open: Opener,
    /// In which manner the source is written, where its earlier parts told.
    pub(crate) manner: Option<Manner>,
    /// More will be written to it: an entry without its end is left.
    pub(crate) open_end: bool,
}

/// See [`Part::open`].
pub(crate) type Opener = Box<dyn FnOnce(&Arc<AtomicU64>) -> Result<Opened, SourceError> + Send>;

/// What was read of a part.
#[derive(Debug, Default)]
pub(crate) struct PartRead {
    /// So much of its text was taken, in bytes.
    pub(crate) taken: u64,
    /// How it begins: at most [`EDGE`] bytes.
    pub(crate) head: Vec<u8>,
    /// How what was taken ends: at most [`EDGE`] bytes that stand together.
    pub(crate) tail: Vec<u8>,
    /// In which manner it is written; `None` if there was nothing to tell by.
    pub(crate) manner: Option<Manner>,
}

/// So many bytes at the beginning and before a position tell files apart: some twenty lines.
pub(crate) const EDGE: usize = 4096;

impl PartRead {
    fn add(&mut self, chunk: &Chunk) {
        if self.taken == 0 {
            self.head.extend_from_slice(&chunk.bytes[..chunk.bytes.len().min(EDGE)]);
            self.manner = Some(chunk.manner);
        }
        self.taken += chunk.bytes.len() as u64 + chunk.dropped;
        if chunk.dropped > 0 {
            // Where bytes are missing is not known: nothing before the chunk's last line stands together.
            self.tail.clear();
            return;
        }
        push_edge(&mut self.tail, &chunk.bytes);
    }
}

/// Appends to a tail and keeps its last [`EDGE`] bytes.
pub(crate) fn push_edge(tail: &mut Vec<u8>, bytes: &[u8]) {
    tail.extend_from_slice(&bytes[bytes.len().saturating_sub(EDGE)..]);
    tail.drain(..tail.len().saturating_sub(EDGE));
}

/// What goes from the reader to the parsers.
enum Step<C> {
    /// A source begins.
    Begin(usize),
    /// Its newest line came first, of so many.
    Turned(u64),
    /// A piece of it.
    Chunk(C),
    /// Something is wrong with it.
    Wrong(SourceError),
    /// It is read.
    End(PartRead),
}

type Numbered<C> = (u64, Step<C>);

/// A chunk's bytes, and room for what had to be unescaped.
struct Bytes {
    bytes: Vec<u8>,
    arena: Bump,
    manner: Manner,
    dropped: u64,
}

self_cell!(
    struct ParsedChunk {
        owner: Bytes,
        #[covariant]
        dependent: Parsed,
    }
);

/// A parsed chunk, with the number of its parser.
type OfParser = (usize, ParsedChunk);

fn parse(chunk: Chunk, parser: &mut Parser<'_>) -> ParsedChunk {
    let Chunk { bytes, manner, dropped } = chunk;
    ParsedChunk::new(Bytes { bytes, arena: Bump::new(), manner, dropped }, |owner| {
        parser.parse(&owner.bytes, owner.manner, &owner.arena)
    })
}

/// Reads all parts into `reading`, in their order, and says what was read of each. `begin` is called when one of them has been
/// opened, with its place.
pub(crate) fn read(
    parts: Vec<Part>,
    how: How,
    reading: &mut Reading,
    errors: &mut Vec<SourceError>,
    progress: &Progress,
    mut begin: impl FnMut(&mut Reading, usize),
) -> Vec<PartRead> {
    reading.crew = Crew::of(how.threads);
    let threads = reading.crew.threads();
    let (key, patterns) = (reading.key(), Arc::clone(&reading.config.patterns));
    let counted = Arc::new(AtomicU64::new(0));
    // Some chunks in hand for each thread keep all busy, and bound what is in memory.
    let (to_parsers, chunks) = bounded::<Numbered<Chunk>>(threads * 2);
    let (to_assembly, parsed) = bounded::<Numbered<OfParser>>(threads * 2);
    // All of them together, wherever they wait: what comes after a chunk that takes long would else pile up behind it.
    let (on_their_way, arrived) = bounded::<()>(threads * ON_THEIR_WAY);
    // Buffers go round.
    let (give_back, spare) = bounded::<Vec<u8>>(threads * 4);
    let mut read = Vec::with_capacity(parts.len());
    thread::scope(|scope| {
        let reader = Arc::clone(&counted);
        let spare = move || spare.try_recv().unwrap_or_default();
        scope.spawn(move || cut_all(parts, how, &reader, &Way { to_parsers, on_their_way }, &spare));
        for number in 0..threads {
            let (chunks, to_assembly, patterns) = (chunks.clone(), to_assembly.clone(), Arc::clone(&patterns));
            scope.spawn(move || parse_all(&chunks, number, Parser::new(key, &patterns), &to_assembly));
        }
        drop((chunks, to_assembly));
        let mut known: Vec<Known> = (0..threads).map(|_| Known::default()).collect();
        in_order(&parsed, |step| {
            match step {
                Step::Begin(place) => begin(reading, place),
                Step::Turned(lines) => reading.turned(lines),
                Step::Wrong(error) => errors.push(error),
                Step::End(part) => read.push(part),
                Step::Chunk((parser, chunk)) => {
                    // The reader said that it is on its way before it was.
                    let _ = arrived.try_recv();
                    reading.take(chunk.borrow_dependent(), &mut known[parser]);
                    make_room(reading, &mut known);
                    reading.dropped(chunk.borrow_owner().dropped);
                    // Where all have one, this one is let go.
                    let _ = give_back.try_send(chunk.into_owner().bytes);
                }
            }
            progress.at(counted.load(Ordering::Relaxed));
        });
    });
    read
}

/// So many chunks for each thread may be on their way from the reader to the assembly: two that wait for the parsers, one that is parsed,
/// two that wait for the assembly.
const ON_THEIR_WAY: usize = 5;

/// Where the reader sends its steps.
struct Way {
    to_parsers: Sender<Numbered<Chunk>>,
    /// Full when as many chunks are on their way as may be.
    on_their_way: Sender<()>,
}

fn cut_all(parts: Vec<Part>, how: How, counted: &Arc<AtomicU64>, way: &Way, spare: Spare<'_>) {
    let mut number = 0;
    // The receivers live as long as this does; were one gone, there would be nobody to tell.
    let mut send = |step| {
        if matches!(step, Step::Chunk(_)) {
            let _ = way.on_their_way.send(());
        }
        let _ = way.to_parsers.send((number, step));
        number += 1;
    };
    for (place, Part { name, open, manner, open_end }) in parts.into_iter().enumerate() {
        let mut read = PartRead::default();
        match open(counted) {
            Ok(opened) => {
                send(Step::Begin(place));
                // What is written on, or was read in part, is as it stands.
                let whole = manner.is_none() && !open_end;
                let (text, turned) =
                    if whole { oldest_first(opened.text, how.max_memory) } else { (opened.text, None) };
                if let Some(lines) = turned {
                    send(Step::Turned(lines));
                }
                let mut chunks = Chunks::new(text, how.chunk).going_on(manner, open_end);
                while let Some((chunk, failed)) = chunks.next(spare) {
                    read.add(&chunk);
                    send(Step::Chunk(chunk));
                    if let Some(cause) = failed {
                        let bytes = read.taken;
                        send(Step::Wrong(match opened.compressed {
                            Some(format) => SourceError::Damaged { name: name.clone(), format, bytes },
                            None => SourceError::of(&name, bytes, cause),
                        }));
                    }
                }
            }
            Err(error) => send(Step::Wrong(error)),
        }
        send(Step::End(read));
    }
}

fn parse_all(
    chunks: &Receiver<Numbered<Chunk>>,
    of: usize,
    mut parser: Parser<'_>,
    to_assembly: &Sender<Numbered<OfParser>>,
) {
    for (number, step) in chunks {
        let step = match step {
            Step::Begin(place) => Step::Begin(place),
            Step::Turned(lines) => Step::Turned(lines),
            Step::Wrong(error) => Step::Wrong(error),
            Step::End(read) => Step::End(read),
            Step::Chunk(chunk) => Step::Chunk((of, parse(chunk, &mut parser))),
        };
        if to_assembly.send((number, step)).is_err() {
            return;
        }
    }
}

/// Puts the steps back into their order. No more can be waiting than [are on their way](ON_THEIR_WAY).
fn in_order(parsed: &Receiver<Numbered<OfParser>>, mut take: impl FnMut(Step<OfParser>)) {
    let mut waiting: BTreeMap<u64, Step<OfParser>> = BTreeMap::new();
    let mut next = 0;
    for (number, step) in parsed {
        waiting.insert(number, step);
        while let Some(step) = waiting.remove(&next) {
            next += 1;
            take(step);
        }
    }
}
