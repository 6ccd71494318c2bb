//! What each stage of reading costs on one thread, a chunk at a time: `just stages`. Lines are those of `samples/` and of the corpus over and
//! over; whole runs on logs of a natural mix are in `benches/` of the workspace.

use std::fs;
use std::path::Path;

use bumpalo::Bump;
use divan::Bencher;
use divan::counter::BytesCount;
use why401_parsers::assemble::{Assembled, Assembler, Known};
use why401_parsers::detect::{Parsed, parse_chunk};
use why401_parsers::envelope::unwrap;
use why401_parsers::event::Names;
use why401_parsers::line::Framing;
use why401_parsers::secret::FingerprintKey;

fn main() {
    divan::main();
}

/// As much as `why401` reads at a time.
const CHUNK: usize = 1 << 20;

const KEY: FingerprintKey = FingerprintKey::new(*b"the bench's key!");

/// Lines by what they are, and the file that they are in.
const TEXTS: [(&str, &str); 6] = [
    ("rails", "../samples/healthy/server.log"),
    ("rails, bare", "../samples/mixed/server.log"),
    ("lograge-kv", "corpus/lograge-key-value/requests.log"),
    ("lograge-json", "corpus/lograge-json/requests_and_cable.log"),
    ("dio", "corpus/dio/current_headers.log"),
    ("client's trace", "../samples/mixed/client-u20.log"),
];

/// Frames around lines.
const FRAMES: [(&str, &str); 6] = [
    ("none", "../samples/mixed/server.log"),
    ("ruby-logger", "../samples/healthy/server.log"),
    ("render-text", "corpus/render-text/api.log"),
    ("syslog", "corpus/syslog/render_stream.log"),
    ("docker-json", "corpus/docker-json/lines_with_their_ends.log"),
    ("logcat", "../samples/mixed/client-u20.log"),
];

/// What divides into entries in different ways.
const FRAMINGS: [(&str, &str); 3] = [
    ("lines", "../samples/healthy/server.log"),
    ("parts", "corpus/cri/joined_from_parts.log"),
    ("objects", "corpus/render-json/concatenated.log"),
];

/// A chunk of whole entries.
fn chunk(of: &[(&str, &str)], name: &str) -> Vec<u8> {
    let file = of.iter().find(|(known, _)| *known == name).map(|(_, file)| *file).expect("a name of the list");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let lines = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let framing = Framing::detect(&lines);
    let mut bytes = Vec::with_capacity(CHUNK + lines.len());
    for round in 0.. {
        if bytes.len() >= CHUNK {
            break;
        }
        let from = bytes.len();
        bytes.extend_from_slice(&lines);
        renew(&mut bytes[from..], round);
    }
    let end = framing.last_cut(&bytes[..CHUNK]).unwrap_or(CHUNK);
    bytes.truncate(end);
    bytes
}

/// Gives other ids to the requests of another round: a server never gives one twice.
fn renew(lines: &mut [u8], round: u32) {
    const ID: usize = 36;
    let is_id = |text: &[u8]| {
        text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    let mut at = 0;
    while at + ID <= lines.len() {
        if is_id(&lines[at..at + ID]) {
            lines[at..at + 8].copy_from_slice(format!("{round:08x}").as_bytes());
            at += ID;
        } else {
            at += 1;
        }
    }
}

fn name<'a>((name, _): &(&'a str, &str)) -> &'a str {
    name
}

/// Where each entry ends.
#[divan::bench(args = FRAMINGS.iter().map(name))]
fn framing(bencher: Bencher, name: &str) {
    let bytes = chunk(&FRAMINGS, name);
    let framing = Framing::detect(&bytes);
    bencher
        .counter(BytesCount::of_slice(&bytes))
        .bench(|| framing.entries(&bytes).map(|entry| entry.bytes.len()).max());
}

/// The frames taken off each line.
#[divan::bench(args = FRAMES.iter().map(name))]
fn envelopes(bencher: Bencher, name: &str) {
    let bytes = chunk(&FRAMES, name);
    bencher.counter(BytesCount::of_slice(&bytes)).bench(|| {
        let arena = Bump::new();
        Framing::Lines.entries(&bytes).map(|entry| unwrap(entry.bytes, &arena).text.len()).max()
    });
}

/// Bytes to records: framing, detection, envelopes and dialects.
#[divan::bench(args = TEXTS.iter().map(name))]
fn parsing(bencher: Bencher, name: &str) {
    let bytes = chunk(&TEXTS, name);
    let framing = Framing::detect(&bytes);
    bencher.counter(BytesCount::of_slice(&bytes)).bench(|| {
        let arena = Bump::new();
        parse_chunk(&bytes, framing, KEY, &arena).balance.recognised
    });
}

/// Records to events: the part that goes by the order of lines.
#[divan::bench(args = TEXTS.iter().map(name))]
fn assembling(bencher: Bencher, name: &str) {
    let bytes = chunk(&TEXTS, name);
    let arena = Bump::new();
    let parsed = parse_chunk(&bytes, Framing::detect(&bytes), KEY, &arena);
    bencher.counter(BytesCount::of_slice(&bytes)).bench(|| assembled(&parsed));
}

fn assembled(parsed: &Parsed<'_>) -> Assembled {
    let (mut assembler, mut names) = (Assembler::new(0), Names::default());
    assembler.take(parsed, 1, &mut Known::default(), &mut names);
    assembler.finish(None, None, &mut names)
}
