//! `why401 report`, of the real binary: what is shared says what was found, runs nothing, and names nobody.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use support::binary::{Ran, run, why401};
use support::hostile::{assert_no_hidden, poison};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

/// Writes a report of `input` into `folder`.
fn report(folder: &Path, name: &str, input: &Path, flags: &[&str]) -> (Ran, String) {
    let file = folder.join(name);
    let ran = run(why401().arg("report").arg("-o").arg(&file).args(flags).arg(input));
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
    (ran, text)
}

fn diagnosis(name: &str) -> Value {
    run(why401().args(["--format", "json"]).arg(sample(name))).json()
}

#[test]
fn the_page_and_the_draft_name_the_main_causes() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["page.html", "draft.md"] {
        let (ran, text) = report(folder.path(), name, &sample("mixed"), &[]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        for said in ["15 people hit", "stale token", "refresh failure", "lifetime expiry", "Change first:", "UTC"] {
            assert!(text.contains(said), "{name} lacks {said}");
        }
    }
    let page = fs::read_to_string(folder.path().join("page.html")).expect("the page");
    assert!(page.contains("id=\"i3\"") && page.contains("href=\"#i1\""));
    for loads in ["src=", "url(", "@import", "<link", "http://", "https://"] {
        assert!(!page.contains(loads), "the page has {loads}");
    }
    assert_eq!(page.matches("<script>").count(), 1, "the page's own");
}

#[test]
fn the_policy_allows_the_pages_own_script_and_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, page) = report(folder.path(), "page.html", &sample("healthy"), &[]);
    let script = page.split("<script>").nth(1).and_then(|rest| rest.split("</script>").next()).expect("a script");
    let hash = format!("sha256-{}", base64(&Sha256::digest(script)));
    assert!(page.contains(&format!("script-src '{hash}';")), "page.js was changed: SCRIPT_HASH is now {hash}");
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, place| bits << 8 | usize::from(*three.get(place).unwrap_or(&0)));
        for place in 0..4 {
            let letter = if place > three.len() { b'=' } else { LETTERS[bits >> (18 - 6 * place) & 63] };
            out.push(char::from(letter));
        }
    }
    out
}

#[test]
fn the_three_main_causes_are_seen_in_their_lanes() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, seen) in [
        ("stale_token-ws", &["token 1: lives", ": not the newest", " stale\"", "socket refused · "][..]),
        ("refresh_failure-swallowed", &["refresh: new token, and a hidden error · token"][..]),
        ("mixed", &["min old", "runs out here", "What if: the same sessions"][..]),
    ] {
        let (_, page) = report(folder.path(), "page.html", &sample(name), &[]);
        for words in seen {
            assert!(page.contains(words), "{name} lacks {words}");
        }
    }
}

#[test]
fn a_saved_diagnosis_gives_the_same_page_as_its_logs() {
    let folder = tempfile::tempdir().expect("a folder");
    let saved = folder.path().join("saved.json");
    report(folder.path(), "saved.json", &sample("stale_token-ws"), &["--no-redact"]);
    let (_, from_logs) = report(folder.path(), "logs.html", &sample("stale_token-ws"), &[]);
    let (ran, from_saved) = report(folder.path(), "saved.html", &saved, &[]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(from_logs, from_saved);
    // A diagnosis without a replay leaves that section out, one of a newer contract is told as such.
    let mut plain = diagnosis("stale_token-ws");
    fs::write(&saved, plain.to_string()).expect("written");
    let (_, page) = report(folder.path(), "plain.html", &saved, &[]);
    assert!(from_logs.contains("What if") && !page.contains("What if"));
    plain = json!({"schema_version": 2, "all": "is new"});
    fs::write(&saved, plain.to_string()).expect("written");
    let newer = run(why401().args(["report", "-o"]).arg(folder.path().join("newer.html")).arg(&saved));
    assert_eq!(newer.code, 2);
    assert!(newer.stderr.contains("version 2 of the contract, newer than this why401"), "{}", newer.stderr);
}

#[test]
fn nobody_is_named_unless_told_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = diagnosis("mixed");
    let mut secrets: Vec<String> = Vec::new();
    for actor in whole["actors"].as_array().expect("actors") {
        secrets.extend(actor["ips"].as_array().expect("ips").iter().filter_map(Value::as_str).map(str::to_owned));
        secrets.extend(actor["user"].as_str().map(|user| format!("user {user} ")));
        secrets.extend(actor["user"].as_str().map(|user| format!("\"user\":\"{user}\"")));
    }
    for incident in whole["incidents"].as_array().expect("incidents") {
        secrets.extend(incident["actor"]["email"].as_str().map(str::to_owned));
    }
    secrets.retain(|secret| secret != "127.0.0.1");
    assert!(secrets.len() > 40 && secrets.iter().any(|secret| secret.contains('@')));
    for name in ["page.html", "draft.md", "whole.json"] {
        let (_, text) = report(folder.path(), name, &sample("mixed"), &[]);
        let text = text.replace("\"user\": ", "\"user\":");
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{name} shows {secret}");
        }
        assert!(!text.contains("@example"), "{name} shows an e-mail");
        assert!(text.contains("person-1"));
    }
    let (_, named) = report(folder.path(), "named.json", &sample("mixed"), &["--no-redact"]);
    let mut named_whole = serde_json::from_str::<Value>(&named).expect("JSON");
    assert!(named_whole["policy"].is_object(), "a report says what other lifetimes would have changed");
    named_whole.as_object_mut().expect("an object").remove("policy");
    assert_eq!(named_whole, whole_with_sources(&named, whole));
}

/// The same sources under the same names: both runs were given the same path.
fn whole_with_sources(named: &str, mut whole: Value) -> Value {
    whole["inputs"] = serde_json::from_str::<Value>(named).expect("JSON")["inputs"].clone();
    whole
}

#[test]
fn pseudonyms_reach_free_text_and_tokens_go_in_any_case() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut made = diagnosis("stale_token-ws");
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJlLW9mLWl0";
    made["incidents"] = json!([made["incidents"][0]]);
    made["incidents"][0]["actor"] = json!({"user": "auth0|5f7c", "email": "Jo.Doe@corp.test", "ips": ["2001:db8::7", "203.0.113.9"], "devices": ["pixel-8-serial"]});
    made["incidents"][0]["evidence"][0]["text"] = json!(format!(
        "user auth0|5f7c jo.doe%40corp.test from 2001:db8::7 and 203.0.113.9:443 on pixel-8-serial with Bearer {token} at 22:38:47 in Api::V1::Feed"
    ));
    made["incidents"][0]["evidence"][0]["source"] = json!("/logs/jo.doe@corp.test/app.log");
    let saved = folder.path().join("saved.json");
    fs::write(&saved, made.to_string()).expect("written");
    for name in ["page.html", "draft.md", "whole.json"] {
        let (_, text) = report(folder.path(), name, &saved, &[]);
        for secret in ["5f7c", "doe", "2001:db8", "203.0.113", "pixel-8", "eyJ"] {
            assert!(!text.to_lowercase().contains(&secret.to_lowercase()), "{name} shows {secret}");
        }
        assert!(text.contains("22:38:47"), "{name}: a time is no address");
        let (_, text) = report(folder.path(), name, &saved, &["--no-redact"]);
        assert!(!text.contains("eyJ"), "{name} shows a token");
    }
}

#[test]
fn files_named_after_people_are_renamed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut made = diagnosis("stale_token-ws");
    made["incidents"][0]["actor"] = json!({"user": "42", "email": "jo.doe@corp.test", "ips": [], "devices": []});
    let names = ["/logs/42/client-u42.log", "traces/Jo.Doe.log.gz", "log/production.log.42", "log/web42x.log"];
    for (place, name) in names.iter().enumerate() {
        made["incidents"][0]["evidence"][place]["source"] = json!(name);
    }
    let saved = folder.path().join("saved.json");
    fs::write(&saved, made.to_string()).expect("written");
    let (_, text) = report(folder.path(), "whole.json", &saved, &[]);
    let whole: Value = serde_json::from_str(&text).expect("JSON");
    let renamed: Vec<&str> =
        (0..names.len()).filter_map(|place| whole["incidents"][0]["evidence"][place]["source"].as_str()).collect();
    let expected =
        ["/logs/person-1/client-person-1.log", "traces/person-1.log.gz", "log/production.log.42", "log/web42x.log"];
    assert_eq!(renamed, expected);
}

#[test]
fn what_attackers_log_runs_nowhere_and_breaks_no_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut made = diagnosis("mixed");
    poison(&mut made);
    let saved = folder.path().join("saved.json");
    fs::write(&saved, made.to_string()).expect("written");
    for flags in [&[][..], &["--no-redact"][..]] {
        let (ran, page) = report(folder.path(), "page.html", &saved, flags);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert_no_hidden("the page", &page);
        assert_eq!(page.matches("<script").count(), 2, "only the data and the page's own");
        assert_eq!(page.matches("</script").count(), 2);
        assert_eq!(
            (page.matches("<title").count(), page.matches("</style").count()),
            (page.matches("</title>").count(), 1)
        );
        assert!(page.contains("{{ 7 * 7 }}"), "a template in data is data");
        let (before_script, _) = page.split_once("<script>").expect("the page's own");
        for tag in tags(before_script) {
            let outside = outside_quotes(tag);
            assert!(!outside.contains(" on"), "an attribute breaks out: {tag}");
            assert!(!outside.contains("javascript:"), "{tag}");
        }
        for href in page.split("href=\"").skip(1) {
            assert!(href.starts_with('#'), "a link leaves the page: {}", &href[..40.min(href.len())]);
        }
        let (_, draft) = report(folder.path(), "draft.md", &saved, flags);
        assert_no_hidden("the draft", &draft);
        assert!(!draft.contains('<'), "HTML in Markdown");
        assert!(!draft.contains("](") || !draft.replace("\\]", "").contains("]("), "a link in Markdown");
        assert!(!draft.contains("http://") && !draft.contains("https://"), "a bare address becomes a link");
        for line in draft.lines().filter(|line| line.starts_with('|')) {
            let columns = line.replace("\\\\", "").replace("\\|", "").matches('|').count();
            assert!([3, 6, 8, 9].contains(&columns), "a table breaks: {line}");
        }
        let (_, whole) = report(folder.path(), "whole.json", &saved, flags);
        assert_no_hidden("the JSON", &whole);
        let heads: Vec<&str> = draft.lines().filter(|line| line.starts_with('#')).collect();
        assert!(!heads.contains(&"# head"), "{heads:?}");
        assert!(!draft.replace("\\`", "").contains('`'), "code in Markdown");
    }
}

/// The insides of tags, up to the `>` that ends each (in quotes it is escaped).
fn tags(page: &str) -> impl Iterator<Item = &str> {
    page.split('<').skip(1).filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag))
}

fn outside_quotes(tag: &str) -> String {
    tag.split('"').step_by(2).collect::<Vec<_>>().join(" ")
}

#[test]
fn ten_thousand_incidents_stay_below_five_megabytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut made = diagnosis("mixed");
    let some = made["incidents"].as_array().expect("incidents").clone();
    let many: Vec<Value> = (0..10_000)
        .map(|number| {
            let mut incident = some[number % some.len()].clone();
            incident["id"] = json!(format!("i{}", number + 1));
            // A restart hits nobody in particular.
            if incident["actor"].is_object() {
                incident["actor"]["user"] = json!(format!("{}", 100_000 + number));
            }
            incident
        })
        .collect();
    made["incidents"] = json!(many);
    let saved = folder.path().join("saved.json");
    fs::write(&saved, made.to_string()).expect("written");
    let (ran, page) = report(folder.path(), "page.html", &saved, &[]);
    assert!(page.len() < 5 << 20, "{} bytes", page.len());
    assert!(page.contains("of 10,000 incidents are shown"), "{}", ran.stderr);
}

/// Issue 8: people were hidden in a copy of the whole as JSON values, which took ten times the file's size.
#[test]
fn a_report_of_a_large_diagnosis_takes_some_times_its_size_in_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut made = diagnosis("mixed");
    let some = made["incidents"].as_array().expect("incidents").clone();
    made["incidents"] = (0..10_000).map(|number| some[number % some.len()].clone()).collect();
    let saved = folder.path().join("saved.json");
    let text = made.to_string();
    fs::write(&saved, &text).expect("written");
    let most = text.len() / 1024 * 11 / 2;
    let limited = format!("ulimit -v {most} && exec \"$0\" \"$@\"");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &limited]).arg(support::binary::path()).args(["report", "-o"]);
    let ran = run(shell.arg(folder.path().join("page.html")).arg(&saved));
    assert_eq!(ran.code, 1, "with {most} KiB: {}", ran.stderr);
}

#[test]
fn a_report_replaces_the_former_one_whole_and_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("page.html"), "former").expect("written");
    report(folder.path(), "page.html", &sample("healthy"), &[]);
    let names: Vec<String> = fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["page.html"]);
    let lost = run(why401().args(["report", "-o", "/nowhere/at/all/page.html"]).arg(sample("healthy")));
    assert_eq!(lost.code, 2);
    assert!(lost.stderr.contains("cannot write /nowhere/at/all/page.html"), "{}", lost.stderr);
    let ending = run(why401().args(["report", "-o", "page.pdf"]).arg(sample("healthy")));
    assert_eq!(ending.code, 2);
    assert!(ending.stderr.contains(".html, .md or .json"), "{}", ending.stderr);
}
