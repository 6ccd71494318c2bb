//! Clients' traces as other loggers would have written them: the verdicts are those of the same lines in a frame that names the client.

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use support::scenario::{Scenario, Sides, diagnose_logs, scenarios};

/// A line of a trace without its frame: its time, where the frame has one, and the words.
struct Said<'l> {
    /// `2026-11-19T16:19:00.962000`
    at: Option<String>,
    text: &'l str,
}

/// Nothing of the parsers is used here.
fn said(line: &str) -> Said<'_> {
    if let Some((at, text)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let whole = format!("{at}{}", &".000000"[at.len().saturating_sub(19)..]);
        return Said { at: Some(whole), text: text.strip_prefix(' ').unwrap_or(text) };
    }
    if let Some((head, text)) = line.split_once(" flutter : ").or_else(|| Some((line.strip_suffix(" flutter :")?, "")))
    {
        return Said { at: Some(format!("2026-{}T{}000", &head[..5], &head[6..18])), text };
    }
    let framed = line.strip_prefix("flutter:").or_else(|| Some(line.strip_prefix("I/flutter")?.split_once("):")?.1));
    let text = framed.unwrap_or_else(|| panic!("a frame that is not known here: {line}"));
    Said { at: None, text: text.strip_prefix(' ').unwrap_or(text) }
}

/// What stands before a line's words, by its time.
type Write = fn(&str, &str) -> String;

/// Forms that show the time with its date, beside lines of traces that have none in a frame of their own.
const TIMED: &[(&str, Write)] = &[
    ("time in front", |at, text| format!("{} {text}", at.replace('T', " "))),
    ("time and level", |at, text| format!("{at} INFO {text}")),
    ("time and level in bars", |at, text| format!("{at} | INFO | {text}")),
    ("level, then time", |at, text| format!("[INFO] {}: {text}", at.replace('T', " "))),
    ("level, name and time", |at, text| format!("[INFO] Root: {}: {text}", at.replace('T', " "))),
    ("time, letter and tag", |at, text| format!("{at} I MyApp: {text}")),
    ("month and day", |at, text| format!("{}/{} {} D {text}", &at[5..7], &at[8..10], &at[11..23])),
    ("a name behind Dart's logging", |at, text| format!("flutter: INFO: {}: Auth: {text}", at.replace('T', " "))),
    ("JSON", |at, text| serde_json::json!({"time": at, "level": "info", "message": text}).to_string()),
];

/// Forms without a date.
const UNTIMED: &[(&str, Write)] = &[
    ("words alone", |_, text| text.to_owned()),
    ("time of day in brackets", |at, text| format!("[{}] {text}", &at[11..19])),
    ("time of day in Flutter's frame", |at, text| format!("flutter: {} {text}", &at[11..23])),
    ("dart:developer", |_, text| format!("[log] {text}")),
    ("the app's name", |_, text| format!("[MyApp] {text}")),
    ("talker", |at, text| format!("[info] | {} {}ms | {text}", &at[11..19], &at[20..23])),
];

/// The clients' traces of a sample, each line written so.
fn rewritten(sample: &Scenario, write: impl Fn(Option<&str>, &str) -> String) -> Vec<(String, Vec<u8>)> {
    let traces = sample.logs(Sides::Client).into_iter();
    let lines = |bytes: &[u8]| -> String {
        let text = String::from_utf8(bytes.to_vec()).expect("the sample is text");
        text.lines().map(said).map(|said| write(said.at.as_deref(), said.text) + "\n").collect()
    };
    traces.map(|(name, bytes)| (name, lines(&bytes).into_bytes())).collect()
}

/// Who was said to have lost a session, and why.
fn verdicts(logs: &[(String, Vec<u8>)]) -> BTreeSet<String> {
    let diagnosis = diagnose_logs(logs);
    assert!(diagnosis.inputs.iter().all(|input| input.unrecognised == 0), "{:?}", diagnosis.inputs);
    let actors = diagnosis.actors.iter().map(|actor| format!("{:?} {}", actor.user, actor.verdict));
    let of_incident = |actor: &why401::diagnosis::ActorRef| actor.user.clone();
    let incidents = diagnosis.incidents.iter().map(|incident| {
        format!("{:?} {} {}", incident.actor.as_ref().and_then(of_incident), incident.cause.as_str(), incident.kind)
    });
    actors.chain(incidents).collect()
}

/// Lines that are not in the form stand in the tool's frame.
fn framed(text: &str) -> String {
    format!("flutter: {text}")
}

fn samples() -> Vec<Scenario> {
    scenarios(&Path::new(env!("CARGO_MANIFEST_DIR")).join("samples"))
}

#[test]
fn traces_give_the_same_verdicts_without_a_frame() {
    let mut told = 0;
    for sample in samples() {
        let of_frame = |at: Option<&str>, text: &str| at.map_or_else(|| framed(text), |at| format!("[{at}] {text}"));
        let timed = verdicts(&rewritten(&sample, of_frame));
        let untimed = verdicts(&rewritten(&sample, |_, text| framed(text)));
        told += timed.iter().filter(|verdict| !verdict.ends_with(" healthy")).count();
        for (name, write) in TIMED {
            let form = |at: Option<&str>, text: &str| at.map_or_else(|| framed(text), |at| write(at, text));
            assert_eq!(verdicts(&rewritten(&sample, form)), timed, "{}, {name}", sample.name);
        }
        for (name, write) in UNTIMED {
            let form = |at: Option<&str>, text: &str| write(at.unwrap_or("2026-11-19T16:19:00.962000"), text);
            assert_eq!(verdicts(&rewritten(&sample, form)), untimed, "{}, {name}", sample.name);
        }
    }
    assert!(told > 20, "the samples' traces tell of {told} incidents only");
}

#[test]
fn lines_that_are_printed_twice_count_once() {
    for sample in samples() {
        let whole = sample.logs(Sides::Client);
        let once = verdicts(&whole);
        for every in [1, 3, 10] {
            let twice = |text: &str| -> String {
                let copies =
                    |(place, line): (usize, &str)| line.repeat(if place.is_multiple_of(every) { 2 } else { 1 });
                text.split_inclusive('\n').enumerate().map(copies).collect()
            };
            let logs: Vec<(String, Vec<u8>)> = whole
                .iter()
                .map(|(name, bytes)| (name.clone(), twice(&String::from_utf8_lossy(bytes)).into_bytes()))
                .collect();
            assert_eq!(verdicts(&logs), once, "{}, every {every}", sample.name);
        }
    }
}
