//! A proxy's lines beside the app's own: what both say counts once, and the app's lines say more of it.
//!
//! A proxy's log may be of another service, or show what never reached the app. So each of its requests is left out only if the
//! app's log shows it: by its id, or by method, path, status and time. All else counts.

use std::collections::{BTreeMap, HashMap, HashSet};

use why401_parsers::assemble::Assembled;
use why401_parsers::event::{Event, Name, Request, Socket, What};
use why401_parsers::record::Side;
use why401_parsers::secret::RequestId;

use super::section::Scope;
use crate::session::{HOUR, SECOND};

/// Access logs have whole seconds, and hosts' clocks differ by as much.
const SLACK: i64 = 2 * SECOND;

/// nginx writes the end of a request, Apache its start. Longer ones have ended by a timeout on one side.
const LONGEST: i64 = 60 * SECOND;

/// What a proxy says when it, or the client, did not wait for the app's answer; the app's own log has another status.
const GAVE_UP: [u16; 5] = [408, 499, 502, 503, 504];

/// How many requests of a proxy tell how its zone and the app's differ.
const SAMPLE: usize = 200;

/// What the app itself says.
#[derive(Default)]
struct Own {
    ids: HashSet<RequestId>,
    /// By method, path and status, and under `ANY` whatever the status was: when they began and ended.
    calls: HashMap<Call, Vec<(i64, i64)>>,
    /// When the first socket was opened. (A proxy writes of a socket when it ends.)
    socket: Option<i64>,
    /// Requests answered well that are not among the events, by the hour.
    thinned: BTreeMap<i64, u64>,
    /// Its times have zones.
    zoned: bool,
}

/// Method, path and status.
type Call = (Name, Name, Option<u16>);

/// Stands for any status.
const ANY: Option<u16> = Some(0);

impl Own {
    fn of(sources: &[Assembled]) -> Self {
        let mut own = Self { zoned: true, ..Self::default() };
        for source in sources {
            let mut speaks = false;
            for event in &source.events {
                match &event.what {
                    What::Request(request) if of_app(request) => {
                        own.add(event, request);
                        speaks = true;
                    }
                    What::Socket(Socket::Opened | Socket::Upgraded | Socket::Connect(_)) => {
                        own.socket = Some(own.socket.map_or(event.time, |first| first.min(event.time)));
                    }
                    _ => {}
                }
            }
            if speaks {
                own.zoned &= source.clock.zoned;
                for (hour, count) in &source.dropped {
                    *own.thinned.entry(*hour).or_default() += count;
                }
            }
        }
        own.calls.values_mut().for_each(|calls| calls.sort_unstable());
        own
    }

    fn add(&mut self, event: &Event, request: &Request) {
        self.ids.extend(event.request_id);
        let ended = event.ended.map_or(event.time, i64::from).clamp(event.time, event.time + LONGEST);
        for status in [request.status, ANY] {
            self.calls.entry((request.method, request.path, status)).or_default().push((event.time, ended));
        }
    }

    /// Whether the app's log shows this request of a proxy, whose clock is `shift` behind.
    fn shows(&self, event: &Event, request: &Request, shift: i64) -> bool {
        let time = event.time + shift;
        let socket = request.status == Some(101) && self.socket.is_some_and(|first| first <= time + SLACK);
        if event.request_id.is_some_and(|id| self.ids.contains(&id)) || socket {
            return true;
        }
        let among = |status: Option<u16>| {
            let Some(calls) = self.calls.get(&(request.method, request.path, status)) else { return false };
            let from = calls.partition_point(|(begun, _)| *begun < time - SLACK - LONGEST);
            calls[from..].iter().take_while(|(begun, _)| *begun <= time + SLACK).any(|(_, ended)| time <= ended + SLACK)
        };
        // Rack's ETags make a 304 of the app's 200.
        among(request.status)
            || (request.status == Some(304) && among(Some(200)))
            || among(None)
            || (request.status.is_some_and(|status| GAVE_UP.contains(&status)) && among(ANY))
    }

    /// By how much a proxy's clock is behind where one of both has no zone: what makes most of its first requests the app's.
    fn shift(&self, source: &Assembled) -> i64 {
        if self.zoned && source.clock.zoned {
            return 0;
        }
        let sample: Vec<_> = proxied(source).take(SAMPLE).collect();
        let fits = |shift: i64| sample.iter().filter(|(event, request)| self.shows(event, request, shift)).count();
        // The nearest of those that fit best.
        let half_hours = (0..=28).flat_map(|count| [count, -count]);
        half_hours.map(|count| count * HOUR / 2).rev().max_by_key(|shift| fits(*shift)).unwrap_or(0)
    }
}

fn of_app(request: &Request) -> bool {
    request.side == Side::Server && !request.proxied
}

fn proxied(source: &Assembled) -> impl Iterator<Item = (&Event, &Request)> {
    source.events.iter().filter_map(|event| Some((event, event.request().filter(|request| request.proxied)?)))
}

/// Takes out what a proxy says of requests that the app's own lines show, and says how many those were of such that count.
pub(super) fn drop_repeated(sources: &mut [Assembled], scope: &Scope) -> usize {
    if !sources.iter().any(|source| source.proxied) {
        return 0;
    }
    let mut own = Own::of(sources);
    if own.calls.is_empty() && own.thinned.is_empty() {
        return 0;
    }
    let mut dropped = 0;
    for source in sources {
        let shift = own.shift(source);
        let mut shown: Vec<bool> = proxied(source).map(|(event, request)| own.shows(event, request, shift)).collect();
        if shown.contains(&true) {
            // It stands before the app. What was too much to keep of the app's is not among the events, but it is counted.
            for ((event, request), shown) in proxied(source).zip(&mut shown) {
                let well = request.status.is_some_and(|status| (200..400).contains(&status));
                let room =
                    own.thinned.get_mut(&(event.time + shift).div_euclid(HOUR)).filter(|room| well && **room > 0);
                if let (false, Some(room)) = (*shown, room) {
                    *room -= 1;
                    *shown = true;
                }
            }
        }
        let speaks = source.events.iter().any(|event| event.request().is_some_and(of_app));
        if speaks && shown.iter().filter(|shown| **shown).count() * 4 >= shown.len() {
            // A stream of both, as Heroku's: its router is this app's own. What Rails does not log, as files that it hands out,
            // is no request to the app.
            shown.fill(true);
        }
        dropped += proxied(source).zip(&shown).filter(|((event, _), shown)| **shown && scope.has(event)).count();
        let mut shown = shown.into_iter();
        source.events.retain(|event| {
            let proxied = event.request().is_some_and(|request| request.proxied);
            !proxied || !shown.next().unwrap_or(false)
        });
    }
    dropped
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use crate::{Config, Diagnosis, Reading, diagnose};

    /// A request a minute: who, when it ended, with which status.
    const STATUSES: [u16; 6] = [200, 401, 401, 204, 401, 200];

    fn app(zone: &str) -> String {
        let mut log = String::new();
        for (minute, status) in STATUSES.iter().enumerate() {
            let tag = format!("5e908487-1111-4222-8333-0123456789a{minute}");
            let frame = format!("I, [2026-11-16T06:{minute:02}:52.068658 #72]  INFO -- : [{tag}]");
            let _ = writeln!(
                log,
                r#"{frame} Started GET "/api/v1/feed" for 203.0.113.7 at 2026-11-16 06:{minute:02}:52 {zone}"#
            );
            let _ = writeln!(log, "{frame} Completed {status} X in 30ms");
        }
        log
    }

    fn nginx(path: &str, hour: usize, statuses: &[u16]) -> String {
        let line = |(minute, status): (usize, &u16)| {
            format!(
                "203.0.113.7 - - [16/Nov/2026:{hour:02}:{minute:02}:53 +0000] \"GET {path} HTTP/1.1\" {status} 12 \"-\" \"-\"\n"
            )
        };
        statuses.iter().enumerate().map(line).collect()
    }

    fn read(logs: &[(&str, &str)]) -> Diagnosis {
        let mut reading = Reading::new(Config::default(), [3; 16]);
        for (name, log) in logs {
            reading.read_bytes(name, log.as_bytes());
        }
        diagnose(reading)
    }

    fn counts(logs: &[(&str, &str)]) -> (u64, u64) {
        let summary = read(logs).summary;
        (summary.requests, summary.unauthorized)
    }

    #[test]
    fn what_the_app_logs_as_well_counts_once() {
        let (app, nginx) = (app("+0000"), nginx("/api/v1/feed?page=2", 6, &STATUSES));
        assert_eq!(counts(&[("app.log", &app), ("nginx.log", &nginx)]), (6, 3));
        assert_eq!(counts(&[("both.log", &format!("{app}{nginx}"))]), (6, 3));
    }

    #[test]
    fn another_services_requests_and_what_never_reached_the_app_count() {
        let app = app("+0000");
        let other = nginx("/shop/cart", 6, &STATUSES);
        assert_eq!(counts(&[("app.log", &app), ("shop.log", &other)]), (12, 6));
        // The same path at other times, or answered otherwise, is another service's, too.
        let later = nginx("/api/v1/feed", 9, &STATUSES);
        assert_eq!(counts(&[("app.log", &app), ("later.log", &later)]), (12, 6));
        let mixed = nginx("/api/v1/feed", 6, &[200, 401, 403, 502, 401, 200]);
        assert_eq!(counts(&[("app.log", &app), ("proxy.log", &mixed)]), (7, 3));
    }

    #[test]
    fn a_zone_that_the_apps_log_withholds_is_found() {
        let app: String =
            app("").lines().filter(|line| !line.contains("Started")).map(|line| format!("{line}\n")).collect();
        let lograge = app
            .replace("Completed ", "method=GET path=/api/v1/feed format=json controller=F action=i status=")
            .replace(" X in 30ms", " duration=30.00");
        assert_eq!(counts(&[("app.log", &lograge)]), (6, 3));
        // Nine hours east of Greenwich.
        let nginx = nginx("/api/v1/feed", 21, &STATUSES).replace("16/Nov", "15/Nov");
        assert_eq!(counts(&[("app.log", &lograge), ("nginx.log", &nginx)]), (6, 3));
    }
}
