//! A server's log in Rails' own text, written again as other loggers write it. Nothing of the parsers is used here.
//!
//! Formats: `../shared/formats/envelopes-and-server.md` and the sources named in `why401 formats`.

use std::collections::{HashMap, HashSet};

use serde_json::json;

/// One line of Rails' text, its frame and request id taken off.
#[derive(Clone)]
struct Said<'l> {
    /// `2026-11-16T06:03:52.068658`; the last one stated where the line has none.
    at: String,
    level: &'l str,
    pid: &'l str,
    id: &'l str,
    text: &'l str,
    framed: bool,
}

/// A request, put together from its lines.
#[derive(Clone, Default)]
struct Call<'l> {
    method: &'l str,
    path: &'l str,
    ip: &'l str,
    controller: &'l str,
    action: &'l str,
    status: &'l str,
    milliseconds: &'l str,
    halted: bool,
}

/// What is to be written.
enum Item<'l> {
    Line(Said<'l>),
    /// At its end.
    Call(Said<'l>, Call<'l>),
}

fn said<'l>(log: &'l str) -> Vec<Said<'l>> {
    let first = log.lines().find_map(|line| line.get(4..30).filter(|_| line.get(1..4) == Some(", [")));
    let started = || log.lines().find_map(started_at);
    let (mut at, mut pid) = (first.map(str::to_owned).or_else(started).expect("the sample has times"), "1");
    log.lines()
        .map(|line| {
            let framed = line.get(1..4) == Some(", [") && line.contains(" -- : ");
            let (mut level, mut text) = ("INFO", line);
            if framed {
                at = line[4..30].to_owned();
                let (head, rest) = line.split_once(" -- : ").unwrap_or_default();
                pid = head[32..].split(']').next().unwrap_or_default();
                level = head.rsplit(' ').next().unwrap_or_default();
                text = rest;
            }
            if let (false, Some(started)) = (framed, started_at(line)) {
                at = started;
            }
            let id = text.strip_prefix('[').and_then(|rest| rest.get(..36)).filter(|id| id.split('-').count() == 5);
            if let Some(rest) = id.and_then(|_| text.get(39..)) {
                text = rest;
            }
            Said { at: at.clone(), level, pid, id: id.unwrap_or_default(), text, framed }
        })
        .collect()
}

/// The time of a line that has no frame, as `Started` states it.
fn started_at(line: &str) -> Option<String> {
    let (_, at) = line.split_once(" at ").filter(|(before, _)| before.contains("Started "))?;
    Some(format!("{}.000000", at.get(..19)?.replace(' ', "T")))
}

fn between<'l>(text: &'l str, before: &str, after: &str) -> &'l str {
    text.split_once(before).map_or("", |(_, rest)| rest.split(after).next().unwrap_or_default())
}

/// Requests that ended become one item; what a logger of whole requests silences is left out.
fn items<'l>(log: &'l str) -> Vec<Item<'l>> {
    let mut open: HashMap<&str, Call<'l>> = HashMap::new();
    let mut items = Vec::new();
    let mut seen = HashSet::new();
    for line in said(log) {
        let text = line.text;
        if text.starts_with("Started ") && !text.contains("[WebSocket]") && !line.id.is_empty() {
            let call = Call {
                method: between(text, "Started ", " "),
                path: between(text, "\"", "\""),
                ip: between(text, "\" for ", " "),
                ..Call::default()
            };
            open.insert(line.id, call);
        } else if let Some(call) = open.get_mut(line.id) {
            if let Some(action) = text.strip_prefix("Processing by ") {
                let (controller, rest) = action.split_once('#').unwrap_or_default();
                (call.controller, call.action) = (controller, rest.split(' ').next().unwrap_or_default());
            } else if text.starts_with("Filter chain halted") {
                call.halted = true;
            } else if text.starts_with("Completed ") {
                let mut call = open.remove(line.id).unwrap_or_default();
                (call.status, call.milliseconds) = (between(text, "Completed ", " "), between(text, " in ", "ms"));
                seen.insert(line.id);
                items.push(Item::Call(line, call));
            } else if !text.trim_start().starts_with("Parameters: ") {
                items.push(Item::Line(line));
            }
        } else {
            items.push(Item::Line(line));
        }
    }
    items
}

fn tagged(line: &Said<'_>) -> String {
    if line.id.is_empty() { line.text.to_owned() } else { format!("[{}] {}", line.id, line.text) }
}

fn framed(line: &Said<'_>, text: &str) -> String {
    if !line.framed {
        return text.to_owned();
    }
    format!("{}, [{} #{}] {:>5} -- : {text}", &line.level[..1], line.at, line.pid, line.level)
}

/// Puma writes to the standard output itself, whatever the app's logger is.
fn by_puma(line: &Said<'_>) -> bool {
    !line.framed && ["Puma ", "* ", "- ", "=== ", "Use Ctrl-C"].iter().any(|start| line.text.starts_with(start))
}

/// Every line in another formatter.
fn by_line(log: &str, write: impl Fn(&Said<'_>) -> String) -> String {
    said(log).iter().map(|line| if by_puma(line) { line.text.to_owned() } else { write(line) } + "\n").collect()
}

/// Requests as one line each; other lines as Ruby's logger writes them.
fn by_request(log: &str, write: impl Fn(&Said<'_>, &Call<'_>) -> String) -> String {
    let text = |item: &Item<'_>| match item {
        Item::Line(line) => framed(line, &tagged(line)) + "\n",
        Item::Call(line, call) => write(line, call) + "\n",
    };
    items(log).iter().map(text).collect()
}

fn path<'c>(call: &Call<'c>) -> &'c str {
    call.path.split('?').next().unwrap_or_default()
}

fn number(text: &str) -> serde_json::Value {
    text.parse::<u64>().map_or(serde_json::Value::Null, Into::into)
}

fn nanoseconds(at: &str) -> i64 {
    let at = chrono::NaiveDateTime::parse_from_str(at, "%Y-%m-%dT%H:%M:%S%.f").expect("a time");
    at.and_utc().timestamp_micros() * 1000
}

fn access(line: &Said<'_>, call: &Call<'_>) -> String {
    let at = chrono::NaiveDateTime::parse_from_str(&line.at, "%Y-%m-%dT%H:%M:%S%.f").expect("a time");
    let Call { method, path, ip, status, .. } = call;
    format!(
        r#"{ip} - - [{}] "{method} {path} HTTP/1.1" {status} 12 "-" "Dart/3.5 (dart:io)""#,
        at.format("%d/%b/%Y:%H:%M:%S +0000")
    )
}

/// One way of logging.
pub struct Rewrite {
    pub name: &'static str,
    pub write: fn(&str) -> String,
    /// What it does not tell that Rails' own text tells.
    pub withholds: &'static str,
}

impl Rewrite {
    /// The mean F1 that it must give, and how many healthy people may be accused.
    pub fn bars(&self) -> (f64, usize) {
        match self.name {
            "access log alone" => (0.65, 0),
            // Threads of one process take turns, so whose answer is whose is a guess.
            "Rails text, Ruby's formatter, no request ids" => (0.8, 0),
            name if name.starts_with("Rails text") || name.ends_with("around Rails' lines") => (1.0, 0),
            _ => (0.95, 0),
        }
    }
}

const fn rewrite(name: &'static str, withholds: &'static str, write: fn(&str) -> String) -> Rewrite {
    Rewrite { name, write, withholds }
}

/// All of them.
pub const REWRITES: &[Rewrite] = &[
    rewrite("Rails text as it was written", "nothing", str::to_owned),
    rewrite("Rails text, Ruby's formatter, no request ids", "which lines belong together", |log| {
        by_line(log, |line| framed(line, line.text))
    }),
    rewrite("Rails text, request ids, no frame", "times but on `Started`, level, process", |log| by_line(log, tagged)),
    rewrite("Rails text, time in front", "process", |log| {
        by_line(log, |line| format!("{}Z {}", line.at, tagged(line)))
    }),
    rewrite("Rails text as JSON (logstash-logger)", "process", |log| {
        by_line(log, |line| {
            json!({"message": tagged(line), "@timestamp": format!("{}Z", line.at), "@version": "1", "severity": line.level, "host": "web1"})
                .to_string()
        })
    }),
    rewrite("Rails text as JSON (ougai)", "level by name", |log| {
        by_line(log, |line| {
            let level = ["INFO", "WARN", "ERROR", "FATAL"]
                .iter()
                .position(|name| *name == line.level)
                .map_or(20, |place| 30 + 10 * place);
            json!({"name": "app", "hostname": "web1", "pid": number(line.pid), "level": level, "time": format!("{}Z", line.at), "v": 0, "msg": tagged(line)})
                .to_string()
        })
    }),
    rewrite("semantic_logger text around Rails' lines", "nothing", |log| {
        by_line(log, |line| {
            let tags = if line.id.is_empty() { String::new() } else { format!("{{request_id: {}}} ", line.id) };
            format!(
                "{} {} [{}:puma srv tp 001] {tags}Rails -- {}",
                line.at.replace('T', " "),
                &line.level[..1],
                line.pid,
                line.text
            )
        })
    }),
    rewrite("semantic_logger JSON around Rails' lines", "nothing", |log| {
        by_line(log, |line| {
            let tags = if line.id.is_empty() { json!({}) } else { json!({"request_id": line.id}) };
            json!({"host": "web1", "application": "App", "timestamp": format!("{}Z", line.at), "level": line.level.to_lowercase(),
                   "pid": number(line.pid), "thread": "puma 001", "named_tags": tags, "name": "Rails", "message": line.text})
            .to_string()
        })
    }),
    rewrite("rails_semantic_logger", "`Started`, parameters, the filter that answered", |log| {
        by_request(log, |line, call| {
            format!(
                "{} I [{}:puma srv tp 001] {{request_id: {}, ip: {}}} ({}.000ms) {} -- Completed #{} -- {{:controller=>\"{}\", :action=>\"{}\", \
                 :format=>\"JSON\", :method=>\"{}\", :path=>\"{}\", :status=>{}}}",
                line.at.replace('T', " "),
                line.pid,
                line.id,
                call.ip,
                call.milliseconds,
                call.controller,
                call.action,
                call.controller,
                call.action,
                call.method,
                path(call),
                call.status
            )
        })
    }),
    rewrite("lograge key=value", "`Started`, parameters, the filter that answered", |log| {
        by_request(log, |line, call| {
            let Call { method, controller, action, status, milliseconds, ip, .. } = call;
            framed(
                line,
                &format!(
                    "method={method} path={} format=json controller={controller} action={action} status={status} allocations=812 duration={milliseconds}.00 view=0.10 db=0.00 request_id={} ip={ip}",
                    path(call),
                    line.id
                ),
            )
        })
    }),
    rewrite("lograge JSON", "`Started`, parameters, the filter that answered", |log| {
        by_request(log, |line, call| {
            json!({"method": call.method, "path": path(call), "format": "json", "controller": call.controller, "action": call.action,
                   "status": number(call.status), "duration": number(call.milliseconds), "view": 0.1, "db": 0.0, "ip": call.ip,
                   "request_id": line.id, "time": format!("{}Z", line.at)})
            .to_string()
        })
    }),
    rewrite("lograge Logstash", "`Started`, parameters, the filter that answered", |log| {
        by_request(log, |line, call| {
            let message =
                format!("[{}] {} {} ({}#{})", call.status, call.method, path(call), call.controller, call.action);
            json!({"method": call.method, "path": path(call), "format": "json", "controller": call.controller, "action": call.action,
                   "status": number(call.status), "duration": number(call.milliseconds), "ip": call.ip, "request_id": line.id,
                   "@timestamp": format!("{}Z", line.at), "@version": "1", "message": message})
            .to_string()
        })
    }),
    rewrite("lograge LTSV", "`Started`, parameters, the filter that answered", |log| {
        by_request(log, |line, call| {
            let Call { method, controller, action, status, milliseconds, ip, .. } = call;
            framed(
                line,
                &format!(
                    "method:{method}\tpath:{}\tformat:json\tcontroller:{controller}\taction:{action}\tstatus:{status}\tduration:{milliseconds}.00\trequest_id:{}\tip:{ip}",
                    path(call),
                    line.id
                ),
            )
        })
    }),
    rewrite("logstasher", "`Started`, parameters, the filter that answered", |log| {
        by_request(log, |line, call| {
            json!({"method": call.method, "path": path(call), "format": "json", "controller": call.controller, "action": call.action,
                   "status": number(call.status), "duration": number(call.milliseconds), "route": format!("{}#{}", call.controller, call.action),
                   "ip": call.ip, "request_id": line.id, "source": "web1", "tags": ["request"], "@timestamp": format!("{}Z", line.at), "@version": "1"})
            .to_string()
        })
    }),
    rewrite("Rails 8.1 events, with context", "`Started`, parameters", |log| {
        by_request(log, |line, call| {
            json!({"name": "action_controller.request_completed",
                   "payload": {"controller": call.controller, "action": call.action, "status": number(call.status), "duration_ms": number(call.milliseconds)},
                   "tags": {}, "context": {"request_id": line.id, "ip": call.ip, "method": call.method, "path": path(call)},
                   "timestamp": nanoseconds(&line.at)})
            .to_string()
        })
    }),
    rewrite("JSON requests of a middleware", "controller, `Started`, parameters", |log| {
        by_request(log, |line, call| {
            json!({"ts": format!("{}Z", line.at), "http_method": call.method, "uri": call.path, "status_code": number(call.status),
                   "client_ip": call.ip, "request_id": line.id, "duration_ms": number(call.milliseconds)})
            .to_string()
        })
    }),
    rewrite("access log beside the app's other lines", "controller, request id, `Started`, parameters", |log| {
        by_request(log, access)
    }),
    rewrite("access log alone", "all but method, path, status, address and time", |log| {
        let line = |item: &Item<'_>| match item {
            Item::Line(_) => None,
            Item::Call(line, call) => Some(access(line, call) + "\n"),
        };
        items(log).iter().filter_map(line).collect()
    }),
];
