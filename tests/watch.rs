//! `watch`: nothing lost or doubled over rotations, verdicts in time, messages that arrive.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

fn sample(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)).unwrap()
}

/// Whether this build can send anything to a URL.
fn has_http() -> bool {
    if !cfg!(feature = "notify") {
        eprintln!("skipped: built without the feature `notify`");
    }
    cfg!(feature = "notify")
}

/// A watch under way.
struct Watching {
    child: Child,
    /// What it writes, with the time at which it came.
    events: Receiver<(Instant, Value)>,
}

impl Watching {
    fn begin(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_why401"))
            .args(["watch", "--format", "ndjson"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let events = lines(child.stdout.take().unwrap());
        Self { child, events }
    }

    /// Waits for something that fits.
    fn wait_for(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let (_, event) = self.events.recv_timeout(left).unwrap_or_else(|_| panic!("no {what} within 30 s"));
            if fits(&event) {
                return event;
            }
        }
    }

    /// Interrupts it, as ^C does, and gives the summary and the exit code.
    fn interrupt(mut self) -> (Value, Option<i32>) {
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        let code = self.child.wait().unwrap().code();
        let summary = self.events.iter().map(|(_, event)| event).find(|event| event["event"] == "summary");
        (summary.expect("a summary"), code)
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn lines(out: ChildStdout) -> Receiver<(Instant, Value)> {
    let (sender, events) = channel();
    thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            let event = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if sender.send((Instant::now(), event)).is_err() {
                return;
            }
        }
    });
    events
}

fn append(path: &Path, text: &str) {
    File::options().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Lines of one request that was answered well.
fn good_request(number: usize, user: usize) -> String {
    let now = chrono::Utc::now();
    let (time, second) = (now.format("%Y-%m-%dT%H:%M:%S%.6f"), now.format("%Y-%m-%d %H:%M:%S"));
    let id = format!("{number:08x}-0000-4000-8000-{user:012x}");
    let head = format!("I, [{time} #77]  INFO -- : [{id}]");
    let address = address(user);
    format!(
        "{head} Started GET \"/api/v1/feed\" for {address} at {second} +0000\n{head} Processing by Api::V1::FeedController#index as JSON\n{head} Completed 200 OK in 12ms (Views: 3.1ms | ActiveRecord: 2.3ms (2 queries, 0 cached) | GC: 0.0ms)\n"
    )
}

fn sign_in(number: usize, user: usize) -> String {
    let text = good_request(number, user);
    let text = text
        .replace("GET \"/api/v1/feed\"", "POST \"/api/v1/auth/login\"")
        .replace("FeedController#index", "AuthController#login");
    let (before, last) = text.trim_end().rsplit_once('\n').unwrap();
    let head = &last[..last.find("Completed").unwrap()];
    format!(
        "{before}\n{head}  Parameters: {{\"email\"=>\"[FILTERED]\", \"password\"=>\"[FILTERED]\"}}\n{head}[Auth] login ok user_id={user}\n{last}\n"
    )
}

/// A refresh that the server's own error ends: its last line completes the evidence.
fn failed_refresh(number: usize, user: usize) -> String {
    let text = good_request(number, user);
    let text = text
        .replace("GET \"/api/v1/feed\"", "POST \"/api/v1/auth/refresh\"")
        .replace("FeedController#index", "AuthController#refresh");
    let (before, last) = text.trim_end().rsplit_once('\n').unwrap();
    let head = &last[..last.find("Completed").unwrap()];
    let id = &head[head.rfind('[').unwrap()..].trim_end();
    format!(
        "{before}\n{head}  Parameters: {{\"refresh_token\"=>\"[FILTERED]\"}}\n{head}Completed 500 Internal Server Error in 105ms (ActiveRecord: 15.1ms (3 queries, 1 cached) | GC: 0.0ms)\n{id}   \n{id} NoMethodError (undefined method `tokens' for an instance of User):\n{id}   \n{id} app/services/token_refresh_service.rb:64:in `google_token_valid?'\n"
    )
}

fn address(user: usize) -> String {
    format!("198.51.{}.{}", 100 + user / 250, user % 250 + 1)
}

#[test]
fn an_incident_is_told_of_when_it_is_clear_and_when_it_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("production.log");
    append(&log, &sign_in(1, 107));
    let watching = Watching::begin(&[text_of(&log)]);
    thread::sleep(Duration::from_millis(300));
    append(&log, &failed_refresh(2, 107));
    let opened = watching.wait_for("opened", |event| event["event"] == "opened");
    assert_eq!(
        (&opened["incident"]["cause"], &opened["incident"]["actor"]["user"]),
        (&"refresh_failure".into(), &"107".into())
    );
    append(&log, &sign_in(3, 107));
    let closed = watching.wait_for("closed", |event| event["event"] == "closed");
    assert_eq!((&closed["key"], &closed["reason"]), (&opened["key"], &"recovered".into()));
    let (summary, code) = watching.interrupt();
    assert_eq!((summary["totals"]["incidents"].as_u64(), code), (Some(1), Some(1)));
}

#[test]
fn what_was_over_before_is_told_of_only_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("production.log");
    fs::write(&log, sample("refresh_failure-server_error/server.log")).unwrap();
    let watching = Watching::begin(&["--window-kept", "1d", text_of(&log)]);
    thread::sleep(Duration::from_millis(900));
    let (told, _) = watching.interrupt();
    let watching = Watching::begin(&["--window-kept", "1d", "--backlog", text_of(&log)]);
    watching.wait_for("opened", |event| event["event"] == "opened");
    let (all, _) = watching.interrupt();
    let incidents = |summary: &Value| summary["totals"]["incidents"].as_u64().unwrap();
    assert!(incidents(&told) < 3 && incidents(&all) >= 12, "{told} {all}");
}

#[test]
fn a_pipe_is_read_to_its_end() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_why401"))
        .args(["watch", "--window-kept", "1d"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = sample("refresh_failure-server_error/server.log");
    let mut stdin = child.stdin.take().unwrap();
    let half = text.len() / 2 + 7;
    stdin.write_all(&text.as_bytes()[..half]).unwrap();
    thread::sleep(Duration::from_millis(400));
    // The last line has no end.
    stdin.write_all(text.as_bytes()[half..].trim_ascii_end()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(shown.contains(&format!("(standard input): {} lines", text.lines().count())), "{shown}");
    assert!(shown.contains("opened: dropped, user 104"), "{shown}");
}

#[test]
fn a_source_that_falls_silent_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("production.log");
    append(&log, &sign_in(1, 107));
    let watching = Watching::begin(&["--silent-after", "1s", text_of(&log)]);
    watching.wait_for("silent", |event| event["event"] == "silent");
    append(&log, &good_request(2, 107));
    watching.wait_for("speaking", |event| event["event"] == "speaking");
    assert_eq!(watching.interrupt().1, Some(0));
}

/// Debian's logrotate, in one of its modes.
fn logrotate(folder: &Path, log: &Path, mode: &str) {
    let config = folder.join("logrotate.conf");
    fs::write(&config, format!("{} {{\n rotate 1000\n {mode}\n}}\n", log.display())).unwrap();
    let status = folder.join("logrotate.status");
    let done = Command::new("logrotate").arg("-f").arg("-s").arg(status).arg(config).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn no_line_is_lost_or_doubled_over_a_hundred_rotations() {
    if Command::new("logrotate").arg("--version").output().is_err() {
        eprintln!("skipped: no logrotate");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // A log for each mode: logrotate itself overwrites files when its mode changes under a log.
    let modes = [
        "create",
        "nocreate",
        "copytruncate",
        "create\n compress",
        "copytruncate\n compress",
        "create\n compress\n delaycompress",
    ];
    let logs: Vec<PathBuf> =
        (0..modes.len()).map(|number| folder.path().join(format!("{number}/production.log"))).collect();
    for log in &logs {
        fs::create_dir(log.parent().unwrap()).unwrap();
        append(log, &sign_in(1, 107));
    }
    let mut args = vec!["--every", "20"];
    args.extend(logs.iter().map(|log| text_of(log)));
    let watching = Watching::begin(&args);
    let (mut written, mut number) = (vec![5; modes.len()], 1);
    for rotation in 0..102 {
        let place = rotation % modes.len();
        let (log, mode) = (&logs[place], modes[place]);
        let mut held = File::options().append(true).create(true).open(log).unwrap();
        let mut write = |file: &mut File, requests: usize| {
            for _ in 0..requests {
                number += 1;
                // A request is written in pieces, as it goes on.
                let text = good_request(number, 107);
                let (one, other) = text.split_at(text.len() / 3);
                file.write_all(one.as_bytes()).unwrap();
                file.write_all(other.as_bytes()).unwrap();
                written[place] += 3;
            }
        };
        write(&mut held, 1 + rotation % 40);
        thread::sleep(Duration::from_millis(rotation as u64 % 7 * 10));
        logrotate(folder.path(), log, mode);
        // A server goes on in the file that it has open until it is told of the rotation. (Where that file is compressed or was
        // truncated at once, what it writes in between is lost, whoever reads the log.)
        if mode == "create" || mode == "nocreate" || mode.contains("delaycompress") {
            write(&mut held, 5);
        }
    }
    for (log, written) in logs.iter().zip(&mut written) {
        append(log, &good_request(number + 1, 107));
        *written += 3;
    }
    thread::sleep(Duration::from_millis(800));
    let (summary, _) = watching.interrupt();
    let read: Vec<u64> = (0..modes.len()).map(|place| summary["totals"]["lines"][place][1].as_u64().unwrap()).collect();
    assert_eq!(read, written, "by mode: {modes:?}");
}

/// What a receiver does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Takes,
    Answers(u16),
    /// Reads, and never answers.
    Stalls,
    /// Dies in the middle.
    Dies,
}

/// Somebody who listens on a port.
struct Listening {
    port: u16,
    bodies: Arc<Mutex<Vec<Value>>>,
}

impl Listening {
    /// Acts on one message after the other as its moods say, and takes the rest.
    fn begin(port: u16, moods: Vec<Mood>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&bodies);
        thread::spawn(move || {
            let mut moods = moods.into_iter();
            for stream in listener.incoming().map_while(Result::ok) {
                let mood = moods.next().unwrap_or(Mood::Takes);
                let taken = Arc::clone(&taken);
                thread::spawn(move || serve(stream, mood, &taken));
            }
        });
        Self { port, bodies }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// Waits until so many different messages were taken.
    fn wait_for(&self, count: usize) -> Vec<Value> {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let bodies = self.bodies.lock().unwrap().clone();
            let ids: BTreeSet<String> = bodies.iter().map(|body| body["id"].to_string()).collect();
            if ids.len() >= count {
                return bodies;
            }
            assert!(Instant::now() < end, "{} of {count} messages", ids.len());
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn serve(stream: TcpStream, mood: Mood, taken: &Mutex<Vec<Value>>) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let line = line.trim().to_ascii_lowercase();
        if let Some(said) = line.strip_prefix("content-length:") {
            length = said.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    if mood == Mood::Dies {
        return;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let status = match mood {
        Mood::Stalls => {
            thread::sleep(Duration::from_secs(60));
            return;
        }
        Mood::Answers(status) => status,
        _ => 200,
    };
    if status == 200 {
        taken.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    }
    let _ = write!(reader.get_mut(), "HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

#[test]
fn a_receiver_that_stalls_errs_and_dies_gets_everything_and_stops_nothing() {
    if !has_http() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("production.log");
    (0..20).for_each(|user| append(&log, &sign_in(user + 1, 200 + user)));
    let moods = vec![Mood::Takes, Mood::Stalls, Mood::Answers(500), Mood::Dies, Mood::Answers(429), Mood::Answers(503)];
    let listening = Listening::begin(0, moods);
    let url = listening.url();
    let watching = Watching::begin(&["--notify", &url, text_of(&log)]);
    thread::sleep(Duration::from_millis(300));
    let mut keys = BTreeSet::new();
    for user in 0..20 {
        let begun = Instant::now();
        append(&log, &failed_refresh(1000 + user, 200 + user));
        let name = (200 + user).to_string();
        let opened = watching.wait_for("opened", |event| {
            event["event"] == "opened" && event["incident"]["actor"]["user"] == name.as_str()
        });
        assert!(begun.elapsed() < Duration::from_secs(5), "reading waits for nobody: {:?}", begun.elapsed());
        keys.insert(opened["key"].as_str().unwrap().to_owned());
    }
    assert_eq!(keys.len(), 20);
    let bodies = listening.wait_for(20);
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for body in bodies.iter().filter(|body| body["event"] == "opened") {
        *taken.entry(body["dedup_key"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(taken.keys().cloned().collect::<BTreeSet<_>>(), keys);
    assert!(taken.values().all(|count| *count == 1), "{taken:?}");
    let all = serde_json::to_string(&bodies).unwrap();
    assert!(!all.contains("198.51."), "addresses are under pseudonyms");
    watching.interrupt();
}

#[test]
fn messages_outlive_a_kill_in_the_spool() {
    if !has_http() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("production.log");
    let spool = folder.path().join("spool");
    (0..5).for_each(|user| append(&log, &sign_in(user + 1, 200 + user)));
    // Nobody listens yet.
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let url = format!("http://127.0.0.1:{port}/hook");
    let args = ["--notify", &url, "--spool", text_of(&spool), text_of(&log)];
    let watching = Watching::begin(&args);
    thread::sleep(Duration::from_millis(300));
    let mut keys = BTreeSet::new();
    let mut fail = |watching: &Watching, user: usize| {
        append(&log, &failed_refresh(1000 + user, 200 + user));
        let name = (200 + user).to_string();
        let opened = watching.wait_for("opened", |event| event["incident"]["actor"]["user"] == name.as_str());
        keys.insert(opened["key"].as_str().unwrap().to_owned());
    };
    (0..3).for_each(|user| fail(&watching, user));
    // Told of before it is spooled; a moment for that.
    thread::sleep(Duration::from_millis(200));
    watching.kill();
    // One while nobody watches.
    append(&log, &failed_refresh(1003, 203));
    let listening = Listening::begin(port, Vec::new());
    let watching = Watching::begin(&args);
    let missed = watching.wait_for("opened", |event| event["incident"]["actor"]["user"] == "203");
    fail(&watching, 4);
    keys.insert(missed["key"].as_str().unwrap().to_owned());
    let bodies = listening.wait_for(5);
    let mut opened: Vec<String> = bodies
        .iter()
        .filter(|body| body["event"] == "opened")
        .map(|body| body["dedup_key"].as_str().unwrap().to_owned())
        .collect();
    opened.sort();
    assert_eq!(opened, keys.into_iter().collect::<Vec<_>>(), "each once");
    watching.interrupt();
    let left = fs::read_dir(spool.join("notify")).unwrap().flatten().filter(|entry| entry.path().is_file()).count();
    assert_eq!(left, 0, "what was taken has left the spool");
}

#[test]
fn a_command_gets_each_incident_and_pagerduty_and_slack_their_own_form() {
    if !has_http() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("production.log");
    let (got, secret) = (folder.path().join("got"), folder.path().join("secret"));
    append(&log, &sign_in(1, 107));
    let listening = Listening::begin(0, Vec::new());
    fs::write(&secret, format!("{}\nR0UTINGKEY\n", listening.url())).unwrap();
    let command = format!("cat >> {}; false || true", got.display());
    let args =
        ["--exec", &command, "--notify-format", "pagerduty", "--notify-secret-file", text_of(&secret), text_of(&log)];
    let watching = Watching::begin(&args);
    thread::sleep(Duration::from_millis(300));
    append(&log, &failed_refresh(2, 107));
    watching.wait_for("opened", |event| event["event"] == "opened");
    let body = listening.wait_for(1).remove(0);
    assert_eq!((&body["routing_key"], &body["event_action"]), (&"R0UTINGKEY".into(), &"trigger".into()));
    assert_eq!(body["payload"]["custom_details"]["actor"]["user"], "person-1");
    let end = Instant::now() + Duration::from_secs(10);
    while fs::read(&got).unwrap_or_default().last() != Some(&b'\n') {
        assert!(Instant::now() < end, "the command was not run");
        thread::sleep(Duration::from_millis(50));
    }
    let event: Value = serde_json::from_slice(&fs::read(&got).unwrap()).unwrap();
    assert_eq!((&event["incident"]["actor"]["user"], &event["key"]), (&"107".into(), &body["dedup_key"]));
    watching.interrupt();
}

/// `just latency`: 20,000 lines a second for a minute, and from the last line of a failed refresh to its verdict.
#[test]
#[ignore = "takes a minute and wants an idle machine"]
fn verdicts_come_within_a_second_at_20_000_lines_a_second() {
    const LINES: usize = 20_000;
    const SECONDS: usize = 60;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("production.log");
    let sufferers = 2 * SECONDS;
    (0..sufferers).for_each(|user| append(&log, &sign_in(user + 1, 1000 + user)));
    // A receiver that is no help meanwhile.
    let listening = Listening::begin(0, vec![Mood::Stalls, Mood::Answers(500), Mood::Dies, Mood::Stalls]);
    let url = listening.url();
    let watching = Watching::begin(&["--notify", &url, text_of(&log)]);
    let written: Arc<Mutex<BTreeMap<String, Instant>>> = Arc::default();
    let (noted, path) = (Arc::clone(&written), log.clone());
    let writer = thread::spawn(move || {
        let mut file = File::options().append(true).open(path).unwrap();
        let begun = Instant::now();
        let (mut lines, mut number, mut next) = (0, 1_000_000, 0);
        while next < sufferers {
            let due = (begun.elapsed().as_secs_f64() * LINES as f64) as usize;
            let mut text = String::new();
            while lines < due {
                number += 1;
                text.push_str(&good_request(number, number % 600));
                lines += 3;
            }
            file.write_all(text.as_bytes()).unwrap();
            if begun.elapsed() > Duration::from_millis(1000 + next as u64 * 500) {
                file.write_all(failed_refresh(next + 1, 1000 + next).as_bytes()).unwrap();
                noted.lock().unwrap().insert((1000 + next).to_string(), Instant::now());
                next += 1;
            }
            thread::sleep(Duration::from_millis(5));
        }
        (lines, begun.elapsed())
    });
    let mut took = Vec::new();
    while took.len() < sufferers {
        let Ok((at, event)) = watching.events.recv_timeout(Duration::from_secs(20)) else { break };
        if event["event"] == "opened"
            && let Some(user) = event["incident"]["actor"]["user"].as_str()
            && let Some(written) = written.lock().unwrap().get(user)
        {
            took.push(at.saturating_duration_since(*written));
        }
    }
    let (lines, over) = writer.join().unwrap();
    took.sort();
    let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)];
    println!(
        "{} verdicts at {:.0} lines/s: p50 {:?}, p90 {:?}, p99 {:?}, most {:?}",
        took.len(),
        lines as f64 / over.as_secs_f64(),
        at(50),
        at(90),
        at(99),
        at(100)
    );
    let bodies = listening.wait_for(sufferers);
    let keys: BTreeSet<String> = bodies.iter().map(|body| body["dedup_key"].to_string()).collect();
    println!("{} messages taken, {} incidents", bodies.len(), keys.len());
    watching.interrupt();
    assert_eq!(took.len(), sufferers);
    assert!(at(99) <= Duration::from_secs(1));
}

#[test]
fn a_log_that_comes_later_is_followed_too() {
    let folder = tempfile::tempdir().unwrap();
    let pattern = folder.path().join("*.log");
    let watching = Watching::begin(&[text_of(&pattern)]);
    thread::sleep(Duration::from_millis(300));
    let log = folder.path().join("production.log");
    append(&log, &sign_in(1, 107));
    append(&log, &failed_refresh(2, 107));
    watching.wait_for("opened", |event| event["event"] == "opened");
    assert_eq!(watching.interrupt().1, Some(1));
}

#[test]
fn old_rotations_are_passed_over_and_not_missed_when_they_are_compressed() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("production.log");
    let old = folder.path().join("production.log.1");
    append(&old, &sign_in(1, 106));
    File::open(&old).unwrap().set_modified(std::time::SystemTime::now() - Duration::from_secs(86_400)).unwrap();
    append(&log, &sign_in(2, 107));
    let watching = Watching::begin(&[text_of(&log)]);
    thread::sleep(Duration::from_millis(400));
    Command::new("gzip").arg(&old).status().unwrap();
    append(&log, &failed_refresh(3, 107));
    watching.wait_for("opened", |event| event["event"] == "opened");
    let (summary, _) = watching.interrupt();
    assert_eq!(summary["totals"]["lines"][0][1].as_u64(), Some(5 + 8), "{summary}");
}
