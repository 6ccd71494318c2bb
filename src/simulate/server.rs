//! The server's log, as Rails and Puma write it. Formats: `../shared/formats/rails-and-dio-observed.md` §1 to §3.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::plan::Person;
use super::rng::Rng;
use super::{Dialect, Envelope, Level, MILLI, Options, Withheld, clock::Clock};

/// A route of the app: method, path, controller and action.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) action: &'static str,
}

const fn route(method: &'static str, path: &'static str, action: &'static str) -> Route {
    Route { method, path, action }
}

pub(super) const SIGN_IN: Route = route("POST", "/identity/sessions", "Identity::SessionsController#create");
pub(super) const REFRESH: Route = route("POST", "/identity/sessions/renew", "Identity::SessionsController#renew");
pub(super) const SIGN_OUT: Route = route("DELETE", "/identity/sessions", "Identity::SessionsController#destroy");
pub(super) const PASSWORD: Route = route("PATCH", "/identity/password", "Identity::PasswordsController#update");
/// What the app asks for when it opens.
pub(super) const OPENING: &[Route] = &[
    route("GET", "/mobile/v3/shipments", "Mobile::V3::ShipmentsController#index"),
    route("GET", "/mobile/v3/inbox", "Mobile::V3::InboxController#index"),
    route("GET", "/mobile/v3/berths", "Mobile::V3::BerthsController#index"),
    route("GET", "/mobile/v3/crew/me", "Mobile::V3::CrewController#show"),
];
/// What it asks for meanwhile.
pub(super) const CALLS: &[Route] = &[
    route("GET", "/mobile/v3/inbox/badge", "Mobile::V3::InboxController#badge"),
    route("GET", "/mobile/v3/shipments", "Mobile::V3::ShipmentsController#index"),
    route("GET", "/mobile/v3/shipments/4711", "Mobile::V3::ShipmentsController#show"),
    route("POST", "/mobile/v3/scans", "Mobile::V3::ScansController#create"),
    route("GET", "/mobile/v3/tides", "Mobile::V3::TidesController#index"),
];
/// What a second HTTP client of the app asks for.
pub(super) const EXPORT: Route = route("GET", "/mobile/v3/exports/pending", "Mobile::V3::ExportsController#pending");
/// Where the app's ActionCable is mounted.
pub(super) const SOCKET: &str = "/realtime";

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Well,
    /// Refused for a reason in the app's words.
    Refused(&'static str),
    /// A sign-in or refresh that is refused by the action itself.
    Denied(&'static str),
    /// An exception.
    Raised,
    /// An error that was rescued and logged.
    Hidden,
}

impl Answer {
    pub(super) const fn status(self) -> u16 {
        match self {
            Self::Well | Self::Hidden => 200,
            Self::Refused(_) | Self::Denied(_) => 401,
            Self::Raised => 500,
        }
    }
}

/// A request to the server.
pub(super) struct Request<'r> {
    pub(super) time: i64,
    pub(super) lasts: i64,
    pub(super) route: &'r Route,
    pub(super) person: Option<&'r Person>,
    pub(super) ip: &'r str,
    pub(super) answer: Answer,
}

/// One line or a few that stand together, to be written when their time has come.
type Entry = Reverse<(i64, u64, String)>;

/// Writes the log in order of time, as it becomes certain.
pub(super) struct Server<W> {
    out: W,
    dialect: Dialect,
    envelope: Envelope,
    ids: bool,
    words: bool,
    names: bool,
    hidden_refreshes: bool,
    level: Level,
    waiting: BinaryHeap<Entry>,
    sequence: u64,
    clock: Clock,
    pid: u32,
    /// Nothing before this time is written: the log was cut.
    from: i64,
    pub(super) bytes: u64,
}

impl<W: Write> Server<W> {
    pub(super) fn new(out: W, options: &Options, from: i64) -> Self {
        Self {
            out,
            dialect: options.dialect,
            envelope: options.envelope,
            ids: !options.withholds(Withheld::Tags),
            words: !options.withholds(Withheld::Words),
            names: !options.withholds(Withheld::Names),
            hidden_refreshes: options.withholds(Withheld::Refresh),
            level: options.level,
            waiting: BinaryHeap::new(),
            sequence: 0,
            clock: Clock::default(),
            pid: 4100,
            from,
            bytes: 0,
        }
    }

    fn push(&mut self, time: i64, text: String) {
        if time >= self.from {
            self.sequence += 1;
            self.waiting.push(Reverse((time, self.sequence, text)));
        }
    }

    /// Writes what happened before a time. (Threads take the time before they get the output: a line may come out a few
    /// milliseconds late, which the times of neighbours show.)
    pub(super) fn flush(&mut self, before: i64) -> io::Result<()> {
        while self.waiting.peek().is_some_and(|Reverse((time, ..))| *time < before) {
            let Some(Reverse((time, _, text))) = self.waiting.pop() else { break };
            let text = self.envelope.around(time, text, &mut self.clock);
            self.bytes += text.len() as u64;
            self.out.write_all(text.as_bytes())?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.flush(i64::MAX)?;
        self.out.flush()?;
        Ok(self.bytes)
    }

    fn frame(&mut self, out: &mut String, time: i64, level: &str, tags: &[&str]) {
        match self.dialect {
            Dialect::Rails | Dialect::Rails61 | Dialect::LogrageKv => {
                let letter = level.as_bytes().first().map_or('I', |b| char::from(*b));
                let stamp = self.clock.local(time);
                let _ = write!(out, "{letter}, [{stamp} #{}] {level:>5} -- : ", self.pid);
            }
            Dialect::Rails8 | Dialect::LogrageJson => {}
        }
        if self.dialect != Dialect::LogrageJson {
            for tag in tags.iter().filter(|tag| !tag.is_empty()) {
                let _ = write!(out, "[{tag}] ");
            }
        }
    }

    /// A line of the app's own: without frame and tags its component's name is all that tells it from a dump.
    fn word(&mut self, time: i64, level: &str, tags: &[&str], component: &str, text: &str) {
        let (open, close) = if self.dialect == Dialect::LogrageJson { ("[", "]") } else { ("", ":") };
        self.line(time, level, tags, &format!("{open}{component}{close} {text}"));
    }

    fn line(&mut self, time: i64, level: &str, tags: &[&str], text: &str) {
        if self.level == Level::Warn && matches!(level, "INFO" | "DEBUG") {
            return;
        }
        let mut out = String::with_capacity(96 + text.len());
        self.frame(&mut out, time, level, tags);
        out.push_str(text);
        out.push('\n');
        self.push(time, out);
    }

    /// One request from `time` on; gives its id.
    pub(super) fn request(&mut self, rng: &mut Rng, request: &Request<'_>) -> String {
        let id = rng.uuid();
        if self.hidden_refreshes && request.route.path == REFRESH.path {
            return id;
        }
        if self.level == Level::Warn {
            self.troubles(&id, request);
            return id;
        }
        match self.dialect {
            Dialect::Rails | Dialect::Rails8 | Dialect::Rails61 => self.rails(&id, request, rng),
            Dialect::LogrageKv | Dialect::LogrageJson => self.lograge(&id, request, rng),
        }
        id
    }

    fn rails(&mut self, id: &str, request: &Request<'_>, rng: &mut Rng) {
        let Request { time, lasts, route, person, ip, answer } = *request;
        let id = if self.ids { id } else { "" };
        let (method, path) = (route.method, route.path);
        let mut out = String::with_capacity(512);
        self.frame(&mut out, time, "INFO", &[id]);
        let at = self.clock.local(time)[..19].replace('T', " ");
        let _ = writeln!(out, "Started {method} \"{path}\" for {ip} at {at} +0000");
        if rng.percent(25) {
            self.push(time, std::mem::take(&mut out));
        }
        let begun = time + rng.between(200, 2000);
        self.frame(&mut out, begun, "INFO", &[id]);
        let _ = writeln!(out, "Processing by {} as JSON", route.action);
        let parameters = match (route.method, route.path) {
            ("POST", path) if path == SIGN_IN.path => {
                "{\"email\"=>\"[FILTERED]\", \"password\"=>\"[FILTERED]\", \"session\"=>{\"email\"=>\"[FILTERED]\", \"password\"=>\"[FILTERED]\"}}"
            }
            ("POST", path) if path == REFRESH.path => {
                "{\"refresh_token\"=>\"[FILTERED]\", \"session\"=>{\"refresh_token\"=>\"[FILTERED]\"}}"
            }
            ("PATCH", path) if path == PASSWORD.path => {
                "{\"current_password\"=>\"[FILTERED]\", \"new_password\"=>\"[FILTERED]\"}"
            }
            ("POST", _) => "{\"scan\"=>{\"code\"=>\"HL-7781\"}}",
            (_, path) if path.ends_with("/4711") => "{\"id\"=>\"4711\"}",
            _ => "",
        };
        if !parameters.is_empty() {
            self.frame(&mut out, begun, "INFO", &[id]);
            let _ = writeln!(out, "  Parameters: {parameters}");
        }
        self.push(if out.starts_with("Started") { time } else { begun }, out);
        let end = time + lasts;
        if self.level == Level::Debug
            && let Some(person) = person
        {
            self.looked_up(id, begun + 400, end - 2 * MILLI, answer, person);
        }
        let name = person.filter(|_| self.names).map_or("-", |person| person.id.as_str());
        self.said(end - MILLI, &[id], route, answer, name);
        let mut out = String::with_capacity(256);
        if let Answer::Refused(_) = answer {
            self.frame(&mut out, end, "INFO", &[id]);
            out.push_str("Filter chain halted as :require_member rendered or redirected\n");
        }
        self.frame(&mut out, end, "INFO", &[id]);
        let (ms, db) = (lasts / MILLI, lasts / MILLI / 4);
        let status = match answer.status() {
            200 if route.method == "POST" && route.path.contains("scans") => "201 Created",
            200 => "200 OK",
            401 => "401 Unauthorized",
            _ => "500 Internal Server Error",
        };
        let tail = if self.dialect == Dialect::Rails61 {
            format!("(Views: 0.4ms | ActiveRecord: {db}.1ms | Allocations: 2113)")
        } else {
            format!("(Views: 0.4ms | ActiveRecord: {db}.1ms (4 queries, 1 cached) | GC: 0.6ms)")
        };
        let _ = writeln!(out, "Completed {status} in {ms}ms {tail}");
        if answer == Answer::Raised {
            self.exception(&mut out, end, id);
        }
        self.push(end, out);
    }

    /// What is left of a request where `info` is not logged.
    fn troubles(&mut self, id: &str, request: &Request<'_>) {
        let id = if self.ids { id } else { "" };
        let end = request.time + request.lasts;
        let name = request.person.filter(|_| self.names).map_or("-", |person| person.id.as_str());
        self.said(end - MILLI, &[id], request.route, request.answer, name);
        if request.answer == Answer::Raised {
            let mut out = String::new();
            self.exception(&mut out, end, id);
            self.push(end, out);
        }
    }

    /// What ActiveRecord says at the level of `debug`: the look-up by a token's digest, and of the user where that found one.
    fn looked_up(&mut self, id: &str, from: i64, until: i64, answer: Answer, person: &Person) {
        let text = "  AccessPass Load (0.3ms)  SELECT \"access_passes\".* FROM \"access_passes\" WHERE \"access_passes\".\"digest\" = $1 LIMIT $2  [[\"digest\", \"[FILTERED]\"], [\"LIMIT\", 1]]";
        self.line(from, "DEBUG", &[id], text);
        self.line(from + 80, "DEBUG", &[id], "  ↳ app/controllers/concerns/gatekeeper.rb:18:in `pass'");
        if answer.status() == 200 {
            let user = if self.names { person.id.as_str() } else { "[FILTERED]" };
            let quoted =
                if user.bytes().all(|byte| byte.is_ascii_digit()) { user.to_owned() } else { format!("\"{user}\"") };
            let text = format!(
                "  Member Load (0.2ms)  SELECT \"members\".* FROM \"members\" WHERE \"members\".\"id\" = $1 LIMIT $2  [[\"id\", {quoted}], [\"LIMIT\", 1]]"
            );
            self.line((from + 500).min(until), "DEBUG", &[id], &text);
        }
    }

    fn exception(&mut self, out: &mut String, end: i64, id: &str) {
        self.frame(out, end, "ERROR", &[id]);
        out.push_str("  \n");
        let tag =
            if id.is_empty() || self.dialect == Dialect::LogrageJson { String::new() } else { format!("[{id}] ") };
        for line in [
            "NoMethodError (undefined method `device_grants' for an instance of Member):",
            "  ",
            "app/models/session_renewal.rb:31:in `grant_for'",
            "app/controllers/identity/sessions_controller.rb:44:in `renew'",
        ] {
            let _ = writeln!(out, "{tag}{line}");
        }
    }

    /// The app's own words under a request.
    fn said(&mut self, time: i64, tags: &[&str], route: &Route, answer: Answer, name: &str) {
        match answer {
            Answer::Hidden => self.word(
                time,
                "ERROR",
                tags,
                "SessionRenewal",
                "partner check gave up: undefined method `device_grants' for an instance of Member",
            ),
            Answer::Refused(why) | Answer::Denied(why) if self.words => {
                let text = format!("{why} member={name}");
                self.word(time, "WARN", tags, "gatekeeper", &text);
            }
            Answer::Well
                if self.words
                    && self.names
                    && (route.path == SIGN_IN.path || route.path == REFRESH.path)
                    && route.method == "POST" =>
            {
                let what = if route.path == REFRESH.path { "session renewed" } else { "welcome" };
                let text = format!("{what} member={name}");
                self.word(time, "INFO", tags, "gatekeeper", &text);
            }
            Answer::Well if self.words && self.names => {
                let text = format!("member={name}");
                self.word(time, "INFO", tags, "gatekeeper", &text);
            }
            _ => {}
        }
    }

    fn lograge(&mut self, id: &str, request: &Request<'_>, rng: &mut Rng) {
        let Request { time, lasts, route, person, ip, answer } = *request;
        let end = time + lasts;
        let name = person.filter(|_| self.names).map_or("", |person| person.id.as_str());
        let known =
            if answer.status() == 401 || route.path == SIGN_IN.path || route.path == REFRESH.path { "" } else { name };
        let tag = if self.ids { id } else { "" };
        self.said(end - MILLI, &[tag], route, answer, if name.is_empty() { "-" } else { name });
        let (controller, action) = route.action.split_once('#').unwrap_or((route.action, "index"));
        let status = answer.status();
        let (method, path, allocations) = (route.method, route.path, rng.between(300, 5000));
        let (ms, part) = (lasts / MILLI, rng.between(10, 99));
        let mut out = String::with_capacity(400);
        self.frame(&mut out, end, "INFO", &[tag]);
        if self.dialect == Dialect::LogrageKv {
            let _ = writeln!(
                out,
                "method={method} path={path} format=json controller={controller} action={action} status={status} allocations={allocations} duration={ms}.{part} view=4.10 db=12.33 user_id={known} ip={ip}"
            );
        } else {
            let stamp = &self.clock.local(end)[..23];
            let user = match known {
                "" => "null".to_owned(),
                known if known.bytes().all(|b| b.is_ascii_digit()) => known.to_owned(),
                known => format!("\"{known}\""),
            };
            let request = if self.ids { format!("\"request_id\":\"{id}\",") } else { String::new() };
            let raised = if answer == Answer::Raised {
                "\"exception\":\"NoMethodError: undefined method `device_grants' for an instance of Member\","
            } else {
                ""
            };
            let _ = writeln!(
                out,
                "{{\"method\":\"{method}\",\"path\":\"{path}\",\"format\":\"json\",\"controller\":\"{controller}\",\"action\":\"{action}\",\"status\":{status},\"allocations\":{allocations},\"duration\":{ms}.{part},\"view\":4.1,\"db\":12.33,\"time\":\"{stamp}Z\",{request}{raised}\"user_id\":{user},\"ip\":\"{ip}\"}}"
            );
        }
        if answer == Answer::Raised {
            self.exception(&mut out, end, tag);
        }
        self.push(end, out);
    }

    /// A socket's opening, and what the app says to it.
    pub(super) fn socket(
        &mut self,
        rng: &mut Rng,
        time: i64,
        (person, ip, guest): (&Person, &str, bool),
        token: &str,
        refused: Option<&'static str>,
    ) {
        let id = rng.uuid();
        let id = if self.ids { id.as_str() } else { "" };
        let user = if self.names && !guest { person.id.as_str() } else { "" };
        let after = time + rng.between(3, 40) * MILLI;
        match self.dialect {
            Dialect::LogrageKv | Dialect::LogrageJson => {
                self.cable_call(time, "", "ApplicationCable::Connection", "connect", Some(token));
                if refused.is_some() {
                    self.cable_call(after, "", "ApplicationCable::Connection", "disconnect", Some(token));
                } else {
                    self.cable_call(after, user, "FleetChannel", "subscribe", None);
                }
            }
            _ => {
                let slash = if self.dialect == Dialect::Rails61 { "/" } else { "" };
                let at = self.clock.local(time)[..19].replace('T', " ");
                self.line(
                    time,
                    "INFO",
                    &[id],
                    &format!("Started GET \"{SOCKET}?token=[FILTERED]\" for {ip} at {at} +0000"),
                );
                self.line(
                    time + 300,
                    "INFO",
                    &[id],
                    &format!("Started GET \"{SOCKET}{slash}?token=[FILTERED]\" [WebSocket] for {ip} at {at} +0000"),
                );
                self.line(time + 500, "INFO", &[id], "Successfully upgraded to WebSocket (REQUEST_METHOD: GET, HTTP_CONNECTION: Upgrade, HTTP_UPGRADE: websocket)");
                if let Some(why) = refused {
                    if self.words {
                        self.word(
                            after,
                            "WARN",
                            &[],
                            "gatekeeper",
                            &format!("socket turned away, {why} member={}", if self.names { &person.id } else { "-" }),
                        );
                    }
                    self.line(after + 100, "ERROR", &[], "An unauthorized connection attempt was rejected");
                    self.line(
                        after + 200,
                        "INFO",
                        &[],
                        &format!("Finished \"{SOCKET}{slash}?token=[FILTERED]\" [WebSocket] for {ip} at {at} +0000"),
                    );
                } else {
                    // The line is not written for a connection without an identifier.
                    if !guest {
                        let text = format!("Registered connection ({})", person.gid);
                        self.line(after, "INFO", &["ActionCable", user], &text);
                    }
                    self.line(
                        after + 900,
                        "INFO",
                        &["ActionCable", user],
                        "FleetChannel is streaming from fleet:harbour",
                    );
                }
            }
        }
    }

    fn cable_call(&mut self, time: i64, user: &str, controller: &str, action: &str, token: Option<&str>) {
        if self.dialect == Dialect::LogrageKv {
            let params = token.map_or(String::new(), |token| format!("{{\"token\"=>\"{token}\"}}"));
            let tags = if user.is_empty() { ["", ""] } else { ["ActionCable", user] };
            self.line(time, "INFO", &tags, &format!("method= path= format= params={params} controller={controller} action={action} status=200 allocations=227 duration=3.70"));
        } else {
            let params = token.map_or("null".to_owned(), |token| format!("{{\"token\":\"{token}\"}}"));
            let stamp = self.clock.local(time)[..23].to_owned();
            self.line(time, "INFO", &[], &format!("{{\"method\":null,\"path\":null,\"format\":null,\"params\":{params},\"controller\":\"{controller}\",\"action\":\"{action}\",\"status\":200,\"allocations\":227,\"duration\":3.7,\"time\":\"{stamp}Z\"}}"));
        }
    }

    /// A socket's end.
    pub(super) fn socket_end(
        &mut self,
        time: i64,
        (person, ip, guest): (&Person, &str, bool),
        token: &str,
        removed: bool,
    ) {
        let user = if self.names && !guest { person.id.as_str() } else { "" };
        match self.dialect {
            Dialect::LogrageKv | Dialect::LogrageJson => {
                self.cable_call(time, user, "FleetChannel", "unsubscribe", None);
                self.cable_call(time + 200, user, "ApplicationCable::Connection", "disconnect", Some(token));
            }
            _ => {
                if removed {
                    self.line(time - 200, "INFO", &[], &format!("Removing connection ({})", person.gid));
                }
                let slash = if self.dialect == Dialect::Rails61 { "/" } else { "" };
                let at = self.clock.local(time)[..19].replace('T', " ");
                let text = format!("Finished \"{SOCKET}{slash}?token=[FILTERED]\" [WebSocket] for {ip} at {at} +0000");
                self.line(time, "INFO", &["ActionCable", user], &text);
                self.line(
                    time + 300,
                    "INFO",
                    &["ActionCable", user],
                    "FleetChannel stopped streaming from fleet:harbour",
                );
            }
        }
    }

    /// The server is told to stop and comes up again.
    pub(super) fn restart(&mut self, stop: i64, up: i64) {
        self.push(stop, "- Gracefully stopping, waiting for requests to finish\n".to_owned());
        self.boot(up);
    }

    /// The server's banner.
    pub(super) fn boot(&mut self, time: i64) {
        self.pid += 311;
        let pid = self.pid;
        let text = format!(
            "Puma starting in single mode...\n* Puma version: 6.6.0 (\"Return to Forever\")\n* Ruby version: ruby 3.3.5\n*  Min threads: 5\n*  Max threads: 5\n*  Environment: production\n*          PID: {pid}\n* Listening on http://0.0.0.0:3000\nUse Ctrl-C to stop\n"
        );
        self.push(time, text);
        self.clock = Clock::default();
    }
}
