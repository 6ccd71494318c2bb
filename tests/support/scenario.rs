//! Labelled scenarios: a folder with `server.log`, `client-*.log` and `truth.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use why401::simulate::{Options, simulate};
use why401::{Config, Diagnosis, Reading, diagnose};

/// Which logs are handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    Both,
    Server,
    Client,
}

/// One labelled folder.
pub struct Scenario {
    pub name: String,
    pub folder: PathBuf,
    pub truth: Value,
}

/// All labelled folders below `folder`, by name.
pub fn scenarios(folder: &Path) -> Vec<Scenario> {
    let mut found: Vec<Scenario> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let folder = entry.path();
            let truth = std::fs::read_to_string(folder.join("truth.json")).ok()?;
            let name = folder.file_name()?.to_string_lossy().into_owned();
            Some(Scenario { name, truth: serde_json::from_str(&truth).ok()?, folder })
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// A simulated folder, which lives as long as the first of the two.
pub fn simulated(options: &Options) -> (tempfile::TempDir, Scenario) {
    let folder = tempfile::tempdir().expect("a folder for the logs");
    simulate(options, folder.path()).expect("the logs can be written");
    let truth = std::fs::read_to_string(folder.path().join("truth.json")).expect("a truth was written");
    let truth = serde_json::from_str(&truth).expect("the truth is JSON");
    let scenario = Scenario { name: format!("seed {}", options.seed), folder: folder.path().to_path_buf(), truth };
    (folder, scenario)
}

impl Scenario {
    /// The logs of the chosen sides: names and bytes.
    pub fn logs(&self, sides: Sides) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let client = name.starts_with("client");
                let server = name == "server.log";
                match sides {
                    Sides::Both => client || server,
                    Sides::Server => server,
                    Sides::Client => client,
                }
            })
            .collect();
        files.sort();
        files
            .into_iter()
            .map(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                (name, std::fs::read(path).unwrap_or_default())
            })
            .collect()
    }

    pub fn diagnose(&self, sides: Sides) -> Diagnosis {
        diagnose_logs(&self.logs(sides))
    }

    pub fn users(&self) -> Vec<&Value> {
        self.truth["users"].as_array().map(|users| users.iter().collect()).unwrap_or_default()
    }
}

pub fn diagnose_logs(logs: &[(String, Vec<u8>)]) -> Diagnosis {
    diagnose_into(Reading::new(Config::default(), [3; 16]), logs)
}

fn diagnose_into(mut reading: Reading, logs: &[(String, Vec<u8>)]) -> Diagnosis {
    for (name, bytes) in logs {
        reading.read_bytes(name, bytes);
    }
    diagnose(reading)
}

/// Hits and misses per cause.
#[derive(Default)]
pub struct Table {
    /// Cause: true positives, false positives, false negatives.
    pub by_cause: BTreeMap<String, (usize, usize, usize)>,
    /// Healthy users with a cause of their own.
    pub accused: Vec<String>,
    /// With room for so many uneventful requests, where said.
    pub room: Option<usize>,
    /// What went wrong, for the reader.
    pub misses: Vec<String>,
    /// Users left out because no line of the logs handed in can tell, by the reason.
    pub beyond: BTreeMap<&'static str, usize>,
    /// Confidence of each actor's incident, and whether it was right about the actor.
    pub sure: Vec<(f64, bool)>,
    /// Of incidents for which no cause was named: the chance of the best one.
    pub unsaid: Vec<f64>,
    /// Kinds right and wrong among the true positives.
    pub kinds: (usize, usize),
}

/// What truth.json calls a kind, in the product's words (DESIGN §5).
pub fn kind_of(truth: &str) -> &str {
    match truth {
        "ws_closure_captured" | "ws_closure_captured_logout" | "ws_not_told_of_refresh" => "websocket",
        "http_header_captured" => "http",
        "long_ttl_reactive_only" | "reactive_only_1h" => "reactive_only",
        "never_refreshes" => "never_refreshed",
        "sigterm_deploy" => "deploy",
        "crash_sigkill" => "crash",
        "knock_on_expiry" => "knock_on",
        "login_brute_force" => "guessing",
        "bad_token_probe" | "cable_bad_token" | "bad_refresh_probe" => "foreign_token",
        "keystore_failure" => "unreadable",
        "reinstall" => "cleared",
        "device_ahead" | "device_behind" => "client",
        "straggling_poll" => "straggler",
        "client_offline" => "offline",
        other => other,
    }
}

/// Whether clients' traces alone can tell: every device of the user is traced, and the truth says that the client saw it.
fn shown_to_client(user: &Value) -> bool {
    let traced = user["devices"]
        .as_array()
        .is_some_and(|devices| !devices.is_empty() && devices.iter().all(|device| !device["trace"].is_null()));
    let seen = user["visible_in"].as_array().is_some_and(|sides| sides.iter().any(|side| side == "client"));
    traced && (seen || user["cause"] == "healthy")
}

/// Why no line of the logs handed in can show what the truth says of this user; `None` if one can. Such users are left out of
/// the score and counted in `Table::beyond`.
fn beyond(scenario: &Scenario, user: &Value, sides: Sides) -> Option<&'static str> {
    let (cause, kind) = (user["cause"].as_str().unwrap_or(""), user["sub_kind"].as_str().unwrap_or(""));
    let devices: Vec<&Value> = user["devices"].as_array().into_iter().flatten().collect();
    let traced = sides != Sides::Server && devices.iter().any(|device| !device["trace"].is_null());
    // A clock that is behind: the token runs out, a 401, a refresh, all is well. An app that refreshes only after a 401 does the
    // very same; the clock is on the device alone.
    if kind == "device_behind" && !traced {
        return Some("a device's clock that is behind shows in its own trace only");
    }
    let own = |incident: &&Value| incident["cause"] == cause;
    let incidents = || user["incidents"].as_array().into_iter().flatten().filter(own);
    let over = |incident: &Value| {
        let time = |text: &Value| chrono::DateTime::parse_from_rfc3339(text.as_str()?).ok();
        let begin = time(&scenario.truth["window"]["start"]);
        time(&incident["last_sign"]).zip(begin).is_some_and(|(last, begin)| last < begin)
    };
    if !traced && cause != "healthy" && incidents().next().is_some() && incidents().all(over) {
        return Some("it was over before the log begins");
    }
    let signs: BTreeSet<String> = incidents()
        .flat_map(|incident| incident["signs"].as_object().into_iter().flatten().map(|(sign, _)| sign.clone()))
        .collect();
    // The poll after the sign-out never reached the server (it was down just then).
    if cause == "logout" && !traced && !signs.is_empty() && !signs.iter().any(|sign| sign.starts_with("server:")) {
        return Some("the call after the sign-out never reached the server");
    }
    // A trace without an HTTP logger shows no call that the app does not speak of.
    let silent = devices.iter().all(|device| device["dio_logger"] == "none");
    let calls =
        |sign: &String| sign.starts_with("server:") || matches!(sign.as_str(), "client:straggler" | "client:side_401");
    if sides == Sides::Client && silent && matches!(cause, "logout" | "stale_token") && signs.iter().all(calls) {
        return Some("the trace has no HTTP logger, and the refused calls are all there was");
    }
    None
}

fn text(value: &Value) -> String {
    value.as_u64().map_or_else(|| value.as_str().unwrap_or("").to_owned(), |n| n.to_string())
}

/// Whether an actor is the user of this id, which may be an e-mail.
fn is(actor: &why401::diagnosis::ActorRef, id: &str) -> bool {
    actor.user.as_deref() == Some(id) || actor.user.is_none() && actor.email.as_deref() == Some(id)
}

impl Table {
    pub fn add(&mut self, scenario: &Scenario, sides: Sides) {
        if sides == Sides::Client && scenario.logs(sides).is_empty() {
            return;
        }
        let reading = Reading::new(Config::default(), [3; 16]);
        let reading = if let Some(room) = self.room { reading.with_room(room) } else { reading };
        let diagnosis = diagnose_into(reading, &scenario.logs(sides));
        self.add_confidences(scenario, sides, &diagnosis);
        self.add_users(scenario, sides, &diagnosis);
        if sides != Sides::Client {
            self.add_service(scenario, &diagnosis);
        }
    }

    fn add_users(&mut self, scenario: &Scenario, sides: Sides, diagnosis: &Diagnosis) {
        for user in scenario.users() {
            if sides == Sides::Client && !shown_to_client(user) {
                continue;
            }
            if let Some(why) = beyond(scenario, user, sides) {
                *self.beyond.entry(why).or_default() += 1;
                continue;
            }
            let truth = text(&user["cause"]);
            let alone = |ip: &String| {
                let holds = |other: &&Value| other["ips"].as_array().is_some_and(|ips| ips.iter().any(|own| own == ip));
                scenario.users().iter().filter(|other| holds(other)).count() == 1
            };
            let id = text(&user["user"]);
            let ips: BTreeSet<String> =
                user["ips"].as_array().into_iter().flatten().filter_map(|ip| ip.as_str().map(str::to_owned)).collect();
            let verdicts: BTreeSet<String> = diagnosis
                .actors
                .iter()
                .filter(|actor| {
                    actor.user.as_deref() == Some(&id)
                        || actor.user.is_none() && actor.ips.iter().any(|ip| ips.contains(ip) && alone(ip))
                })
                .map(|actor| actor.verdict.to_string())
                .filter(|verdict| verdict != "healthy" && verdict != "inconclusive")
                .collect();
            let said = if verdicts.contains(&truth) {
                truth.clone()
            } else {
                verdicts.first().cloned().unwrap_or_else(|| "healthy".to_owned())
            };
            if said == truth {
                // A password changed elsewhere or an administrator: the device sees the same.
                let same_to_client = sides == Sides::Client && truth == "revoked";
                if truth != "healthy" {
                    self.by_cause.entry(truth.clone()).or_default().0 += 1;
                }
                if truth != "healthy" && !same_to_client {
                    let kind = kind_of(user["sub_kind"].as_str().unwrap_or(""));
                    let right = diagnosis.incidents.iter().any(|incident| {
                        incident.cause.as_str() == truth
                            && incident.kind == kind
                            && incident.actor.as_ref().is_some_and(|actor| is(actor, &id))
                    });
                    if right {
                        self.kinds.0 += 1
                    } else {
                        self.kinds.1 += 1
                    }
                    if !right {
                        let kinds: BTreeSet<&str> = diagnosis
                            .incidents
                            .iter()
                            .filter(|i| i.actor.as_ref().is_some_and(|actor| is(actor, &id)))
                            .map(|i| i.kind.as_str())
                            .collect();
                        self.misses
                            .push(format!("kind: {} user {id}: truth {truth}/{kind}, said {kinds:?}", scenario.name));
                    }
                }
                continue;
            }
            if truth == "healthy" {
                self.accused.push(format!("{} user {id}: {said}", scenario.name));
            } else {
                self.by_cause.entry(truth.clone()).or_default().2 += 1;
            }
            if said != "healthy" {
                self.by_cause.entry(said.clone()).or_default().1 += 1;
            }
            let own = |i: &&why401::diagnosis::Incident| i.actor.as_ref().is_some_and(|actor| is(actor, &id));
            let how = |i: &why401::diagnosis::Incident| format!("{}/{} {:.2}", i.cause, i.kind, i.confidence);
            let incidents: Vec<String> = diagnosis.incidents.iter().filter(own).map(how).collect();
            self.misses.push(format!(
                "{} user {id}: truth {truth}/{}, said {said} {incidents:?}",
                scenario.name,
                user["sub_kind"].as_str().unwrap_or("")
            ));
        }
    }

    /// Every named cause of every known user with its confidence: right if it is the user's own or that of another incident
    /// which the truth has for the user.
    fn add_confidences(&mut self, scenario: &Scenario, sides: Sides, diagnosis: &Diagnosis) {
        for incident in &diagnosis.incidents {
            let Some(actor) = &incident.actor else { continue };
            let named = |user: &&Value| is(actor, &text(&user["user"]));
            let Some(user) = scenario.users().into_iter().find(named) else { continue };
            if beyond(scenario, user, sides).is_some() {
                continue;
            }
            let cause = incident.cause.as_str();
            if cause == "inconclusive" {
                self.unsaid.push(incident.runner_up.as_ref().map_or(0.0, |best| best.confidence));
                continue;
            }
            let also = user["incidents"].as_array().into_iter().flatten().any(|own| own["cause"] == cause);
            self.sure.push((incident.confidence, user["cause"] == cause || also));
        }
    }

    /// How sure the tool is of the causes of what it noticed. Where it names none, that is the chance of the best it has.
    pub fn mean_confidence(&self) -> f64 {
        let said = self.sure.iter().map(|(confidence, _)| confidence);
        let all = said.chain(&self.unsaid);
        all.clone().sum::<f64>() / all.count().max(1) as f64
    }

    fn add_service(&mut self, scenario: &Scenario, diagnosis: &Diagnosis) {
        let globals = scenario.truth["global_incidents"].as_array().cloned().unwrap_or_default();
        let mut used = BTreeSet::new();
        for global in &globals {
            let cause = global["cause"].as_str().unwrap_or_default();
            let ip = global["ip"].as_str();
            let start = global["start"].as_str().unwrap_or_default();
            let end = global["end"].as_str().unwrap_or_default();
            let found = diagnosis.incidents.iter().find(|incident| {
                incident.cause.as_str() == cause
                    && incident.actor.as_ref().is_none_or(|actor| actor.user.is_none())
                    && match ip {
                        Some(ip) => incident.actor.as_ref().is_some_and(|actor| actor.ips.iter().any(|a| a == ip)),
                        None => incident.start.as_str() <= end && incident.end.as_str() >= start,
                    }
            });
            let entry = self.by_cause.entry(cause.to_owned()).or_default();
            match found {
                Some(incident) => {
                    entry.0 += 1;
                    used.insert(incident.id.clone());
                }
                None => {
                    entry.2 += 1;
                    self.misses.push(format!("{}: {cause} at {start} not found", scenario.name));
                }
            }
        }
        for incident in &diagnosis.incidents {
            if incident.scope == why401::diagnosis::Scope::Service && !used.contains(&incident.id) {
                self.by_cause.entry(incident.cause.to_string()).or_default().1 += 1;
                self.misses
                    .push(format!("{}: {} at {} is not in the truth", scenario.name, incident.cause, incident.start));
            }
        }
    }

    pub fn f1(&self, cause: &str) -> f64 {
        let (hits, wrong, missed) = self.by_cause.get(cause).copied().unwrap_or_default();
        2.0 * hits as f64 / (2 * hits + wrong + missed).max(1) as f64
    }

    /// Over the causes that the truth has.
    pub fn macro_f1(&self) -> f64 {
        let causes: Vec<&String> =
            self.by_cause.iter().filter(|(_, (hits, _, missed))| hits + missed > 0).map(|(cause, _)| cause).collect();
        causes.iter().map(|cause| self.f1(cause)).sum::<f64>() / causes.len().max(1) as f64
    }

    /// Kinds right among the true positives, as a share.
    pub fn kinds_right(&self) -> f64 {
        self.kinds.0 as f64 / (self.kinds.0 + self.kinds.1).max(1) as f64
    }

    /// Nobody healthy is accused, the causes are right as often as asked, and so are their kinds.
    pub fn assert_bars(&self, macro_f1: f64) {
        assert!(self.accused.is_empty(), "healthy users accused: {:?}", self.accused);
        assert!(self.macro_f1() >= macro_f1, "macro-F1 {:.3}", self.macro_f1());
        assert!(self.kinds_right() >= 0.95, "kinds {:?}", self.kinds);
    }

    pub fn print(&self, title: &str) {
        println!("\n== {title}");
        println!(
            "{:<20} {:>4} {:>4} {:>4}  {:>9} {:>6} {:>6}",
            "cause", "hit", "false", "miss", "precision", "recall", "F1"
        );
        for (cause, (hits, wrong, missed)) in &self.by_cause {
            let precision = *hits as f64 / (hits + wrong).max(1) as f64;
            let recall = *hits as f64 / (hits + missed).max(1) as f64;
            println!(
                "{cause:<20} {hits:>4} {wrong:>4} {missed:>4}  {precision:>9.3} {recall:>6.3} {:>6.3}",
                self.f1(cause)
            );
        }
        let (right, wrong) = self.kinds;
        println!(
            "macro-F1 {:.3}; kinds right {right} of {}; healthy accused {}",
            self.macro_f1(),
            right + wrong,
            self.accused.len()
        );
        for (why, count) in &self.beyond {
            println!("  left out {count}: {why}");
        }
        for line in self.accused.iter().map(|line| format!("ACCUSED {line}")).chain(self.misses.iter().cloned()) {
            println!("  {line}");
        }
    }
}
