//! Apps that call their refresh what no vocabulary has, in logs without parameters: it is told by what it does, and the verdicts are those
//! of the log with usual words. Where nothing refreshes, or nothing shows it, nothing is taken for it.

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use support::dialects::REWRITES;
use support::scenario::{Sides, simulated};
use why401::config::Endpoints;
use why401::simulate::{Dialect, Options, Withheld};
use why401::{Config, Diagnosis, Reading, diagnose};

/// Method, path, controller, action of a refresh: in the bundled samples, and as the simulation writes it.
type Called = [&'static str; 3];
const SAMPLES: Called = ["/api/v1/auth/refresh", "Api::V1::AuthController", "refresh"];
const SIMULATED: Called = ["/identity/sessions/renew", "Identity::SessionsController", "renew"];

/// What it is called instead.
const OTHERWISE: [Called; 4] = [
    ["/edge/v7/keys/swap", "Edge::V7::DoorController", "swap"],
    ["/v1/handshake/next", "V1::HandshakesController", "next"],
    ["/member/keepalive", "MembersController", "keepalive"],
    ["/api/v1/me/lease", "Api::V1::LeasesController", "create"],
];

/// A log with the refresh called otherwise, in Rails' text, lograge's JSON or its `key=value`.
fn renamed(log: &str, [path, controller, action]: Called, [new_path, new_controller, new_action]: Called) -> String {
    let ways = |path: &str, controller: &str, action: &str| {
        [
            format!("{controller}#{action}"),
            format!("controller={controller} action={action}"),
            format!(r#""controller":"{controller}","action":"{action}""#),
            format!(r#""action":"{action}","allocations":812,"controller":"{controller}""#),
            path.to_owned(),
        ]
    };
    let new = ways(new_path, new_controller, new_action);
    ways(path, controller, action).iter().zip(&new).fold(log.to_owned(), |log, (old, new)| log.replace(old, new))
}

/// Rails' text as an app writes it that does not log parameters.
fn without_parameters(log: &str) -> String {
    log.lines().filter(|line| !line.contains("  Parameters: {")).map(|line| format!("{line}\n")).collect()
}

fn bundled(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name).join("server.log");
    std::fs::read_to_string(path).expect("bundled")
}

fn rewritten(log: &str, name: &str) -> String {
    let rewrite = REWRITES.iter().find(|rewrite| rewrite.name == name).expect("it is one of them");
    (rewrite.write)(log)
}

fn of_simulation(options: &Options) -> String {
    let (_folder, scenario) = simulated(options);
    let log = scenario.logs(Sides::Server).remove(0).1;
    without_parameters(&String::from_utf8(log).expect("it is text"))
}

fn reading(log: &str, config: Config) -> Reading {
    let mut reading = Reading::new(config, [3; 16]);
    reading.read_bytes("server.log", log.as_bytes());
    reading
}

fn diagnosed(log: &str) -> Diagnosis {
    diagnose(reading(log, Config::default()))
}

/// The endpoints that are taken for the refresh by what they do.
fn inferred(diagnosis: &Diagnosis) -> Vec<&str> {
    let by_behaviour = diagnosis.endpoints.iter().filter(|endpoint| endpoint.by_behaviour);
    by_behaviour
        .map(|endpoint| {
            assert_eq!(endpoint.role, "refresh");
            endpoint.path.as_str()
        })
        .collect()
}

/// Each person's verdict, and the causes and kinds of his incidents.
fn people(diagnosis: &Diagnosis) -> BTreeMap<String, (String, Vec<String>)> {
    let of = |actor: &why401::diagnosis::ActorFinding| {
        let own = diagnosis.incidents.iter().filter(|incident| actor.incidents.contains(&incident.id));
        let mut kinds: Vec<String> = own.map(|incident| format!("{} {}", incident.cause, incident.kind)).collect();
        kinds.sort();
        (format!("{:?} {:?}", actor.user, actor.ips), (actor.verdict.to_string(), kinds))
    };
    diagnosis.actors.iter().map(of).collect()
}

/// The people of whom something else is said.
fn differing(one: &Diagnosis, other: &Diagnosis) -> Vec<String> {
    let (one, other) = (people(one), people(other));
    let differing = one.iter().filter(|(who, said)| other.get(*who) != Some(said));
    differing.map(|(who, said)| format!("{who}: {said:?}, then {:?}", other.get(who))).collect()
}

/// Asserts that a log says the same with the refresh called otherwise, but of so many in a hundred people.
fn says_the_same(what: &str, log: &str, called: Called, percent: usize) {
    let original = diagnosed(log);
    assert!(original.summary.refreshes > 0 && inferred(&original).is_empty(), "{what}");
    for otherwise in OTHERWISE {
        let log = renamed(log, called, otherwise);
        assert!(!log.contains(called[0]), "{what}");
        let diagnosis = diagnosed(&log);
        assert_eq!(inferred(&diagnosis), [otherwise[0]], "{what}");
        assert!(
            diagnosis.notes.iter().any(|note| note.contains(otherwise[0]) && note.contains("[endpoints]")),
            "{what}"
        );
        assert_eq!(diagnosis.summary.refreshes, original.summary.refreshes, "{what} {otherwise:?}");
        let differing = differing(&original, &diagnosis);
        assert!(
            differing.len() * 100 <= original.actors.len() * percent,
            "{what} {otherwise:?}, {} of {} people:\n{}",
            differing.len(),
            original.actors.len(),
            differing.join("\n")
        );
        // Without it, it would be another diagnosis: the test can fail.
        let stated = Endpoints { refresh: vec!["/nowhere".into()], ..Endpoints::default() };
        let without = diagnose(reading(&log, Config { endpoints: stated, ..Config::default() }));
        assert!(inferred(&without).is_empty() && without.summary.refreshes == 0, "{what}: what is stated stands");
        assert!(differing_much(&original, &without), "{what}");
    }
}

fn differing_much(one: &Diagnosis, other: &Diagnosis) -> bool {
    differing(one, other).len() * 10 > one.actors.len()
}

#[test]
fn the_mixed_sample_says_the_same_under_any_name() {
    let log = bundled("mixed");
    says_the_same("Rails text", &without_parameters(&log), SAMPLES, 0);
    // (The sample ran faster than life, which one line with the end and the length of a request does not survive.)
    let json = rewritten(&log, "semantic_logger JSON around Rails' lines");
    says_the_same("semantic_logger", &without_parameters(&json), SAMPLES, 0);
}

#[test]
fn simulated_mixes_say_the_same_under_any_name() {
    for (dialect, percent) in [(Dialect::LogrageKv, 0), (Dialect::LogrageJson, 2), (Dialect::Rails8, 0)] {
        let options = Options { seed: 6, users: 100, hours: 6.0, dialect, ..Options::default() };
        says_the_same(&format!("{dialect:?}"), &of_simulation(&options), SIMULATED, percent);
    }
}

#[test]
fn a_sign_in_by_its_name_alone_may_be_the_refresh_where_another_is_surely_one() {
    let tokens: Called = ["/users/tokens", "ApiGuard::TokensController", "create"];
    let log = without_parameters(&bundled("mixed"));
    let original = diagnosed(&log);
    let refresh = diagnosed(&renamed(&log, SAMPLES, tokens));
    assert_eq!(inferred(&refresh), [tokens[0]]);
    assert_eq!(differing(&original, &refresh), [""; 0]);
    // Where it is the sign-in, it stays it.
    let sign_in = diagnosed(&renamed(&log, ["/api/v1/auth/login", SAMPLES[1], "login"], tokens));
    assert_eq!(inferred(&sign_in), [""; 0]);
    assert_eq!(differing(&original, &sign_in), [""; 0]);
}

#[test]
fn what_refreshes_is_not_thinned_whatever_it_is_called() {
    let options = Options { seed: 6, users: 100, hours: 8.0, dialect: Dialect::LogrageJson, ..Options::default() };
    let log = renamed(&of_simulation(&options), SIMULATED, OTHERWISE[1]);
    let whole = diagnosed(&log);
    let few = {
        let mut reading = Reading::new(Config::default(), [3; 16]).with_room(1 << 11);
        reading.read_bytes("server.log", log.as_bytes());
        diagnose(reading)
    };
    assert_eq!(inferred(&few), inferred(&whole));
    assert_eq!(few.summary.requests, whole.summary.requests);
    // The first ones are, before it is seen what follows refusals.
    assert!(
        few.summary.refreshes * 10 >= whole.summary.refreshes * 9,
        "{} of {}",
        few.summary.refreshes,
        whole.summary.refreshes
    );
}

#[test]
fn what_is_known_or_never_heals_is_not_looked_for() {
    for sample in ["healthy", "lifetime_expiry-never_refresh", "logout", "mixed", "revoked", "stale_token-ws"] {
        let log = bundled(sample);
        assert!(inferred(&diagnosed(&log)).is_empty(), "{sample}");
        // Nor where the app has none.
        let refreshing: Vec<&str> =
            log.lines().filter(|line| line.contains(SAMPLES[0])).filter_map(request_id).collect();
        let none: String = without_parameters(&log)
            .lines()
            .filter(|line| request_id(line).is_none_or(|id| !refreshing.contains(&id)))
            .map(|line| format!("{line}\n"))
            .collect();
        // And whoever signs in types, whatever that is called.
        let none = renamed(&none, ["/api/v1/auth/login", SAMPLES[1], "login"], OTHERWISE[0]);
        let diagnosis = diagnosed(&none);
        assert!(
            inferred(&diagnosis).is_empty() && diagnosis.summary.refreshes == 0,
            "{sample}: {:?}",
            diagnosis.endpoints
        );
    }
}

fn request_id(line: &str) -> Option<&str> {
    line.split('[').filter_map(|rest| rest.get(..36)).find(|id| id.split('-').map(str::len).eq([8, 4, 4, 4, 12]))
}

#[test]
fn a_healthy_app_has_none_to_show() {
    for dialect in [Dialect::LogrageJson, Dialect::LogrageKv, Dialect::Rails8] {
        let options =
            Options { seed: 3, users: 60, hours: 6.0, mix: vec!["healthy".into()], dialect, ..Options::default() };
        let diagnosis = diagnosed(&renamed(&of_simulation(&options), SIMULATED, OTHERWISE[0]));
        assert!(inferred(&diagnosis).is_empty(), "{dialect:?}");
    }
}

/// What an app posts besides, by when it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Posts {
    /// Each time that it is opened, after its first call.
    Opened,
    /// After each page's calls.
    Pages,
    /// After one call in ten, whatever became of it.
    NowAndThen,
    /// Each half minute.
    Heartbeat,
    /// About each refusal.
    Refusals,
}

const POSTS: [Posts; 5] = [Posts::Opened, Posts::Pages, Posts::NowAndThen, Posts::Heartbeat, Posts::Refusals];

/// lograge's JSON with such posts among its lines.
fn with_posts(log: &str, posts: Posts) -> String {
    let mut calls: Vec<(i64, Value)> = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok().filter(|call| call["ip"].is_string()))
        .map(|call| (millis(&call), call))
        .collect();
    calls.sort_by_key(|(at, _)| *at);
    let mut last: BTreeMap<String, i64> = BTreeMap::new();
    let mut beat: BTreeMap<String, i64> = BTreeMap::new();
    let mut all = Vec::new();
    for (number, (at, call)) in (0_i64..).zip(&calls) {
        let ip = call["ip"].as_str().unwrap_or_default().to_owned();
        let silence = last.insert(ip.clone(), *at).map_or(i64::MAX, |last| at - last);
        // Some hundred milliseconds to two seconds later.
        let soon = at + 100 + number * 7919 % 1900;
        let when: Vec<i64> = match posts {
            Posts::Opened if silence > 300_000 => vec![soon],
            Posts::Pages if silence > 5_000 => vec![soon],
            Posts::NowAndThen if number % 10 == 3 => vec![soon],
            Posts::Refusals if call["status"] == 401 => vec![at + 80],
            Posts::Heartbeat => {
                let from = beat.get(&ip).map_or(*at, |beat| (beat + 30_000).max(at - 600_000));
                let beats: Vec<i64> = (from..=*at).step_by(30_000).collect();
                beats.last().into_iter().for_each(|last| _ = beat.insert(ip.clone(), *last));
                beats
            }
            _ => Vec::new(),
        };
        let post = |at: i64| {
            (
                at,
                json!({"method": "POST", "path": "/v1/pulse", "format": "json", "controller": "V1::PulsesController",
            "action": "create", "status": 201, "duration": 3.0, "time": stated(at), "request_id": format!("{:08x}-0000-4000-8000-{number:012x}", at % (1 << 32)),
            "ip": ip}),
            )
        };
        all.extend(when.into_iter().map(post));
    }
    all.extend(calls);
    all.sort_by_key(|(at, _)| *at);
    all.iter().map(|(_, call)| format!("{call}\n")).collect()
}

fn millis(call: &Value) -> i64 {
    let at = call["time"].as_str().and_then(|at| chrono::DateTime::parse_from_rfc3339(at).ok());
    at.expect("it has a time").timestamp_millis()
}

fn stated(millis: i64) -> String {
    let at = chrono::DateTime::from_timestamp_millis(millis).expect("a time");
    at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[test]
fn what_an_app_posts_besides_is_no_refresh() {
    let options = Options { seed: 6, users: 100, hours: 6.0, dialect: Dialect::LogrageJson, ..Options::default() };
    let visible = renamed(&of_simulation(&options), SIMULATED, OTHERWISE[1]);
    let invisible = of_simulation(&Options { withhold: vec![Withheld::Refresh], ..options });
    for posts in POSTS {
        // Tokens are renewed elsewhere, so that calls succeed again with nothing in between but these.
        let diagnosis = diagnosed(&with_posts(&invisible, posts));
        assert!(inferred(&diagnosis).is_empty(), "{posts:?}: {:?}", diagnosis.notes);
        // And they do not hide what is one.
        assert_eq!(inferred(&diagnosed(&with_posts(&visible, posts))), [OTHERWISE[1][0]], "{posts:?}");
    }
}

/// lograge's `key=value` of some people who are healed by `POST /v1/lease` and else call a little.
fn healed(people: usize) -> Vec<(i64, String)> {
    let mut lines = Vec::new();
    let mut call = |who: usize, millis: usize, method: &str, path: &str, status: u16| {
        let at = i64::try_from(who * 1_000_000 + millis).expect("small");
        lines.push((at, said(at, who, method, path, status)));
    };
    for who in 0..people {
        for spell in [0, 60_000, 300_000] {
            call(who, spell, "GET", "/feed", 200);
            call(who, spell + 400, "GET", "/me", 200);
        }
        call(who, 200_000, "GET", "/feed", 401);
        call(who, 200_500, "POST", "/v1/lease", 200);
        call(who, 200_900, "GET", "/feed", 200);
    }
    lines
}

fn said(at: i64, who: usize, method: &str, path: &str, status: u16) -> String {
    let at = stated(1_700_000_000_000 + at);
    let user = if status == 200 && path != "/v1/lease" { format!(" user_id={who}") } else { String::new() };
    format!("{at} method={method} path={path} format=json status={status} duration=0.00 ip=203.0.113.{who}{user}\n")
}

fn text(lines: &[(i64, String)]) -> String {
    lines.iter().map(|(_, line)| &line[..]).collect()
}

#[test]
fn a_tried_door_is_no_refresh_and_one_that_is_there_is() {
    let mut lines = healed(4);
    assert_eq!(inferred(&diagnosed(&text(&lines))), ["/v1/lease"]);
    lines.push((5_000_000, said(5_000_000, 99, "POST", "/api/auth/refresh", 404)));
    assert_eq!(inferred(&diagnosed(&text(&lines))), ["/v1/lease"], "nothing is there");
    lines.push((6_000_000, said(6_000_000, 1, "POST", "/api/auth/refresh", 200)));
    assert!(inferred(&diagnosed(&text(&lines))).is_empty(), "one is named");
}

#[test]
fn a_client_that_refreshes_elsewhere_shows_that_the_server_has_none() {
    let log = text(&healed(4));
    let with = |trace: &str| {
        let mut reading = reading(&log, Config::default());
        reading.read_bytes("client.log", trace.as_bytes());
        diagnose(reading)
    };
    let trace = |path: &str| {
        format!(
            "flutter: *** Request ***\nflutter: uri: https://id.example.com{path}\nflutter: method: POST\nflutter: *** Response ***\n\
             flutter: uri: https://id.example.com{path}\nflutter: statusCode: 200\n"
        )
    };
    assert_eq!(inferred(&with(&trace("/feed"))), ["/v1/lease"]);
    assert!(inferred(&with(&trace("/oauth/token/refresh"))).is_empty());
}
