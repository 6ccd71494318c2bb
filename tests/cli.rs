//! The command line's manners, of the real binary.

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use support::binary::{run, run_with_stdin, why401};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

#[test]
fn the_bundled_mixed_incident_names_all_three_main_causes_from_both_sides() {
    let ran = run(why401().args(["--width", "80"]).arg(sample("mixed")));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for said in
        ["stale token", "refresh failure", "lifetime expiry", "TokenRefreshService#google_token_valid?", "client-u"]
    {
        assert!(ran.stdout.contains(said), "{said} is missing in\n{}", ran.stdout);
    }
    let widest = ran.stdout.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    assert!(widest <= 80, "a line of {widest} columns");
    assert!(!ran.stdout.contains('\u{1b}'), "colours without a terminal");
}

#[test]
fn json_keeps_to_its_published_schema() {
    let schema: serde_json::Value = run(why401().arg("schema")).json();
    let validator = jsonschema::validator_for(&schema).expect("the schema is valid");
    for name in ["mixed", "healthy", "credential_attack", "server_restart"] {
        let ran = run(why401().args(["--format", "json"]).arg(sample(name)));
        let json = ran.json();
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        let by = &json["summary"]["unauthorized_by"];
        let sum: u64 = by.as_object().expect("an object").values().filter_map(serde_json::Value::as_u64).sum();
        assert_eq!(Some(sum), json["summary"]["unauthorized"].as_u64(), "{name}: every 401 is accounted for");
        assert_eq!(by["unexplained"], 0, "{name}");
    }
}

#[test]
fn ndjson_is_one_incident_a_line() {
    let whole = run(why401().args(["--format", "json"]).arg(sample("mixed"))).json();
    let lines = run(why401().args(["--format", "ndjson"]).arg(sample("mixed")));
    let ids: Vec<String> = lines
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["id"].to_string())
        .collect();
    let expected: Vec<String> =
        whole["incidents"].as_array().expect("a list").iter().map(|incident| incident["id"].to_string()).collect();
    assert_eq!(ids, expected);
}

#[test]
fn exit_codes_are_those_of_the_contract() {
    assert_eq!(run(why401().arg(sample("healthy"))).code, 0);
    assert_eq!(run(why401().arg(sample("stale_token-ws"))).code, 1);
    assert_eq!(run(why401().arg("--exit-zero").arg(sample("stale_token-ws"))).code, 0);
    assert_eq!(run(why401().arg("--no-such-flag")).code, 2);
    assert_eq!(run(why401().arg(sample("healthy")).arg("/nowhere/at/all.log")).code, 3);
}

#[test]
fn bare_files_a_pipe_and_the_command_by_name_do_the_same() {
    let log = sample("stale_token-ws").join("server.log");
    let bare = run(why401().args(["--format", "json"]).arg(&log));
    let named = run(why401().args(["diagnose", "--format", "json"]).arg(&log));
    assert_eq!(bare.stdout, named.stdout);
    let piped = run_with_stdin(why401().args(["--format", "json"]), &std::fs::read(&log).expect("the sample"));
    let (bare, mut piped) = (bare.json(), piped.json());
    piped["inputs"][0]["source"] = bare["inputs"][0]["source"].clone();
    assert_eq!(piped["summary"], bare["summary"]);
    assert_eq!(piped["inputs"], bare["inputs"]);
}

#[test]
fn filters_leave_only_what_was_asked_for() {
    let whole = run(why401().args(["--format", "json"]).arg(sample("mixed"))).json();
    let user = whole["incidents"]
        .as_array()
        .and_then(|incidents| incidents.iter().find_map(|incident| incident["actor"]["user"].as_str()))
        .expect("somebody was hit")
        .to_owned();
    let of_user = run(why401().args(["--format", "json", "--user", &user]).arg(sample("mixed"))).json();
    let users: BTreeSet<&str> = of_user["incidents"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|incident| incident["actor"]["user"].as_str())
        .collect();
    assert_eq!(users, BTreeSet::from([user.as_str()]));
    let of_cause =
        run(why401().args(["--format", "json", "--cause", "stale_token/websocket"]).arg(sample("mixed"))).json();
    let incidents = of_cause["incidents"].as_array().expect("a list");
    assert!(!incidents.is_empty() && incidents.iter().all(|incident| incident["kind"] == "websocket"));
    let later = run(why401().args(["--format", "json", "--since", "2099-01-01"]).arg(sample("mixed")));
    assert_eq!((later.code, later.json()["incidents"].as_array().map(Vec::len)), (0, Some(0)));
    let wrong = run(why401().args(["--cause", "stale_tokens"]).arg(sample("mixed")));
    assert!(wrong.code == 2 && wrong.stderr.contains("stale_token,"), "{}", wrong.stderr);
}

#[test]
fn colours_come_when_asked_for() {
    let always = run(why401().args(["--color", "always"]).arg(sample("mixed")));
    assert!(always.stdout.contains("\u{1b}["));
    let auto = run(why401().env("NO_COLOR", "1").arg(sample("mixed")));
    assert!(!auto.stdout.contains('\u{1b}'));
}

#[test]
fn every_cause_can_be_explained() {
    let list = run(why401().arg("explain"));
    let causes: Vec<&str> =
        list.stdout.lines().filter(|line| !line.starts_with(' ')).filter_map(|l| l.split(' ').next()).collect();
    assert!(causes.len() >= 11, "{causes:?}");
    for cause in causes {
        let ran = run(why401().args(["explain", cause]));
        assert!(ran.code == 0 && ran.stdout.contains("how to fix it"), "{cause}");
    }
    let wrong = run(why401().args(["explain", "bad_luck"]));
    assert!(wrong.code == 2 && wrong.stderr.contains("stale_token"));
}

#[test]
fn shells_can_load_the_completions_and_man_the_page() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(why401().args(["completions", shell])).stdout;
        for word in ["explain-identity", "fail-on", "compare", "history", "export", "init"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), &script).expect("written");
        match std::process::Command::new(shell).arg("-n").arg(file.path()).output() {
            Ok(output) => assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr)),
            Err(_) => println!("skipped: there is no {shell} here"),
        }
    }
    let page = run(why401().arg("man")).stdout;
    assert!(page.contains(".TH why401"));
    for command in ["compare", "config", "export", "history", "init"] {
        assert!(page.contains(&format!("why401\\-{command}(1)")), "{command} is missing");
    }
}

#[cfg(unix)]
#[test]
fn a_broken_pipe_is_quiet() {
    let binary = support::binary::path();
    let command = format!(
        "'{}' --format json '{}' | head -n 1; echo ${{PIPESTATUS[0]}}",
        binary.display(),
        sample("mixed").display()
    );
    let output = std::process::Command::new("bash").args(["-c", &command]).output().expect("bash runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "{\n0\n");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Whatever stands in a log where tokens stand, by the keys that frameworks use.
fn tokens(text: &str) -> BTreeSet<String> {
    let pattern = regex::Regex::new(
        r#"(?:Bearer |"token"=>"|"token":"|token: |access_token"?: ?"?|refresh_token"?: ?"?|jti"?[=:] ?"?)([A-Za-z0-9_-]{16,})"#,
    )
    .expect("valid");
    pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// Runs every textual output over a folder and looks for the tokens of its logs. Gives how many were looked for.
fn leaks_nothing(folder: &Path) -> usize {
    let mut secrets = BTreeSet::new();
    for file in std::fs::read_dir(folder).expect("a folder").flatten() {
        if file.path().extension().is_some_and(|extension| extension == "log") {
            secrets.extend(tokens(&String::from_utf8_lossy(&std::fs::read(file.path()).expect("a log"))));
        }
    }
    for format in ["terminal", "json", "ndjson"] {
        let out = run(why401().args(["--format", format, "--top", "1000"]).arg(folder)).stdout;
        let leaked: Vec<&String> = secrets.iter().filter(|secret| out.contains(secret.as_str())).collect();
        assert!(leaked.is_empty(), "{}: {format} shows {leaked:?}", folder.display());
    }
    secrets.len()
}

#[test]
fn no_token_of_any_sample_is_in_any_output() {
    let folders = |root: PathBuf| {
        let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.join("server.log").is_file())
    };
    let seen: usize = folders(sample("")).map(|folder| leaks_nothing(&folder)).sum();
    assert!(seen > 0, "the test has gone blind");
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples");
    if shared.is_dir() {
        let seen: usize = folders(shared).map(|folder| leaks_nothing(&folder)).sum();
        assert!(seen > 500, "only {seen} tokens were looked for: the test has gone blind");
    } else {
        println!("skipped: ../shared/samples is not here");
    }
}

#[test]
fn drawings_fall_back_to_ascii_and_fit_the_width() {
    let drawn = |locale: &str| {
        let mut command = why401();
        command.env("LC_ALL", locale).args(["--width", "80"]).arg(sample("stale_token-ws"));
        let ran = run(&mut command);
        let widest = ran.stdout.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(widest <= 80, "{locale}: a line of {widest} columns");
        let lane = ran.stdout.lines().find(|line| line.starts_with("    websocket")).expect("a lane").to_owned();
        let bars = ran.stdout.lines().find(|line| line.starts_with("  sockets refused")).expect("bars").to_owned();
        (lane, bars)
    };
    let (lane, bars) = drawn("en_US.UTF-8");
    assert!(lane.contains('✗') && bars.contains('█'), "{lane}\n{bars}");
    let (lane, bars) = drawn("C");
    assert!(lane.contains("x0") && lane.is_ascii() && bars.is_ascii(), "{lane}\n{bars}");
}

#[test]
fn places_link_to_their_files_when_asked_for() {
    let without = run(why401().arg(sample("stale_token-ws")));
    assert!(!without.stdout.contains("\u{1b}]8"), "links without a terminal");
    let linked = run(why401().args(["--hyperlinks", "always"]).arg(sample("stale_token-ws")));
    let file = format!("\u{1b}]8;;file://{}/server.log#990\u{1b}\\", sample("stale_token-ws").display());
    assert!(linked.stdout.contains(&file), "{}", linked.stdout);
    // A name can be anything: it does not end the link.
    let folder = tempfile::tempdir().expect("a folder");
    let odd = folder.path().join("a b;\u{7}c.log");
    std::fs::copy(sample("stale_token-ws").join("server.log"), &odd).expect("copied");
    let linked = run(why401().args(["--hyperlinks", "always"]).arg(&odd));
    assert!(linked.stdout.contains("/a%20b%3B") && !linked.stdout.contains('\u{7}'), "{}", linked.stdout);
}

#[test]
fn a_limit_of_memory_changes_nothing_of_what_fits_into_it() {
    for name in ["mixed", "credential_attack"] {
        let json = |words: &[&str]| run(why401().args(["--format", "json"]).args(words).arg(sample(name))).stdout;
        assert_eq!(json(&["--max-memory", "48MB"]), json(&[]), "{name}");
    }
    for (size, said) in [("1MB", "less than 48 MB"), ("much", "say a size as 500MB, 2GB or 64MiB")] {
        let ran = run(why401().args(["--max-memory", size]).arg(sample("mixed")));
        assert!(ran.code == 2 && ran.stderr.contains(said), "{}", ran.stderr);
    }
}

#[test]
fn a_log_that_does_not_fit_into_the_limit_is_counted_whole_by_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("drill");
    let mut simulate = why401();
    simulate
        .args(["simulate", "--seed", "11", "--users", "400", "--hours", "1000", "--size", "80MB", "--out"])
        .arg(&out);
    let simulated = run(&mut simulate);
    assert_eq!(simulated.code, 0, "{}", simulated.stderr);
    let json = |words: &[&str]| {
        let ran = run(why401().args(["--format", "json", "--exit-zero"]).args(words).arg(out.join("server.log")));
        (ran.json(), ran.stdout)
    };
    let (whole, _) = json(&[]);
    let (sections, text) = json(&["--max-memory", "48MB"]);
    assert_eq!((&sections["schema_version"], &sections["tool"]), (&whole["schema_version"], &whole["tool"]));
    let schema: serde_json::Value = run(why401().arg("schema")).json();
    assert!(jsonschema::is_valid(&schema, &sections), "it keeps to no schema");
    assert!(text.contains("sections of log time"), "it fits");
    for count in ["requests", "unauthorized", "refreshes", "refresh_failures", "cable_connects", "cable_disconnects"] {
        assert_eq!(sections["summary"][count], whole["summary"][count], "{count}");
    }
    let sum = |by: &serde_json::Value| by.as_object().expect("counts").values().filter_map(|n| n.as_u64()).sum::<u64>();
    assert_eq!(Some(sum(&sections["summary"]["unauthorized_by"])), sections["summary"]["unauthorized"].as_u64());
    for threads in ["1", "3"] {
        assert_eq!(json(&["--max-memory", "48MB", "--threads", threads]).1, text, "{threads} threads");
    }
}
