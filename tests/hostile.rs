//! What attackers write into logs, through everything that writes: no escape reaches a terminal, no format breaks.
//! (Pages and drafts of a poisoned diagnosis are in `report.rs`, what a browser makes of them in `benches/page_check.sh`.)

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::Value;
use support::binary::{Ran, run, run_with_stdin, why401};
use support::hostile::{assert_no_hidden, hostile, poison};
use why401::Diagnosis;
use why401::render::{junit, openmetrics, terminal};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

/// A diagnosis whose every text is hostile, as one from elsewhere may be.
fn poisoned() -> Diagnosis {
    let mut made = run(why401().args(["--format", "json"]).arg(sample("mixed"))).json();
    poison(&mut made);
    serde_json::from_value(made).expect("still a diagnosis")
}

fn look(color: bool) -> terminal::Look {
    let links = color.then(|| "/logs".to_owned());
    terminal::Look { width: 80, color, unicode: true, links, top: Some(100) }
}

/// Without the escapes that are ours: colours, and links to files.
fn unpainted(text: &str) -> String {
    let own = Regex::new(r"\x1b\[[0-9;]*m|\x1b\]8;;(?:file://[A-Za-z0-9/_.~%-]*#\d+)?\x1b\\").expect("an expression");
    // A colour may end behind the blanks that a plain line is rid of.
    own.replace_all(text, "").lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[test]
fn the_terminal_shows_a_poisoned_diagnosis_and_obeys_nothing_in_it() {
    let diagnosis = poisoned();
    let plain = terminal::report(&diagnosis, look(false));
    assert_no_hidden("the report", &plain);
    assert!(plain.contains("onmouseover") && plain.contains("HYPERLINK"), "the corpus is not shown");
    // What a text smuggles in would go with our own escapes, and the two would differ.
    assert_eq!(unpainted(&terminal::report(&diagnosis, look(true))), plain);
}

#[test]
fn metrics_and_test_reports_of_a_poisoned_diagnosis_are_well_formed() {
    let diagnosis = poisoned();
    let mut metrics = Vec::new();
    openmetrics::metrics(&diagnosis, &mut metrics).expect("written");
    assert_metrics(&String::from_utf8(metrics).expect("UTF-8"));
    let mut suite = Vec::new();
    junit::suite(&diagnosis, &mut suite).expect("written");
    assert_suite(&String::from_utf8(suite).expect("UTF-8"));
}

fn assert_metrics(text: &str) {
    assert_no_hidden("the metrics", text);
    let sample = Regex::new(
        r#"^why401_[a-z_]+(?:\{[a-z]+="(?:[^"\\]|\\["\\n])*"(?:,[a-z]+="(?:[^"\\]|\\["\\n])*")*\})? -?[0-9.e+]+$"#,
    );
    let sample = sample.expect("an expression");
    let wrong = text.lines().find(|line| !line.starts_with("# ") && !sample.is_match(line));
    assert_eq!(wrong, None, "a line is no sample");
    assert!(text.ends_with("# EOF\n"));
}

fn assert_suite(text: &str) {
    assert_no_hidden("the test report", text);
    let document = roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let known =
        ["testsuites", "testsuite", "properties", "property", "testcase", "failure", "system-out", "system-err"];
    let strange = document.descendants().find(|node| node.is_element() && !known.contains(&node.tag_name().name()));
    assert!(strange.is_none(), "{strange:?}");
}

/// The logs of a sample with the corpus wherever somebody outside has a say: paths, parameters, e-mails, classes, exceptions, tags,
/// and the names of files.
fn hostile_logs(folder: &Path) -> PathBuf {
    let corpus = hostile();
    let logs = folder.join("logs");
    fs::create_dir(&logs).expect("a folder");
    let mut count = 0;
    let mut next = || {
        count += 1;
        corpus[count % corpus.len()].clone()
    };
    for entry in fs::read_dir(sample("mixed")).expect("the sample") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.extension().is_none_or(|ending| ending != "log") {
            continue;
        }
        let mut text = String::new();
        for line in fs::read_to_string(&path).expect("a log").lines() {
            let mut line = line.to_owned();
            for place in [
                "/api/v1/messages",
                "FeedController",
                "@example.com",
                "undefined method",
                "\"page\"=>\"1",
                "Api::V1::Profiles",
            ] {
                if line.contains(place) {
                    line = line.replacen(place, &format!("{place}{}", next()), 1);
                }
            }
            text.push_str(&line);
            text.push('\n');
        }
        fs::write(logs.join(name.replace("server", "\u{1b}[31m\u{202e}<b>`|server")), text).expect("written");
    }
    logs
}

/// What a command says, on both streams.
fn said(what: &str, ran: &Ran) -> String {
    assert!(ran.code < 2 || ran.code == 3, "{what} ends with {}: {}", ran.code, ran.stderr);
    assert_no_hidden(&format!("{what}, errors"), &ran.stderr);
    ran.stdout.clone()
}

#[test]
fn hostile_logs_reach_no_terminal_and_break_no_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let logs = hostile_logs(folder.path());
    let ask = |args: &[&str]| said(&args.join(" "), &run(why401().args(args).arg(&logs)));
    let plain = ask(&["--top", "100", "--width", "80"]);
    assert!(plain.contains("[31m"), "no file's name is shown:\n{plain}");
    assert!(plain.contains("people hit"), "{plain}");
    let painted = ask(&["--top", "100", "--width", "80", "--color", "always", "--hyperlinks", "always"]);
    assert_eq!(unpainted(&painted), plain);
    assert_metrics(&ask(&["--format", "openmetrics"]));
    assert_suite(&ask(&["--format", "junit"]));
    let whole = ask(&["--format", "json"]);
    serde_json::from_str::<Value>(&whole).expect("JSON");
    let lines = ask(&["--format", "ndjson"]);
    assert!(lines.lines().count() > 5 && lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let events = ask(&["parse"]);
    assert!(events.contains("onmouseover") && events.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let texts = [
        plain,
        whole,
        lines,
        events,
        ask(&["parse", "--unrecognised"]),
        ask(&["policy"]),
        ask(&["--explain-identity", "101"]),
    ];
    for text in &texts {
        assert_no_hidden("what a command says", text);
    }
}

#[test]
fn a_watch_over_hostile_logs_says_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let logs = hostile_logs(folder.path());
    let mut text = Vec::new();
    for entry in fs::read_dir(&logs).expect("the logs") {
        let path = entry.expect("an entry").path();
        if path.to_string_lossy().contains("server") {
            text = fs::read(path).expect("a log");
        }
    }
    for format in ["plain", "ndjson"] {
        let watch = run_with_stdin(why401().args(["watch", "--backlog", "--format", format, "-"]), &text);
        let lines = said("watch", &watch);
        assert!(lines.lines().count() > 5, "{lines}");
        assert_no_hidden("a watch", &lines);
        assert!(format == "plain" || lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{lines}");
    }
}

#[test]
fn a_batch_over_hostile_logs_writes_every_kind_of_report() {
    let folder = tempfile::tempdir().expect("a folder");
    hostile_logs(folder.path());
    let names = ["r.json", "r.ndjson", "r.html", "r.md", "r.prom", "r.xml"];
    for redact in ["", "redact = true\n", "redact = false\n"] {
        let list: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        let text = format!(
            "[batch]\nsources = [\"logs\"]\nstate = \"state\"\nkeep = \"3500d\"\nreport = [{}]\n{redact}",
            list.join(", ")
        );
        fs::write(folder.path().join("why401.toml"), text).expect("written");
        said("batch", &run(why401().arg("batch").arg(folder.path().join("why401.toml"))));
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("a report");
        for name in names {
            assert_no_hidden(name, &read(name));
        }
        assert_metrics(&read("r.prom"));
        assert_suite(&read("r.xml"));
        let (page, draft) = (read("r.html"), read("r.md"));
        assert_eq!(page.matches("<script").count(), 2, "only the data and the page's own");
        assert!(!draft.contains('<') && !draft.contains("http://"), "{draft}");
        assert!(
            page.contains("What if: the same sessions"),
            "a page of a batch says what other lifetimes would have changed"
        );
    }
}

#[test]
fn a_comparison_of_poisoned_diagnoses_is_a_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut made = serde_json::to_value(poisoned()).expect("JSON");
    // Each kind of its own, so that each has a row.
    for (number, incident) in made["incidents"].as_array_mut().expect("incidents").iter_mut().enumerate() {
        incident["kind"] = hostile()[number % hostile().len()].clone().into();
    }
    let saved = folder.path().join("saved.json");
    fs::write(&saved, made.to_string()).expect("written");
    let text = said("compare", &run(why401().arg("compare").arg(&saved).arg(sample("healthy"))));
    assert!(text.contains("onmouseover"), "{text}");
    assert_no_hidden("a comparison", &text);
}
