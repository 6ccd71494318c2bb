//! What machines read: OpenMetrics, JUnit, exit codes by thresholds; the configuration's layers.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::binary::{run, run_with_stdin, why401};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

/// A folder whose log has a name that is hostile in quotes, tags and lines.
fn hostile() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("a\"b\\c<d>&]]>\u{7}\n'.log");
    fs::copy(sample("mixed").join("server.log"), &log).expect("copied");
    (folder, log)
}

#[test]
fn metrics_say_what_the_json_says() {
    let json = run(why401().args(["--format", "json"]).arg(sample("mixed"))).json();
    let text = run(why401().args(["--format", "openmetrics"]).arg(sample("mixed"))).stdout;
    for (metric, field) in [
        ("why401_dropped_actors", "dropped_actors"),
        ("why401_requests", "requests"),
        ("why401_refresh_failures", "refresh_failures"),
    ] {
        let line = format!("{metric} {}", json["summary"][field]);
        assert!(text.lines().any(|own| own == line), "{line}\n{text}");
    }
    let sum = |metric: &str| -> u64 {
        let values = text.lines().filter(|line| line.starts_with(metric)).filter_map(|line| line.rsplit(' ').next());
        values.map(|value| value.parse::<u64>().expect("a count")).sum()
    };
    assert_eq!(Some(sum("why401_incidents{")), json["summary"]["incidents"].as_u64());
    assert_eq!(Some(sum("why401_unauthorized_responses{")), json["summary"]["unauthorized"].as_u64());
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn promtool_accepts_the_metrics() {
    let (_folder, log) = hostile();
    for input in [sample("mixed"), sample("healthy"), log] {
        let text = run(why401().args(["--format", "openmetrics"]).arg(&input)).stdout;
        if std::process::Command::new("promtool").arg("--version").output().is_err() {
            println!("skipped: promtool is not installed");
            return;
        }
        let checked =
            run_with_stdin(std::process::Command::new("promtool").args(["check", "metrics"]), text.as_bytes());
        assert_eq!((checked.code, checked.stdout.as_str(), checked.stderr.as_str()), (0, "", ""), "{text}");
    }
}

#[test]
fn junit_has_a_case_for_every_cause_and_fails_where_people_were_hit() {
    let text = run(why401().args(["--format", "junit"]).arg(sample("mixed"))).stdout;
    let document = roxmltree::Document::parse(&text).expect("XML");
    let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    let failed: Vec<&str> = cases
        .iter()
        .filter(|case| case.children().any(|child| child.has_tag_name("failure")))
        .filter_map(|case| case.attribute("name"))
        .collect();
    assert_eq!(cases.len(), 12);
    assert_eq!(failed, ["stale_token", "refresh_failure", "lifetime_expiry", "clock_skew", "storage_loss"]);
    let suite = document.descendants().find(|node| node.has_tag_name("testsuite")).expect("a suite");
    assert_eq!((suite.attribute("tests"), suite.attribute("failures")), (Some("12"), Some("5")));
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).expect("a failure");
    assert!(failure.text().is_some_and(|text| text.contains("server.log:") && text.contains("fix: ")));
    let healthy = run(why401().args(["--format", "junit"]).arg(sample("healthy"))).stdout;
    assert!(healthy.contains("failures=\"0\""));
}

#[test]
fn junit_is_well_formed_whatever_logs_say() {
    let (_folder, log) = hostile();
    let text = run(why401().args(["--format", "junit"]).arg(&log)).stdout;
    let document = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).and_then(|node| node.text());
    assert!(failure.is_some_and(|text| text.contains("<d>&]]>")), "{text}");
}

#[test]
fn thresholds_decide_the_exit_code() {
    let code = |conditions: &[&str]| {
        let mut command = why401();
        conditions.iter().for_each(|condition| {
            command.args(["--fail-on", condition]);
        });
        run(command.arg(sample("refresh_failure-server_error")))
    };
    let held = code(&["dropped_actors>100", "cause=refresh_failure"]);
    assert_eq!(held.code, 1);
    assert!(held.stderr.contains("--fail-on cause=refresh_failure holds"), "{}", held.stderr);
    assert!(!held.stderr.contains("dropped_actors"), "{}", held.stderr);
    assert_eq!(code(&["dropped_actors>100"]).code, 0);
    let wrong = code(&["drops>5"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("known: incidents"), "{}", wrong.stderr);
}

#[test]
fn settings_come_from_flag_environment_project_user_and_default_in_this_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let user = folder.path().join("xdg/why401");
    fs::create_dir_all(&user).expect("a folder");
    fs::write(user.join("config.toml"), "window_minutes = 4\n[endpoints]\nrefresh = [\"/user\"]\n").expect("written");
    let show = |flags: &[&str], variable: Option<&str>| {
        let mut command = why401();
        command.current_dir(folder.path()).env("XDG_CONFIG_HOME", folder.path().join("xdg"));
        variable.map(|value| command.env("WHY401_WINDOW_MINUTES", value));
        let ran = run(command.args(["config", "show", "--origin"]).args(flags));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    };
    let has = |text: &str, line: &str| assert!(text.lines().any(|own| own.starts_with(line)), "{line}\n{text}");
    has(&show(&[], None), "window_minutes = 4  # user file: ");
    fs::write(folder.path().join("why401.toml"), "window_minutes = 3\n").expect("written");
    let project = show(&[], None);
    has(&project, "window_minutes = 3  # project file: why401.toml");
    has(&project, "endpoints.refresh = [\"/user\"]  # user file: ");
    has(&project, "# endpoints.sign_in is not set (default)");
    has(&show(&[], Some("2")), "window_minutes = 2  # environment: WHY401_WINDOW_MINUTES");
    has(&show(&["--window", "1"], Some("2")), "window_minutes = 1  # flag");
    let wrong = run(why401().env("WHY401_WINDOW_MINUTES", "soon").arg(sample("healthy")));
    assert!(wrong.code == 2 && wrong.stderr.contains("WHY401_WINDOW_MINUTES='soon' is no number"), "{}", wrong.stderr);
}

#[test]
fn init_writes_once_and_only_for_what_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("log")).expect("a folder");
    for name in ["log/production.log", "log/production.log.1", "phone.log", "notes.txt"] {
        fs::write(folder.path().join(name), "").expect("written");
    }
    let init = |flags: &[&str]| run(why401().current_dir(folder.path()).arg("init").args(flags));
    let printed = init(&["--stdout"]);
    assert!(printed.stdout.contains("#sources = [\"log/production.log*\", \"phone.log*\"]"), "{}", printed.stdout);
    assert!(!folder.path().join("why401.toml").exists());
    assert_eq!(init(&[]).code, 0);
    assert_eq!(fs::read_to_string(folder.path().join("why401.toml")).expect("written"), printed.stdout);
    let again = init(&[]);
    assert!(again.code == 2 && again.stderr.contains("stays as it is"), "{}", again.stderr);
    assert_eq!(run(why401().current_dir(folder.path()).args(["config", "show"])).code, 0);
}
