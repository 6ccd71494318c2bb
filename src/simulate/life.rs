//! What people and their apps do, one act after the other in order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write};

use serde_json::json;

use super::plan::{Fault, Person, first_open};
use super::rng::Rng;
use super::server::{Answer, CALLS, EXPORT, OPENING, PASSWORD, REFRESH, Request, Route, SIGN_IN, SIGN_OUT, Server};
use super::trace::Trace;
use super::truth::Notes;
use super::{MILLI, MINUTE, Options, SECOND, rfc3339};

/// An act that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    Open,
    SignIn,
    Call,
    /// The app's own timer for a refresh.
    Due,
    /// The second HTTP client's poll.
    Export,
    Pause,
    Resume,
    /// The socket tries again: how often it has.
    Socket(u8),
    /// The one thing that goes wrong on this person's day, in steps.
    Trouble(u8),
    Restart,
    Attack(u16),
}

/// An access token as the server knows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Token {
    text: String,
    issued: i64,
}

/// How an app stands.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    signed_in: bool,
    front: bool,
    offline: bool,
    /// On the other network: a phone that left the house.
    roamed: bool,
    token: Token,
    /// What a captured closure or header keeps: the token of the sign-in.
    pub(super) first: Token,
    /// Sessions from before this time are revoked.
    revoked: i64,
    /// The server refuses the refresh token.
    pub(super) refresh_dead: bool,
    /// The token that the open socket came with.
    socket: Option<String>,
    /// The server let it in as a guest.
    guest: bool,
    /// Counts sign-ins, refreshes, pauses: what was due before is not any more.
    epoch: u32,
}

/// When, in which order, whose, what; and at which state of its app it was planned.
type Due = (i64, u64, usize, Act, u32);

/// The simulation.
pub(super) struct Life<'a, W> {
    pub(super) options: &'a Options,
    pub(super) people: &'a [Person],
    pub(super) states: Vec<State>,
    traces: Vec<Option<Trace>>,
    due: BinaryHeap<Reverse<Due>>,
    sequence: u64,
    pub(super) rng: Rng,
    pub(super) server: Server<W>,
    pub(super) notes: Notes,
    start: i64,
    end: i64,
    /// The server is down until then.
    down_until: i64,
}

/// What came of a simulation.
pub(super) struct Outcome {
    pub(super) notes: Notes,
    pub(super) traces: Vec<(usize, String)>,
    pub(super) window: (i64, i64),
    pub(super) bytes: u64,
}

/// The app has refreshed since the user signed in.
fn state_renewed(state: &State) -> bool {
    state.token.issued > state.first.issued
}

/// How long people use the app, and put it away, on average.
const IN_FRONT: i64 = 25 * MINUTE;
const AWAY: i64 = 12 * MINUTE;

impl<'a, W: Write> Life<'a, W> {
    pub(super) fn new(options: &'a Options, people: &'a [Person], server: Server<W>, start: i64, end: i64) -> Self {
        let rng = Rng::new(options.seed ^ 0x5bd1_e995);
        let traces =
            people.iter().enumerate().map(|(place, person)| person.traced.then(|| Trace::new(person, place))).collect();
        let notes =
            Notes { own: vec![Vec::new(); people.len()], forced_out: vec![0; people.len()], global: Vec::new() };
        let states = vec![State { revoked: i64::MIN, ..State::default() }; people.len()];
        Self {
            options,
            people,
            states,
            traces,
            due: BinaryHeap::new(),
            sequence: 0,
            rng,
            server,
            notes,
            start,
            end,
            down_until: i64::MIN,
        }
    }

    pub(super) fn later(&mut self, time: i64, person: usize, act: Act) {
        self.sequence += 1;
        let epoch = self.states.get(person).map_or(0, |state| state.epoch);
        self.due.push(Reverse((time, self.sequence, person, act, epoch)));
    }

    pub(super) fn run(mut self) -> io::Result<Outcome> {
        self.server.boot(self.start - 30 * SECOND);
        for person in 0..self.people.len() {
            let time = self.start + first_open(&mut self.rng, self.people.len());
            self.later(time, person, Act::Open);
        }
        let nobody = self.people.len();
        let span = self.end.min(self.start + 400 * MINUTE) - self.start;
        if self.options.restarts() {
            self.later(self.start + span * 55 / 100, nobody, Act::Restart);
        }
        if self.options.attacks() {
            self.later(self.start + span * 30 / 100, nobody, Act::Attack(0));
            self.later(self.start + span * 70 / 100, nobody, Act::Attack(1000));
        }
        let mut last = self.start;
        while let Some(Reverse((time, _, person, act, epoch))) = self.due.pop() {
            if time >= self.end || self.options.size.is_some_and(|size| self.server.bytes >= size) {
                break;
            }
            last = time;
            self.server.flush(time - SECOND)?;
            if person == nobody {
                self.hit_all(time, act);
            } else if let Some(state) = self.states.get(person)
                && (state.epoch == epoch || matches!(act, Act::Trouble(_) | Act::Open | Act::Resume))
            {
                self.step(time, person, act);
            }
        }
        let bytes = self.server.finish()?;
        let traces =
            self.traces.into_iter().enumerate().filter_map(|(place, trace)| Some((place, trace?.text()))).collect();
        Ok(Outcome { notes: self.notes, traces, window: (self.start, last), bytes })
    }

    /// Where the person is on the network.
    pub(super) fn ip(&self, person: usize) -> &'a str {
        let who = &self.people[person];
        who.roams_to.as_deref().filter(|_| self.states[person].roamed).unwrap_or(&who.ip)
    }

    pub(super) fn fault(&self, person: usize) -> Fault {
        self.people.get(person).map_or(Fault::None, |person| person.fault)
    }

    pub(super) fn lifetime(&self) -> i64 {
        self.options.access_seconds * SECOND
    }

    /// Apps refresh that long before the end: an eighth of the life, eight minutes of an hour.
    pub(super) fn lead(&self) -> i64 {
        (self.lifetime() * 2 / 15).min(30 * MINUTE)
    }

    fn good(&self, person: usize, token: &Token, time: i64) -> bool {
        let revoked = self.states.get(person).map_or(i64::MIN, |state| state.revoked);
        time - token.issued < self.lifetime() && token.issued > revoked
    }

    fn why_not(&self, person: usize, token: &Token) -> &'static str {
        let revoked = self.states.get(person).map_or(i64::MIN, |state| state.revoked);
        if token.issued <= revoked { "pass withdrawn, token revoked" } else { "token expired" }
    }

    pub(super) fn trace(&mut self, person: usize, tell: impl FnOnce(&mut Trace)) {
        if let Some(trace) = self.traces.get_mut(person).and_then(Option::as_mut) {
            tell(trace);
        }
    }

    fn step(&mut self, time: i64, person: usize, act: Act) {
        match act {
            Act::Open => self.open(time, person),
            Act::SignIn => self.sign_in(time, person),
            Act::Call => self.poll(time, person),
            Act::Due => {
                if self.states[person].front && !self.states[person].offline && self.states[person].signed_in {
                    self.refresh(time, person, false);
                }
            }
            Act::Export => self.export(time, person),
            Act::Pause => self.pause(time, person),
            Act::Resume => self.resume(time, person),
            Act::Socket(tries) => self.socket(time, person, tries),
            Act::Trouble(step) => self.trouble(time, person, step),
            Act::Restart | Act::Attack(_) => {}
        }
    }

    /// One call; whether it was accepted, `None` if it got no answer.
    pub(super) fn call(&mut self, time: i64, person: usize, route: &Route, token: &Token) -> Option<bool> {
        let people = self.people;
        let (who, ip) = (&people[person], self.ip(person));
        let lasts = self.rng.between(12, 260) * MILLI;
        let lifetime = self.options.access_seconds;
        if self.states[person].offline || time < self.down_until {
            self.trace(person, |trace| trace.call(time, 90 * MILLI, route, Some(&token.text), "", None, lifetime));
            return None;
        }
        let good = self.good(person, token, time);
        let answer = if good { Answer::Well } else { Answer::Refused(self.why_not(person, token)) };
        let id = self.server.request(&mut self.rng, &Request { time, lasts, route, person: Some(who), ip, answer });
        self.trace(person, |trace| {
            trace.call(time, lasts + 30 * MILLI, route, Some(&token.text), &id, Some(answer), lifetime)
        });
        Some(good)
    }

    fn open(&mut self, time: i64, person: usize) {
        let who = &self.people[person];
        self.states[person].front = true;
        if who.fault.old_session() {
            // Its token was issued before the log begins; the refresh token has run out, or is known no more.
            let age = self.lifetime() - self.rng.between(10, 20) * MINUTE - self.lead();
            let unknown = who.fault == Fault::RefreshUnknown;
            let token = Token { text: self.rng.token(), issued: time - age };
            let state = &mut self.states[person];
            state.signed_in = true;
            state.refresh_dead = true;
            state.first = token.clone();
            state.token = token;
            state.epoch += 1;
            let id = who.id.clone();
            self.trace(person, |trace| trace.opened(time, Some(&id)));
            self.opening(time + SECOND, person);
            self.socket(time + 2 * SECOND, person, 0);
            self.timers(time, person);
            if unknown {
                // The server lost its sessions: nothing that was issued before holds.
                self.later(time + 8 * MINUTE, person, Act::Trouble(0));
            }
            return;
        }
        self.trace(person, |trace| trace.opened(time, None));
        let wait = self.rng.between(5, 40) * SECOND;
        self.later(time + wait, person, Act::SignIn);
    }

    fn issue(&mut self, time: i64) -> Token {
        Token { text: self.rng.token(), issued: time }
    }

    fn sign_in(&mut self, time: i64, person: usize) {
        if time < self.down_until || self.states[person].offline {
            self.later(time + MINUTE, person, Act::SignIn);
            return;
        }
        let people = self.people;
        let (who, ip) = (&people[person], self.ip(person));
        let lasts = self.rng.between(180, 420) * MILLI;
        let id = self.server.request(
            &mut self.rng,
            &Request { time, lasts, route: &SIGN_IN, person: Some(who), ip, answer: Answer::Well },
        );
        let lifetime = self.options.access_seconds;
        self.trace(person, |trace| {
            trace.moved(
                time - 10 * MILLI,
                "SessionSignedOut",
                &format!("SignInPressed(email: {})", who.email),
                "SessionBusy",
            );
            trace.call(time, lasts + 30 * MILLI, &SIGN_IN, None, &id, Some(Answer::Well), lifetime);
            trace.moved(
                time + lasts + 60 * MILLI,
                "SessionBusy",
                &format!("SignInPressed(email: {})", who.email),
                &format!("SessionSignedIn(memberId: {})", who.id),
            );
        });
        let token = self.issue(time + lasts);
        let again = self.states[person].first.issued != 0;
        let state = &mut self.states[person];
        state.signed_in = true;
        state.front = true;
        state.refresh_dead = false;
        state.first = token.clone();
        state.token = token;
        state.epoch += 1;
        self.notes.well(person, time);
        let time = time + lasts + 200 * MILLI;
        self.opening(time, person);
        self.socket(time + 300 * MILLI, person, 0);
        self.timers(time, person);
        if !again {
            self.plan_trouble(time, person);
        }
    }

    /// What goes on by itself from a new credential on.
    fn timers(&mut self, time: i64, person: usize) {
        let fault = self.fault(person);
        let token = self.states[person].token.issued;
        let due = self.due(time, person, token);
        if fault == Fault::ClockBehind {
            let error = -self.people[person].clock_error * SECOND;
            let minutes = (token + self.lifetime() - self.lead() + error - time) / MINUTE;
            self.trace(person, |trace| trace.say(time + 50 * MILLI, &format!("renewal timer: refresh in {minutes}m")));
        } else if fault.proactive() {
            let minutes = (due - time).max(0) / MINUTE;
            self.trace(person, |trace| trace.say(time + 50 * MILLI, &format!("renewal timer: refresh in {minutes}m")));
            self.later(due, person, Act::Due);
        } else if fault == Fault::LateTimer {
            self.later(due, person, Act::Due);
        }
        let call = time + self.rng.wait(self.options.pace());
        self.later(call, person, Act::Call);
        if fault == Fault::HeaderKeepsToken {
            self.later(time + 4 * MINUTE, person, Act::Export);
        }
        let pause = time + self.rng.wait(IN_FRONT);
        self.later(pause, person, Act::Pause);
    }

    /// The calls of the first page; whether any was refused.
    fn opening(&mut self, time: i64, person: usize) -> bool {
        let token = self.states[person].token.clone();
        let mut refused = false;
        for (place, route) in (0..).zip(OPENING) {
            let at = time + place * self.rng.between(8, 60) * MILLI;
            refused |= self.call(at, person, route, &token) == Some(false);
        }
        refused
    }

    fn poll(&mut self, time: i64, person: usize) {
        if !self.states[person].signed_in || !self.states[person].front {
            return;
        }
        let token = self.states[person].token.clone();
        let route = self.rng.pick(CALLS).unwrap_or(&CALLS[0]);
        if self.call(time, person, route, &token) == Some(false) {
            self.refused(time, person);
            return;
        }
        let next = time + self.rng.wait(self.options.pace());
        self.later(next, person, Act::Call);
    }

    fn export(&mut self, time: i64, person: usize) {
        let state = &self.states[person];
        if !state.signed_in || !state.front {
            return;
        }
        let token = state.first.clone();
        if self.call(time, person, &EXPORT, &token) == Some(false) && self.states[person].token.issued > token.issued {
            self.notes.sign(person, time, "server:http_401:token_expired");
        }
        self.later(time + 4 * MINUTE, person, Act::Export);
    }

    /// A call was refused: what the app does about it.
    fn refused(&mut self, time: i64, person: usize) {
        if self.refused_rarely(time, person) {
            return;
        }
        let fault = self.fault(person);
        let sign = "server:http_401";
        match fault {
            Fault::NeverRefreshes => {
                self.notes.sign(person, time, sign);
                self.forced_out(time + 400 * MILLI, person, "token expired");
            }
            Fault::RefreshRaces => {
                // Two more calls were under way, each starts a refresh of its own with the same single-use token.
                let token = self.states[person].token.clone();
                self.call(time + 20 * MILLI, person, &OPENING[1], &token);
                self.call(time + 30 * MILLI, person, &OPENING[2], &token);
                self.notes.sign(person, time, sign);
                self.refresh(time + 400 * MILLI, person, true);
                let denied = self.renew(time + 520 * MILLI, person, Answer::Denied("refresh token already used"));
                self.states[person].revoked = time + SECOND;
                self.forced_out(denied, person, "refresh_token_reused");
            }
            Fault::ReactiveOnly | Fault::ClockBehind => {
                self.notes.sign(person, time, sign);
                self.refresh(time + 300 * MILLI, person, true);
                self.notes.well(person, time + SECOND);
            }
            Fault::PasswordChange | Fault::AdminRevocation if self.states[person].refresh_dead => {
                self.notes.sign(person, time, sign);
                self.refresh(time + 300 * MILLI, person, true);
            }
            Fault::RefreshUnknown | Fault::RefreshRaises => {
                self.notes.sign(person, time, sign);
                self.refresh(time + 300 * MILLI, person, true);
            }
            _ => self.refresh(time + 300 * MILLI, person, true),
        }
    }

    /// A refresh on the server and in the trace; when it ended.
    pub(super) fn renew(&mut self, time: i64, person: usize, answer: Answer) -> i64 {
        let people = self.people;
        let (who, ip) = (&people[person], self.ip(person));
        let lasts = self.rng.between(40, 300) * MILLI;
        let id = self
            .server
            .request(&mut self.rng, &Request { time, lasts, route: &REFRESH, person: Some(who), ip, answer });
        let lifetime = self.options.access_seconds;
        self.trace(person, |trace| trace.call(time, lasts + 30 * MILLI, &REFRESH, None, &id, Some(answer), lifetime));
        time + lasts + 60 * MILLI
    }

    pub(super) fn refresh(&mut self, time: i64, person: usize, reactive: bool) {
        if time < self.down_until || self.states[person].offline {
            self.later(time + MINUTE, person, Act::Due);
            return;
        }
        let fault = self.fault(person);
        self.trace(person, |trace| trace.say(time - MILLI, "session: renewing access token"));
        if self.states[person].refresh_dead {
            let why = match fault {
                Fault::RefreshExpired => "refresh_token_expired",
                Fault::RefreshUnknown => "refresh_token_unknown",
                _ => "refresh_token_revoked",
            };
            let words = match fault {
                Fault::RefreshExpired => "refresh token expired",
                Fault::RefreshUnknown => "unknown refresh token",
                _ => "refresh token revoked",
            };
            self.notes.sign(person, time, "server:refresh_failed");
            let ended = self.renew(time, person, Answer::Denied(words));
            self.forced_out(ended, person, why);
            return;
        }
        if self.refresh_rarely(time, person) {
            return;
        }
        match fault {
            Fault::RefreshRaises => {
                self.notes.sign(person, time, "server:refresh_500");
                let ended = self.renew(time, person, Answer::Raised);
                self.trace(person, |trace| trace.say(ended, "session: token refresh failed: 500"));
                self.forced_out(ended, person, "refresh_failed");
                return;
            }
            Fault::RefreshHidesError => {
                self.notes.sign(person, time, "server:refresh_swallowed");
                self.renewed(time, person, Answer::Hidden);
            }
            Fault::ClockAhead => {
                self.notes.sign(person, time, "server:refresh_ok");
                self.renewed(time, person, Answer::Well);
            }
            _ => self.renewed(time, person, Answer::Well),
        }
        if reactive {
            let token = self.states[person].token.clone();
            self.call(time + 500 * MILLI, person, &CALLS[0], &token);
        }
    }

    fn renewed(&mut self, time: i64, person: usize, answer: Answer) {
        let ended = self.renew(time, person, answer);
        let token = self.issue(ended - 60 * MILLI);
        let lifetime = self.options.access_seconds;
        self.trace(person, |trace| trace.say(ended, &format!("session: token refreshed, expires in {lifetime}s")));
        let state = &mut self.states[person];
        state.token = token;
        state.epoch += 1;
        // The app tells its socket, unless a closure keeps the first token or the socket stays as it is.
        if self.fault(person) != Fault::SocketKeepsToken && self.fault(person) != Fault::ClockAhead {
            self.close_socket(ended + 10 * MILLI, person, false);
            self.socket(ended + 30 * MILLI, person, 0);
        }
        self.timers(ended, person);
        self.second_holder(ended, person);
    }

    pub(super) fn forced_out(&mut self, time: i64, person: usize, why: &'static str) {
        self.notes.forced_out[person] += 1;
        let id = self.people[person].id.clone();
        self.trace(person, |trace| {
            trace.moved(
                time,
                &format!("SessionSignedIn(memberId: {id})"),
                &format!("SessionLost(reason: {why})"),
                &format!("SessionSignedOut(reason: {why})"),
            );
            trace.say(time + 5 * MILLI, "navigating to /login");
        });
        self.close_socket(time + 80 * MILLI, person, false);
        self.states[person].signed_in = false;
        self.states[person].epoch += 1;
        let again = time + self.rng.between(40, 400) * SECOND;
        self.later(again, person, Act::SignIn);
    }

    fn close_socket(&mut self, time: i64, person: usize, removed: bool) {
        if let Some(token) = self.states[person].socket.take() {
            let ip = self.ip(person);
            let guest = self.states[person].guest;
            self.server.socket_end(time, (&self.people[person], ip, guest), &token, removed);
        }
    }

    fn socket(&mut self, time: i64, person: usize, tries: u8) {
        let state = &self.states[person];
        if !state.signed_in || !state.front || state.socket.is_some() {
            return;
        }
        let back_off = (3_i64 << tries.min(6)).min(120) * SECOND;
        if state.offline || time < self.down_until {
            let refused = if state.offline {
                "SocketException: Failed host lookup: 'api.harborline.example' (OS Error: No address associated with hostname, errno = 7)"
            } else {
                "SocketException: Connection refused (OS Error: Connection refused, errno = 111), address = api.harborline.example, port = 443"
            };
            self.trace(person, |trace| trace.say(time, &format!("[ActionCable] connect failed: {refused}")));
            self.later(time + back_off, person, Act::Socket(tries.saturating_add(1)));
            return;
        }
        let kept = self.fault(person) == Fault::SocketKeepsToken;
        let token = if kept { state.first.clone() } else { state.token.clone() };
        let good = self.good(person, &token, time);
        let why = self.why_not(person, &token);
        let ip = self.ip(person);
        // After its first refresh the app forgets the token on the socket, and the server lets it in as a guest.
        let renewed = state_renewed(&self.states[person]);
        let guest = self.fault(person) == Fault::SocketOfNobody && renewed;
        if guest {
            self.notes.sign(person, time, "server:ws_anonymous");
        }
        let whose = (&self.people[person], ip, guest);
        self.server.socket(&mut self.rng, time, whose, &token.text, (!good).then_some(why));
        self.states[person].guest = guest;
        self.trace(person, |trace| trace.socket(time, good));
        if good {
            self.states[person].socket = Some(token.text);
            return;
        }
        if kept && self.states[person].token.issued > token.issued {
            self.notes.sign(person, time, "server:ws_rejected:token_expired");
            if tries < 9 {
                self.later(time + back_off, person, Act::Socket(tries + 1));
            }
        }
    }

    fn pause(&mut self, time: i64, person: usize) {
        let state = &self.states[person];
        if !state.front || state.offline {
            return;
        }
        self.trace(person, |trace| trace.say(time, "AppLifecycleState.paused"));
        let close = time + self.rng.between(5, 30) * SECOND;
        self.close_socket(close, person, false);
        self.states[person].front = false;
        self.states[person].epoch += 1;
        let back = time + self.rng.wait(AWAY) + MINUTE;
        self.later(back, person, Act::Resume);
    }

    fn resume(&mut self, time: i64, person: usize) {
        if self.states[person].front {
            return;
        }
        self.states[person].front = true;
        // Where it is opened again it is on the other network every other time.
        if self.people[person].roams_to.is_some() {
            self.states[person].roamed ^= self.rng.percent(50);
        }
        self.trace(person, |trace| trace.say(time, "AppLifecycleState.resumed"));
        if !self.states[person].signed_in {
            return;
        }
        self.states[person].epoch += 1;
        let age = time - self.states[person].token.issued;
        if self.fault(person).proactive() && age > self.lifetime() - self.lead() {
            // The app renews before anything else goes out.
            self.refresh(time + 50 * MILLI, person, false);
            if self.states[person].signed_in {
                self.opening(time + 900 * MILLI, person);
            }
            return;
        }
        self.socket(time + 60 * MILLI, person, 0);
        if self.opening(time + 100 * MILLI, person) {
            self.refused(time + 300 * MILLI, person);
            if self.fault(person) != Fault::LateTimer {
                return;
            }
        }
        self.timers(time, person);
    }

    /// When this person's trouble begins.
    fn plan_trouble(&mut self, time: i64, person: usize) {
        let soon = (self.end - time).clamp(0, 200 * MINUTE);
        let at = time + soon * self.rng.between(25, 55) / 100;
        match self.fault(person) {
            Fault::Offline
            | Fault::StragglingPoll
            | Fault::PasswordChange
            | Fault::AdminRevocation
            | Fault::StoreUnreadable
            | Fault::SessionLimit
            | Fault::Reinstall => self.later(at, person, Act::Trouble(0)),
            _ => {}
        }
    }

    fn trouble(&mut self, time: i64, person: usize, step: u8) {
        let people = self.people;
        let (who, ip) = (&people[person], self.ip(person));
        let busy = !self.states[person].front || !self.states[person].signed_in || time < self.down_until + 5 * MINUTE;
        let midway =
            matches!((who.fault, step), (Fault::Offline | Fault::SecondHolder, 1) | (Fault::StragglingPoll, 1..));
        if busy && !midway {
            self.later(time + 3 * MINUTE, person, Act::Trouble(step));
            return;
        }
        let token = self.states[person].token.clone();
        match (who.fault, step) {
            (Fault::RefreshUnknown, _) => self.states[person].revoked = time,
            (Fault::Offline, 0) => {
                self.states[person].offline = true;
                self.notes.sign(person, time, "client:net_down");
                let seen = time + self.rng.between(8, 50) * SECOND;
                self.close_socket(seen, person, false);
                self.trace(person, |trace| trace.say(time + 2 * SECOND, "[ActionCable] closed code=1006 reason="));
                self.later(time + 3 * SECOND, person, Act::Socket(0));
                let back = time + self.rng.between(4, 11) * MINUTE;
                self.later(back, person, Act::Trouble(1));
            }
            (Fault::Offline, _) => {
                self.states[person].offline = false;
                self.notes.well(person, time);
                let again = time + self.rng.between(20, 60) * MINUTE;
                self.later(again, person, Act::Trouble(0));
            }
            (Fault::StragglingPoll, 0) => {
                let id = self.server.request(
                    &mut self.rng,
                    &Request { time, lasts: 40 * MILLI, route: &SIGN_OUT, person: Some(who), ip, answer: Answer::Well },
                );
                let lifetime = self.options.access_seconds;
                self.trace(person, |trace| {
                    trace.call(time, 70 * MILLI, &SIGN_OUT, Some(&token.text), &id, Some(Answer::Well), lifetime);
                    trace.moved(
                        time + 90 * MILLI,
                        &format!("SessionSignedIn(memberId: {})", who.id),
                        "SignOutPressed",
                        "SessionSignedOut",
                    );
                });
                self.close_socket(time + 120 * MILLI, person, false);
                self.states[person].revoked = time + 10 * MILLI;
                self.later(time + 2 * SECOND, person, Act::Trouble(1));
            }
            (Fault::StragglingPoll, step) => {
                if self.call(time, person, &CALLS[0], &token) == Some(false) {
                    self.notes.sign(person, time, "server:http_401:token_revoked");
                }
                self.states[person].signed_in = false;
                self.states[person].epoch += 1;
                if step < 3 {
                    self.later(time + 6 * SECOND, person, Act::Trouble(step + 1));
                }
            }
            (Fault::PasswordChange, _) => {
                let elsewhere = format!("203.0.113.{}", person % 250 + 2);
                self.server.request(
                    &mut self.rng,
                    &Request {
                        time,
                        lasts: 120 * MILLI,
                        route: &PASSWORD,
                        person: Some(who),
                        ip: &elsewhere,
                        answer: Answer::Well,
                    },
                );
                self.revoke(time + 100 * MILLI, person, true);
            }
            (Fault::AdminRevocation, _) => self.revoke(time, person, false),
            (Fault::StoreUnreadable | Fault::Reinstall, _) => self.lose(time, person),
            _ => self.rare_trouble(time, person, step),
        }
    }

    pub(super) fn revoke(&mut self, time: i64, person: usize, removed: bool) {
        let state = &mut self.states[person];
        state.revoked = time;
        state.refresh_dead = true;
        self.notes.sign(person, time, "server:revoked");
        if removed {
            self.close_socket(time + 5 * MILLI, person, true);
        }
    }

    /// The app starts anew and has lost what it had stored.
    fn lose(&mut self, time: i64, person: usize) {
        self.close_socket(time - 20 * SECOND, person, false);
        self.states[person].epoch += 1;
        self.states[person].signed_in = false;
        let people = self.people;
        let (who, ip) = (&people[person], self.ip(person));
        self.notes.sign(person, time, "client:storage");
        if who.fault == Fault::StoreUnreadable {
            self.trace(person, |trace| {
                trace.say(time, "Harborline 5.2.0 (880) starting");
                trace.say(time + 30 * MILLI, "PlatformException(Exception encountered, read, javax.crypto.BadPaddingException: error:1e000065:Cipher functions:OPENSSL_internal:BAD_DECRYPT, null)");
            });
            // It asks with no token, as if nobody had ever signed in.
            for (place, route) in (1..).zip(&OPENING[..3]) {
                let at = time + place * 150 * MILLI;
                let answer = Answer::Refused("no token given");
                let id = self
                    .server
                    .request(&mut self.rng, &Request { time: at, lasts: 9 * MILLI, route, person: None, ip, answer });
                let lifetime = self.options.access_seconds;
                self.trace(person, |trace| trace.call(at, 30 * MILLI, route, None, &id, Some(answer), lifetime));
                self.notes.sign(person, at, "server:http_401:missing");
            }
        } else {
            self.trace(person, |trace| trace.opened(time, None));
        }
        let again = time + self.rng.between(15, 90) * SECOND;
        self.later(again, person, Act::SignIn);
    }

    /// What hits everybody.
    fn hit_all(&mut self, time: i64, act: Act) {
        let nobody = self.people.len();
        match act {
            Act::Restart => {
                let up = time + self.rng.between(12, 40) * SECOND;
                self.server.restart(time, up);
                self.down_until = up;
                let mut last = up;
                for person in 0..self.people.len() {
                    if self.states[person].socket.take().is_some() {
                        self.trace(person, |trace| trace.say(time + SECOND, "[ActionCable] closed code=1006 reason="));
                        let back = time + self.rng.between(3, 50) * SECOND;
                        last = last.max(back);
                        self.later(back, person, Act::Socket(0));
                    }
                }
                self.notes.global.push(json!({
                    "cause": "server_restart", "sub_kind": "sigterm_deploy",
                    "start": rfc3339(time), "end": rfc3339(last),
                }));
            }
            Act::Attack(count) => {
                let probing = count >= 1000;
                let ip = if probing { "192.0.2.44" } else { "192.0.2.150" };
                let lasts = 15 * MILLI;
                if probing {
                    self.server.request(
                        &mut self.rng,
                        &Request {
                            time,
                            lasts,
                            route: &OPENING[0],
                            person: None,
                            ip,
                            answer: Answer::Refused("unknown token"),
                        },
                    );
                } else {
                    self.server.request(
                        &mut self.rng,
                        &Request {
                            time,
                            lasts,
                            route: &SIGN_IN,
                            person: None,
                            ip,
                            answer: Answer::Denied("wrong password"),
                        },
                    );
                }
                if count % 1000 == 0 {
                    let kind = if probing { "bad_token_probe" } else { "login_brute_force" };
                    let end = time + 40 * 4 * SECOND;
                    self.notes.global.push(json!({
                        "cause": "credential_attack", "sub_kind": kind, "ip": ip,
                        "start": rfc3339(time), "end": rfc3339(end),
                    }));
                }
                if count % 1000 < 40 {
                    self.later(time + 4 * SECOND, nobody, Act::Attack(count + 1));
                }
            }
            _ => {}
        }
    }
}
