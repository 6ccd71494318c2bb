//! The rarer faults: what differs from an app's usual day. See `Fault::RARE`.

use std::io::Write;

use super::life::{Act, Life};
use super::plan::Fault;
use super::server::{Answer, CALLS, REFRESH, Request, SIGN_IN};
use super::{MILLI, MINUTE, SECOND};

/// So often an app that sends the old token refreshes before it gives up.
const ROUNDS: i64 = 4;

/// A timer that is too long by so much comes after the token's end.
const TOO_LONG: i64 = 3 * MINUTE;

impl<W: Write> Life<'_, W> {
    /// When the app's own timer fires, for a token of that age: ahead of its end, but for one whose timer is too long.
    pub(super) fn due(&mut self, time: i64, person: usize, issued: i64) -> i64 {
        match self.fault(person) {
            Fault::ClockAhead => time + MINUTE + self.rng.between(0, 3) * SECOND,
            Fault::LateTimer => (issued + self.lifetime() + TOO_LONG).max(time + 100 * SECOND),
            _ => issued + self.lifetime() - self.lead() + self.rng.between(-2, 3) * SECOND,
        }
    }

    /// A refresh that goes wrong in a rarer way; whether it did.
    pub(super) fn refresh_rarely(&mut self, time: i64, person: usize) -> bool {
        match self.fault(person) {
            Fault::AnswerLost => {
                // The server rotates the token, the answer gets lost, and the next try presents what is used up.
                self.notes.sign(person, time, "client:refresh_lost");
                let people = self.people;
                let (who, ip) = (&people[person], self.ip(person));
                let answer = Answer::Well;
                let request = Request { time, lasts: 90 * MILLI, route: &REFRESH, person: Some(who), ip, answer };
                let id = self.server.request(&mut self.rng, &request);
                let lifetime = self.options.access_seconds;
                self.trace(person, |trace| trace.call(time, 15 * SECOND, &REFRESH, None, &id, None, lifetime));
                let again = time + 16 * SECOND;
                self.notes.sign(person, again, "server:refresh_failed");
                let denied = self.renew(again, person, Answer::Denied("refresh token already used"));
                self.forced_out(denied, person, "refresh_token_reused");
                true
            }
            Fault::AnswerUnreadable => {
                self.notes.sign(person, time, "client:refresh_unreadable");
                let ended = self.renew(time, person, Answer::Well);
                self.trace(person, |trace| {
                    trace.say(
                        ended,
                        "session: token refresh failed: type 'Null' is not a subtype of type 'String' in type cast",
                    );
                });
                self.forced_out(ended + 20 * MILLI, person, "refresh_failed");
                true
            }
            _ => false,
        }
    }

    /// After each refresh of the app a background isolate tries with the copy that it holds.
    pub(super) fn second_holder(&mut self, time: i64, person: usize) {
        if self.fault(person) == Fault::SecondHolder {
            let at = time + self.rng.between(3, 6) * MINUTE;
            self.later(at, person, Act::Trouble(1));
        }
    }

    /// A call was refused, and the app's answer to it is one of the rarer ones; whether it was.
    pub(super) fn refused_rarely(&mut self, time: i64, person: usize) -> bool {
        match self.fault(person) {
            Fault::LateTimer => {
                // Refusals are not minded: the timer will come.
                self.notes.sign(person, time, "server:http_401");
                let next = time + self.rng.between(20, 50) * SECOND;
                self.later(next, person, Act::Call);
                true
            }
            Fault::OldTokenSent => {
                self.notes.sign(person, time, "server:http_401");
                let first = self.states[person].first.clone();
                let mut at = time + 300 * MILLI;
                for _ in 0..ROUNDS {
                    at = self.renew(at, person, Answer::Well) + 40 * MILLI;
                    self.call(at, person, &CALLS[0], &first);
                    at += 600 * MILLI;
                }
                self.forced_out(at, person, "too_many_retries");
                true
            }
            Fault::SessionLimit if self.states[person].refresh_dead => {
                self.notes.sign(person, time, "server:http_401");
                self.refresh(time + 300 * MILLI, person, true);
                true
            }
            _ => false,
        }
    }

    /// The one thing that goes wrong on this person's day, of the rarer ones.
    pub(super) fn rare_trouble(&mut self, time: i64, person: usize, step: u8) {
        match (self.fault(person), step) {
            (Fault::SecondHolder, 1) => {
                self.notes.sign(person, time, "server:refresh_failed");
                self.renew(time, person, Answer::Denied("refresh token already used"));
            }
            (Fault::SessionLimit, 0) => {
                let people = self.people;
                let elsewhere = format!("92.7.{}.{}", person / 250 % 250, person % 250 + 2);
                let (who, answer) = (&people[person], Answer::Well);
                let request =
                    Request { time, lasts: 210 * MILLI, route: &SIGN_IN, person: Some(who), ip: &elsewhere, answer };
                self.server.request(&mut self.rng, &request);
                self.revoke(time + 200 * MILLI, person, false);
            }
            _ => {}
        }
    }
}
