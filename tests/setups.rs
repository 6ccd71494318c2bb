//! Log set-ups of other apps: the same lines with other tags, frames and names before the words, and what is said of each user stays the same.

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use regex::{Captures, Regex};
use support::scenario::{Sides, diagnose_logs, scenarios};

const ID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

/// What is said of each user, and how often.
fn verdicts(log: &str) -> (BTreeMap<String, String>, BTreeMap<String, usize>) {
    let diagnosis = diagnose_logs(&[("server.log".to_owned(), log.as_bytes().to_vec())]);
    let users = diagnosis.actors.into_iter().filter_map(|actor| Some((actor.user?, actor.verdict.into_owned())));
    let mut kinds = BTreeMap::new();
    for incident in diagnosis.incidents {
        *kinds.entry(format!("{:?}/{}", incident.cause, incident.kind)).or_default() += 1;
    }
    (users.collect(), kinds)
}

/// The bundled server's log.
fn bundled() -> String {
    let samples = scenarios(&Path::new(env!("CARGO_MANIFEST_DIR")).join("samples"));
    let sample = samples.iter().find(|sample| sample.name == "mixed").expect("the sample is there");
    let (_, log) = sample.logs(Sides::Server).pop().expect("it has a server's log");
    String::from_utf8_lossy(&log).into_owned()
}

/// It is changed; what is said must not.
fn same(name: &str, change: impl Fn(&str) -> String) {
    let log = bundled();
    let changed = change(&log);
    assert_ne!(log, changed, "{name}: nothing is changed");
    assert_eq!(verdicts(&log), verdicts(&changed), "{name}");
}

/// Each request's id, changed.
fn with_id(log: &str, id: impl Fn(&str) -> String) -> String {
    let tag = Regex::new(&format!(r"\[({ID})\]")).expect("the pattern is right");
    tag.replace_all(log, |found: &Captures<'_>| id(&found[1])).into_owned()
}

/// Each line of Rails' in a frame of date and time, which are those of the last request that began.
fn framed(log: &str, frame: impl Fn(&str, &str) -> String) -> String {
    let began = Regex::new(r" at (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) [+-]\d{4}$").expect("the pattern is right");
    let (mut day, mut time) = (String::new(), String::new());
    let mut out = String::with_capacity(2 * log.len());
    for line in log.lines() {
        if let Some(found) = began.captures(line) {
            (day, time) = (found[1].to_owned(), found[2].to_owned());
        }
        if line.starts_with('[') && !day.is_empty() {
            out += &frame(&day, &time);
        }
        out += line;
        out += "\n";
    }
    out
}

#[test]
fn a_tag_that_looks_like_an_id_is_not_taken_for_it() {
    for before in [
        "api-6d4f9c7b8-x2x9p",
        "ip-10-0-3-17.ec2.internal",
        "9f0c2c1e4b7a9f0c2c1e4b7a9f0c2c1e4b7a9f0c",
        "release-2026-11-16-3",
    ] {
        same(before, |log| with_id(log, |id| format!("[{before}] [{id}]")));
        same(before, |log| with_id(log, |id| format!("[{id}] [{before}]")));
    }
}

#[test]
fn ids_of_requests_are_known_in_other_clothes() {
    same("named", |log| with_id(log, |id| format!("[request_id:{id}]")));
    same("short and named", |log| with_id(log, |id| format!("[req={}]", &id[..8])));
    same("hexadecimal", |log| with_id(log, |id| format!("[{}]", id.replace('-', ""))));
    same("Google's", |log| with_id(log, |id| format!("[{}/7;o=1]", id.replace('-', ""))));
    same("Amazon's", |log| with_id(log, |id| format!("[Root=1-{}-{}]", &id[..8], &id.replace('-', "")[8..])));
    same("with the release", |log| with_id(log, |id| format!("[{id}, 3.12.0]")));
    same("short", |log| with_id(log, |id| format!("[{}]", &id[..8])));
    same("short, behind a release", |log| with_id(log, |id| format!("[3f2a9c1b] [{}]", &id[..12])));
    let tenant = "0f0f0f0f-0000-4000-8000-000000000000";
    same("behind a tenant's", |log| with_id(log, |id| format!("[{tenant}] [{id}]")));
}

#[test]
fn lines_are_known_behind_frames_of_an_apps_own() {
    same("process in the bracket", |log| framed(log, |day, time| format!("[{day} {time} #7872] INFO: ")));
    same("Ruby's without its letter", |log| {
        framed(log, |day, time| format!("[{day}T{time}.068658 #7872]  INFO -- : "))
    });
    same("brackets apart", |log| framed(log, |day, time| format!("[{day} {time}] [7872] INFO ")));
    same("level in brackets", |log| framed(log, |day, time| format!("[INFO] {day} {time} ")));
    same("level first", |log| framed(log, |day, time| format!("INFO {day} {time} ")));
    same("parentheses", |log| framed(log, |day, time| format!("{day} {time} (7872) INFO: ")));
    same("a program", |log| framed(log, |day, time| format!("web-1 {day} {time} rails[7872] ")));
}

#[test]
fn what_action_cables_tags_call_a_user_is_his_by_the_connections_identifier() {
    let tag = Regex::new(r"\[ActionCable\] \[(\d+)\]").expect("the pattern is right");
    let tagged = |log: &str, call: &dyn Fn(&str) -> String| {
        tag.replace_all(log, |found: &Captures<'_>| format!("[ActionCable] [{}]", call(&found[1]))).into_owned()
    };
    same("an e-mail", |log| tagged(log, &|user| format!("p{user}@people.example")));
    same("a UUID", |log| tagged(log, &|user| format!("5e908487-0000-4000-8000-{user:0>12}")));
}

#[test]
fn what_is_newest_first_is_read_from_its_end() {
    let turned = |log: &str| log.lines().rev().map(|line| format!("{line}\n")).collect::<String>();
    same("newest first", turned);
    // Evidence is on the same lines, by their numbers in the file.
    let shown = |log: &str| {
        let diagnosis = diagnose_logs(&[("server.log".to_owned(), log.as_bytes().to_vec())]);
        let lines: Vec<&str> = log.lines().collect();
        let line = |number: u64| lines[usize::try_from(number).expect("a few thousand") - 1].to_owned();
        let evidence = diagnosis.incidents.iter().flat_map(|incident| &incident.evidence);
        let moments = diagnosis.incidents.iter().flat_map(|incident| &incident.timeline);
        let evidence = evidence.filter_map(|evidence| evidence.line).map(line).collect::<Vec<_>>();
        (evidence, moments.map(|moment| line(moment.line)).collect::<Vec<_>>())
    };
    let log = bundled();
    let (evidence, moments) = shown(&log);
    assert!(evidence.len() > 50 && moments.len() > 50);
    assert_eq!((evidence, moments), shown(&turned(&log)));
}

/// The same app with one endpoint for all: each request names its operation among the parameters.
fn through_graphql(log: &str) -> String {
    let began = Regex::new(r#"^\[(\S+)\] Started (\w+) "(/api/[^"?]*)[^"]*""#).expect("the pattern is right");
    let line = Regex::new(r"^\[(\S+)\] (Processing by|  Parameters:) (.*)$").expect("the pattern is right");
    let mut operations: BTreeMap<String, String> = BTreeMap::new();
    let mut out = String::with_capacity(2 * log.len());
    for text in log.lines() {
        if let Some(found) = began.captures(text) {
            let last = found[3].rsplit('/').next().unwrap_or_default();
            let name = match last {
                "login" => "SignIn".to_owned(),
                "logout" => "SignOut".to_owned(),
                "refresh" => "RefreshToken".to_owned(),
                "password" => "ChangePassword".to_owned(),
                _ => format!("{}{}", &found[2].to_lowercase(), found[3].replace('/', "_")),
            };
            operations.insert(found[1].to_owned(), name);
            let called = found.get(0).expect("it is all");
            out += &format!("[{}] Started POST \"/graphql\"{}\n", &found[1], &text[called.end()..]);
            continue;
        }
        let own = line.captures(text).and_then(|found| Some((operations.get(&found[1])?.clone(), found)));
        match own {
            Some((operation, found)) if &found[2] == "Processing by" => {
                let parameters = format!("{{\"operationName\"=>\"{operation}\", \"variables\"=>{{}}}}");
                out += &format!("[{}] Processing by GraphqlController#execute as JSON\n", &found[1]);
                out += &format!("[{}]   Parameters: {parameters}\n", &found[1]);
            }
            Some((_, found)) => out += &format!("[{}]   Parameters: {{\"variables\"=>{}}}\n", &found[1], &found[3]),
            None => out = out + text + "\n",
        }
    }
    out
}

#[test]
fn operations_of_one_endpoint_are_told_apart() {
    same("GraphQL", through_graphql);
}
