//! Logs written out by hand, of a service whose tokens live an hour and whose apps refresh at 52 minutes. The case is user 41.

use std::fmt::Write as _;

use super::scenario::diagnose_logs;

/// A server's log by minutes, in the order of time.
#[derive(Default)]
pub struct Log {
    lines: Vec<(i64, String)>,
    requests: u64,
    /// Which of the server's processes writes, from 0.
    process: u32,
}

/// Milliseconds of a minute.
pub const MINUTE: i64 = 60_000;
/// A second, in the same unit.
pub const SECOND: i64 = 1000;

impl Log {
    /// The service around the case: people who refresh in time, and three whose tokens ran out, so that a lifetime is known.
    pub fn new() -> Self {
        let mut log = Self::default();
        for (user, offset) in [(1, 0), (2, 2), (3, 3), (4, 5)] {
            let start = offset * MINUTE;
            log.sign_in(start, user).calls(start, start + 51 * MINUTE, user);
            log.refresh(start + 52 * MINUTE, user, 200).calls(start + 52 * MINUTE, start + 100 * MINUTE, user);
        }
        for (user, offset) in [(11, 1), (12, 4), (13, 6)] {
            let start = offset * MINUTE;
            log.sign_in(start, user).calls(start, start + 59 * MINUTE, user);
            log.call(start + 61 * MINUTE, user, "/v2/rota", 401).refresh(start + 61 * MINUTE + SECOND, user, 200);
            log.calls(start + 62 * MINUTE, start + 100 * MINUTE, user);
        }
        log
    }

    /// From now on this process writes.
    pub fn process(&mut self, process: u32) -> &mut Self {
        self.process = process;
        self
    }

    pub fn line(&mut self, time: i64, tags: &str, text: &str) {
        let frame = format!(
            "I, [{}.{:03}000 #{}]  INFO --",
            stamp_seconds(time).replace(' ', "T"),
            time % 1000,
            77 + self.process
        );
        self.lines.push((time, format!("{frame} : {tags}{text}")));
    }

    pub fn request(&mut self, time: i64, ip: &str, call: &str, action: &str, status: u16, said: &[String]) {
        self.requests += 1;
        let id = format!("[{:08x}-1111-4222-8333-444455556666] ", self.requests);
        let at = stamp_seconds(time);
        let (method, path) = call.split_once(' ').expect("a method and a path");
        self.line(time, &id, &format!("Started {method} \"{path}\" for {ip} at {at} +0000"));
        self.line(time + 1, &id, &format!("Processing by {action} as JSON"));
        for text in said {
            self.line(time + 9, &id, text);
        }
        if status == 401 && !action.contains("Sessions") {
            self.line(time + 19, &id, "Filter chain halted as :require_member rendered or redirected");
        }
        self.line(time + 20, &id, &format!("Completed {status} Word in 19ms (ActiveRecord: 1.0ms)"));
        if status == 500 {
            self.line(time + 21, &id, "  ");
            self.line(time + 21, &id, "NoMethodError (undefined method `grants' for nil):");
        }
    }

    pub fn call(&mut self, time: i64, user: u32, path: &str, status: u16) -> &mut Self {
        let said = if status == 401 { Vec::new() } else { vec![format!("member={user} {path}")] };
        self.request(time, &ip(user), &format!("GET {path}"), &action(path), status, &said);
        self
    }

    /// A call every five minutes.
    pub fn calls(&mut self, from: i64, to: i64, user: u32) -> &mut Self {
        let mut time = from + SECOND;
        while time <= to {
            self.call(time, user, "/v2/rota", 200);
            time += 5 * MINUTE;
        }
        self
    }

    pub fn sign_in(&mut self, time: i64, user: u32) -> &mut Self {
        let parameters = "  Parameters: {\"email\"=>\"[FILTERED]\", \"password\"=>\"[FILTERED]\"}".to_owned();
        let said = [parameters, format!("signed in member={user}")];
        self.request(time, &ip(user), "POST /v2/sessions", "SessionsController#create", 200, &said);
        self
    }

    pub fn refresh(&mut self, time: i64, user: u32, status: u16) -> &mut Self {
        let parameters = "  Parameters: {\"refresh_token\"=>\"[FILTERED]\"}".to_owned();
        self.request(time, &ip(user), "POST /v2/sessions/renew", "SessionsController#renew", status, &[parameters]);
        self
    }

    pub fn hidden(&mut self, time: i64, user: u32) -> &mut Self {
        let parameters = "  Parameters: {\"refresh_token\"=>\"[FILTERED]\"}".to_owned();
        let error = "Renewal: grant check raised NoMethodError: undefined method `grants' for nil".to_owned();
        self.request(time, &ip(user), "POST /v2/sessions/renew", "SessionsController#renew", 200, &[parameters, error]);
        self
    }

    pub fn sign_out(&mut self, time: i64, user: u32) -> &mut Self {
        self.request(
            time,
            &ip(user),
            "DELETE /v2/sessions",
            "SessionsController#destroy",
            200,
            &[format!("member={user}")],
        );
        self
    }

    pub fn password(&mut self, time: i64, user: u32, from: &str) -> &mut Self {
        let parameters =
            "  Parameters: {\"current_password\"=>\"[FILTERED]\", \"new_password\"=>\"[FILTERED]\"}".to_owned();
        let said = [parameters, format!("member={user}")];
        self.request(time, from, "PATCH /v2/password", "PasswordsController#update", 200, &said);
        self
    }

    fn upgrade(&mut self, time: i64, user: u32) {
        self.requests += 1;
        let id = format!("[{:08x}-1111-4222-8333-444455556666] ", self.requests);
        let (ip, at) = (ip(user), stamp_seconds(time));
        self.line(time, &id, &format!("Started GET \"/cable?token=[FILTERED]\" for {ip} at {at} +0000"));
        self.line(
            time + 1,
            &id,
            &format!("Started GET \"/cable?token=[FILTERED]\" [WebSocket] for {ip} at {at} +0000"),
        );
        self.line(time + 2, &id, "Successfully upgraded to WebSocket (REQUEST_METHOD: GET, HTTP_CONNECTION: Upgrade, HTTP_UPGRADE: websocket)");
    }

    pub fn socket(&mut self, time: i64, user: u32, accepted: bool) -> &mut Self {
        self.upgrade(time, user);
        let (ip, at) = (ip(user), stamp_seconds(time));
        if accepted {
            let tags = format!("[ActionCable] [{user}] ");
            self.line(time + 9, &tags, &format!("Registered connection ({})", gid(user)));
        } else {
            self.line(time + 9, "", "An unauthorized connection attempt was rejected");
            self.line(
                time + 10,
                "",
                &format!("Finished \"/cable?token=[FILTERED]\" [WebSocket] for {ip} at {at} +0000"),
            );
        }
        self
    }

    pub fn closed(&mut self, time: i64, user: u32) -> &mut Self {
        let text = format!(
            "Finished \"/cable?token=[FILTERED]\" [WebSocket] for {} at {} +0000",
            ip(user),
            stamp_seconds(time)
        );
        self.line(time, &format!("[ActionCable] [{user}] "), &text);
        self
    }

    /// A socket that the app lets in as nobody, and its end.
    pub fn anonymous(&mut self, time: i64, until: i64, user: u32) -> &mut Self {
        self.upgrade(time, user);
        let (ip, at) = (ip(user), stamp_seconds(until));
        self.line(
            until,
            "[ActionCable] ",
            &format!("Finished \"/cable?token=[FILTERED]\" [WebSocket] for {ip} at {at} +0000"),
        );
        self
    }

    pub fn bare(&mut self, time: i64, text: &str) -> &mut Self {
        self.lines.push((time, text.to_owned()));
        self
    }

    pub fn text(&self) -> String {
        let mut lines = self.lines.clone();
        lines.sort_by_key(|(time, _)| *time);
        lines.iter().fold(String::new(), |mut out, (_, line)| {
            let _ = writeln!(out, "{line}");
            out
        })
    }

    /// What is said of user 41: `cause/kind` of each incident, in the order of the report.
    pub fn said(&self) -> Vec<String> {
        self.said_with("")
    }

    /// The same with the device's trace beside.
    pub fn said_with(&self, trace: &str) -> Vec<String> {
        let mut logs = vec![("server.log".to_owned(), self.text().into_bytes())];
        if !trace.is_empty() {
            logs.push(("client.log".to_owned(), trace.as_bytes().to_vec()));
        }
        let diagnosis = diagnose_logs(&logs);
        let of_41 = |incident: &&why401::diagnosis::Incident| {
            incident.actor.as_ref().is_some_and(|actor| actor.user.as_deref() == Some("41"))
        };
        diagnosis
            .incidents
            .iter()
            .filter(of_41)
            .map(|incident| format!("{}/{}", incident.cause, incident.kind))
            .collect()
    }

    pub fn diagnosis(&self) -> why401::Diagnosis {
        diagnose_logs(&[("server.log".to_owned(), self.text().into_bytes())])
    }

    pub fn attackers(&self) -> usize {
        let found = self.diagnosis().incidents;
        found.iter().filter(|incident| incident.cause.as_str() == "credential_attack").count()
    }
}

pub fn stamp_seconds(time: i64) -> String {
    let seconds = time / 1000;
    let hours = 8 + seconds.div_euclid(3600);
    let (day, hour) = (4 + hours.div_euclid(24), hours.rem_euclid(24));
    format!("2026-05-{day:02} {hour:02}:{:02}:{:02}", seconds.rem_euclid(3600) / 60, seconds.rem_euclid(60))
}

pub fn ip(user: u32) -> String {
    format!("81.2.3.{user}")
}

pub fn action(path: &str) -> String {
    match path {
        "/v2/rota" => "RotaController#index".to_owned(),
        "/v2/exports" => "ExportsController#index".to_owned(),
        "/v2/team" => "TeamController#index".to_owned(),
        _ => "HomeController#index".to_owned(),
    }
}

/// `gid://rota/Member/41` as ActionCable prints it.
pub fn gid(user: u32) -> &'static str {
    match user {
        1 => "Z2lkOi8vcm90YS9NZW1iZXIvMQ",
        2 => "Z2lkOi8vcm90YS9NZW1iZXIvMg",
        3 => "Z2lkOi8vcm90YS9NZW1iZXIvMw",
        41 => "Z2lkOi8vcm90YS9NZW1iZXIvNDE",
        _ => panic!("user {user} has no sockets"),
    }
}

pub fn is(said: &[String], cause: &str) -> bool {
    said.iter().any(|said| said.starts_with(cause))
}

/// Signs in at 0, refreshes at 52 minutes, works on.
pub fn renewed() -> Log {
    let mut log = Log::new();
    log.sign_in(0, 41).socket(2 * SECOND, 41, true).calls(0, 51 * MINUTE, 41).refresh(52 * MINUTE, 41, 200);
    log
}

/// A trace in UTC: seconds since 08:00 and what was printed.
pub fn trace(lines: &[(i64, &str)]) -> String {
    let start = "[2026-05-04T08:00:00.000500] onTransition -- AuthBloc, Transition { currentState: AuthLoading, event: LoginPressed, nextState: AuthAuthenticated(userId: 41) }\n";
    lines.iter().fold(start.to_owned(), |mut out, (seconds, text)| {
        let stamp = stamp_seconds(seconds * SECOND).replace(' ', "T");
        let _ = writeln!(out, "[{stamp}.000000] {text}");
        out
    })
}

/// What a device's trace alone says of user 41.
pub fn diagnose_trace(lines: &[(i64, &str)]) -> Vec<String> {
    let diagnosis = diagnose_logs(&[("client.log".to_owned(), trace(lines).into_bytes())]);
    diagnosis.incidents.iter().map(|incident| format!("{}/{}", incident.cause, incident.kind)).collect()
}
