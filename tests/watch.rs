//! `watch`: nothing lost or doubled over rotations, verdicts in time, messages that arrive.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
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

#[cfg(target_os = "linux")]
#[test]
fn a_write_is_noticed_before_files_are_looked_at_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("production.log");
    append(&log, &sign_in(1, 107));
    // By the clock alone it would be seen after half a minute.
    let watching = Watching::begin(&["--every", "30000", text_of(&log)]);
    thread::sleep(Duration::from_millis(500));
    let written = Instant::now();
    append(&log, &failed_refresh(2, 107));
    watching.wait_for("opened", |event| event["event"] == "opened");
    assert!(written.elapsed() < Duration::from_secs(10), "{:?}", written.elapsed());
    watching.kill();
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

/// Whether logrotate is not installed here, which is said.
fn no_logrotate() -> bool {
    let missing = Command::new("logrotate").arg("--version").output().is_err();
    if missing {
        eprintln!("skipped: no logrotate");
    }
    missing
}

#[test]
fn rotations_are_found_under_the_names_that_logrotate_can_give_them() {
    if no_logrotate() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let modes = [
        "create\n olddir old",
        "copytruncate\n olddir archive\n compress",
        "create\n extension .log",
        "create\n extension .log\n compress\n delaycompress",
        "create\n dateext\n dateformat -%Y%m%d-%s",
        "create\n dateext\n dateformat .%s\n extension .log\n compress\n olddir old\n createolddir 755",
    ];
    // Elsewhere, and a link leads there.
    let attic = folder.path().join("attic");
    let to_attic = format!("create\n olddir {}", attic.display());
    fs::create_dir(&attic).unwrap();
    let modes = [&modes[..], &[&to_attic]].concat();
    let logs: Vec<PathBuf> =
        (0..modes.len()).map(|number| folder.path().join(format!("{number}/production.log"))).collect();
    for (log, mode) in logs.iter().zip(&modes) {
        fs::create_dir(log.parent().unwrap()).unwrap();
        if mode.contains("attic") {
            std::os::unix::fs::symlink(&attic, log.with_file_name("backup")).unwrap();
        }
        for old in ["old", "archive"]
            .iter()
            .filter(|old| mode.contains(&format!("olddir {old}")) && !mode.contains("createolddir"))
        {
            fs::create_dir(log.with_file_name(old)).unwrap();
        }
        append(log, &sign_in(1, 107));
    }
    // By the log's name, and by a pattern that its rotations fit as well: they are of it, and no logs of their own.
    let patterns: Vec<String> = logs.iter().map(|log| format!("{}/**/*", log.parent().unwrap().display())).collect();
    let by_name = Watching::begin(&logs.iter().map(|log| text_of(log)).collect::<Vec<_>>());
    let by_pattern = Watching::begin(&patterns.iter().map(String::as_str).collect::<Vec<_>>());
    let rounds = 4;
    for round in 0..rounds {
        // A second has one name only.
        thread::sleep(Duration::from_millis(1100));
        for (log, mode) in logs.iter().zip(&modes) {
            append(log, &good_request(10 + round, 107));
            logrotate(folder.path(), log, mode);
        }
    }
    logs.iter().for_each(|log| append(log, &good_request(90, 107)));
    // Patterns are searched for new logs every two seconds.
    thread::sleep(Duration::from_millis(2500));
    let wanted = vec![(5 + 3 * rounds + 3) as u64; modes.len()];
    for (how, watching) in [("by name", by_name), ("by pattern", by_pattern)] {
        let (summary, _) = watching.interrupt();
        let lines = summary["totals"]["lines"].as_array().unwrap();
        let read: Vec<u64> = lines.iter().map(|source| source[1].as_u64().unwrap()).collect();
        assert_eq!(read, wanted, "{how}: {summary}");
    }
    // And a run that begins afterwards reads each line once.
    let config = folder.path().join("why401.toml");
    let sources: Vec<String> = logs.iter().map(|log| format!("'{}'", log.display())).collect();
    let state = folder.path().join("state");
    let text = format!(
        "[batch]\nsources = [{}]\nstate = '{}'\nreport = ['{}']\n",
        sources.join(", "),
        state.display(),
        folder.path().join("report.json").display()
    );
    fs::write(&config, text).unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_why401")).arg("batch").arg(&config).output().unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    let report: Value = serde_json::from_slice(&fs::read(folder.path().join("report.json")).unwrap()).unwrap();
    let read: Vec<_> =
        report["inputs"].as_array().unwrap().iter().map(|input| input["lines"].as_u64().unwrap()).collect();
    assert_eq!(read, wanted, "{}", report["inputs"]);
}

#[test]
fn no_line_is_lost_or_doubled_over_a_hundred_rotations() {
    if no_logrotate() {
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
    /// Has too much to do, and says for how many seconds.
    AsksToWait(u64),
    /// Reads, and never answers.
    Stalls,
    /// Dies in the middle.
    Dies,
}

/// Somebody who listens on a port.
struct Listening {
    port: u16,
    bodies: Arc<Mutex<Vec<Value>>>,
    tls: bool,
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
        Self { port, bodies, tls: false }
    }

    /// Takes everything, behind TLS.
    fn with_tls(tls: Arc<rustls::ServerConfig>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&bodies);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (tls, taken) = (Arc::clone(&tls), Arc::clone(&taken));
                thread::spawn(move || {
                    let session = rustls::ServerConnection::new(tls).unwrap();
                    serve(rustls::StreamOwned::new(session, stream), Mood::Takes, &taken);
                });
            }
        });
        Self { port, bodies, tls: true }
    }

    fn url(&self) -> String {
        format!("{}://localhost:{}/hook", if self.tls { "https" } else { "http" }, self.port)
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

fn serve(stream: impl Read + Write, mood: Mood, taken: &Mutex<Vec<Value>>) {
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
        Mood::AsksToWait(_) => 429,
        _ => 200,
    };
    if status == 200 {
        taken.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    }
    let wait = if let Mood::AsksToWait(seconds) = mood { format!("retry-after: {seconds}\r\n") } else { String::new() };
    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n{wait}connection: close\r\n\r\n");
    let _ = reader.get_mut().write_all(head.as_bytes()).and_then(|()| reader.get_mut().flush());
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
fn a_receiver_is_left_alone_for_as_long_as_it_says() {
    if !has_http() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("production.log");
    append(&log, &sign_in(1, 107));
    let listening = Listening::begin(0, vec![Mood::AsksToWait(3)]);
    let watching = Watching::begin(&["--notify", &listening.url(), text_of(&log)]);
    thread::sleep(Duration::from_millis(300));
    append(&log, &failed_refresh(2, 107));
    watching.wait_for("opened", |event| event["event"] == "opened");
    let told = Instant::now();
    listening.wait_for(1);
    // On its own it would have tried again within half a second.
    assert!(told.elapsed() >= Duration::from_millis(2500), "{:?}", told.elapsed());
    watching.interrupt();
}

/// A certificate for `localhost` of an authority of its own, by OpenSSL: the authority's file, and what a server needs.
fn certificates(folder: &Path) -> Option<(PathBuf, Arc<rustls::ServerConfig>)> {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("skipped: no openssl");
        return None;
    }
    let openssl = |args: &str| {
        let made = Command::new("openssl").current_dir(folder).args(args.split(' ')).output().unwrap();
        assert!(made.status.success(), "{args}: {}", String::from_utf8_lossy(&made.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("req -x509 {key} -days 2 -keyout ca.key -out ca.pem -subj /CN=tests"));
    openssl(&format!("req {key} -keyout key.pem -out request.pem -subj /CN=localhost"));
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost").unwrap();
    openssl("x509 -req -in request.pem -CA ca.pem -CAkey ca.key -days 2 -out cert.pem -extfile names");
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    Some((folder.join("ca.pem"), Arc::new(config)))
}

#[test]
fn a_receiver_behind_tls_is_told_only_if_somebody_trusted_vouches_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let Some((authority, tls)) = certificates(folder.path()).filter(|_| has_http()) else { return };
    let log = folder.path().join("production.log");
    append(&log, &sign_in(1, 107));
    let listening = Listening::with_tls(tls);
    let (url, spool) = (listening.url(), folder.path().join("spool"));
    let args = ["--notify", &url, "--spool", text_of(&spool), text_of(&log)];
    let watching = Watching::begin(&args);
    thread::sleep(Duration::from_millis(300));
    append(&log, &failed_refresh(2, 107));
    watching.wait_for("opened", |event| event["event"] == "opened");
    thread::sleep(Duration::from_millis(1500));
    assert!(listening.bodies.lock().unwrap().is_empty(), "nobody known vouches for it");
    watching.kill();
    let trusting = [&["--notify-ca", text_of(&authority)], &args[..]].concat();
    let watching = Watching::begin(&trusting);
    let body = listening.wait_for(1).remove(0);
    assert_eq!((&body["event"], &body["incident"]["cause"]), (&"opened".into(), &"refresh_failure".into()));
    watching.interrupt();
    let key = folder.path().join("key.pem");
    let refused = Command::new(env!("CARGO_BIN_EXE_why401"))
        .args(["watch", "--notify-ca", text_of(&key), "--notify", &url, text_of(&log)])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && said.contains("key.pem (--notify-ca) holds no certificate"), "{said}");
}

#[test]
fn only_what_is_asked_for_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("production.log");
    (0..3).for_each(|user| append(&log, &sign_in(user + 1, 200 + user)));
    let of_user = Watching::begin(&["--user", "201", text_of(&log)]);
    let of_cause = Watching::begin(&["--cause", "refresh_failure/server_error", text_of(&log)]);
    let of_other = Watching::begin(&["--cause", "lifetime_expiry", text_of(&log)]);
    thread::sleep(Duration::from_millis(400));
    (0..3).for_each(|user| append(&log, &failed_refresh(10 + user, 200 + user)));
    of_user.wait_for("opened", |event| event["event"] == "opened" && event["incident"]["actor"]["user"] == "201");
    for user in ["200", "201", "202"] {
        of_cause.wait_for(user, |event| event["incident"]["actor"]["user"] == user);
    }
    let told = |watching: Watching| watching.interrupt().0["totals"]["incidents"].as_u64();
    assert_eq!((told(of_user), told(of_cause), told(of_other)), (Some(1), Some(3), Some(0)));
    let wrong =
        Command::new(env!("CARGO_BIN_EXE_why401")).args(["watch", "--cause", "gremlins", "x"]).output().unwrap();
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("known causes:"));
}

/// What a terminal gets from a watch of a log that is piped in; `None` where none can be had.
fn on_a_terminal(folder: &Path, script: &str) -> Option<String> {
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: no script (util-linux)");
        return None;
    }
    let command = format!("stty cols 90 rows 20; {script}");
    let ran = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(folder)
        .env("WHY401", env!("CARGO_BIN_EXE_why401"))
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Some(String::from_utf8_lossy(&ran.stdout).into_owned())
}

#[test]
fn a_terminal_shows_who_is_in_trouble_and_is_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("production.log");
    append(&log, &sign_in(1, 107));
    thread::sleep(Duration::from_millis(300));
    append(&log, &failed_refresh(2, 107));
    let live = "(cat production.log; sleep 2) | \"$WHY401\" watch";
    let Some(shown) = on_a_terminal(folder.path(), live) else { return };
    let panel =
        shown.split("\u{1b}[J").find(|frame| frame.contains("1 open, 1 in all")).unwrap_or_else(|| panic!("{shown}"));
    assert!(panel.contains("last sign") && panel.contains("user 107  ") && panel.contains("server_error"), "{panel}");
    let (_, last) = shown.rsplit_once("\u{1b}[J").unwrap();
    assert!(last.starts_with("(standard input): 13 lines") && last.contains("1 incidents"), "{last:?}");
    // Nothing is switched on that would have to be switched off: no other screen, no hidden cursor, no mode.
    assert!(!shown.contains("\u{1b}[?"), "{shown:?}");
    let plain = "cat production.log | \"$WHY401\" watch | cat";
    let shown = on_a_terminal(folder.path(), plain).unwrap();
    assert!(shown.contains("opened: dropped, user 107") && !shown.contains('\u{1b}'), "{shown:?}");
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
