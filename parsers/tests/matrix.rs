//! Every server dialect in every envelope that can carry it, and envelopes in envelopes: the events are those of the bare lines.

mod common;

use common::read_chunks;
use proptest::prelude::*;
use why401_parsers::detect::MOST_ENVELOPES;
use why401_parsers::envelope::ENVELOPES;
use why401_parsers::event::{Event, Name, Names, Socket, What};
use why401_parsers::line::Framing;

const ID: &str = "5e908487-1111-4222-8333-0123456789ab";

/// Lines of each server dialect that say something: a request that was refused, sockets, a restart.
fn payloads() -> Vec<(&'static str, Vec<String>)> {
    let tagged = |text: &str| format!("[{ID}] {text}");
    let rails = [
        "Started POST \"/api/v1/auth/refresh\" for 203.0.113.7 at 2026-11-16 06:03:52 +0000",
        "Processing by AuthController#refresh as JSON",
        "  Parameters: {\"refresh_token\"=>\"[FILTERED]\"}",
        "Completed 401 Unauthorized in 3ms (Views: 0.2ms | ActiveRecord: 0.0ms (0 queries, 0 cached) | GC: 0.0ms)",
    ];
    vec![
        ("rails", rails.iter().map(|text| tagged(text)).collect()),
        (
            "rails under Ruby's formatter",
            rails
                .iter()
                .map(|text| format!("I, [2026-11-16T06:03:52.068658 #72]  INFO -- : {}", tagged(text)))
                .collect(),
        ),
        (
            "action-cable",
            vec![
                tagged("Started GET \"/cable\" [WebSocket] for 203.0.113.7 at 2026-11-16 06:03:52 +0000"),
                tagged(
                    "Successfully upgraded to WebSocket (REQUEST_METHOD: GET, HTTP_CONNECTION: Upgrade, HTTP_UPGRADE: websocket)",
                ),
                "An unauthorized connection attempt was rejected".to_owned(),
                "[ActionCable] [42] Registered connection (Z2lkOi8vYXBwL1VzZXIvNDI)".to_owned(),
                "Finished \"/cable\" [WebSocket] for 203.0.113.7 at 2026-11-16 06:03:53 +0000".to_owned(),
            ],
        ),
        (
            "lograge-key-value",
            vec![tagged(
                "method=GET path=/api/v1/feed format=json controller=FeedController action=index status=401 duration=2.15 view=0.10 db=0.00 user_id=42 ip=203.0.113.7",
            )],
        ),
        (
            "lograge-json",
            vec![format!(
                r#"{{"method":"GET","path":"/api/v1/feed","format":"json","controller":"FeedController","action":"index","status":401,"duration":2.15,"user_id":42,"ip":"203.0.113.7","request_id":"{ID}"}}"#
            )],
        ),
        (
            "logstasher",
            vec![format!(
                r#"{{"method":"GET","path":"/api/v1/feed","controller":"feed","action":"index","status":401,"duration":2.1,"route":"feed#index","ip":"203.0.113.7","request_id":"{ID}","tags":["request"],"@timestamp":"2026-11-16T06:03:52.068Z","@version":"1"}}"#
            )],
        ),
        (
            "lograge-ltsv",
            vec!["method:GET\tpath:/api/v1/feed\tformat:json\tcontroller:FeedController\tstatus:401\tduration:2.15".to_owned()],
        ),
        (
            "json-requests",
            vec![
                r#"{"ts":"2026-11-16T06:03:52.068Z","http_method":"GET","uri":"/api/v1/feed","status_code":401,"client_ip":"203.0.113.7","userId":42}"#
                    .to_owned(),
            ],
        ),
        (
            "rails-events",
            vec![format!(
                r#"{{"name":"action_controller.request_completed","payload":{{"controller":"FeedController","action":"index","status":401}},"tags":{{}},"context":{{"request_id":"{ID}","user_id":42,"ip":"203.0.113.7","method":"GET","path":"/api/v1/feed"}},"timestamp":1794809032078658123}}"#
            )],
        ),
        (
            "semantic-logger",
            vec![format!(
                "2026-11-16 06:03:52.168658 I [7872:puma 001] {{request_id: {ID}, user_id: 42}} (2.150ms) FeedController -- Completed #index -- {{:controller=>\"FeedController\", :method=>\"GET\", :path=>\"/api/v1/feed\", :status=>401}}"
            )],
        ),
        (
            "access-log",
            vec![
                r#"203.0.113.7 - - [16/Nov/2026:06:03:52 +0000] "GET /api/v1/feed HTTP/1.1" 401 12 "-" "Dart/3.5 (dart:io)""#
                    .to_owned(),
            ],
        ),
        ("puma", vec!["Puma starting in cluster mode...".to_owned(), "- Gracefully stopping, waiting for requests to finish".to_owned()]),
        (
            "exception",
            vec![
                tagged("Completed 500 Internal Server Error in 3ms (ActiveRecord: 0.0ms | Allocations: 7)"),
                tagged("NoMethodError (undefined method `tokens' for an instance of User):"),
                tagged("app/services/token_refresh_service.rb:64:in `call'"),
            ],
        ),
    ]
}

type Wrap = fn(&str) -> String;

fn json(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

/// Every envelope that can carry any line of a server.
const WRAPS: &[(&str, Wrap)] = &[
    ("render-text", |text| format!("2026-11-16 06:03:52  {text}")),
    ("render-json", |text| {
        format!(
            r#"{{"id":"1","labels":[{{"name":"type","value":"app"}}],"message":{},"timestamp":"2026-11-16T06:03:52.068658Z"}}"#,
            json(text)
        )
    }),
    ("render's API", |text| {
        format!(
            r#"{{"hasMore":false,"logs":[{{"id":"1","labels":[],"message":{},"timestamp":"2026-11-16T06:03:52.068658Z"}}]}}"#,
            json(text)
        )
    }),
    ("syslog", |text| format!("<6>1 2026-11-16T06:03:52.068658Z my-api srv-d3k8 72019 srv-d3k8 - {text}")),
    ("syslog with a count", |text| format!("99 <190>1 2026-11-16T06:03:52+00:00 host app web.1 - {text}")),
    ("syslog-bsd", |text| format!("<134>Nov 16 06:03:52 web1 puma[1234]: {text}")),
    ("journald short", |text| format!("Nov 16 06:03:52 web1 puma[1234]: {text}")),
    ("journald short-iso", |text| format!("2026-11-16T06:03:52+0000 web1 puma[1234]: {text}")),
    ("journald-json", |text| {
        format!(
            r#"{{"__REALTIME_TIMESTAMP":"1794809032068658","_PID":"1234","PRIORITY":"6","MESSAGE":{}}}"#,
            json(text)
        )
    }),
    ("heroku", |text| format!("2026-11-16T06:03:52.068658+00:00 app[web.1]: {text}")),
    ("cri", |text| format!("2026-11-16T06:03:52.068658123Z stdout F {text}")),
    ("kubectl", |text| format!("[pod/web-6d4f9c7b8-x2x9p/rails] {text}")),
    ("stern", |text| format!("web-6d4f9c7b8-x2x9p rails {text}")),
    ("docker-json", |text| {
        format!(r#"{{"log":{},"stream":"stdout","time":"2026-11-16T06:03:52.068658123Z"}}"#, json(&format!("{text}\n")))
    }),
    ("timestamp", |text| format!("2026-11-16T06:03:52.068658123Z {text}")),
    ("compose", |text| format!("web-1  | {text}")),
    ("foreman", |text| format!("06:03:52 web.1  | {text}")),
    ("fly", |text| format!("2026-11-16T06:03:52Z app[148ed193] fra [info]{text}")),
    ("cloudwatch-tail", |text| format!("2026-11-16T06:03:52.068000+00:00 web/web/0a1b2c3d {text}")),
    ("cloudwatch-json", |text| {
        format!(
            r#"{{"events":[{{"timestamp":1794809032068,"message":{},"ingestionTime":1794809033000}}]}}"#,
            json(text)
        )
    }),
    ("gcp", |text| {
        format!(
            r#"{{"insertId":"a","logName":"p","textPayload":{},"timestamp":"2026-11-16T06:03:52.068658Z"}}"#,
            json(text)
        )
    }),
    ("datadog", |text| {
        format!(r#"{{"_id":"a","date":"2026-11-16T06:03:52.068Z","status":"info","message":{}}}"#, json(text))
    }),
    ("papertrail", |text| {
        format!("123\t2026-11-16T06:03:52Z\t2026-11-16T06:03:53Z\t77\tweb1\t203.0.113.1\tUser\tInfo\tapp/web.1\t{text}")
    }),
    ("logcli", |text| format!(r#"2026-11-16T06:03:52Z {{app="web"}} {text}"#)),
    ("loki", |text| {
        format!(r#"{{"labels":{{"app":"web"}},"line":{},"timestamp":"2026-11-16T06:03:52.068658123Z"}}"#, json(text))
    }),
    ("fluent-bit", |text| format!(r#"{{"date":1794809032.068658,"log":{},"stream":"stdout"}}"#, json(text))),
    ("fluentd", |text| format!("2026-11-16T06:03:52+00:00\tapp.web\t{{\"log\":{}}}", json(text))),
    ("vector", |text| {
        format!(r#"{{"message":{},"source_type":"docker_logs","timestamp":"2026-11-16T06:03:52.068658Z"}}"#, json(text))
    }),
    ("github-actions", |text| format!("2026-11-16T06:03:52.0686581Z {text}")),
    ("gh run view", |text| format!("build\tRun tests\t2026-11-16T06:03:52.0686581Z {text}")),
    ("csv-export", |text| format!("\"2026-11-16T06:03:52.068Z\",\"web1\",\"api\",\"{}\"", text.replace('"', "\"\""))),
    ("otlp-logs", |text| {
        format!(
            r#"{{"timeUnixNano":"1794809032068658000","severityText":"INFO","body":{{"stringValue":{}}}}}"#,
            json(text)
        )
    }),
    ("ruby-logger", |text| format!("I, [2026-11-16T06:03:52.068658 #72]  INFO -- : {text}")),
    ("semantic-logger", |text| format!("2026-11-16 06:03:52.068658 I [7872:puma 001] Rails -- {text}")),
    ("json-logger", |text| format!(r#"{{"level":"INFO","time":"2026-11-16T06:03:52.068Z","msg":{}}}"#, json(text))),
];

/// Lines of an app on a phone or in a browser.
const OF_CLIENTS: &[&str] = &[
    "AppLifecycleState.resumed",
    "onTransition -- AuthBloc, Transition { currentState: AuthAuthenticated(userId: 42), event: AuthLoggedOut, nextState: AuthUnauthenticated }",
    "[TokenManager] token refresh failed: 401",
];

/// Every envelope that only a client's lines come in.
const CLIENT_WRAPS: &[(&str, Wrap)] = &[
    ("flutter-run", |text| format!("flutter: {text}")),
    ("flutter-verbose", |text| format!("[ +634 ms] flutter: {text}")),
    ("logcat threadtime", |text| format!("11-16 06:10:00.043  8081  8115 I flutter : {text}")),
    ("logcat brief", |text| format!("I/flutter ( 8036): {text}")),
    ("idevicesyslog", |text| format!("Nov 16 06:10:00 phone Runner(Flutter)[6188] <Notice>: flutter: {text}")),
    ("xcode", |text| format!("2026-11-16 06:10:00.043123+0900 Runner[512:34567] flutter: {text}")),
    ("os-log", |text| {
        format!(
            "2026-11-16 06:10:00.043123+0900 0x1a2b     Default     0x0                  512    0    Runner: (Flutter) flutter: {text}"
        )
    }),
    ("dart-logging", |text| format!("INFO: 2026-11-16 06:10:00.043123: {text}")),
    ("logger-box", |text| format!("│ 💡 {text}")),
    ("browser-console", |text| format!("main.dart.js:48213 {text}")),
    ("app-time", |text| format!("[2026-11-16 06:10:00.043123] {text}")),
    ("client-log", |text| format!("[info] | 6:10:00 43ms | {text}")),
];

/// What happened, apart from when and on which line: an envelope may have another time, and its process.
fn happened(bytes: &[u8]) -> Vec<String> {
    let outcome = read_chunks(Framing::detect(bytes), [bytes]);
    assert_eq!(outcome.balance.unrecognised, 0, "{}", String::from_utf8_lossy(bytes));
    outcome.assembled.events.iter().map(|event| what(event, &outcome.names)).collect()
}

fn what(event: &Event, names: &Names) -> String {
    let text = |name: Option<Name>| name.map(|name| names.text(name).to_owned());
    let whose = format!("{:?} {:?}", text(event.user), text(event.address));
    match &event.what {
        What::Request(request) => format!(
            "{} {} {:?} proxied {} refresh {} fault {} id {:?} {whose}",
            names.text(request.method),
            names.text(request.path),
            request.status,
            request.proxied,
            request.refresh_token,
            request.fault.is_some(),
            event.request_id
        ),
        What::Socket(Socket::Accepted(gid)) => format!("accepted {} {whose}", names.text(*gid)),
        other => format!("{other:?} {whose}"),
    }
}

fn lines(texts: &[String], wraps: &[Wrap]) -> Vec<u8> {
    let wrapped = |text: &String| wraps.iter().fold(text.clone(), |text, wrap| wrap(&text));
    texts.iter().flat_map(|text| (wrapped(text) + "\n").into_bytes()).collect()
}

#[test]
fn every_server_dialect_says_the_same_in_every_envelope() {
    let mut wrong = Vec::new();
    for (dialect, texts) in payloads() {
        let bare = happened(&lines(&texts, &[]));
        assert!(!bare.is_empty(), "{dialect}");
        for (envelope, wrap) in WRAPS {
            let inside = happened(&lines(&texts, &[*wrap]));
            if inside != bare {
                wrong.push(format!("{dialect} in {envelope}: {inside:#?} instead of {bare:#?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_envelope_is_taken_off_inside_every_other() {
    let (_, texts) = payloads().swap_remove(0);
    let bare = happened(&lines(&texts, &[]));
    for (inner, inner_wrap) in WRAPS {
        for (outer, outer_wrap) in WRAPS {
            // A document of many is the outermost there is.
            if !["render's API", "cloudwatch-json"].contains(inner) {
                assert_eq!(happened(&lines(&texts, &[*inner_wrap, *outer_wrap])), bare, "{inner} in {outer}");
            }
        }
    }
}

#[test]
fn every_envelope_of_clients_says_the_same_alone_and_inside_others() {
    let texts: Vec<String> = OF_CLIENTS.iter().map(|text| (*text).to_owned()).collect();
    let bare = happened(&lines(&texts, &[CLIENT_WRAPS[0].1]));
    assert_eq!(bare.len(), texts.len());
    let outer = ["timestamp", "gh run view", "compose", "syslog", "docker-json", "cloudwatch-json"];
    for (inner, inner_wrap) in CLIENT_WRAPS {
        assert_eq!(happened(&lines(&texts, &[*inner_wrap])), bare, "{inner}");
        // Inside a platform's frame a time that any program may write is a server's.
        let of_clients = !["dart-logging", "app-time", "client-log"].contains(inner);
        for (name, wrap) in WRAPS.iter().filter(|(name, _)| of_clients && outer.contains(name)) {
            assert_eq!(happened(&lines(&texts, &[*inner_wrap, *wrap])), bare, "{inner} in {name}");
        }
    }
}

/// An envelope that is not among those above is tested neither alone nor inside another.
#[test]
fn every_envelope_that_is_listed_is_in_these_tests() {
    let (_, server) = payloads().swap_remove(0);
    let client: Vec<String> = OF_CLIENTS.iter().map(|text| (*text).to_owned()).collect();
    let of_servers = WRAPS.iter().map(|(_, wrap)| lines(&server, &[*wrap]));
    let of_clients = CLIENT_WRAPS.iter().map(|(_, wrap)| lines(&client, &[*wrap]));
    let mut seen = [false; MOST_ENVELOPES];
    for bytes in of_servers.chain(of_clients) {
        let balance = read_chunks(Framing::detect(&bytes), [&bytes[..]]).balance;
        seen.iter_mut().zip(balance.envelopes).for_each(|(seen, count)| *seen |= count > 0);
    }
    let unseen = ENVELOPES.iter().zip(seen).filter(|(_, seen)| !seen).map(|(envelope, _)| envelope.name());
    assert_eq!(unseen.collect::<Vec<_>>(), Vec::<&str>::new());
}

/// Found by `any_nesting_of_envelopes_says_the_same`: tabs of a quoted line made all before them a job's name.
#[test]
fn a_step_of_github_actions_in_an_export_in_stern_keeps_its_quotes() {
    let wrap = |name: &str| WRAPS.iter().find(|(known, _)| *known == name).expect("known").1;
    let (_, texts) = payloads().swap_remove(0);
    let chain = [wrap("gh run view"), wrap("csv-export"), wrap("stern")];
    assert_eq!(happened(&lines(&texts, &chain)), happened(&lines(&texts, &[])));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Chains of up to four envelopes, over lines of two dialects that are written in turns.
    #[test]
    fn any_nesting_of_envelopes_says_the_same(
        chain in prop::collection::vec(0..WRAPS.len(), 0..5),
        first in 0..13_usize,
        crlf in any::<bool>(),
        coloured in any::<bool>(),
    ) {
        let (_, texts) = payloads().swap_remove(first);
        let last = chain.len().saturating_sub(1);
        let wraps: Vec<Wrap> = chain
            .iter()
            .enumerate()
            .filter(|(place, wrap)| *place == last || !["render's API", "cloudwatch-json"].contains(&WRAPS[**wrap].0))
            .map(|(_, wrap)| WRAPS[*wrap].1)
            .collect();
        let mut bytes = lines(&texts, &wraps);
        if coloured {
            let lines = bytes.split_inclusive(|byte| *byte == b'\n');
            bytes = lines.flat_map(|line| [b"\x1b[1m\x1b[36m", &line[..4], b"\x1b[0m", &line[4..]].concat()).collect();
        }
        if crlf {
            bytes = String::from_utf8_lossy(&bytes).replace('\n', "\r\n").into_bytes();
            bytes.splice(0..0, *b"\xef\xbb\xbf");
        }
        prop_assert_eq!(happened(&bytes), happened(&lines(&texts, &[])));
    }
}
