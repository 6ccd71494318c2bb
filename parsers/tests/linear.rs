//! Work in proportion to the bytes: what is ten times as long costs about ten times as much, in every framing, envelope and dialect.
//!
//! Cost is the processor time of this thread, to which other programs on the machine add nothing, at four sizes. What is linear costs nine
//! times as much when it is nine times as long, what is quadratic eighty-one times; bounds lie between the two.

#![cfg(unix)]

mod common;

use std::time::Duration;

use common::{cases, read_chunks};
use nix::time::{ClockId, clock_gettime};
use why401_parsers::line::Framing;

/// Each three times the one before.
const SIZES: [usize; 4] = [10_000, 30_000, 90_000, 270_000];

/// How many times as much nine times the bytes may cost: between nine and eighty-one.
const NINEFOLD: u32 = 27;

/// How many times as much three times the bytes may cost: between three and nine.
const THREEFOLD: u32 = 5;

/// What is not looked at: a page that is touched for the first time, a table that is built once.
const SLACK: Duration = Duration::from_millis(2);

fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("the clock is there").into()
}

/// Whether the work grows faster than the bytes. `None`, or what the four sizes cost.
fn grows(work: &dyn Fn(&[u8]), bytes: &dyn Fn(usize) -> Vec<u8>) -> Option<[Duration; 4]> {
    let cost = |size: usize, runs: u32| {
        let bytes = bytes(size);
        let once = |_| {
            let begun = processor_time();
            work(std::hint::black_box(&bytes));
            processor_time() - begun
        };
        (0..runs).map(once).min().unwrap_or_default()
    };
    let is_linear = |short: Duration, long: Duration, bound: u32| long <= short * bound + SLACK;
    // One run of each is enough to see that nothing is wrong.
    if is_linear(cost(SIZES[1], 1), cost(SIZES[3], 1), NINEFOLD) {
        return None;
    }
    let costs = SIZES.map(|size| cost(size, 5));
    // A step is no growth: beyond some 64 KiB a regex with groups takes another, slower engine.
    let linear = is_linear(costs[1], costs[3], NINEFOLD) || is_linear(costs[2], costs[3], THREEFOLD);
    (!linear).then_some(costs)
}

/// Bytes that were made to be read over and over: a beginning, a piece without end, an end.
struct Hostile {
    framing: Framing,
    start: Vec<u8>,
    piece: Vec<u8>,
    end: Vec<u8>,
}

impl Hostile {
    fn new(framing: Framing, start: &str, piece: &str, end: &str) -> Self {
        Self { framing, start: start.into(), piece: piece.into(), end: end.into() }
    }

    fn of(&self, size: usize) -> Vec<u8> {
        let mut bytes = self.start.clone();
        while bytes.len() < size {
            bytes.extend_from_slice(&self.piece);
        }
        bytes.extend_from_slice(&self.end);
        bytes
    }

    /// The sentence about it, if it is not read in proportion.
    fn judged(&self) -> Option<String> {
        let framing = self.framing;
        let read = |bytes: &[u8]| {
            std::hint::black_box(framing.last_cut(bytes));
            std::hint::black_box(read_chunks(framing, [bytes]));
        };
        let costs = grows(&read, &|size| self.of(size))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).chars().take(120).collect::<String>();
        Some(format!("{framing:?} {} {:?} over and over: {costs:?}", text(&self.start), text(&self.piece)))
    }
}

/// Lines by hand: beginnings and pieces.
const LINES: &[(&str, &str)] = &[
    ("", "["),
    ("", "[a] "),
    ("", "{"),
    ("", "{\"a\":"),
    ("{\"status\":401,\"method\":\"GET\",\"a\":", "["),
    ("{\"status\":401,\"method\":\"GET\",\"controller\":\"A\",\"path\":\"", "\\u00e9"),
    ("{\"status\":401,\"method\":\"GET\"", ",\"a\":1"),
    ("{\"status\":401,\"method\":\"GET\",\"payload\":", "{\"payload\":"),
    ("{\"events\":[", "{\"events\":["),
    ("{\"resourceSpans\":0,", "\"spans\":["),
    ("{\"hasMore\":0,", "\"logs\":[{}"),
    ("{\"message\":\"", "\\\""),
    ("{\"message\":\"", "\\n"),
    ("{\"log\":\"x\",\"stream\":0,\"time\":", "\"\\\\"),
    ("{\"name\":\"a.b\",\"payload\":", "{\"context\":"),
    ("{\"session\":0,\"type\":0,\"attributes\":", "{\"attributes\":"),
    ("method=GET status=401 ", "a={ "),
    ("method=GET status=401 ", "a=\"b "),
    ("method=GET status=401 ", "a='b' "),
    ("at=info method=GET dyno=x ", "a={"),
    ("", " -- "),
    ("", ":in "),
    ("", "=>\"a\", :b"),
    ("  Parameters: {", "\"a\"=>{"),
    ("  Parameters: {", "\"refresh_token\"=>\"a\\\""),
    ("  Parameters: {", "\"a\" => \"b"),
    ("  Parameters: {", "\"password\"=>#<A "),
    ("Completed #a -- {status", ":a=>\"b\", "),
    ("Started GET \"", "\" for "),
    ("", "\u{1b}["),
    ("", "\u{1b}[31m"),
    ("", "\u{1b}("),
    ("\u{1b}[", "1;"),
    ("", "Channel"),
    ("flutter: ", "token: "),
    ("flutter: {", "token: abcdefghijk, "),
    ("flutter: ", "refreshing renewing "),
    ("I/flutter ( 8081): ", "  ("),
    ("I( 8081) ", "  (a)"),
    ("I/", "a: "),
    ("11-16 06:10:00.043  8081  8115 I ", "a: "),
    ("2026-11-16 06:10:00.043  8081-8115  flutter  ", " I  "),
    ("[ 11-16 06:10:00.043  8081: 8115 I/flutter ", "/ ]"),
    ("{\"startedDateTime\":0,\"request\":{\"headers\":[", "{\"name\":\"a\",\"value\":\"b\"},"),
    (
        "{\"startedDateTime\":0,\"request\":{},\"response\":{},\"_webSocketMessages\":[",
        "{\"type\":\"receive\",\"time\":1,\"opcode\":1,\"data\":\"{}\"},",
    ),
    ("{\"log\":{\"version\":\"1.2\",\"entries\":[", "{\"startedDateTime\":0,"),
    ("1.2.3.4 - - [16/Nov/2026:06:03:52 +0000] \"", "\\\""),
    ("2026-11-16T06:03:52Z ", "2026-11-16T06:03:52Z "),
    ("", "web-1 | "),
    ("", "[pod/a/b] "),
    ("a\t", "a:b\t"),
    ("2026-11-16T06:03:52Z\ta\t{\"log\":\"x\",\"a\":", "["),
    ("\"2026-11-16T06:03:52.068Z\",", "\"\","),
    ("2026-11-16 06:03:52.068658 I [1:x] ", "[a] "),
    ("2026-11-16 06:03:52.068658 I [1:x] {a: ", "b, "),
    ("", "user=1 "),
    ("", ", nextState: "),
    ("onTransition -- A, Transition { currentState: ", ", event: "),
    ("", "é"),
    ("", "\\\""),
    ("", "x"),
];

/// Whole sources by hand, of many short lines.
fn sources() -> Vec<Hostile> {
    let cri = "2026-11-16T06:03:52.068658123Z";
    let part = format!("{{\"log\":\"{}\",\"stream\":\"stdout\",\"time\":\"{cri}\"}}\n", "x".repeat(16 * 1024));
    let pod = format!("[pod/a/b] {cri} stdout P x\n");
    let sources = [
        (Framing::Lines, "", "\n"),
        (Framing::Lines, "", "[a] b\r\n"),
        (Framing::JsonObjects, "{\n  \"a\": 1\n}", "{\n}"),
        (Framing::JsonObjects, "{\n  \"a\": 1\n", "}"),
        (Framing::JsonObjects, "{\n  \"a\": 1\n", " }\n"),
        (Framing::JsonObjects, "{\n", "  \"a\": [\n"),
        (Framing::JsonElements(2), "[\n", "  {\n"),
        (Framing::JsonElements(2), "[\n", "  },\n"),
        (Framing::JsonElements(2), "[\n", "   }\n"),
        (Framing::JsonElements(8), "{\n", "        {\n        }\n"),
        (Framing::Parts, "", "2026-11-16T06:03:52.068658123Z stdout P x\n"),
        (Framing::Parts, "", "2026-11-16T06:03:52.068658123Z stdout F x\n"),
        (Framing::Parts, "2026-11-16T06:03:52.068658123Z stderr P x\n", "2026-11-16T06:03:52.068658123Z stdout F x\n"),
        (Framing::Parts, "2026-11-16T06:03:52.068658123Z stdout P x\n", "2026-11-16T06:03:52.068658123Z x\n"),
        (Framing::Parts, "2026-11-16T06:03:52.068658123Z stdout P x\n", "x\n"),
        (Framing::Parts, "{\"log\":\"", "\",\"stream\":\"std"),
        (Framing::Parts, "{\"log\":\"", "\\"),
        (Framing::Parts, "", &part),
        (Framing::Parts, "", &pod),
        (Framing::Parts, "{\"container_id\":\"a\",\"log\":\"", "\\\""),
        (Framing::Parts, "", "{\"container_id\":\"a\",\"log\":\"x\",\"logtag\":\"P\"}\n"),
        (Framing::Parts, "", "[pod/a/b] "),
    ];
    sources.map(|(framing, start, piece)| Hostile::new(framing, start, piece, "")).into()
}

/// The corpus, with some pieces of each entry over and over where they stand, and with the entry itself over and over.
fn of_the_corpus() -> Vec<Hostile> {
    const PIECES: [usize; 2] = [2, 11];
    const PLACES: usize = 4;
    let mut out = Vec::new();
    for case in cases() {
        let framing = Framing::detect(&case.bytes);
        let Some(entry) = framing.entries(&case.bytes).max_by_key(|entry| entry.bytes.len().min(600)) else { continue };
        let at = entry.bytes.as_ptr() as usize - case.bytes.as_ptr() as usize;
        let until = at + entry.bytes.len();
        let mut push = |from: usize, to: usize| {
            let (start, rest) = (case.bytes[..from].to_vec(), case.bytes[to..].to_vec());
            out.push(Hostile { framing, start, piece: case.bytes[from..to].to_vec(), end: rest });
        };
        for place in 0..PLACES {
            for piece in PIECES {
                let from = at + place * entry.bytes.len() / PLACES;
                push(from, (from + piece).min(until));
            }
        }
        let end = case.bytes[until..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        push(at, until + end);
    }
    out
}

#[test]
fn nine_times_the_bytes_cost_about_nine_times_as_much() {
    let lines = LINES.iter().map(|(start, piece)| Hostile::new(Framing::Lines, start, piece, ""));
    let slow: Vec<String> = lines.chain(sources()).filter_map(|hostile| hostile.judged()).collect();
    assert!(slow.is_empty(), "{slow:#?}");
}

#[test]
fn every_format_of_the_corpus_is_read_in_proportion_whatever_of_it_is_repeated() {
    let hostile = of_the_corpus();
    assert!(hostile.len() > 500, "{}", hostile.len());
    let slow: Vec<String> = hostile.iter().filter_map(Hostile::judged).collect();
    assert!(slow.is_empty(), "{slow:#?}");
}

/// The measure itself: work that is quadratic is seen, work that is linear is not.
#[test]
fn the_measure_tells_a_square_from_a_line() {
    let count = |bytes: &[u8]| std::hint::black_box(bytes.iter().filter(|byte| **byte == b'y').count());
    let square = |bytes: &[u8]| {
        (0..bytes.len()).step_by(512).map(|at| count(&bytes[at..])).for_each(|_| ());
    };
    let line = |bytes: &[u8]| (0..64).map(|_| count(bytes)).for_each(|_| ());
    let bytes = |size: usize| vec![b'x'; size];
    assert!(grows(&square, &bytes).is_some() && grows(&line, &bytes).is_none());
}
