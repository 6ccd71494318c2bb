//! `why401 formats`, `why401 parse` and `[[pattern]]`, through the real binary.

use std::io::Write as _;

use assert_cmd::Command;
use serde_json::Value;

fn why401(arguments: &[&str]) -> (String, String, i32) {
    let output = Command::cargo_bin("why401").expect("the binary is built").args(arguments).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code().unwrap_or(-1))
}

fn file(name: &str, text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::File::create(&path).and_then(|mut file| file.write_all(text.as_bytes())).expect("written");
    let path = path.to_string_lossy().into_owned();
    (folder, path)
}

#[test]
fn every_format_is_listed_with_an_example_and_its_limits() {
    let (out, _, code) = why401(&["formats", "--format", "json"]);
    let formats: Value = serde_json::from_str(&out).expect("JSON");
    let (envelopes, dialects) = (formats["envelopes"].as_array().unwrap(), formats["dialects"].as_array().unwrap());
    assert!(code == 0 && envelopes.len() >= 20 && dialects.len() >= 30, "{} {}", envelopes.len(), dialects.len());
    for format in envelopes.iter().chain(dialects) {
        for key in ["name", "example", "can_show", "cannot_show", "source"] {
            assert!(format[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {format}");
        }
    }
    let (out, _, _) = why401(&["formats"]);
    assert!(out.contains("ruby-logger") && out.contains("  hides   "));
}

#[test]
fn an_example_is_of_the_format_that_it_is_an_example_of() {
    let (out, _, _) = why401(&["formats", "--format", "json"]);
    let formats: Value = serde_json::from_str(&out).expect("JSON");
    let mut wrong = Vec::new();
    for format in formats["envelopes"].as_array().unwrap().iter().chain(formats["dialects"].as_array().unwrap()) {
        let (name, example) = (format["name"].as_str().unwrap(), format["example"].as_str().unwrap());
        let frame = if format["side"] == "client" { "flutter: " } else { "" };
        let found = ["", frame].iter().any(|frame| {
            let (_folder, path) = file("example.log", &format!("{frame}{example}\n"));
            let (out, _, _) = why401(&["formats", "--format", "json", "--test", &path]);
            out.contains(&format!("\"{name}\""))
        });
        if !found {
            wrong.push(name.to_owned());
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_page_of_formats_is_in_step_with_the_code() {
    let (tables, _, _) = why401(&["formats", "--format", "markdown"]);
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/formats.md")).expect("docs/formats.md");
    assert!(
        page.contains(tables.trim()),
        "docs/formats.md is out of step: put the output of `why401 formats --format markdown` into it (just formats)"
    );
}

#[test]
fn the_page_of_formats_names_lines_that_are_there() {
    let root = env!("CARGO_MANIFEST_DIR");
    let page = std::fs::read_to_string(format!("{root}/docs/formats.md")).expect("docs/formats.md");
    let (_, section) = page.split_once("## Name by name").expect("the section is there");
    let (section, _) = section.split_once("\nNot there").expect("and its end");
    let cells = section.lines().filter(|line| line.starts_with("| ")).filter_map(|row| row.split(" | ").nth(2));
    let named: Vec<&str> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    let missing: Vec<&&str> = named
        .iter()
        .filter(|case| !std::path::Path::new(&format!("{root}/parsers/corpus/{case}.log")).exists())
        .collect();
    assert!(named.len() > 60 && missing.is_empty(), "{} cases, not there: {missing:?}", named.len());
}

#[test]
fn a_test_says_which_lines_were_taken_for_what() {
    let log = "2026-11-16T06:03:52.068658+00:00 app[web.1]: Started GET \"/a\" for 203.0.113.7 at 2026-11-16 06:03:52 +0000\nsome words\n";
    let (_folder, path) = file("heroku.log", log);
    let (out, _, code) = why401(&["formats", "--test", &path]);
    assert!(
        code == 0 && out.contains("heroku > rails") && out.contains("lines 1") && out.contains("not recognised"),
        "{out}"
    );
}

#[test]
fn events_are_printed_one_a_line_without_tokens() {
    let log = "203.0.113.7 - - [16/Nov/2026:06:03:52 +0000] \"GET /a?token=s3cr3tTOKENabcdef0123456789 HTTP/1.1\" 401 12\nwhat is this 42\n";
    let (_folder, path) = file("access.log", log);
    let (out, _, code) = why401(&["parse", &path]);
    let event: Value = serde_json::from_str(out.lines().next().expect("an event")).expect("JSON");
    assert_eq!(
        (code, &event["status"], &event["path"], &event["seen_by_proxy"]),
        (0, &401.into(), &"/a".into(), &true.into())
    );
    assert!(!out.contains("s3cr3t"), "{out}");
    let (out, _, _) = why401(&["parse", "--unrecognised", &path]);
    assert!(out.contains("1 of 2 lines") && out.contains("what is this N") && out.contains("[[pattern]]"), "{out}");
}

const PATTERN: &str = r#"
[[pattern]]
name = "mine"
regex = '^(?<time>\d{2}\.\d{2}\.\d{4} \d{2}:\d{2}:\d{2}) (?<ip>\S+) (?<method>[A-Z]+) (?<path>\S+) -> (?<status>\d{3}) by (?<user>\d+)$'
time_format = "%d.%m.%Y %H:%M:%S"
example = "16.11.2026 06:03:52 203.0.113.7 GET /a -> 401 by 42"

[[pattern]]
name = "mine-json"
json = { time = "at", user = "who.id", message = "words" }
example = '{"at":"2026-11-16T06:03:52Z","who":{"id":42},"words":"Completed 401 Unauthorized in 2ms"}'
"#;

#[test]
fn a_pattern_reads_a_format_of_ones_own() {
    let log = "16.11.2026 06:04:00 203.0.113.7 POST /b -> 200 by 43\n{\"at\":\"2026-11-16T06:04:01Z\",\"who\":{\"id\":44},\"words\":\"Completed 401 Unauthorized in 2ms\"}\n";
    let (_folder, path) = file("mine.log", log);
    let (_config_folder, config) = file("why401.toml", PATTERN);
    let (out, error, code) = why401(&["parse", "--config", &config, &path]);
    assert_eq!(code, 0, "{error}");
    let events: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((&events[0]["user"], &events[0]["status"]), (&"43".into(), &200.into()), "{out}");
    assert_eq!(events[0]["time"], "2026-11-16T06:04:00.000000Z");
    assert_eq!(events[1]["status"], 401, "{out}");
    let (out, _, _) = why401(&["diagnose", "--format", "json", "--config", &config, &path]);
    let diagnosis: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(diagnosis["inputs"][0]["unrecognised"], 0);
    assert!(diagnosis["inputs"][0]["dialect"].as_str().is_some_and(|name| name.contains("mine")), "{diagnosis}");
}

#[test]
fn a_pattern_whose_example_does_not_fit_is_refused_by_name() {
    let (_folder, path) = file("x.log", "x\n");
    let (_config_folder, config) = file("why401.toml", &PATTERN.replace("by 42\"", "by nobody\""));
    let (_, error, code) = why401(&["diagnose", "--config", &config, &path]);
    assert!(code == 2 && error.contains("pattern 'mine'") && error.contains("does not fit its own example"), "{error}");
}
