//! The client's side: blocks of lines become requests with their answers, states become moves.
//!
//! Dart prints a block in one go, so a block's lines stand together within one process; answers come later and are paired
//! with the last open request of the same address.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Assembler, Origin, bare_path, masked};
use crate::event::{AuthState, Event, GroupedBy, Name, Names, Request, TimeFrom, What};
use crate::record::{Block, Body, Exchange, Params, Record, Side};
use crate::text::{contains_ignoring_case, is_email, is_user_id};
use crate::{assemble::server::empty_request, record::NetFailure};

/// How many requests of a client may wait for an answer; an app has some ten in flight.
const MOST_OPEN: usize = 256;

/// Within how many lines an app's own line about a failed call speaks of the call that its logger has just shown.
const SAME_CALL_LINES: u64 = 60;

/// How much later than its answer (microseconds) an app speaks of a call that its logger has shown.
const SAME_CALL_TIME: i64 = 10_000_000;

/// What the client's side keeps between lines.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    block: Option<Open>,
    /// Requests without an answer, the latest last.
    waiting: Vec<usize>,
    /// Requests answered with an error a moment ago.
    failed: Vec<usize>,
    copies: Copies,
}

/// Which of a client's lines are copies of the one before.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Copies {
    /// The line that was looked at last, from 1, and whether it is one.
    last: (u64, bool),
    /// The last one with words was written twice.
    twice: bool,
}

impl State {
    /// Whether a line that says something is a copy of the line before it, which is the `same`. Of empty lines two may be meant (they end
    /// an answer and the error that it belongs to), so they are only where the words before them came twice, and every other one is.
    pub(super) fn is_said_again(&mut self, line: u64, same: bool, blank: bool) -> bool {
        let Copies { last, twice } = &mut self.copies;
        if last.0 != line {
            let copy = same && (!blank || (*twice && !last.1));
            if !blank {
                *twice = copy;
            }
            *last = (line, copy);
        }
        last.1
    }

    /// Where everything is that a line to come may be about.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.waiting.iter().chain(&self.failed).copied()
    }

    /// Drafts have moved.
    pub(super) fn move_places(&mut self, to: impl Fn(usize) -> Option<usize>) {
        let moved = |place: &mut usize| to(*place).map(|new| *place = new).is_some();
        self.waiting.retain_mut(moved);
        self.failed.retain_mut(moved);
    }

    /// Shows every name.
    pub(super) fn each_name(&mut self, see: &mut impl FnMut(&mut Name)) {
        let Some(Open { method, path, fields: Fields { device, email, .. }, .. }) = &mut self.block else { return };
        [method, path, device, email].into_iter().flatten().for_each(see);
    }
}

/// The block that is being read.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Open {
    kind: Block,
    origin: Origin,
    process: u64,
    method: Option<Name>,
    path: Option<Name>,
    status: Option<u16>,
    failure: Option<NetFailure>,
    fields: Fields,
    blanks: u8,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Fields {
    id: Option<crate::secret::RequestId>,
    bearer: Option<crate::secret::Fingerprint>,
    issued: Option<crate::secret::Fingerprint>,
    expires_in: Option<u32>,
    server_date: Option<i64>,
    device: Option<Name>,
    email: Option<Name>,
    password: bool,
    new_password: bool,
    refresh_token: bool,
    sent_token: Option<crate::secret::Fingerprint>,
}

impl Assembler {
    pub(super) fn push_client(&mut self, record: &Record<'_>, origin: Origin, names: &mut Names) {
        match record.body {
            Body::Block(kind) => self.block(record, origin, kind, None, None, None, names),
            Body::Call { block, method, uri, status } => {
                let method = method.map(|method| names.intern(method));
                let path = uri.map(|uri| names.intern(bare_path(uri)));
                if path.is_some() {
                    self.one_line_call(record, origin, block, method, path, status, names);
                } else {
                    self.block(record, origin, block, method, path, status, names);
                }
            }
            Body::BlockOf { block, method, uri } => {
                let (method, path) = (method.map(|method| names.intern(method)), Some(names.intern(bare_path(uri))));
                self.block(record, origin, block, method, path, None, names);
            }
            Body::Exchange(exchange) => self.exchange(record, origin, &exchange, names),
            Body::BlockEnd => self.block_end(names),
            Body::Transition { bloc, event, from, to } => {
                self.flush(names);
                self.transition(record, origin, names, bloc, event, from, to);
            }
            Body::ClientSocket(socket) => self.plain(record, origin, names, What::ClientSocket(socket)),
            Body::ClientRefresh(refresh) => self.plain(record, origin, names, What::ClientRefresh(refresh)),
            Body::RefreshDue(seconds) => self.plain(record, origin, names, What::RefreshDue(seconds)),
            Body::Storage { locked } => self.plain(record, origin, names, What::Storage { locked }),
            Body::Lifecycle { resumed } => self.plain(record, origin, names, What::Lifecycle { resumed }),
            Body::AppStart => self.plain(record, origin, names, What::AppStart),
            Body::LoginPage => self.plain(record, origin, names, What::LoginPage),
            Body::NetworkDown => self.plain(record, origin, names, What::NetworkDown),
            Body::Note { sense, user, text } => self.note(record, origin, names, sense, user, text),
            body => self.field(record, origin, body, names),
        }
    }

    /// An event of one line, which also ends the block before it.
    fn plain(&mut self, record: &Record<'_>, origin: Origin, names: &mut Names, what: What) {
        self.flush(names);
        self.draft(record, origin, names, what);
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one head")]
    fn block(
        &mut self,
        record: &Record<'_>,
        origin: Origin,
        kind: Block,
        method: Option<Name>,
        path: Option<Name>,
        status: Option<u16>,
        names: &mut Names,
    ) {
        if let Some(open) = &mut self.client.block {
            // dio from 5.9.1 on repeats the answer's head inside an error: it is one answer.
            if open.kind == Block::Error && kind == Block::Response && open.process == record.process && open.blanks < 2
            {
                open.blanks = 0;
                return;
            }
        }
        self.flush(names);
        self.client.block = Some(Open {
            kind,
            origin,
            process: record.process,
            method,
            path,
            status,
            failure: None,
            fields: Fields::default(),
            blanks: 0,
        });
    }

    /// A line inside a block. Without a block (a capture that begins in mid-block) it is lost, and nothing else.
    fn field(&mut self, record: &Record<'_>, origin: Origin, body: Body<'_>, names: &mut Names) {
        let Some(open) = self.client.block.as_mut().filter(|open| open.process == record.process) else {
            match body {
                Body::Failed(_) => self.draft(record, origin, names, What::NetworkDown),
                Body::ExpiresIn(seconds) => self.draft(record, origin, names, What::Lifetime(seconds)),
                _ => return,
            };
            return;
        };
        let fields = &mut open.fields;
        match body {
            Body::Uri(uri) => open.path = Some(names.intern(bare_path(uri))),
            Body::Method(method) => open.method = Some(names.intern(method)),
            Body::Status(status) => open.status = Some(status),
            Body::Failed(failure) => open.failure = Some(failure),
            Body::Bearer(token) => fields.bearer = Some(token),
            Body::RequestIdHeader(id) => fields.id = Some(id),
            Body::ServerDate(date) => fields.server_date = Some(date.micros() / crate::time::SECOND),
            Body::Device(device) => fields.device = Some(names.intern(device)),
            Body::ExpiresIn(seconds) => fields.expires_in = Some(seconds),
            Body::Issued { refresh, token, expires_in } => {
                if !refresh {
                    fields.issued = Some(token);
                }
                fields.expires_in = expires_in.or(fields.expires_in);
            }
            Body::Sent(Params { password, new_password, refresh_token, email, token }) => {
                fields.password |= password;
                fields.new_password |= new_password;
                fields.refresh_token |= refresh_token;
                fields.sent_token = token.or(fields.sent_token);
                fields.email = email.map(|email| names.intern(email)).or(fields.email);
            }
            _ => {}
        }
    }

    fn block_end(&mut self, names: &mut Names) {
        let Some(open) = &mut self.client.block else { return };
        open.blanks += 1;
        // An error's text is followed by an empty line before the answer's part; a body may hold one too.
        let whole = match open.kind {
            Block::Request | Block::Response => open.path.is_some(),
            Block::Error => {
                open.path.is_some() && (open.status.is_some() || open.failure.is_some() || open.blanks >= 2)
            }
        };
        if whole && open.kind != Block::Error {
            self.flush(names);
        }
    }

    pub(super) fn finish_client(&mut self, names: &mut Names) {
        self.flush(names);
    }

    /// Ends the open block, if there is one.
    fn flush(&mut self, names: &mut Names) {
        let Some(open) = self.client.block.take() else { return };
        match open.kind {
            Block::Request => {
                if let Some(path) = open.path {
                    self.request(open, path, names);
                }
            }
            Block::Response | Block::Error => self.answer(open, names),
        }
    }

    fn new_draft(
        &mut self,
        origin: Origin,
        process: u64,
        device: Option<Name>,
        email: Option<Name>,
        what: What,
    ) -> usize {
        let event = Event {
            source: self.source,
            line: origin.line,
            time: 0,
            timed: origin.timed,
            user: None,
            email,
            address: None,
            device,
            process,
            ended: None,
            request_id: None,
            what,
        };
        self.keep(super::Draft { stamp: origin.stamp, timed: origin.timed, event })
    }

    fn request(&mut self, open: Open, path: Name, names: &mut Names) {
        let fields = open.fields;
        let request = Request {
            method: open.method.unwrap_or_else(|| names.intern(b"")),
            path,
            password: fields.password,
            new_password: fields.new_password,
            refresh_token: fields.refresh_token,
            sent: fields.bearer.or(fields.sent_token),
            grouped_by: if open.process == 0 { GroupedBy::Order } else { GroupedBy::Process },
            ..empty_request(Side::Client, names)
        };
        let what = What::Request(Arc::new(request));
        let place = self.new_draft(open.origin, open.process, fields.device, fields.email, what);
        self.events[place].event.request_id = fields.id;
        self.client.waiting.push(place);
        if self.client.waiting.len() > MOST_OPEN {
            self.client.waiting.remove(0);
        }
    }

    /// The last waiting request that an answer fits.
    fn waiting_for(&self, path: Option<Name>, method: Option<Name>, nothing: Name) -> Option<usize> {
        self.client.waiting.iter().rposition(|place| {
            self.events[*place].event.request().is_some_and(|request| {
                path.is_none_or(|path| path == request.path)
                    && method.is_none_or(|method| method == request.method || request.method == nothing)
            })
        })
    }

    fn answer(&mut self, open: Open, names: &mut Names) {
        let nothing = names.intern(b"");
        let found = self.waiting_for(open.path, open.method, nothing);
        let place = match (found, open.path) {
            (Some(index), _) => self.client.waiting.remove(index),
            // An answer whose request is not shown.
            (None, Some(path)) => {
                let request = Request {
                    method: open.method.unwrap_or(nothing),
                    path,
                    grouped_by: GroupedBy::Order,
                    ..empty_request(Side::Client, names)
                };
                self.new_draft(open.origin, open.process, None, None, What::Request(Arc::new(request)))
            }
            (None, None) => return,
        };
        let ended = open.origin.stamp.map(|stamp| stamp.micros());
        let failed = open.kind == Block::Error;
        if let Some(request) = self.events[place].event.request_mut() {
            request.status = open.status.or(request.status);
            request.answered = !failed || open.status.is_some();
            if failed && open.status.is_none() {
                request.failure = Some(open.failure.unwrap_or(NetFailure::Connection));
            }
            request.issued = open.fields.issued;
            request.expires_in = open.fields.expires_in;
            request.server_date = open.fields.server_date;
        }
        let event = &mut self.events[place].event;
        event.ended = ended;
        event.request_id = open.fields.id.or(event.request_id);
        if failed {
            self.client.failed.push(place);
            if self.client.failed.len() > MOST_OPEN {
                self.client.failed.remove(0);
            }
        }
    }

    /// A call with its answer, whole: nothing to pair.
    fn exchange(&mut self, record: &Record<'_>, origin: Origin, exchange: &Exchange<'_>, names: &mut Names) {
        self.flush(names);
        let status = exchange.status.filter(|status| *status > 0);
        let request = Request {
            method: names.intern(exchange.method),
            path: names.intern(bare_path(exchange.uri)),
            status,
            answered: status.is_some(),
            failure: status.is_none().then_some(NetFailure::Connection),
            password: exchange.params.password,
            new_password: exchange.params.new_password,
            refresh_token: exchange.params.refresh_token,
            sent: exchange.bearer.or(exchange.params.token),
            grouped_by: GroupedBy::OneLine,
            ..empty_request(Side::Client, names)
        };
        let place = self.draft(record, origin, names, What::Request(Arc::new(request)));
        let event = &mut self.events[place].event;
        event.email = exchange.params.email.map(|email| names.intern(email));
        event.ended = origin.stamp.map(|stamp| stamp.micros().saturating_add(exchange.duration.unwrap_or(0)));
        event.request_id = exchange.id;
    }

    /// A call that an app shows on one line. What its logger has shown already is not counted again.
    #[allow(clippy::too_many_arguments, reason = "the parts of one line")]
    fn one_line_call(
        &mut self,
        record: &Record<'_>,
        origin: Origin,
        kind: Block,
        method: Option<Name>,
        path: Option<Name>,
        status: Option<u16>,
        names: &mut Names,
    ) {
        self.flush(names);
        let near = |events: &[super::Draft], place: usize| {
            let event = &events[place].event;
            // The same words much later are another call.
            let apart = events[place].stamp.zip(origin.stamp).map_or(0, |(a, b)| (b.micros() - a.micros()).abs());
            if apart > SAME_CALL_TIME {
                return false;
            }
            event.request().is_some_and(|request| {
                path == Some(request.path) && (request.status == status || status.is_none() || request.status.is_none())
            }) && event.line + SAME_CALL_LINES >= origin.line
        };
        if kind != Block::Request && self.client.failed.iter().rev().any(|place| near(&self.events, *place)) {
            return;
        }
        let open = Open {
            kind,
            origin,
            process: record.process,
            method,
            path,
            status,
            failure: None,
            fields: Fields::default(),
            blanks: 0,
        };
        match (kind, path) {
            (Block::Request, Some(path)) => self.request(open, path, names),
            _ => self.answer(open, names),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one line")]
    fn transition(
        &mut self,
        record: &Record<'_>,
        origin: Origin,
        names: &mut Names,
        bloc: &[u8],
        event: &[u8],
        from: &[u8],
        to: &[u8],
    ) {
        let (was, is) = (auth_state(bloc, from), auth_state(bloc, to));
        let Some(is) = is else { return };
        let user = named(to).or_else(|| named(event));
        let email = email_in(event).or_else(|| email_in(to));
        // What a state is called says little ("session expired" is every app's name for it); what it carries says why.
        let sense = crate::dialect::meaning(arguments(event)).with(crate::dialect::meaning(arguments(to)));
        let asked = [&b"logout"[..], b"log_out", b"loggedout", b"signout", b"sign_out", b"signedout"]
            .iter()
            .any(|word| contains_ignoring_case(event, word));
        let what =
            What::State { to: is, from: was, event: masked(event, names), state: masked(to, names), asked, sense };
        let place = self.draft(record, origin, names, what);
        let draft = &mut self.events[place].event;
        draft.user = user.map(|user| names.intern(user));
        draft.email = email.map(|email| names.intern(email));
        if origin.timed == TimeFrom::Order {
            draft.timed = TimeFrom::Order;
        }
    }
}

/// `(reason: …)` of `AuthSessionExpired(reason: …)`.
fn arguments(text: &[u8]) -> &[u8] {
    memchr::memchr(b'(', text).map_or(b"", |at| &text[at..])
}

/// What a state's name means, in the usual words. `AuthLoading` and the like are neither.
fn auth_state(bloc: &[u8], state: &[u8]) -> Option<AuthState> {
    // Without Equatable or freezed a state prints as `Instance of 'AuthAuthenticated'`.
    let state = state.strip_prefix(b"Instance of '").unwrap_or(state);
    let name = state.split(|b| matches!(b, b'(' | b' ' | b'{' | b'\'')).next().unwrap_or_default();
    let has = |word: &[u8]| contains_ignoring_case(name, word);
    let about = |text: &[u8]| {
        [&b"auth"[..], b"session", b"login", b"user", b"account", b"sign", b"logged", b"identity", b"credential"]
            .iter()
            .any(|word| contains_ignoring_case(text, word))
    };
    if !about(bloc) && !about(name) {
        return None;
    }
    let out: &[&[u8]] = &[
        b"unauth",
        b"notauth",
        b"loggedout",
        b"signedout",
        b"signed_out",
        b"logged_out",
        b"guest",
        b"anonymous",
        b"expired",
        b"nosession",
        b"sessionended",
        b"sessionlost",
        b"loginrequired",
    ];
    if out.iter().any(|word| has(word)) {
        return Some(AuthState::SignedOut);
    }
    let busy: &[&[u8]] = &[
        b"loading",
        b"progress",
        b"initial",
        b"failure",
        b"error",
        b"checking",
        b"unknown",
        b"refreshing",
        b"submitting",
    ];
    if busy.iter().any(|word| has(word)) {
        return None;
    }
    let signed_in: &[&[u8]] = &[
        b"authenticated",
        b"loggedin",
        b"signedin",
        b"signed_in",
        b"logged_in",
        b"sessionactive",
        b"authorized",
        b"sessionready",
    ];
    signed_in.iter().any(|word| has(word)).then_some(AuthState::SignedIn)
}

/// The user whom a state names: `AuthAuthenticated(userId: 101)`, `SignedIn(user: User(id: 42))`.
fn named(state: &[u8]) -> Option<&[u8]> {
    let mut rest = state;
    while let Some(at) = memchr::memchr(b':', rest) {
        let key_start = rest[..at].iter().rposition(|b| !b.is_ascii_alphanumeric() && *b != b'_').map_or(0, |p| p + 1);
        let key = &rest[key_start..at];
        let value = rest[at + 1..].trim_ascii_start();
        let end = value.iter().position(|b| matches!(b, b',' | b')' | b' ' | b'}' | b']')).unwrap_or(value.len());
        let value = &value[..end];
        let fits =
            [&b"id"[..], b"userid", b"user_id", b"uid", b"user", b"accountid", b"account_id", b"memberid", b"sub"]
                .iter()
                .any(|known| key.eq_ignore_ascii_case(known));
        if fits && is_user_id(value) && !is_email(value) {
            return Some(value);
        }
        rest = &rest[at + 1..];
    }
    None
}

fn email_in(text: &[u8]) -> Option<&[u8]> {
    text.split(|b| matches!(b, b' ' | b'(' | b')' | b',' | b'{' | b'}' | b'=' | b'"'))
        .map(|word| word.strip_prefix(b"email:").unwrap_or(word))
        .find(|word| is_email(word))
}
