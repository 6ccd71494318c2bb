//! Real logs of strangers, read in place (`../shared/public`, or the folder that `WHY401_PUBLIC_LOGS` names): counts equal to those that
//! were made without the product, nobody accused, and a word on what is no log of an app.
//!
//! `expected.json` beside each log says how it was counted. Nothing of these logs may be copied into this repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use why401::source::whole_text;
use why401::{Config, Diagnosis, Reading, diagnose};
use why401_parsers::assemble::{Assembler, Known};
use why401_parsers::detect::parse_chunk;
use why401_parsers::event::Names;
use why401_parsers::line::Framing;
use why401_parsers::secret::FingerprintKey;

/// Where the logs are, if they are here.
fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("WHY401_PUBLIC_LOGS").map(PathBuf::from);
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let usual = [here.join("../shared/public"), here.join("../../shared/public")];
    named.into_iter().chain(usual).find(|folder| folder.is_dir())
}

/// One log with what is expected of it.
struct Log {
    name: String,
    text: Vec<u8>,
    expected: Value,
}

fn logs() -> Vec<Log> {
    let Some(folder) = folder() else {
        println!("skipped: ../shared/public is not here");
        return Vec::new();
    };
    let mut logs = Vec::new();
    let mut sets: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").path()).collect();
    sets.sort();
    for set in sets.iter().filter(|set| set.is_dir()) {
        let expected = std::fs::read(set.join("expected.json")).expect("each set says what is expected");
        let expected: Value = serde_json::from_slice(&expected).expect("JSON");
        for (file, expected) in expected["files"].as_object().expect("files") {
            // An archive that is refused with a hint is tested elsewhere.
            let Ok((_, text)) = whole_text(&set.join(file)) else { continue };
            let name = format!("{}/{file}", set.file_name().unwrap_or_default().to_string_lossy());
            logs.push(Log { name, text, expected: expected.clone() });
        }
    }
    logs
}

impl Log {
    fn diagnose(&self) -> Diagnosis {
        let mut reading = Reading::new(Config::default(), [3; 16]);
        reading.read_bytes(&self.name, &self.text);
        diagnose(reading)
    }

    /// How many requests ended with which status, by the app's own lines or, for `proxied`, by a proxy's.
    fn statuses(&self, proxied: bool) -> BTreeMap<String, u64> {
        let (mut assembler, mut names) = (Assembler::new(0), Names::default());
        let arena = bumpalo::Bump::new();
        let framing = Framing::detect(&self.text);
        let parsed = parse_chunk(&self.text, framing, FingerprintKey::new([3; 16]), &arena);
        assembler.take(&parsed, 1, &mut Known::default(), &mut names);
        let mut statuses = BTreeMap::new();
        for event in &assembler.finish(None, None, &mut names).events {
            if let Some(status) = event.request().filter(|r| r.proxied == proxied).and_then(|request| request.status) {
                *statuses.entry(status.to_string()).or_default() += 1;
            }
        }
        statuses
    }

    fn expects(&self, pointer: &str) -> u64 {
        self.expected.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
    }
}

/// Differences that have a reason, which is not that the product counts wrongly.
const REASONS: &[(&str, &str, &str)] = &[];

#[test]
fn counts_of_rails_logs_equal_those_made_without_the_product() {
    let mut differences = Vec::new();
    for log in logs().iter().filter(|log| log.expected.get("requests_started").is_some()) {
        let summary = log.diagnose().summary;
        // What only a router saw counts where the app's lines say nothing; the counts beside the log are of the app's lines.
        let by_app = log.expects("/requests_started/http") > 0 || log.expects("/requests_completed") > 0;
        let mut counts = vec![
            ("upgraded", log.expects("/cable/upgraded"), summary.cable_connects),
            ("refused", log.expects("/cable/unauthorized_rejections"), summary.cable_rejects),
            ("failed upgrades", log.expects("/cable/failed_upgrade"), summary.cable_failed_upgrades),
        ];
        if by_app {
            counts.push(("requests", log.expects("/requests_started/http"), summary.requests));
            counts.push(("401", log.expects("/completed_401"), summary.unauthorized));
        }
        for (what, expected, counted) in counts {
            let reason = REASONS.iter().find(|(name, of, _)| *name == log.name && *of == what);
            println!("{:<55} {what:<16} expected {expected:>5} counted {counted:>5}", log.name);
            if expected != counted && reason.is_none() {
                differences.push(format!("{}: {what}: expected {expected}, counted {counted}", log.name));
            }
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn statuses_of_access_logs_and_routers_equal_those_made_without_the_product() {
    let mut differences = Vec::new();
    for log in &logs() {
        for key in ["by_status", "heroku_router_status"] {
            let Some(expected) = log.expected.get(key).and_then(Value::as_object).filter(|all| !all.is_empty()) else {
                continue;
            };
            let expected: BTreeMap<String, u64> =
                expected.iter().map(|(status, count)| (status.clone(), count.as_u64().unwrap_or(0))).collect();
            let counted = log.statuses(true);
            println!("{:<55} {key} {counted:?}", log.name);
            if counted != expected {
                differences.push(format!("{}: expected {expected:?}, counted {counted:?}", log.name));
            }
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn nobody_is_accused_and_what_is_foreign_is_called_so() {
    let mut wrong = Vec::new();
    for log in &logs() {
        let diagnosis = log.diagnose();
        let input = &diagnosis.inputs[0];
        assert_eq!(input.lines, input.recognised + input.unrecognised + input.capped, "{}", log.name);
        let accused: Vec<String> = diagnosis
            .incidents
            .iter()
            .filter(|incident| incident.cause.as_str() != "inconclusive")
            .map(|incident| format!("{} {} {:.2}", incident.cause, incident.kind, incident.confidence))
            .collect();
        // The two excerpts in which somebody's session did end, see their `expected_verdict`.
        let read = DROPPED.iter().find(|(name, _)| log.name.contains(name)).map(|(_, cause)| *cause);
        if let Some(cause) = read {
            if !matches!(&accused[..], [one] if one.starts_with(cause)) {
                wrong.push(format!("{}: {cause} is what a person reads, said was {accused:?}", log.name));
            }
        } else if !accused.is_empty() {
            wrong.push(format!("{}: {accused:?}", log.name));
        }
        let foreign = log.name.starts_with("foreign-") || log.name.starts_with("flutter-foreign/aguide");
        let said = diagnosis.notes.iter().any(|note| note.starts_with(log.name.as_str()));
        if foreign && (!said || !diagnosis.incidents.is_empty()) {
            wrong.push(format!("{}: foreign, but notes are {:?}", log.name, diagnosis.notes));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Excerpts in which a session did end, and why.
const DROPPED: &[(&str, &str)] =
    &[("docjet", "refresh_failure unusable_response"), ("secure-storage-161", "storage_loss unreadable")];

/// What each set is, by the beginning of its name: the envelope and the dialect that must be among those detected.
const DETECTED: &[(&str, Option<&str>, Option<&str>)] = &[
    ("access-", None, Some("access-log")),
    ("rla-fixtures/apache_co", None, Some("access-log")),
    ("rails-bicor-heroku", Some("heroku"), Some("rails")),
    ("rails-miyayuki-heroku", Some("heroku"), Some("rails")),
    ("foreign-heroku-java", Some("heroku"), Some("heroku-router")),
    ("rails-readoku/production", Some("ruby-logger"), Some("rails")),
    ("rails-canmel-chat/production", Some("ruby-logger"), Some("rails")),
    ("rails-decidim-staging", Some("ruby-logger"), Some("rails")),
    ("rails-", None, Some("rails")),
    ("flutter-mamakris", Some("logcat"), Some("dio")),
    ("flutter-foreign/aguide", Some("flutter-verbose"), None),
    ("flutter-foreign/", Some("logcat"), None),
    ("issue-excerpts-rails/drivevote-488", Some("syslog-bsd"), Some("action-cable")),
    ("issue-excerpts-rails/docker-compose", Some("compose"), Some("rails")),
    ("issue-excerpts-rails/foreman-web1", Some("foreman"), Some("rails")),
    ("issue-excerpts-rails/semantic-logger", Some("json-logger"), Some("action-cable")),
    ("issue-excerpts-rails/falcon", None, Some("falcon")),
    ("issue-excerpts-rails/rails3-ctime", None, Some("rails")),
    ("issue-excerpts-flutter/docjet", Some("flutter-run"), Some("dio")),
    ("issue-excerpts-flutter/kanji", None, Some("pretty-dio")),
    ("issue-excerpts-flutter/gozapper", Some("logcat"), Some("pretty-dio")),
    ("issue-excerpts-flutter/secure-storage", Some("logcat"), Some("secure-storage")),
];

#[test]
fn every_log_is_taken_for_what_it_is() {
    let mut wrong = Vec::new();
    for log in &logs() {
        let Some((_, envelope, dialect)) = DETECTED.iter().find(|(start, ..)| log.name.starts_with(start)) else {
            continue;
        };
        let diagnosis = log.diagnose();
        let input = &diagnosis.inputs[0];
        let among = |wanted: &Option<&str>, found: &Option<String>| {
            wanted.is_none_or(|wanted| found.as_ref().is_some_and(|found| found.split('+').any(|name| name == wanted)))
        };
        if !among(envelope, &input.envelope) || !among(dialect, &input.dialect) {
            wrong.push(format!("{}: {:?} {:?}", log.name, input.envelope, input.dialect));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn under_one_in_a_hundred_lines_of_the_samples_is_unrecognised() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = [here.join("../shared/samples"), here.join("../../shared/samples"), here.join("samples")];
    let folder = shared.iter().find(|folder| folder.is_dir()).expect("the bundled samples are always here");
    let mut logs: Vec<PathBuf> = Vec::new();
    for set in std::fs::read_dir(folder).expect("readable").flatten().filter(|entry| entry.path().is_dir()) {
        logs.extend(std::fs::read_dir(set.path()).expect("readable").flatten().map(|entry| entry.path()));
    }
    logs.retain(|log| log.extension().is_some_and(|extension| extension == "log"));
    let (mut lines, mut unknown) = (0, 0);
    for log in logs {
        let text = std::fs::read(&log).expect("readable");
        let balance =
            parse_chunk(&text, Framing::detect(&text), FingerprintKey::new([3; 16]), &bumpalo::Bump::new()).balance;
        lines += balance.lines;
        unknown += balance.unrecognised;
    }
    println!("{unknown} of {lines} lines are unrecognised");
    assert!(lines > 1000 && unknown * 100 < lines, "{unknown} of {lines}");
}
