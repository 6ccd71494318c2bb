//! A device's trace, as Flutter apps print it. Formats: `../shared/formats/rails-and-dio-observed.md` §4.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write as _;

use super::plan::{Frame, Logger, Person};
use super::server::{Answer, REFRESH, Route, SIGN_IN, SOCKET};
use super::{SECOND, clock::Clock};

/// The trace of one device.
#[derive(Debug)]
pub(super) struct Trace {
    frame: Frame,
    logger: Logger,
    /// What the device's clock shows beyond UTC, microseconds.
    shift: i64,
    pid: usize,
    waiting: BinaryHeap<Reverse<(i64, u64, String)>>,
    sequence: u64,
    clock: Clock,
}

impl Trace {
    pub(super) fn new(person: &Person, place: usize) -> Self {
        Self {
            frame: person.frame,
            logger: person.logger,
            shift: (person.zone.0 + person.clock_error) * SECOND,
            pid: 5000 + place * 7,
            waiting: BinaryHeap::new(),
            sequence: 0,
            clock: Clock::default(),
        }
    }

    /// What the app printed, whole.
    pub(super) fn text(mut self) -> String {
        let mut out = String::new();
        while let Some(Reverse((_, _, text))) = self.waiting.pop() {
            out.push_str(&text);
        }
        out
    }

    /// A print of one or several lines.
    pub(super) fn say(&mut self, time: i64, text: &str) {
        let mut out = String::new();
        for line in text.split('\n') {
            let stamp = self.clock.local(time + self.shift);
            let _ = match self.frame {
                Frame::Iso => write!(out, "[{stamp}] "),
                Frame::Logcat => write!(
                    out,
                    "{} {} {:>5} {:>5} I flutter : ",
                    &stamp[5..10],
                    &stamp[11..23],
                    self.pid,
                    self.pid + 31
                ),
                Frame::FlutterRun => write!(out, "I/flutter ({:>5}): ", self.pid),
                Frame::Ios => write!(out, "flutter: "),
            };
            out.push_str(line);
            out.push('\n');
        }
        self.sequence += 1;
        self.waiting.push(Reverse((time, self.sequence, out)));
    }

    /// A call as the app's HTTP logger shows it. `answer`: none if nothing came back.
    #[allow(clippy::too_many_arguments, reason = "the parts of one call")]
    pub(super) fn call(
        &mut self,
        time: i64,
        lasts: i64,
        route: &Route,
        token: Option<&str>,
        id: &str,
        answer: Option<Answer>,
        lifetime: i64,
    ) {
        let url = format!("https://api.harborline.example{}", route.path);
        let end = time + lasts;
        let status = answer.map(Answer::status);
        let why = match answer {
            Some(Answer::Refused(why) | Answer::Denied(why)) => why,
            _ => "",
        };
        let gives =
            status == Some(200) && (route.path == SIGN_IN.path || route.path == REFRESH.path) && route.method == "POST";
        match self.logger {
            Logger::OneLine => match status {
                Some(status) if status >= 400 => {
                    self.say(end, &format!("api {} {} failed: {status}", route.method, route.path))
                }
                None => self.say(end, &format!("api {} {} failed: connectionError", route.method, route.path)),
                Some(_) if gives => self.say(end, &format!("session token expires in {lifetime}s")),
                Some(_) => {}
            },
            Logger::LogInterceptor => {
                let bearer = token.map_or(String::new(), |token| format!("\n Authorization: Bearer {token}"));
                self.say(time, &format!("*** Request ***\nuri: {url}\nmethod: {}\nresponseType: ResponseType.json\nfollowRedirects: true\nextra: {{}}\nheaders:\n Accept: application/json{bearer}\n", route.method));
                let date = DateHeader(end).text();
                match status {
                    Some(status) if status < 400 => self.say(end, &format!("*** Response ***\nuri: {url}\nstatusCode: {status}\nstatusMessage: OK\nheaders:\n date: {date}\n x-request-id: {id}\n")),
                    Some(status) => self.say(end, &format!("*** DioException ***:\nuri: {url}\nDioException [bad response]: This exception was thrown because the response has a status code of {status} and RequestOptions.validateStatus was configured to throw for this status code.\nThe status code of {status} has the following meaning: \"Client error - the request contains bad syntax or cannot be fulfilled\"\n\n*** Response ***\nuri: {url}\nstatusCode: {status}\nheaders:\n date: {date}\n x-request-id: {id}\n\n")),
                    None => self.say(end, &format!("*** DioException ***:\nuri: {url}\nDioException [connection error]: The connection errored: Failed host lookup: 'api.harborline.example' This indicates an error which most likely cannot be solved by the library.\nError: SocketException: Failed host lookup: 'api.harborline.example' (OS Error: No address associated with hostname, errno = 7)\n\n")),
                }
            }
            Logger::Pretty => {
                let bar = "═".repeat(90);
                let header = token
                    .map_or(String::new(), |token| format!("\n╔ Headers \n╟ Authorization: Bearer {token}\n╚{bar}╝"));
                self.say(time, &format!("\n╔╣ Request ║ {} \n║  {url}\n╚{bar}╝{header}", route.method));
                let ms = lasts / 1000;
                match status {
                    Some(status) if status < 400 => {
                        let body = if gives { format!("\n╔ Body\n║\n║    {{\n║         \"expires_in\": {lifetime}\n║    }}\n║\n╚{bar}╝") } else { String::new() };
                        self.say(end, &format!("\n╔╣ Response ║ {} ║ Status: {status} OK  ║ Time: {ms} ms\n║  {url}\n╚{bar}╝{body}", route.method));
                    }
                    Some(status) => self.say(end, &format!("\n╔╣ DioError ║ Status: {status} Unauthorized ║ Time: {ms} ms\n║  {url}\n╚{bar}╝\n╔ DioExceptionType.badResponse\n║    {{\n║         \"error\": \"{why}\"\n║    }}\n╚{bar}╝")),
                    None => self.say(end, &format!("\n╔╣ DioError ║ DioExceptionType.connectionError\n║  {url}\n╚{bar}╝")),
                }
            }
        }
    }

    pub(super) fn opened(&mut self, time: i64, restored: Option<&str>) {
        self.say(time, "Harborline 5.2.0 (880) starting");
        match restored {
            Some(user) => {
                self.moved(time + 40_000, "SessionUnknown", "AppOpened", &format!("SessionSignedIn(memberId: {user})"))
            }
            None => {
                self.say(time + 30_000, "vault: nothing stored");
                self.moved(time + 40_000, "SessionUnknown", "AppOpened", "SessionSignedOut");
            }
        }
    }

    pub(super) fn moved(&mut self, time: i64, from: &str, event: &str, to: &str) {
        self.say(
            time,
            &format!(
                "onTransition -- SessionBloc, Transition {{ currentState: {from}, event: {event}, nextState: {to} }}"
            ),
        );
    }

    pub(super) fn socket(&mut self, time: i64, well: bool) {
        self.say(time, &format!("[ActionCable] connecting to wss://api.harborline.example{SOCKET}"));
        if well {
            self.say(time + 90_000, "[ActionCable] connected (welcome)");
        } else {
            self.say(time + 80_000, "[ActionCable] disconnect received: {\"type\":\"disconnect\",\"reason\":\"unauthorized\",\"reconnect\":false}");
            self.say(time + 90_000, "[ActionCable] closed code=1000 reason=");
        }
    }
}

/// `date: Thu, 19 Nov 2026 22:09:44 GMT`.
struct DateHeader(i64);

impl DateHeader {
    fn text(&self) -> String {
        chrono::DateTime::from_timestamp(self.0.div_euclid(SECOND), 0)
            .unwrap_or_default()
            .format("%a, %d %b %Y %H:%M:%S GMT")
            .to_string()
    }
}
