//! Samples as other platforms would hand them out: the verdicts are those of the file that the program wrote itself.

use why401::{Config, Diagnosis, Reading, diagnose};

type Wrap = fn(&str, &str) -> String;

fn json(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

/// An envelope around a line that arrived at a time.
const WRAPS: &[(&str, Wrap)] = &[
    ("heroku", |at, text| format!("{at}+00:00 app[web.1]: {text}")),
    ("cri", |at, text| format!("{at}123Z stdout F {text}")),
    ("docker-json", |at, text| format!(r#"{{"log":{},"stream":"stdout","time":"{at}Z"}}"#, json(&format!("{text}\n")))),
    ("compose", |_, text| format!("web-1  | {text}")),
    ("kubectl", |at, text| format!("[pod/web-6d4f9c7b8-x2x9p/rails] {at}Z {text}")),
    ("syslog", |at, text| format!("<6>1 {at}Z my-api srv-d3k8 72019 srv-d3k8 - {text}")),
    ("journald", |at, text| format!("{}+0000 web1 puma[1234]: {text}", &at[..19])),
    ("gcp", |at, text| format!(r#"{{"insertId":"a","logName":"p","textPayload":{},"timestamp":"{at}Z"}}"#, json(text))),
    ("datadog", |at, text| format!(r#"{{"_id":"a","date":"{at}Z","status":"info","message":{}}}"#, json(text))),
    ("loki", |at, text| format!(r#"{{"labels":{{}},"line":{},"timestamp":"{at}Z"}}"#, json(text))),
    ("fly", |at, text| format!("{at}Z app[148ed193] fra [info]{text}")),
    ("cloudwatch-tail", |at, text| format!("{at}+00:00 web/web/0a1b2c3d {text}")),
    ("vector", |at, text| format!(r#"{{"message":{},"source_type":"file","timestamp":"{at}Z"}}"#, json(text))),
    ("render-text", |at, text| format!("{}  {text}", at[..19].replace('T', " "))),
];

/// The time in the frame of Ruby's logger: when the line arrived, give or take nothing.
fn stated(line: &str) -> Option<&str> {
    line.get(4..30).filter(|time| line.as_bytes().get(3) == Some(&b'[') && time.starts_with("20"))
}

fn rewrapped(log: &str, wrap: Wrap) -> String {
    let mut at = log.lines().find_map(stated).expect("the sample has times");
    let mut out = String::new();
    for line in log.lines() {
        at = stated(line).unwrap_or(at);
        out.push_str(&wrap(at, line));
        out.push('\n');
    }
    out
}

fn diagnosed(log: &str) -> Diagnosis {
    let mut reading = Reading::new(Config::default(), [3; 16]);
    reading.read_bytes("server.log", log.as_bytes());
    diagnose(reading)
}

/// Who was said to have lost a session and why, and the counts.
fn verdicts(diagnosis: &Diagnosis) -> (Vec<String>, String) {
    let actors = diagnosis.actors.iter().map(|actor| format!("{:?} {:?} {}", actor.user, actor.ips, actor.verdict));
    let summary = &diagnosis.summary;
    let counts = format!(
        "{} requests, {} 401, {} upgrades, {} refused, {} ended, {:?}",
        summary.requests,
        summary.unauthorized,
        summary.cable_connects,
        summary.cable_rejects,
        summary.cable_disconnects,
        summary.by_cause
    );
    (actors.collect(), counts)
}

/// Samples whose lines have times of their own, so that an envelope's time is no better than what was there.
const SAMPLES: &[&str] =
    &["lifetime_expiry-never_refresh", "refresh_failure-swallowed", "server_restart", "stale_token-ws"];

#[test]
fn samples_give_the_same_verdicts_in_every_envelope() {
    for sample in SAMPLES {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(sample).join("server.log");
        let log = std::fs::read_to_string(path).expect("bundled");
        let bare = diagnosed(&log);
        assert!(bare.summary.incidents > 0, "{sample}");
        for (envelope, wrap) in WRAPS {
            let wrapped = diagnosed(&rewrapped(&log, *wrap));
            assert_eq!(verdicts(&wrapped), verdicts(&bare), "{sample} in {envelope}");
            let named = wrapped.inputs[0].envelope.as_ref().is_some_and(|names| names.contains(envelope));
            assert!(named, "{sample} in {envelope}: {:?}", wrapped.inputs[0].envelope);
        }
    }
}
