//! The server's side: requests from `Started` to `Completed` with what was logged under them, sockets line by line.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::uses::{self, Use};
use super::{Assembler, Draft, Known, Origin, Place, bare_path, masked};
use crate::event::{Fault, GroupedBy, Name, Names, Request, Socket, TimeFrom, WRITES, What};
use crate::gather::SaidAgain;
use crate::record::{Body, Completed, Params, Record, Sense, Side, Upgrade};
use crate::secret::{ById, RequestId};

/// How many requests without an id may be open at once; a server has some hundred threads at most.
const MOST_OPEN: usize = 1024;

/// How many lines an app's untagged line may stand before the one-line request it belongs to. Five threads (Puma's default)
/// write at most a few lines each in between.
pub(crate) const NOTE_REACH: u32 = 24;

/// `Completed … in 52ms` counts whole milliseconds from when the controller took the request, a few after `Started`
/// (microseconds). Requests that began closer together cannot be told by it.
const CLOCKED: i64 = 6_000;

/// A request that took longer (microseconds) lost its end: proxies give up after 30 to 60 s.
const LONGEST_ANSWER: i64 = 60_000_000;

/// One that no controller took for so long (microseconds) is none of the app's: an asset, a mounted engine.
const LONGEST_WAIT: i64 = 2_000_000;

/// How many frames of a stack trace are kept: the innermost ones in the app's own code.
const MOST_FRAMES: usize = 3;

/// What the server's side keeps between lines.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// Where the request of an id is. The older half is let go when the newer one is full.
    by_id: [HashMap<RequestId, Place, ById>; 2],
    /// Requests without an id that are open, by process; the latest last.
    open: HashMap<u64, VecDeque<usize>>,
    /// The request that ended last without an id: exceptions and notes may follow it.
    ended: Option<Place>,
    /// The exception that is being read.
    fault: Option<usize>,
    /// An app's lines without an id that may belong to a one-line request which follows.
    notes: VecDeque<PendingNote>,
    /// One-line requests that refresh have usual words in their paths.
    refresh_named: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct PendingNote {
    line: u64,
    draft: usize,
}

/// How many requests are remembered by their ids at least: a server answers some hundred at a time, and what it says of one
/// after its end it says at once.
const REMEMBERED: usize = 1 << 12;

impl State {
    fn remember(&mut self, id: RequestId, place: Place) {
        if self.by_id[0].len() >= REMEMBERED && !self.by_id[0].contains_key(&id) {
            self.by_id.swap(0, 1);
            self.by_id[0].clear();
        }
        self.by_id[0].insert(id, place);
    }

    fn place_of(&self, id: RequestId) -> Option<Place> {
        self.by_id.iter().find_map(|half| half.get(&id)).copied()
    }

    /// Where everything is that a line to come may be about.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        let drafts = self.open.values().flatten().copied().chain(self.fault);
        let drafts = drafts.chain(self.notes.iter().map(|note| note.draft));
        self.by_id.iter().flat_map(HashMap::values).copied().chain(self.ended).chain(drafts.map(Place::Draft))
    }

    /// Drafts have moved, or gone: an id may still lead to one that was since kept in short.
    pub(super) fn move_places(&mut self, to: impl Fn(usize) -> Option<usize>) {
        let moved = |place: &mut usize| to(*place).map(|new| *place = new).is_some();
        let moved_place = |place: &mut Place| match place {
            Place::Draft(place) => moved(place),
            Place::Use(_) => true,
        };
        for half in &mut self.by_id {
            half.retain(|_, place| moved_place(place));
        }
        for open in self.open.values_mut() {
            open.retain_mut(moved);
        }
        self.open.retain(|_, open| !open.is_empty());
        if self.ended.as_mut().is_some_and(|place| !moved_place(place)) {
            self.ended = None;
        }
        self.fault = self.fault.and_then(&to);
        self.notes.retain_mut(|note| moved(&mut note.draft));
    }

    /// Whether something was logged that may belong to the one line of this request.
    pub(super) fn waits_for(&self, id: RequestId) -> bool {
        !self.notes.is_empty() || matches!(self.place_of(id), Some(Place::Draft(_)))
    }

    /// A request ended with nothing to say of it.
    pub(super) fn ended_well(&mut self, id: RequestId, place: Place) {
        self.remember(id, place);
        self.ended = Some(place);
        self.fault = None;
    }
}

impl Assembler {
    pub(super) fn push_server(&mut self, record: &Record<'_>, origin: Origin, names: &mut Names) {
        match record.body {
            Body::Started { method, path, upgrade, address, .. } => {
                self.started(record, origin, names, method, path, upgrade, address);
            }
            Body::Processing(action) => self.processing(record, origin, names, action),
            Body::Parameters(params) => self.parameters(record, origin, names, &params),
            Body::Halted(filter) => {
                let filter = names.intern(filter);
                self.with_request(record, origin, names, |request| request.halted = Some(filter));
            }
            Body::Completed(end) => self.completed(record, origin, names, &end),
            Body::Request { method, path, end } => {
                self.one_line(record, origin, names, method, path, &end);
            }
            Body::Proxied { method, path, end } => {
                // Nothing that the app logs belongs to it: what is open or ended stays so.
                let (ended, fault) = (self.server.ended.take(), self.server.fault);
                let apart = Record { request: None, ..*record };
                let place = self.one_line(&apart, origin, names, method, path, &end);
                (self.server.ended, self.server.fault) = (ended, fault);
                if let Some(request) = self.events[place].event.request_mut() {
                    request.proxied = true;
                }
                self.events[place].event.request_id = record.request;
            }
            Body::Exception { class, message } => self.exception(record, origin, names, class, message),
            Body::Frame { place, method } => self.frame(record, names, place, method),
            Body::UserRow { id, .. } => {
                let id = names.intern(id);
                if let Some(place) = self.find(record, names) {
                    self.events[place].event.user.get_or_insert(id);
                }
            }
            Body::Note { sense, user, text } => self.note(record, origin, names, sense, user, text),
            Body::Upgraded => self.socket(record, origin, names, Socket::Upgraded),
            Body::UpgradeFailed => self.socket(record, origin, names, Socket::UpgradeFailed),
            Body::Registered(gid) => {
                let gid = names.intern(gid);
                self.socket(record, origin, names, Socket::Accepted(gid));
            }
            Body::Removing(gid) => {
                let gid = names.intern(gid);
                self.socket(record, origin, names, Socket::Removing(gid));
            }
            Body::Rejected => self.socket(record, origin, names, Socket::Refused),
            Body::Finished { address, .. } => {
                let record = Record { address: Some(address).filter(|address| !address.is_empty()), ..*record };
                self.socket(&record, origin, names, Socket::Closed);
            }
            Body::Connection { opened: true, token } => self.socket(record, origin, names, Socket::Connect(token)),
            Body::Connection { opened: false, token } => self.socket(record, origin, names, Socket::Disconnect(token)),
            Body::Channel(true) => self.socket(record, origin, names, Socket::Subscribed),
            Body::Channel(false) => self.socket(record, origin, names, Socket::Unsubscribed),
            Body::Process(process) => {
                self.draft(record, origin, names, What::Process(process));
            }
            _ => {}
        }
    }

    /// A line about a socket. Where it has a request id, the address of its request is its own.
    fn socket(&mut self, record: &Record<'_>, origin: Origin, names: &mut Names, socket: Socket) {
        let known = record.request.and_then(|_| self.find(record, names));
        let place = self.draft(record, origin, names, What::Socket(socket));
        if let Some(known) = known {
            let address = self.events[known].event.address;
            let draft = &mut self.events[place].event;
            draft.address = draft.address.or(address);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one line")]
    fn started(
        &mut self,
        record: &Record<'_>,
        origin: Origin,
        names: &mut Names,
        method: &[u8],
        path: &[u8],
        upgrade: Upgrade,
        address: &[u8],
    ) {
        let record = Record { address: Some(address).filter(|address| !address.is_empty()), ..*record };
        if upgrade != Upgrade::None {
            // Rails' own line for the same request came just before, and stays without an end. (6.1 writes a slash more here.)
            if let Some(place) = self.find_upgrade(&record, names, path) {
                if let Some(request) = self.events[place].event.request_mut() {
                    request.upgraded = true;
                }
                self.close(&record, place);
            }
            if upgrade == Upgrade::WebSocket {
                self.socket(&record, origin, names, Socket::Opened);
            }
            return;
        }
        if self.began_before(&record, origin, names, method, path) {
            return;
        }
        let grouped_by = match (record.request, record.process) {
            (Some(_), _) => GroupedBy::RequestId,
            (None, 1..) => GroupedBy::Process,
            (None, 0) => GroupedBy::Order,
        };
        let request = Request {
            method: names.intern(method),
            path: names.intern(bare_path(path)),
            grouped_by,
            ..empty_request(Side::Server, names)
        };
        let place = self.draft(&record, origin, names, What::Request(Arc::new(request)));
        if let Some(id) = record.request {
            self.server.remember(id, Place::Draft(place));
        } else {
            let open = self.server.open.entry(record.process).or_default();
            open.push_back(place);
            if open.len() > MOST_OPEN {
                open.pop_front();
            }
        }
    }

    /// Whether this is the beginning of a request that is known, sent again by whoever ships the log: then all that follows it is as well, and
    /// changes nothing. (A client may use an id twice, but not in the same millisecond. Of requests answered well without anything to say
    /// of them, which are most and are put together before, each copy counts.)
    fn began_before(&self, record: &Record<'_>, origin: Origin, names: &Names, method: &[u8], path: &[u8]) -> bool {
        let known = record.request.and_then(|id| self.server.place_of(id));
        let (Some(Place::Draft(place)), Some(stamp)) = (known, origin.stamp.filter(|stamp| !stamp.coarse())) else {
            return false;
        };
        let draft = &self.events[place];
        let says_the_same = |request: &Request| {
            names.text(request.method).as_bytes() == method && names.text(request.path).as_bytes() == bare_path(path)
        };
        draft.stamp == Some(stamp) && draft.event.request().is_some_and(says_the_same)
    }

    /// The request that a line belongs to: by its id, else the one that was begun last by the same process.
    fn find(&mut self, record: &Record<'_>, names: &mut Names) -> Option<usize> {
        match record.request {
            Some(id) => self.find_by_id(id, names),
            None => self.server.open.get(&record.process)?.back().copied(),
        }
    }

    fn find_by_id(&mut self, id: RequestId, names: &mut Names) -> Option<usize> {
        let known = self.server.place_of(id)?;
        let place = self.draft_at(known, names)?;
        if known != Place::Draft(place) {
            self.server.remember(id, Place::Draft(place));
        }
        Some(place)
    }

    /// A controller takes a request.
    fn processing(&mut self, record: &Record<'_>, origin: Origin, names: &mut Names, action: &[u8]) {
        if record.request.is_none() {
            self.turn_to(record.process, action, names);
        }
        let action = names.intern(action);
        self.with_request(record, origin, names, |request| request.action = Some(action));
    }

    /// Without ids a controller takes a request that none has taken yet: the one whose path speaks of the controller, else the latest. (What
    /// answers without a controller, an asset or a mounted engine, stays untaken.) It becomes the latest, for what stands below it
    /// (parameters, a filter that halts) is its own.
    fn turn_to(&mut self, process: u64, action: &[u8], names: &Names) {
        let Some(open) = self.server.open.get_mut(&process) else { return };
        let untaken = |place: &&usize| {
            let request = self.events[**place].event.request();
            request.is_some_and(|request| request.action.is_none())
        };
        let resource = resource_of(action);
        let speaks_of_it = |place: &&usize| {
            let request = self.events[**place].event.request();
            let path = request.map(|request| names.text(request.path).as_bytes()).unwrap_or_default();
            !resource.is_empty() && crate::text::contains(path, &resource)
        };
        let of_it = open.iter().filter(untaken).find(speaks_of_it);
        if let Some(place) = of_it.or_else(|| open.iter().rev().find(untaken)).copied() {
            open.retain(|other| *other != place);
            open.push_back(place);
        }
    }

    /// The request that a line without an id was written under: the only one that its process is answering, or the only one that the
    /// line can mean.
    fn only_open(&self, process: u64, origin: Origin, sense: Sense, names: &Names) -> Option<usize> {
        if sense.has(Sense::SOCKET) {
            return None;
        }
        let now = origin.stamp.map(|stamp| stamp.micros());
        let answering = |place: &usize| {
            let draft = &self.events[*place];
            let begun = draft.stamp.map(|stamp| stamp.micros());
            let taken = draft.event.request().is_some_and(|request| request.action.is_some());
            let longest = if taken { LONGEST_ANSWER } else { LONGEST_WAIT };
            now.zip(begun).is_none_or(|(now, begun)| now - begun < longest)
        };
        let open: Vec<usize> = self.server.open.get(&process)?.iter().copied().filter(answering).collect();
        let meant: Vec<usize> = if open.len() > 1 && sense.has(Sense::REFRESH) {
            let renews = |place: &usize| {
                let request = self.events[*place].event.request();
                request.is_some_and(|request| names_refresh(names.text(request.path).as_bytes()))
            };
            open.into_iter().filter(renews).collect()
        } else {
            open
        };
        if let [only] = meant[..] { Some(only) } else { None }
    }

    fn find_upgrade(&mut self, record: &Record<'_>, names: &mut Names, path: &[u8]) -> Option<usize> {
        if record.request.is_some() {
            return self.find(record, names);
        }
        let bare = bare_path(path);
        let wanted = [names.intern(bare), names.intern(bare.strip_suffix(b"/").unwrap_or(bare))];
        self.server
            .open
            .get(&record.process)?
            .iter()
            .rev()
            .copied()
            .find(|place| self.events[*place].event.request().is_some_and(|request| wanted.contains(&request.path)))
    }

    fn close(&mut self, record: &Record<'_>, place: usize) {
        if record.request.is_none()
            && let Some(open) = self.server.open.get_mut(&record.process)
        {
            open.retain(|other| *other != place);
        }
    }

    fn with_request(
        &mut self,
        record: &Record<'_>,
        origin: Origin,
        names: &mut Names,
        change: impl FnOnce(&mut Request),
    ) -> Option<usize> {
        let place = match self.find(record, names) {
            Some(place) => place,
            // The log begins in mid-request. With an id the rest of it can still be put together.
            None if record.request.is_some() => {
                let request = Request { grouped_by: GroupedBy::RequestId, ..empty_request(Side::Server, names) };
                let place = self.draft(record, origin, names, What::Request(Arc::new(request)));
                self.server.remember(record.request?, Place::Draft(place));
                place
            }
            None => return None,
        };
        if let Some(user) = record.user {
            let user = names.intern(user);
            self.events[place].event.user.get_or_insert(user);
        }
        if let Some(request) = self.events[place].event.request_mut() {
            change(request);
        }
        Some(place)
    }

    fn parameters(&mut self, record: &Record<'_>, origin: Origin, names: &mut Names, params: &Params<'_>) {
        let place = self.with_request(record, origin, names, |request| {
            request.password |= params.password;
            request.new_password |= params.new_password;
            request.refresh_token |= params.refresh_token;
            request.sent = params.token.or(request.sent);
        });
        if let (Some(place), Some(email)) = (place, params.email) {
            self.events[place].event.email = Some(names.intern(email));
        }
    }

    fn completed(&mut self, record: &Record<'_>, origin: Origin, names: &mut Names, end: &Completed<'_>) {
        let place = if record.request.is_none() {
            self.answered(record, origin, end.duration)
        } else {
            self.with_request(record, origin, names, |_| {})
        };
        let place = place.unwrap_or_else(|| {
            let request = empty_request(Side::Server, names);
            self.draft(record, origin, names, What::Request(Arc::new(request)))
        });
        let draft = &mut self.events[place];
        let begun = draft.stamp.map(|stamp| stamp.micros());
        if let Some(request) = draft.event.request_mut() {
            // A second `Completed` of one request (a render in an after-filter, a retry in development) changes nothing.
            if request.status.is_none() {
                request.status = end.status;
            }
        }
        let stated = origin.stamp.filter(|_| origin.timed == TimeFrom::Line).map(|stamp| stamp.micros());
        let by_duration = begun.zip(end.duration).map(|(begun, duration)| begun + duration);
        draft.event.ended = stated.or(by_duration).or(draft.event.ended);
        self.close(record, place);
        self.ended(record, place, names);
    }

    /// A request has ended. One of which nothing else is to be said is kept in short.
    fn ended(&mut self, record: &Record<'_>, place: usize, names: &Names) {
        // Without an id, what follows is known to be about it by the order of lines only.
        let kept = if record.request.is_some() { self.shorten(place, names) } else { Place::Draft(place) };
        if let Some(id) = record.request {
            self.server.remember(id, kept);
        }
        let before = self.server.ended.replace(kept);
        self.server.fault = None;
        // Nothing more will be said of one without an id that ended before it.
        if let Some(Place::Draft(before)) = before.filter(|before| *before != kept)
            && self.events[before].event.request_id.is_none()
        {
            self.shorten(before, names);
        }
    }

    /// The request that an answer without an id belongs to: of those that a controller took (one whose controller is not
    /// known yet, an asset or a socket, never completes), the one that began as long ago as the answer says it took. Where
    /// that does not tell, the last, and the request says that it is put together by order.
    fn answered(&mut self, record: &Record<'_>, origin: Origin, lasted: Option<i64>) -> Option<usize> {
        let open = self.server.open.get(&record.process)?;
        let taken: Vec<usize> = open
            .iter()
            .copied()
            .filter(|place| self.events[*place].event.request().is_some_and(|request| request.action.is_some()))
            .collect();
        if taken.len() < 2 {
            return taken.first().or_else(|| open.back()).copied();
        }
        let ended = origin.stamp.filter(|_| origin.timed == TimeFrom::Line).map(|stamp| stamp.micros());
        let mut off: Vec<(i64, usize)> = ended
            .zip(lasted)
            .map(|(ended, lasted)| {
                let begun = |place: &usize| self.events[*place].stamp.map(|stamp| stamp.micros());
                taken.iter().filter_map(|place| Some(((ended - lasted - begun(place)?).abs(), *place))).collect()
            })
            .unwrap_or_default();
        off.sort_unstable();
        let (place, sure) = match off[..] {
            [(first, place), (second, _), ..] => (place, first < CLOCKED && second >= first + CLOCKED),
            _ => (*taken.last()?, false),
        };
        if !sure && let Some(request) = self.events[place].event.request_mut() {
            request.grouped_by = GroupedBy::Order;
        }
        Some(place)
    }

    /// Gives the draft's place; with a request id it may be kept in short by now.
    fn one_line(
        &mut self,
        record: &Record<'_>,
        origin: Origin,
        names: &mut Names,
        method: &[u8],
        path: &[u8],
        end: &Completed<'_>,
    ) -> usize {
        let fault = end.exception.map(|text| {
            let (class, message) = crate::text::split_at_first(text, b": ").unwrap_or((text, b""));
            let class = Some(names.intern(class));
            Box::new(Fault {
                class,
                message: masked(message, names),
                frames: Vec::new(),
                line: origin.line,
                rescued: false,
            })
        });
        let request = Request {
            method: names.intern(method),
            path: names.intern(bare_path(path)),
            action: end.action.map(|action| names.intern(action)),
            status: end.status,
            fault,
            grouped_by: GroupedBy::OneLine,
            ..empty_request(Side::Server, names)
        };
        let place = self.draft(record, origin, names, What::Request(Arc::new(request)));
        // The line is written at the end of the request; it began `duration` before.
        self.events[place].event.ended = origin.stamp.map(|stamp| stamp.micros());
        if let (Some(stamp), Some(duration)) = (&mut self.events[place].stamp, end.duration) {
            *stamp = stamp.at(stamp.micros() - duration);
        }
        // What was logged under the same id before belongs to it.
        if let Some(Place::Draft(earlier)) = record.request.and_then(|id| self.server.place_of(id)) {
            self.take_over(earlier, place);
        }
        if !matches!(record.body, Body::Proxied { .. }) {
            self.claim_notes(origin.line, place, path, names);
        }
        self.ended(record, place, names);
        place
    }

    /// A request of one line, with nothing to say of it but what was logged before.
    pub(super) fn at_length(&mut self, one: &Use, names: &mut Names) -> Place {
        let event = uses::Requests::default().event_of(one, self.source, names);
        let place = self.keep(Draft { stamp: Some(one.stamp), timed: TimeFrom::Line, event });
        if let Some(Place::Draft(earlier)) = one.id.and_then(|id| self.server.place_of(id)) {
            self.take_over(earlier, place);
        }
        self.claim_notes(one.line, place, names.text(one.path).as_bytes(), names);
        self.shorten(place, names)
    }

    /// Moves what was gathered under a request's id before its one line came.
    fn take_over(&mut self, earlier: usize, place: usize) {
        let (user, email) = (self.events[earlier].event.user, self.events[earlier].event.email);
        let Some(old) = self.events[earlier].event.request_mut() else { return };
        if old.status.is_some() || old.path != old.method {
            return;
        }
        let (sense, fault) = (old.sense, old.fault.take());
        // The earlier draft is an empty shell now.
        self.free.push(earlier);
        let draft = &mut self.events[place].event;
        draft.user = draft.user.or(user);
        draft.email = draft.email.or(email);
        if let Some(request) = draft.request_mut() {
            request.sense = request.sense.with(sense);
            request.fault = request.fault.take().or(fault);
        }
    }

    /// Gives an app's untagged lines to the one-line request that follows them, where they fit it: a refusal to a refused
    /// one, and a line that names a path to that path.
    fn claim_notes(&mut self, line: u64, place: usize, path: &[u8], names: &Names) {
        let Some(request) = self.events[place].event.request() else { return };
        let Some(status) = request.status else { return };
        let writes = WRITES.contains(&names.text(request.method));
        let bare = bare_path(path).to_vec();
        let to_refresh = names_refresh(&bare);
        self.server.refresh_named |= to_refresh;
        let mut rest = VecDeque::new();
        while let Some(note) = self.server.notes.pop_front() {
            if note.line + u64::from(NOTE_REACH) < line {
                continue;
            }
            let user = self.events[note.draft].event.user;
            let owner = self.events[place].event.user;
            let What::Note { sense, text, .. } = self.events[note.draft].event.what else { continue };
            let refused = sense.has(Sense::REFUSED) || sense.gives_reason();
            let about_refresh = sense.has(Sense::REFRESH);
            // Where it is not called so, words of a refresh are those of the request on whose line's heels they stand, if it may be one. (Before
            // the first that is called so, they may be somebody else's.)
            let heels = about_refresh && writes && !self.server.refresh_named && note.line + 1 == line;
            let other = user.is_some() && owner.is_some() && user != owner;
            if other
                || sense.has(Sense::SOCKET)
                || (about_refresh != to_refresh && !heels)
                || refused != (status >= 400)
            {
                rest.push_back(note);
                continue;
            }
            if sense.is_empty() {
                // It said who it was and no more.
                self.free.push(note.draft);
            }
            let draft = &mut self.events[place].event;
            draft.user = draft.user.or(user);
            if let Some(request) = draft.request_mut() {
                request.sense = request.sense.with(sense);
                if sense.has(Sense::FAULT) && request.fault.is_none() {
                    let fault =
                        Fault { class: None, message: text, frames: Vec::new(), line: note.line, rescued: true };
                    request.fault = Some(Box::new(fault));
                }
            }
        }
        self.server.notes = rest;
    }

    /// The request that an exception is about: the one of its id, else the one that ended last.
    fn find_ended(&mut self, record: &Record<'_>, names: &mut Names) -> Option<usize> {
        if let Some(place) = record.request.and_then(|_| self.find(record, names)) {
            return Some(place);
        }
        let kept = self.server.ended?;
        let place = self.draft_at(kept, names)?;
        self.server.ended = Some(Place::Draft(place));
        let event = &self.events[place].event;
        // Unless another request of this id has begun since.
        if let Some(id) = event.request_id
            && self.server.place_of(id) == Some(kept)
        {
            self.server.remember(id, Place::Draft(place));
        }
        Some(place)
    }

    fn exception(&mut self, record: &Record<'_>, origin: Origin, names: &mut Names, class: &[u8], message: &[u8]) {
        let class = names.intern(class);
        let message = masked(message, names);
        let place = self.find_ended(record, names);
        self.server.fault = None;
        let Some(place) = place else { return };
        if let Some(request) = self.events[place].event.request_mut() {
            // `Completed 500` comes first, the exception after it. One that was logged under a request that went well was
            // rescued by the app, which then logged it in Rails' own words.
            let rescued = request.status.is_some_and(|status| status < 400);
            if request.fault.as_ref().is_none_or(|fault| fault.class.is_none() || fault.frames.is_empty()) {
                let fault = Fault { class: Some(class), message, frames: Vec::new(), line: origin.line, rescued };
                request.fault = Some(Box::new(fault));
                self.server.fault = Some(place);
            }
        }
    }

    fn frame(&mut self, record: &Record<'_>, names: &mut Names, place: &[u8], method: &[u8]) {
        let owner = record.request.and_then(|_| self.find(record, names)).or(self.server.fault);
        let Some(owner) = owner else { return };
        if let Some(request) = self.events[owner].event.request_mut()
            && let Some(fault) = request.fault.as_mut().filter(|fault| fault.frames.len() < MOST_FRAMES)
        {
            fault.frames.push((names.intern(place), names.intern(method)));
        }
    }

    /// The request that the app's words without an id were written under, unless it is another user's.
    fn written_under(
        &self,
        process: u64,
        origin: Origin,
        sense: Sense,
        user: Option<Name>,
        names: &Names,
    ) -> Option<usize> {
        self.only_open(process, origin, sense, names).filter(|owner| {
            let known = self.events[*owner].event.user;
            known.is_none() || user.is_none() || known == user
        })
    }

    /// Takes the app's words that name a user, where a one-line request says the same: no event, but they may tell of another request
    /// whose it is (of an id that is used again, or one without an id that is open).
    pub(super) fn said_again(&mut self, said: &SaidAgain, first_line: u64, known: &mut Known, names: &mut Names) {
        let origin = self.origin(first_line + u64::from(said.line), said.stamp, said.near);
        let user = known.name(said.user, names);
        let owner = match said.request {
            Some(id) => self.find_by_id(id, names),
            None => self.written_under(said.process, origin, Sense::default(), user, names),
        };
        if let Some(owner) = owner {
            let event = &mut self.events[owner].event;
            event.user = event.user.or(user);
        }
    }

    pub(super) fn note(
        &mut self,
        record: &Record<'_>,
        origin: Origin,
        names: &mut Names,
        sense: Sense,
        user: Option<&[u8]>,
        text: &[u8],
    ) {
        let user = user.map(|user| names.intern(user));
        let owner = match record.request {
            Some(_) => self.with_request(record, origin, names, |_| {}),
            None => self.written_under(record.process, origin, sense, user, names),
        };
        if let Some(owner) = owner {
            let fault = (sense.has(Sense::FAULT)).then(|| masked(text, names));
            let event = &mut self.events[owner].event;
            if let Some(request) = event.request_mut() {
                request.sense = request.sense.with(sense);
                if let (Some(message), None) = (fault, &request.fault) {
                    let fault = Fault { class: None, message, frames: Vec::new(), line: origin.line, rescued: true };
                    request.fault = Some(Box::new(fault));
                }
            }
            event.user = event.user.or(user);
            return;
        }
        // Words that only name somebody are not kept: a request that follows may say it again, and then there is no such event.
        let only_names = sense.is_empty() && user.is_some() && record.side == Side::Server;
        let text = if only_names { names.intern(b"") } else { masked(text, names) };
        let place = self.draft(record, origin, names, What::Note { sense, text, severe: record.severe });
        let event = &mut self.events[place].event;
        event.user = event.user.or(user);
        self.server.notes.push_back(PendingNote { line: origin.line, draft: place });
        while self.server.notes.front().is_some_and(|note| note.line + u64::from(NOTE_REACH) < origin.line) {
            self.server.notes.pop_front();
        }
    }
}

/// What a controller is about, as paths spell it: `sessions` for `Api::V1::SessionsController#create`.
fn resource_of(action: &[u8]) -> Vec<u8> {
    let controller = action.split(|byte| *byte == b'#').next().unwrap_or_default();
    let last = controller.rsplit(|byte| *byte == b':').next().unwrap_or_default();
    let last = last.strip_suffix(b"Controller").unwrap_or(last);
    let mut out = Vec::with_capacity(last.len() + 4);
    for (at, byte) in last.iter().enumerate() {
        if at > 0 && byte.is_ascii_uppercase() {
            out.push(b'_');
        }
        out.push(byte.to_ascii_lowercase());
    }
    out
}

/// Whether a path is one that refreshes, by its words.
pub(crate) fn names_refresh(path: &[u8]) -> bool {
    path.iter().enumerate().any(|(at, first)| match first {
        b'r' => path[at..].starts_with(b"refresh") || path[at..].starts_with(b"renew"),
        b't' => path[at..].starts_with(b"token"),
        _ => false,
    })
}

/// A request of which nothing is known yet. Its method and path are the empty name.
pub(super) fn empty_request(side: Side, names: &mut Names) -> Request {
    let nothing: Name = names.intern(b"");
    Request {
        side,
        proxied: false,
        method: nothing,
        path: nothing,
        action: None,
        status: None,
        answered: false,
        failure: None,
        password: false,
        new_password: false,
        refresh_token: false,
        sent: None,
        issued: None,
        expires_in: None,
        halted: None,
        upgraded: false,
        sense: Sense::default(),
        fault: None,
        server_date: None,
        grouped_by: GroupedBy::Order,
    }
}
