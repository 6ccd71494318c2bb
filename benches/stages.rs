//! What each stage of a diagnosis costs: `just stages`. Logs are simulated, so that users, requests and incidents are mixed as in a real one;
//! single dialects and envelopes are in `parsers/benches/`, whole runs beside other programs in `peers.py`.

use std::fs;
use std::sync::OnceLock;

use divan::Bencher;
use divan::counter::BytesCount;
use tempfile::TempDir;
use why401::render::terminal::{self, Look};
use why401::render::{html, json, junit, markdown, openmetrics};
use why401::simulate::{Dialect, Options, simulate};
use why401::source::{How, read_inputs};
use why401::{Config, Diagnosis, Reading, diagnose, diagnose_with_policy};

fn main() {
    divan::main();
}

/// Enough for some chunks, and little enough that a stage is over in a moment.
const SIZE: u64 = 8_000_000;

const DIALECTS: [Dialect; 5] =
    [Dialect::Rails, Dialect::Rails8, Dialect::Rails61, Dialect::LogrageKv, Dialect::LogrageJson];

/// Logs by what happens in them: nothing, something now and then, something all the time.
const MIXES: [&str; 3] = ["healthy", "mixed", "dense"];

/// A log of 300 people in this dialect, in its folder.
fn simulated(dialect: Dialect, mix: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    // The shorter a token lives, the more of them run out.
    let (mix, access_seconds) = if mix == "dense" { ("never_refreshes", 60) } else { (mix, 3600) };
    let options = Options {
        seed: 7,
        users: 300,
        mix: vec![mix.to_owned()],
        dialect,
        size: Some(SIZE),
        access_seconds,
        ..Options::default()
    };
    simulate(&options, folder.path()).expect("a log can be written");
    folder
}

fn log(dialect: Dialect, mix: &str) -> Vec<u8> {
    fs::read(simulated(dialect, mix).path().join("server.log")).expect("the log can be read")
}

fn reading(bytes: &[u8]) -> Reading {
    let mut reading = Reading::new(Config::default(), [7; 16]);
    reading.read_bytes("server.log", bytes);
    reading
}

fn diagnosis() -> &'static Diagnosis {
    static DIAGNOSIS: OnceLock<Diagnosis> = OnceLock::new();
    DIAGNOSIS.get_or_init(|| diagnose(reading(&log(Dialect::Rails, "dense"))))
}

/// A file on its way to events: reading, cutting, parsing, putting together in order.
#[divan::bench(args = [1, 2], sample_count = 20)]
fn source(bencher: Bencher, threads: usize) {
    let folder = simulated(Dialect::Rails, "mixed");
    let inputs = [folder.path().join("server.log")];
    let how = How { threads: Some(threads), ..How::default() };
    bencher.counter(BytesCount::new(SIZE)).bench(|| read_inputs(&inputs, Config::default(), how).reading);
}

/// The same from memory on one thread.
#[divan::bench(args = DIALECTS, sample_count = 20)]
fn events(bencher: Bencher, dialect: Dialect) {
    let bytes = log(dialect, "mixed");
    bencher.counter(BytesCount::of_slice(&bytes)).bench(|| reading(&bytes));
}

/// Events to a diagnosis: identify, timelines, incidents, causes.
#[divan::bench(args = MIXES, sample_count = 20)]
fn diagnosing(bencher: Bencher, mix: &str) {
    let read = reading(&log(Dialect::Rails, mix));
    bencher.counter(BytesCount::new(SIZE)).with_inputs(|| read.clone()).bench_values(diagnose);
}

/// The same with what other lifetimes would have changed.
#[divan::bench(args = MIXES, sample_count = 20)]
fn policy(bencher: Bencher, mix: &str) {
    let read = reading(&log(Dialect::Rails, mix));
    bencher.counter(BytesCount::new(SIZE)).with_inputs(|| read.clone()).bench_values(diagnose_with_policy);
}

/// A diagnosis with hundreds of incidents, written.
#[divan::bench_group(sample_count = 20)]
mod rendering {
    use super::*;

    fn written<E: std::fmt::Debug>(write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out).expect("memory can be written to");
        out
    }

    #[divan::bench]
    fn terminal() -> String {
        terminal::report(diagnosis(), Look { width: 100, color: true, unicode: true, links: None, top: Some(20) })
    }

    #[divan::bench]
    fn json() -> Vec<u8> {
        written(|out| json::whole(diagnosis(), out))
    }

    #[divan::bench]
    fn ndjson() -> Vec<u8> {
        written(|out| json::lines(diagnosis(), out))
    }

    #[divan::bench]
    fn html() -> String {
        html::page(diagnosis()).expect("the template fits")
    }

    #[divan::bench]
    fn markdown() -> String {
        markdown::draft(diagnosis()).expect("the template fits")
    }

    #[divan::bench]
    fn openmetrics() -> Vec<u8> {
        written(|out| openmetrics::metrics(diagnosis(), out))
    }

    #[divan::bench]
    fn junit() -> Vec<u8> {
        written(|out| junit::suite(diagnosis(), out))
    }
}
