//! Parsing on all cores, assembling in order: one thread reads and cuts, some parse, and the caller's puts the chunks back into
//! their order and hands them on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use bumpalo::Bump;
use crossbeam_channel::{Receiver, Sender, bounded};
use self_cell::self_cell;
use why401_parsers::detect::{Parsed, parse_chunk_with};
use why401_parsers::line::Framing;
use why401_parsers::pattern::Pattern;
use why401_parsers::secret::FingerprintKey;

use super::How;
use super::chunk::{Chunk, Chunks};
use super::error::SourceError;
use super::expand::Source;
use super::open::open;
use super::progress::Progress;
use crate::Reading;

/// What goes from the reader to the parsers.
enum Step<C> {
    /// A source begins.
    Begin(usize),
    /// A piece of it.
    Chunk(C),
    /// Something is wrong with it.
    Wrong(SourceError),
}

type Numbered<C> = (u64, Step<C>);

/// A chunk's bytes, and room for what had to be unescaped.
struct Bytes {
    bytes: Vec<u8>,
    arena: Bump,
    framing: Framing,
    dropped: u64,
}

self_cell!(
    struct ParsedChunk {
        owner: Bytes,
        #[covariant]
        dependent: Parsed,
    }
);

fn parse(chunk: Chunk, key: FingerprintKey, patterns: &[Pattern]) -> ParsedChunk {
    let Chunk { bytes, framing, dropped } = chunk;
    ParsedChunk::new(Bytes { bytes, arena: Bump::new(), framing, dropped }, |owner| {
        parse_chunk_with(&owner.bytes, owner.framing, key, &owner.arena, patterns)
    })
}

/// Reads all sources into `reading`, in their order.
pub(super) fn read(
    sources: &[Source],
    how: How,
    reading: &mut Reading,
    errors: &mut Vec<SourceError>,
    progress: &Progress,
) {
    let threads = how.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)).max(1);
    let (key, patterns) = (reading.key(), Arc::clone(&reading.config.patterns));
    let counted = Arc::new(AtomicU64::new(0));
    // Some chunks in hand for each thread keep all busy, and bound what is in memory.
    let (to_parsers, chunks) = bounded::<Numbered<Chunk>>(threads * 2);
    let (to_assembly, parsed) = bounded::<Numbered<ParsedChunk>>(threads * 2);
    thread::scope(|scope| {
        let reader = Arc::clone(&counted);
        scope.spawn(move || cut_all(sources, how, &reader, &to_parsers));
        for _ in 0..threads {
            let (chunks, to_assembly, patterns) = (chunks.clone(), to_assembly.clone(), Arc::clone(&patterns));
            scope.spawn(move || parse_all(&chunks, key, &patterns, &to_assembly));
        }
        drop((chunks, to_assembly));
        take_all(&parsed, sources, reading, errors, || progress.at(counted.load(Ordering::Relaxed)));
    });
}

fn cut_all(sources: &[Source], how: How, counted: &Arc<AtomicU64>, to_parsers: &Sender<Numbered<Chunk>>) {
    let mut number = 0;
    // The receivers live as long as this does; were one gone, there would be nobody to tell.
    let mut send = |step| {
        let _ = to_parsers.send((number, step));
        number += 1;
    };
    for (place, source) in sources.iter().enumerate() {
        let opened = match open(source, counted) {
            Ok(opened) => opened,
            Err(error) => {
                send(Step::Wrong(error));
                continue;
            }
        };
        send(Step::Begin(place));
        let mut bytes = 0;
        let mut chunks = Chunks::new(opened.text, how.chunk);
        while let Some((chunk, failed)) = chunks.next() {
            bytes += chunk.bytes.len() as u64 + chunk.dropped;
            send(Step::Chunk(chunk));
            if let Some(cause) = failed {
                send(Step::Wrong(match opened.compressed {
                    Some(format) => SourceError::Damaged { name: source.name.clone(), format, bytes },
                    None => SourceError::of(&source.name, bytes, cause),
                }));
            }
        }
    }
}

fn parse_all(
    chunks: &Receiver<Numbered<Chunk>>,
    key: FingerprintKey,
    patterns: &[Pattern],
    to_assembly: &Sender<Numbered<ParsedChunk>>,
) {
    for (number, step) in chunks {
        let step = match step {
            Step::Begin(place) => Step::Begin(place),
            Step::Wrong(error) => Step::Wrong(error),
            Step::Chunk(chunk) => Step::Chunk(parse(chunk, key, patterns)),
        };
        if to_assembly.send((number, step)).is_err() {
            return;
        }
    }
}

/// Puts the chunks back into their order. No more can be waiting than are on their way.
fn take_all(
    parsed: &Receiver<Numbered<ParsedChunk>>,
    sources: &[Source],
    reading: &mut Reading,
    errors: &mut Vec<SourceError>,
    mut tick: impl FnMut(),
) {
    let mut waiting: BTreeMap<u64, Step<ParsedChunk>> = BTreeMap::new();
    let mut next = 0;
    for (number, step) in parsed {
        waiting.insert(number, step);
        while let Some(step) = waiting.remove(&next) {
            next += 1;
            match step {
                Step::Begin(place) => reading.begin(&sources[place].name, sources[place].year),
                Step::Wrong(error) => errors.push(error),
                Step::Chunk(chunk) => {
                    reading.take(chunk.borrow_dependent());
                    reading.dropped(chunk.borrow_owner().dropped);
                }
            }
            tick();
        }
    }
}
