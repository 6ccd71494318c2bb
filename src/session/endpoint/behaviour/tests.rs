//! Each guard by a few calls, which without it would pass for those of an app with a refresh.

use std::collections::HashMap;

use why401_parsers::event::{Name, Names};

use super::{COARSE, Call, Person, Role, State, Tally, WRITES, does_otherwise, words};
use crate::session::SECOND;

/// A log of calls.
#[derive(Default)]
struct Log {
    names: Names,
    people: HashMap<Name, Person>,
    tally: Tally,
    /// Whether lines name users.
    anonymous: bool,
}

impl Log {
    /// Somebody's calls from a second on: `0.4 GET /feed 401`, one after the other. Each is answered within a twentieth of a second.
    fn calls(&mut self, who: usize, from: usize, calls: &str) {
        let key = self.names.intern(format!("p{who}").as_bytes());
        for call in calls.split(", ") {
            let [at, method, path, status] = call.split(' ').collect::<Vec<_>>()[..] else { panic!("{call}") };
            let at: f64 = at.parse().unwrap();
            #[expect(clippy::cast_possible_truncation, reason = "some seconds")]
            let time = (at * 1e6) as i64 + i64::try_from(from).unwrap() * SECOND;
            let endpoint = (self.names.intern(method.as_bytes()), self.names.intern(path.as_bytes()));
            let call = Call {
                key,
                user: (!self.anonymous).then_some(key),
                endpoint,
                time,
                ended: time + SECOND / 20,
                writes: WRITES.contains(&method),
            };
            let role = if path == "/sign_in" { Role::SignIn } else { Role::Other };
            self.tally.step(self.people.entry(key).or_default(), &call, role, status.parse().unwrap());
        }
    }

    /// Of so many people each calls that, and often something else with nothing refused.
    fn of(people: usize, calls: &str) -> Self {
        let mut log = Self::default();
        log.all_call(people, calls);
        log
    }

    fn all_call(&mut self, people: usize, calls: &str) {
        for who in 0..people {
            self.rests(who, 0);
            self.calls(who, 200, calls);
            self.rests(who, 280);
        }
    }

    /// Somebody opens the app and calls something from time to time.
    fn rests(&mut self, who: usize, from: usize) {
        for minute in 0..3 {
            self.calls(who, from + minute * 60, "0 GET /feed 200, 0.4 GET /me 200");
        }
    }

    fn found(mut self) -> Option<String> {
        for person in self.people.into_values() {
            if let State::Calm(spell) = person.state {
                self.tally.end(spell);
            }
        }
        self.tally.found(&self.names).map(|found| format!("{} {}", found.method, found.route))
    }
}

const HEALS: &str = "0 GET /feed 401, 0.5 POST /next 200, 0.9 GET /feed 200";

#[test]
fn what_calls_succeed_after_is_found() {
    assert_eq!(Log::of(4, HEALS).found().as_deref(), Some("POST /next"));
    assert_eq!(Log::of(4, "0 GET /feed 401, 0.5 GET /next 200, 0.9 GET /feed 200").found(), None, "it writes nothing");
    assert_eq!(Log::of(4, "0 GET /feed 401, 6 POST /next 200, 7 GET /feed 200").found(), None, "somebody typed");
    assert_eq!(Log::of(4, "0 GET /feed 401, 0.5 POST /next 200, 70 GET /feed 200").found(), None, "it healed nothing");
    let two = "0 GET /feed 401, 0.5 POST /next 200, 0.6 POST /twin 200, 0.9 GET /feed 200";
    assert_eq!(Log::of(4, two).found(), None, "two do the same");
}

#[test]
fn a_few_people_or_addresses_are_no_rule() {
    assert_eq!(Log::of(2, HEALS).found(), None);
    assert!(Log::of(3, HEALS).found().is_some());
    let of_addresses = |count| {
        let mut log = Log { anonymous: true, ..Log::default() };
        log.all_call(count, HEALS);
        log.found()
    };
    assert_eq!(of_addresses(4), None, "a device may have several");
    assert!(of_addresses(5).is_some());
}

#[test]
fn it_is_there_in_most_recoveries_and_seldom_in_vain() {
    let mut log = Log::of(4, HEALS);
    log.all_call(3, "0 GET /feed 401, 0.9 GET /feed 200");
    assert_eq!(log.found(), None, "three of seven recover without");
    let mut log = Log::of(4, HEALS);
    log.all_call(9, "0 GET /feed 401, 0.5 POST /next 200, 0.9 GET /feed 401, 20 POST /sign_in 200");
    assert_eq!(log.found(), None, "nine times in vain");
}

#[test]
fn what_is_posted_among_other_calls_as_well_is_not_found() {
    let mut log = Log::of(4, HEALS);
    for who in 0..4 {
        log.calls(who, 1000, "0 GET /feed 200, 0.5 POST /next 200");
    }
    assert_eq!(log.found(), None);
}

#[test]
fn where_nearly_all_is_refused_there_is_nothing_to_compare_with() {
    let mut log = Log::default();
    for who in 0..4 {
        log.calls(who, 0, HEALS);
    }
    assert_eq!(log.found(), None);
}

#[test]
fn what_is_posted_as_an_app_is_opened_is_not_found_where_it_is_always_refused_then() {
    let mut log = Log::default();
    for (who, day) in (0..5).flat_map(|who| [(who, 0), (who, 1)]) {
        // Tokens are long over, and are renewed elsewhere.
        log.calls(who, day * 86_400, "0 GET /feed 401, 0.5 POST /flags 200, 0.9 GET /feed 200");
        for minute in 1..8 {
            log.calls(who, day * 86_400 + minute * 30, "0 GET /feed 200, 0.4 GET /me 200");
        }
    }
    assert_eq!(log.found(), None);
}

#[test]
fn openings_do_not_hide_what_is_there_at_other_times() {
    let mut log = Log::default();
    for who in 0..4 {
        log.calls(who, 0, HEALS);
        for minute in 1..8 {
            log.calls(who, minute * 30, "0 GET /feed 200, 0.4 GET /me 200");
        }
        log.calls(who, 240, HEALS);
    }
    assert_eq!(log.found().as_deref(), Some("POST /next"));
}

#[test]
fn what_is_refused_itself_and_tried_again_is_not_found() {
    let calls = "0 GET /feed 401, 0.1 POST /likes 401, 0.7 POST /likes 200, 0.9 GET /feed 200";
    assert_eq!(Log::of(6, calls).found(), None);
    // And a retry before does not hide what healed both.
    let calls = "0 GET /feed 401, 0.1 POST /likes 401, 0.5 POST /next 200, 0.7 POST /likes 200, 0.9 GET /feed 200";
    assert_eq!(Log::of(6, calls).found().as_deref(), Some("POST /next"));
}

#[test]
fn what_was_on_its_way_when_a_call_was_refused_healed_nothing() {
    let calls = "0.4 GET /feed 401, 0.1 POST /next 200, 0.9 GET /feed 200";
    assert_eq!(Log::of(4, calls).found(), None);
    // Unless times are too coarse to tell.
    let mut log = Log { tally: Tally { slack: COARSE, ..Tally::default() }, ..Log::default() };
    log.all_call(4, calls);
    assert!(log.found().is_some());
}

#[test]
fn what_tells_of_the_app_or_signs_in_without_typing_is_not_found() {
    for route in [
        "/v1/client_logs",
        "/logging",
        "V1::EventsController#create",
        "TelemetryController#track",
        "/crashes",
        "/saml/acs",
        "Users::OmniauthCallbacksController#create",
        "/auth/apple/callback",
        "/unlock",
        "/me/pin",
        "OTPController#create",
        "SSOSessionsController#next",
        "/verify",
    ] {
        assert!(does_otherwise(route), "{route}");
        assert_eq!(Log::of(4, &HEALS.replace("/next", route)).found(), None, "{route}");
    }
    for route in
        ["/catalog", "V1::BlogController#next", "/dialog", "/prevent", "LoginController#next", "/pinned", "/v1/lease"]
    {
        assert!(!does_otherwise(route), "{route}");
        assert!(Log::of(4, &HEALS.replace("/next", route)).found().is_some(), "{route}");
    }
}

#[test]
fn names_are_told_apart_as_words() {
    assert_eq!(words("SAMLController#v2_acs"), ["saml", "controller", "v", "acs"]);
    assert_eq!(words("/api/clientLogs/next-one"), ["api", "client", "logs", "next", "one"]);
}
