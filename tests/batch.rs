//! `batch`: any number of runs over a log that grows and rotates, ended anyhow, equal one run over everything.

#[path = "support/growing.rs"]
mod growing;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use growing::{Dice, Growing};
use why401::Config;
use why401::batch::{BatchError, Job, KEEP, Run};
use why401::source::How;

fn sample(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)).unwrap()
}

fn job(folder: &Path, state: &str) -> Job {
    Job { sources: vec![folder.join("log/*.log")], state: folder.join(state), keep: 100 * KEEP }
}

/// One run, finished; its diagnosis as JSON.
fn run(job: &Job) -> String {
    // Another test that starts a program at this moment holds whatever is open here for as long as that takes.
    let run = loop {
        match Run::begin(job, Config::default(), How::default()) {
            Err(BatchError::Lock(_)) => std::thread::yield_now(),
            run => break run.unwrap(),
        }
    };
    assert_eq!(run.messages, Vec::<String>::new());
    let json = serde_json::to_string_pretty(&run.diagnosis).unwrap();
    run.finish().unwrap();
    json
}

/// Compares, and shows the first line that differs.
fn same(one: &str, other: &str, what: &str, seed: u64) {
    let differs = one.lines().zip(other.lines()).enumerate().find(|(_, (one, other))| one != other);
    assert!(one == other, "{what}, seed {seed}: {differs:?}");
}

#[test]
fn many_runs_over_a_growing_and_rotating_log_are_one_run_over_all() {
    for seed in 1..=12 {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("log")).unwrap();
        let mut dice = Dice::new(seed);
        let file = |name: &str| folder.path().join("log").join(name);
        let mut server = Growing::new(&file("production.log"), sample("stale_token-ws/server.log"), seed);
        let mut client = Growing::new(&file("phone.log"), sample("stale_token-ws/client-u03.log"), seed + 1);
        let job_of_many = job(folder.path(), "many");
        while !server.is_over() || !client.is_over() {
            server.grow(200_000);
            // The phone's log is found later than the server's.
            if dice.below(3) == 0 {
                client.grow(60_000);
            }
            if dice.below(2) == 0 {
                run(&job_of_many);
            }
            if dice.below(3) == 0 {
                server.rotate();
            }
        }
        let many = run(&job_of_many);
        same(&many, &run(&job_of_many), "a run with nothing new changes nothing", seed);
        same(&many, &run(&job(folder.path(), "one")), "one run over all", seed);
    }
}

/// A folder with a log, and two configurations for it that differ in their state.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("log")).unwrap();
        let place = Self { folder };
        for state in ["many", "one"] {
            place.configure(state, &place.path(state), "");
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, name: &str, state: &Path, more: &str) {
        let text = format!(
            "[batch]\nsources = [\"log/*.log\"]\nstate = '{}'\nreport = [\"{name}.json\", \"{name}.html\"]\nkeep = \"3500d\"\n{}{more}",
            state.display(),
            if cfg!(feature = "tables") { format!("history = \"history-{name}\"\n") } else { String::new() }
        );
        fs::write(self.path(&format!("{name}.toml")), text).unwrap();
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_why401"));
        command.arg("batch").arg(self.path(&format!("{name}.toml")));
        command
    }

    fn run(&self, name: &str) -> Output {
        self.command(name).output().unwrap()
    }

    fn report(&self, name: &str) -> String {
        fs::read_to_string(self.path(&format!("{name}.json"))).unwrap()
    }

    /// The history's files and what is in them, where this build writes any. (What a killed run began lies beside under another name.)
    fn history(&self, name: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.path(&format!("history-{name}"))];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else if entry.file_name() == "part.parquet" {
                    let below = entry.path();
                    let below = below.strip_prefix(self.folder.path()).unwrap().components().skip(1).collect();
                    found.insert(below, fs::read(entry.path()).unwrap());
                }
            }
        }
        assert!(!cfg!(feature = "tables") || !found.is_empty(), "no history");
        found
    }

    /// What is left lying about in the folders that are written to.
    fn litter(&self) -> Vec<String> {
        let folders = [self.folder.path().to_owned(), self.path("many")];
        let names = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
        let names = names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains("tmp")).collect()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs are killed at random times while the log grows and rotates under them.
fn killed(kills: u32, seed: u64) {
    let place = Place::new();
    let mut dice = Dice::new(seed);
    let text = ["clock_skew", "stale_token-ws", "mixed"].map(|name| sample(&format!("{name}/server.log"))).concat();
    let step = text.len() * 2 / kills as usize;
    let mut log = Growing::new(&place.path("log/production.log"), text, seed);
    log.grow(step);
    let (mut rotations, mut killed, mut whole) = (0, 0, 0);
    let mut usual = std::time::Duration::from_millis(50);
    while killed < kills {
        let mut child = place.command("many").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = std::time::Instant::now();
        let left_alone = dice.below(4) == 0;
        if !left_alone {
            // From before it has begun until after it should have ended.
            std::thread::sleep(usual * u32::try_from(dice.below(130)).unwrap() / 100);
        }
        if dice.below(2) == 0 {
            log.grow(step);
        }
        if dice.below(6) == 0 {
            log.rotate();
            rotations += 1;
        }
        if left_alone {
            assert_ne!(child.wait().unwrap().code(), Some(2), "a run that is left alone ends well");
            usual = (usual + started.elapsed()) / 2;
            whole += 1;
        } else if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            child.wait().unwrap();
            killed += 1;
        } else {
            whole += 1;
        }
        if dice.below(3) == 0 {
            log.grow(step);
        }
    }
    log.finish();
    let last = place.run("many");
    assert_eq!(last.status.code(), Some(1), "{}", stderr(&last));
    assert_eq!(place.run("one").status.code(), Some(1));
    same(&place.report("one"), &place.report("many"), "killed", seed);
    assert!(place.history("one") == place.history("many"), "the history of killed runs differs, seed {seed}");
    assert_eq!(place.litter(), Vec::<String>::new());
    println!("seed {seed}: {killed} runs killed, {whole} ended, {rotations} rotations; a run takes {usual:?}");
}

/// How many runs are killed: `WHY401_KILLS`, or as told.
fn kills(usual: u32) -> u32 {
    let told = std::env::var("WHY401_KILLS").ok();
    told.map_or(usual, |told| told.parse().expect("WHY401_KILLS is a number"))
}

#[test]
fn runs_that_are_killed_have_not_happened() {
    // With Polars a run takes longer.
    killed(kills(if cfg!(feature = "tables") { 40 } else { 60 }), 1);
}

/// The long form: `just kill-test`.
#[test]
#[ignore = "takes minutes"]
fn runs_that_are_killed_have_not_happened_250_times_over() {
    (1..=4).for_each(|seed| killed(kills(250), seed));
}

#[test]
fn a_state_that_cannot_be_used_is_said_and_built_anew() {
    let place = Place::new();
    let log = place.path("log/production.log");
    fs::write(&log, sample("mixed/server.log")).unwrap();
    place.run("many");
    let (whole, state) = (place.report("many"), place.path("many/state"));
    let good = fs::read(&state).unwrap();
    let mut older = good.clone();
    older[8] = 0;
    let mut damaged = good.clone();
    damaged[good.len() / 2] ^= 1;
    let cases: [(&[u8], &str); 6] = [
        (b"", "it is empty"),
        (&good[..good.len() / 2], "it is cut off"),
        (&good[..good.len() - 1], "it is cut off"),
        (&older, "an older version"),
        (&damaged, "it is damaged"),
        (b"{}", "no state of why401"),
    ];
    for (bytes, why) in cases {
        fs::write(&state, bytes).unwrap();
        let output = place.run("many");
        assert!(stderr(&output).contains(why) && stderr(&output).contains("built anew"), "{why}: {}", stderr(&output));
        same(&whole, &place.report("many"), why, 0);
        assert_eq!(fs::read(place.path("many/state.unusable")).unwrap(), bytes, "it is put aside");
        let again = place.run("many");
        assert_eq!((stderr(&again).as_str(), again.status.code()), ("", Some(1)), "{why}: all is well again");
    }
}

#[cfg(unix)]
#[test]
fn the_state_is_for_its_owner_only_and_holds_no_token() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    fs::write(place.path("log/client.log"), sample("stale_token-ws/client-u03.log")).unwrap();
    place.run("many");
    let state = place.path("many/state");
    assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(&state).unwrap();
    assert!(!bytes.windows(3).any(|word| word == b"eyJ"), "a JWT begins so");
}

#[test]
fn an_overlapping_run_leaves_at_once_and_names_the_holder() {
    let place = Place::new();
    fs::write(place.path("log/production.log"), sample("mixed/server.log")).unwrap();
    fs::create_dir(place.path("many")).unwrap();
    let held = why401::batch::Held::take(&place.path("many")).unwrap();
    let output = place.run("many");
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    assert!(
        message.contains("another run is at work: process ") && message.contains(&std::process::id().to_string()),
        "{message}"
    );
    assert!(!place.path("many.json").exists());
    drop(held);
    assert_eq!(place.run("many").status.code(), Some(1));
}

#[test]
fn a_log_that_was_truncated_without_a_copy_is_said_and_read_from_its_start() {
    let place = Place::new();
    let (log, text) = (place.path("log/production.log"), sample("mixed/server.log"));
    let half = text.len() / 2;
    fs::write(&log, &text[..half]).unwrap();
    place.run("many");
    fs::write(&log, &text[half..half + 20_000]).unwrap();
    let output = place.run("many");
    assert!(stderr(&output).contains("truncated or removed meanwhile"), "{}", stderr(&output));
    let report: why401::Diagnosis = serde_json::from_str(&place.report("many")).unwrap();
    let lines = text[..half + 20_000].iter().filter(|byte| **byte == b'\n').count();
    // The line that was being written at the truncation is lost, and its rest is one for itself.
    assert!(report.inputs[0].lines.abs_diff(lines as u64) <= 1, "{} of {lines}", report.inputs[0].lines);
}

/// lograge lines, one a minute, of people who update their app, on a server that is deployed every few hours. Some are refused.
fn log_with_releases(minutes: usize) -> Vec<u8> {
    let line = |minute: usize| {
        let (user, hour) = (minute % 7, minute / 60);
        let (path, status) = if minute % 50 == 49 { ("auth/refresh", 500) } else { ("feed", 200) };
        format!(
            r#"{{"method":"POST","path":"/api/v1/{path}","format":"json","controller":"ApiController","action":"create","status":{status},"duration":2.1,"time":"2026-11-{:02}T{:02}:{:02}:07.000Z","user_id":{},"ip":"198.51.100.{}","app_version":"2.{}.0","release":"v{}"}}"#,
            16 + hour / 24,
            hour % 24,
            minute % 60,
            100 + user,
            1 + user,
            (hour + user) / 9,
            40 + hour / 5
        ) + "\n"
    };
    (0..minutes).map(line).collect::<String>().into_bytes()
}

#[test]
fn releases_outlive_runs_and_what_is_let_go() {
    let text = log_with_releases(40 * 60);
    // All of it, and the last half day only.
    for keep in [100 * KEEP, 12 * 3600 * 1_000_000] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("log")).unwrap();
        let mut log = Growing::new(&folder.path().join("log/production.log"), text.clone(), 3);
        let of = |state: &str| Job { keep, ..job(folder.path(), state) };
        while !log.is_over() {
            log.grow(90_000);
            run(&of("many"));
        }
        let many = run(&of("many"));
        same(&many, &run(&of("one")), "one run over all", 3);
        let report: serde_json::Value = serde_json::from_str(&many).unwrap();
        let incidents = report["incidents"].as_array().unwrap();
        assert!(incidents.len() > 3);
        for incident in incidents {
            assert!(incident["release"].is_string() && incident["deploy"].is_string(), "{incident}");
        }
    }
}

#[test]
fn what_is_older_than_is_kept_goes_from_report_and_state_alike() {
    let place = Place::new();
    // Without request ids, as the last 16,000 requests with one are kept in case that more is said of them.
    let ids = regex::bytes::Regex::new(r"\[[0-9a-f]{8}-[0-9a-f-]{27}\] ").unwrap();
    let text = ids.replace_all(&sample("mixed/server.log"), &b""[..]).into_owned();
    let log = place.path("log/production.log");
    let (many, one) = (place.path("many"), place.path("one"));
    for (name, state) in [("many", &many), ("one", &one)] {
        place.configure(name, state, "");
        let toml = place.path(&format!("{name}.toml"));
        let shorter = fs::read_to_string(&toml).unwrap().replace("3500d", "30m");
        fs::write(toml, shorter).unwrap();
    }
    // The slack for zones is 30 hours: the sample ten days before, and the sample.
    let early = String::from_utf8_lossy(&text).replace("2026-11-2", "2026-11-1").into_bytes();
    fs::write(&log, &early).unwrap();
    place.run("many");
    let before = fs::metadata(many.join("state")).unwrap().len();
    fs::write(&log, [early, text].concat()).unwrap();
    place.run("many");
    place.run("one");
    same(&place.report("one"), &place.report("many"), "keep", 0);
    assert!(place.report("many").contains("what is older is not kept"));
    let after = fs::metadata(many.join("state")).unwrap().len();
    assert!(after < before * 3 / 2, "{before} bytes, then {after}");
}

#[test]
fn a_full_disk_is_said_and_leaves_everything_as_it_was() {
    let place = Place::new();
    let small = place.path("small");
    fs::create_dir(&small).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=200k", "tmpfs"]).arg(&small).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no right to mount a small file system");
        return;
    }
    let unmount = Unmount(small.clone());
    place.configure("many", &small, "");
    let log = place.path("log/production.log");
    let text = sample("mixed/server.log");
    fs::write(&log, &text[..60_000]).unwrap();
    let first = place.run("many");
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let state = fs::read(small.join("state")).unwrap();
    fs::write(small.join("ballast"), vec![0; 1 << 20]).unwrap_err();
    fs::write(&log, &text).unwrap();
    let full = place.run("many");
    assert_eq!(full.status.code(), Some(2));
    assert!(stderr(&full).contains("small/state: the disk is full"), "{}", stderr(&full));
    assert_eq!(fs::read(small.join("state")).unwrap(), state, "the state is untouched");
    let left: Vec<_> = fs::read_dir(&small).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "lock, state, ballast: {left:?}");
    fs::remove_file(small.join("ballast")).unwrap();
    Command::new("mount").args(["-o", "remount,size=8m"]).arg(&small).status().unwrap();
    place.run("many");
    place.run("one");
    same(&place.report("one"), &place.report("many"), "after a full disk", 0);
    drop(unmount);
}

struct Unmount(PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_log_that_is_not_there_is_said_and_read_when_it_comes() {
    let place = Place::new();
    let toml = place.path("many.toml");
    let text = fs::read_to_string(&toml).unwrap().replace("log/*.log", "log/production.log");
    fs::write(&toml, text).unwrap();
    let output = place.run("many");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("log/production.log: no such file"), "{}", stderr(&output));
    fs::write(place.path("log/production.log"), sample("mixed/server.log")).unwrap();
    assert_eq!(place.run("many").status.code(), Some(1));
    // It is between two rotations.
    fs::rename(place.path("log/production.log"), place.path("log/production.log.1")).unwrap();
    let output = place.run("many");
    assert_eq!((stderr(&output).as_str(), output.status.code()), ("", Some(1)));
}

#[cfg(unix)]
#[test]
fn a_log_behind_a_link_is_followed_where_it_is_written() {
    let place = Place::new();
    let shared = place.path("shared");
    fs::create_dir(&shared).unwrap();
    let text = sample("mixed/server.log");
    fs::write(shared.join("production.log"), &text[..200_000]).unwrap();
    std::os::unix::fs::symlink(shared.join("production.log"), place.path("log/production.log")).unwrap();
    place.run("many");
    fs::rename(shared.join("production.log"), shared.join("production.log.1")).unwrap();
    let cut = text[..200_000].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    fs::write(shared.join("production.log.1"), &text[..cut]).unwrap();
    fs::write(shared.join("production.log"), &text[cut..]).unwrap();
    let output = place.run("many");
    assert_eq!(stderr(&output), "");
    let report: why401::Diagnosis = serde_json::from_str(&place.report("many")).unwrap();
    let lines = text.iter().filter(|byte| **byte == b'\n').count() as u64;
    assert_eq!(report.inputs.iter().map(|input| input.lines).collect::<Vec<_>>(), [lines]);
}
