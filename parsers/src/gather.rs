//! Requests that begin and end within a chunk and about which there is nothing to say, put together where the chunk is parsed.
//!
//! Of every hundred requests some ninety-five are answered well and tell only that somebody's credential was good at that time.
//! Putting them together here, on all cores, leaves the ordered part of the work one short [`Answered`] for each instead of four
//! or five records. A request that is cut by the chunk's end, or has any line out of the ordinary, goes on as records, line by
//! line, and [`crate::assemble`] makes the same of it.

use std::collections::{HashMap, VecDeque};

use bumpalo::Bump;

use crate::assemble::bare_path;
use crate::assemble::server::{NOTE_REACH, names_refresh};
use crate::dialect::Tags;
use crate::dialect::server::keys::Whose;
use crate::dialect::server::lograge_places::Well;
use crate::dialect::server::rails;
use crate::event::GroupedBy;
use crate::quick::{self, Head, RAILS, Times};
use crate::recent::Recent;
use crate::record::{Body, Completed, Params, Record, Side, Upgrade};
use crate::secret::{ById, RequestId};
use crate::shape::{Bare, Meaning, Shapes};
use crate::text::{first_word, is_address, is_user_id};
use crate::time::{HOUR, Stamp};

/// A request that was answered well, with nothing else to say of it. Texts are numbers in [`Texts`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Answered {
    /// The line on which it begins, within its chunk, from 0.
    pub(crate) line: u32,
    /// The line on which it ends.
    pub(crate) last_line: u32,
    /// How many records it stands for.
    pub(crate) records: u32,
    pub(crate) id: RequestId,
    /// The program's own time on the first line, if its frame has one.
    pub(crate) frame: Option<Stamp>,
    /// The time that `Started` itself states.
    pub(crate) at: Option<Stamp>,
    /// When it ended, in the clock of its beginning.
    pub(crate) ended: Option<i64>,
    pub(crate) status: u16,
    pub(crate) process: u64,
    pub(crate) method: u32,
    pub(crate) path: u32,
    pub(crate) action: Option<u32>,
    pub(crate) address: Option<u32>,
    pub(crate) user: Option<u32>,
    pub(crate) grouped_by: GroupedBy,
}

/// The app's words that name a user and nothing else, where a one-line request after them says the same. What they may say of an earlier
/// request is left of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SaidAgain {
    /// The line, within its chunk, from 0.
    pub(crate) line: u32,
    /// See [`Record`].
    pub(crate) stamp: Option<Stamp>,
    pub(crate) near: Option<Stamp>,
    pub(crate) request: Option<RequestId>,
    pub(crate) process: u64,
    /// The number of the text.
    pub(crate) user: u32,
    pub(crate) address: Option<u32>,
}

/// The texts of answered requests, each under a number that it keeps from chunk to chunk: people, addresses and paths come back, and
/// whoever puts the chunks together looks each of them up once.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    numbers: HashMap<Box<[u8]>, u32, foldhash::fast::RandomState>,
    recent: Recent,
    /// Addresses that were found to be such.
    addresses: Recent,
}

/// The texts that a chunk brought.
#[derive(Debug, Default)]
pub(crate) struct NewTexts<'a> {
    /// The number of the first of them. 0: those of all chunks before are forgotten.
    pub(crate) from: usize,
    pub(crate) list: Vec<&'a [u8]>,
}

/// So many texts are kept; a log whose paths are all different would fill the memory otherwise.
const MOST_TEXTS: usize = 1 << 16;

impl Texts {
    /// What the next chunk brings goes here.
    fn next_chunk<'a>(&mut self) -> NewTexts<'a> {
        if self.numbers.len() >= MOST_TEXTS {
            self.numbers.clear();
            self.recent.clear();
        }
        NewTexts { from: self.numbers.len(), list: Vec::new() }
    }

    fn number<'a>(&mut self, text: &'a [u8], new: &mut NewTexts<'a>) -> u32 {
        self.number_of(text, new, |text| text)
    }

    /// The number of a text; `keep` makes it last as long as the chunk.
    fn number_of<'t, 'a>(
        &mut self,
        text: &'t [u8],
        new: &mut NewTexts<'a>,
        keep: impl FnOnce(&'t [u8]) -> &'a [u8],
    ) -> u32 {
        if let Some(number) = self.recent.get(text) {
            return number;
        }
        let number = self.numbers.get(text).copied().unwrap_or_else(|| {
            // A chunk has far fewer texts than bytes.
            let number = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
            self.numbers.insert(text.into(), number);
            new.list.push(keep(text));
            number
        });
        self.recent.put(text, number);
        number
    }

    /// See [`is_address`].
    fn is_address(&mut self, word: &[u8]) -> bool {
        let known = self.addresses.get(word).is_some();
        let is = known || is_address(word);
        if is && !known {
            self.addresses.put(word, 0);
        }
        is
    }
}

/// A request whose end is not read yet.
#[derive(Clone, Copy, Debug)]
struct Held<'a> {
    started: Record<'a>,
    processing: Option<Record<'a>>,
    parameters: Option<Record<'a>>,
    /// The app's own line that names the user and says nothing else.
    named: Option<Record<'a>>,
    /// Whom a line names.
    user: Option<&'a [u8]>,
    /// Two are named.
    mixed_up: bool,
}

impl<'a> Held<'a> {
    fn new(started: Record<'a>) -> Self {
        let user = started.user;
        Self { started, processing: None, parameters: None, named: None, user, mixed_up: false }
    }

    /// The same for another request, without writing what is empty.
    fn restart(&mut self, started: Record<'a>) {
        self.started = started;
        (self.processing, self.parameters, self.named) = (None, None, None);
        (self.user, self.mixed_up) = (started.user, false);
    }

    /// A line of it names somebody, or nobody.
    fn name(&mut self, user: Option<&'a [u8]>) {
        self.mixed_up |= self.user.is_some() && user.is_some() && self.user != user;
        self.user = self.user.or(user);
    }

    fn records(&self) -> impl Iterator<Item = Record<'a>> {
        [Some(self.started), self.processing, self.parameters, self.named].into_iter().flatten()
    }
}

/// The last line of a request that was answered well.
struct End {
    line: u32,
    stamp: Option<Stamp>,
    status: u16,
    /// Microseconds, where it is needed: where the line states no time.
    duration: Option<i64>,
}

/// A request that is one line and was answered well.
#[derive(Clone, Copy, Debug)]
struct OneLine<'a> {
    line: u32,
    id: RequestId,
    /// When it ended.
    stamp: Stamp,
    status: u16,
    /// Microseconds.
    duration: Option<i64>,
    process: u64,
    method: &'a [u8],
    /// Without a query.
    path: &'a [u8],
    action: Option<u32>,
    address: Option<&'a [u8]>,
    user: Option<&'a [u8]>,
}

/// What a chunk's records come to.
#[derive(Debug)]
pub(crate) struct Gather<'a, 't> {
    held: HashMap<RequestId, usize, ById>,
    slots: Vec<Held<'a>>,
    free: Vec<usize>,
    pub(crate) records: Vec<Record<'a>>,
    pub(crate) answered: Vec<Answered>,
    pub(crate) said_again: Vec<SaidAgain>,
    texts: &'t mut Texts,
    pub(crate) new_texts: NewTexts<'a>,
    /// Where the app's lines without an id that name a user and say nothing else are among the records.
    notes: VecDeque<usize>,
    /// And those with the id of a request that is not open: its one line may follow.
    named: HashMap<RequestId, usize, ById>,
    /// Room for a controller's action.
    name: Vec<u8>,
    /// Records were put in later than lines that follow them.
    disordered: bool,
    /// The release that was said last of each caller, and in which hour: what is said again of him goes no further.
    released: HashMap<Caller<'a>, (&'a [u8], i64), foldhash::fast::RandomState>,
}

/// Whether the release is an app's, and the caller's user and address.
type Caller<'a> = (bool, Option<&'a [u8]>, Option<&'a [u8]>);

/// Room for the records of a chunk, so that its list need not grow.
const ROOM: usize = 1 << 10;
/// And for the requests that are open at a time.
const OPEN: usize = 1 << 6;

impl<'a, 't> Gather<'a, 't> {
    /// For a new chunk.
    pub(crate) fn new(texts: &'t mut Texts) -> Self {
        let new_texts = texts.next_chunk();
        Self {
            held: HashMap::with_capacity_and_hasher(OPEN, ById),
            slots: Vec::with_capacity(OPEN),
            free: Vec::with_capacity(OPEN),
            records: Vec::with_capacity(ROOM),
            answered: Vec::with_capacity(ROOM),
            said_again: Vec::with_capacity(ROOM),
            texts,
            new_texts,
            notes: VecDeque::new(),
            named: HashMap::default(),
            name: Vec::new(),
            disordered: false,
            released: HashMap::default(),
        }
    }

    /// Takes a line that is one of the dull ones of a request which is gathered here: the hot path. Gives the place of the dialect that
    /// read it, and its time. `None` is anything else; it has to be read as a record then, and what comes of it is the same.
    pub(crate) fn dull(
        &mut self,
        head: &Head<'a>,
        (line, near): (u32, Option<Stamp>),
        times: &mut Times,
        shapes: &Shapes<'a>,
    ) -> Option<(usize, Option<Stamp>)> {
        let Head { stamp, process, severe, id: Some(id), text } = *head else { return None };
        let record = |body| Record {
            line,
            stamp,
            near,
            request: Some(id),
            user: None,
            address: None,
            process,
            tagged: true,
            severe,
            side: Side::Server,
            body,
        };
        let taken = Some((RAILS, stamp));
        match text.first()? {
            b'S' => {
                let body = rails::started_at(text, |when| times.stated(when), |word| self.texts.is_address(word))?;
                let Body::Started { upgrade: Upgrade::None, at, .. } = body else { return None };
                let stamp = stamp.or(at)?;
                self.begin(id, record(body));
                Some((RAILS, Some(stamp)))
            }
            b'P' => {
                let action = first_word(text.strip_prefix(b"Processing by ")?);
                let held = self.slots.get_mut(*self.held.get(&id)?)?;
                if held.processing.is_some() {
                    return None;
                }
                held.processing = Some(record(Body::Processing(action)));
                taken
            }
            b' ' => {
                let parameters = text.strip_prefix(b"  Parameters: ")?;
                let held = self.slots.get_mut(*self.held.get(&id)?)?;
                if held.parameters.is_some() || quick::tells(parameters) {
                    return None;
                }
                held.parameters = Some(record(Body::Parameters(Params::default())));
                taken
            }
            b'C' => {
                let (status, after) = rails::status(text)?;
                let status = status.filter(|status| (200..400).contains(status))?;
                let slot = *self.held.get(&id)?;
                if self.slots[slot].mixed_up {
                    return None;
                }
                let duration = if stamp.is_none() { rails::duration(after) } else { None };
                self.held.remove(&id);
                self.free.push(slot);
                self.answered(id, slot, &End { line, stamp, status, duration });
                taken
            }
            // No line of Rails begins so.
            b'a'..=b'z' | b'B' | b'D' | b'E' | b'G'..=b'O' | b'Q' | b'T'..=b'Z' => {
                let tags = Tags { request: Some(id), any: true, ..Tags::default() };
                let line = Bare { text, tags, severe, framed: stamp.is_some() };
                let (dialect, meaning) = shapes.get(shapes.of(&line)?, &line)?;
                let Meaning::Note { sense, user } = meaning else { return Some((dialect, stamp)) };
                let user = user.clone().and_then(|range| text.get(range)).filter(|user| is_user_id(user));
                if !sense.is_empty() || user.is_none() {
                    return sense.is_empty().then_some((dialect, stamp));
                }
                let record = record(Body::Note { sense: *sense, user, text });
                let Some(slot) = self.held.get(&id) else {
                    self.name(id, record);
                    return Some((dialect, stamp));
                };
                let held = self.slots.get_mut(*slot)?;
                if held.named.is_some() {
                    return None;
                }
                held.named = Some(record);
                held.name(user);
                Some((dialect, stamp))
            }
            _ => None,
        }
    }

    /// A request begins.
    fn begin(&mut self, id: RequestId, started: Record<'a>) {
        let slot = self.free.pop().unwrap_or(self.slots.len());
        if let Some(held) = self.slots.get_mut(slot) {
            held.restart(started);
        } else {
            self.slots.push(Held::new(started));
        }
        self.named.remove(&id);
        if let Some(other) = self.held.insert(id, slot) {
            self.hand_on(other);
        }
    }

    /// Takes the server's words without the id of a request.
    // (To hand a record over in memory takes longer than to write it where it belongs.)
    #[inline(always)]
    pub(crate) fn words(&mut self, record: Record<'a>) {
        if matches!(record.body, Body::Note { sense, user: Some(_), .. } if sense.is_empty()) {
            self.notes.push_back(self.records.len());
        }
        self.records.push(record);
    }

    /// Takes the next record of the chunk.
    pub(crate) fn push(&mut self, record: Record<'a>) {
        if let Body::Release(release) = record.body {
            // The server's own is nobody's, as in `assemble::releases`.
            let whose = record.user.filter(|_| release.of_app);
            let caller = (release.of_app, whose, record.address.filter(|_| release.of_app));
            // Without a time of its own it is told in an hour that is not known here.
            let said = record.stamp.map(|stamp| (release.name, stamp.micros().div_euclid(HOUR)));
            let known = match said {
                Some(said) => self.released.insert(caller, said),
                None => self.released.remove(&caller),
            };
            if said.is_none() || known != said {
                self.records.push(record);
            }
            return;
        }
        let Some(id) = record.request.filter(|_| record.side == Side::Server) else {
            if record.side == Side::Server && matches!(record.body, Body::Note { .. }) {
                self.words(record);
                return;
            }
            // An app's line that names a request belongs to it, whichever side it seems to be of.
            if let Some(id) = record.request {
                self.give_up(id);
            }
            self.record(record);
            return;
        };
        if let Body::Request { method, path, end } = record.body
            && let Completed { status: Some(status @ 200..400), exception: None, .. } = end
            && let Some(stamp) = record.stamp
            && let path = bare_path(path)
            && !path.is_empty()
            && !self.held.contains_key(&id)
        {
            let Completed { duration, action, .. } = end;
            let action = action.map(|action| self.texts.number(action, &mut self.new_texts));
            let Record { line, process, address, user, .. } = record;
            self.one_line(&OneLine { line, id, stamp, status, duration, process, method, path, action, address, user });
            return;
        }
        if let Body::Started { upgrade: Upgrade::None, at, .. } = record.body
            && record.stamp.or(at).is_some()
        {
            self.begin(id, record);
            return;
        }
        let Some(slot) = self.held.get(&id).copied() else {
            match record.body {
                Body::Note { sense, user: Some(_), .. } if sense.is_empty() => self.name(id, record),
                _ => self.record(record),
            }
            return;
        };
        let held = &mut self.slots[slot];
        let place = match record.body {
            Body::Processing(_) => Some(&mut held.processing),
            Body::Parameters(params) if params == Params::default() => Some(&mut held.parameters),
            Body::Note { sense, user: Some(_), .. } if sense.is_empty() => Some(&mut held.named),
            _ => None,
        };
        if let Some(place) = place.filter(|place| place.is_none()) {
            *place = Some(record);
            held.name(match record.body {
                Body::Note { user, .. } => record.user.or(user),
                _ => record.user,
            });
            return;
        }
        if let Body::Completed(Completed { status: Some(status @ 200..400), exception: None, duration, .. }) =
            record.body
        {
            held.name(record.user);
            // Where two are named, the long way decides.
            if !held.mixed_up {
                self.held.remove(&id);
                self.free.push(slot);
                self.answered(id, slot, &End { line: record.line, stamp: record.stamp, status, duration });
                return;
            }
        }
        self.give_up(id);
        self.record(record);
    }

    /// Hands on a record as it is.
    fn record(&mut self, record: Record<'a>) {
        // What it has to do with notes is seen where it is put together.
        if matches!(record.body, Body::Request { .. }) {
            self.notes.clear();
        }
        if let Some(id) = record.request {
            self.named.remove(&id);
        }
        self.records.push(record);
    }

    /// Hands on words that name a user and nothing else, with the id of a request that is not open: its one line may follow.
    fn name(&mut self, id: RequestId, record: Record<'a>) {
        self.named.insert(id, self.records.len());
        self.records.push(record);
    }

    /// Hands on a request as it stands.
    fn give_up(&mut self, id: RequestId) {
        if let Some(slot) = self.held.remove(&id) {
            self.hand_on(slot);
        }
    }

    fn hand_on(&mut self, slot: usize) {
        self.free.push(slot);
        self.records.extend(self.slots[slot].records());
        self.disordered = true;
    }

    fn answered(&mut self, id: RequestId, slot: usize, end: &End) {
        let Held { started, processing, parameters, user, .. } = &self.slots[slot];
        let Body::Started { method, path, address, at, .. } = started.body else { return };
        let Some(begun) = started.stamp.or(at) else { return };
        let action = processing.as_ref().and_then(|record| match record.body {
            Body::Processing(action) => Some(action),
            _ => None,
        });
        let mut number = |text| self.texts.number(text, &mut self.new_texts);
        self.answered.push(Answered {
            line: started.line,
            last_line: end.line,
            // (Words say nothing of the side that wrote them.)
            records: 2 + u32::from(processing.is_some()) + u32::from(parameters.is_some()),
            id,
            frame: started.stamp,
            at,
            ended: end.stamp.map(|stamp| stamp.micros()).or(end.duration.map(|duration| begun.micros() + duration)),
            status: end.status,
            process: started.process,
            method: number(method),
            path: number(bare_path(path)),
            action: action.map(&mut number),
            address: Some(address).filter(|address| !address.is_empty()).map(&mut number),
            user: user.map(&mut number),
            grouped_by: GroupedBy::RequestId,
        });
    }

    /// Takes a line of lograge's that is a request which was answered well, and gives its time. `None` is anything else; it has to be read
    /// as a record then, and what comes of it is the same.
    pub(crate) fn well(&mut self, head: &Head<'a>, line: u32, said: &Well<'a>, arena: &'a Bump) -> Option<Stamp> {
        let Whose { request, user, address, stamp } = said.whose;
        let (id, stamp) = (request.or(head.id)?, stamp.or(head.stamp)?);
        let path = bare_path(said.path);
        if path.is_empty() || self.held.contains_key(&id) {
            return None;
        }
        self.name.clear();
        for part in [said.controller, b"#", said.action] {
            self.name.extend_from_slice(part);
        }
        let action = self.texts.number_of(&self.name, &mut self.new_texts, |name| arena.alloc_slice_copy(name));
        let address = address.filter(|address| self.texts.is_address(address));
        self.one_line(&OneLine {
            line,
            id,
            stamp,
            status: said.status,
            duration: said.duration,
            process: head.process,
            method: said.method,
            path,
            action: Some(action),
            address,
            user,
        });
        Some(stamp)
    }

    /// A request that is one line, written at its end.
    fn one_line(&mut self, one: &OneLine<'a>) {
        self.say_again(one);
        let OneLine { line, id, stamp, status, duration, process, method, path, action, address, user } = *one;
        let mut number = |text| self.texts.number(text, &mut self.new_texts);
        self.answered.push(Answered {
            line,
            last_line: line,
            records: 1,
            id,
            frame: Some(stamp.at(stamp.micros() - duration.unwrap_or(0))),
            at: None,
            ended: Some(stamp.micros()),
            status,
            process,
            method: number(method),
            path: number(path),
            action,
            address: address.map(&mut number),
            user: user.map(&mut number),
            grouped_by: GroupedBy::OneLine,
        });
    }

    /// Notes that a one-line request would claim (see [`crate::assemble`]) and that say no more than it does are taken from the records.
    fn say_again(&mut self, request: &OneLine<'a>) {
        let named = self.named.remove(&request.id);
        let Some(user) = request.user else {
            // Whom it names is to be seen.
            self.notes.clear();
            return;
        };
        let reach = request.line.saturating_sub(NOTE_REACH);
        if let Some(place) = named
            && let Some(named) = self.records.get(place).and_then(names_one)
        {
            self.take_note(place, named);
            self.drop_taken();
        }
        while self.notes.front().is_some_and(|note| self.records[*note].line < reach) {
            self.notes.pop_front();
        }
        if names_refresh(request.path) {
            return;
        }
        let mut notes = std::mem::take(&mut self.notes);
        notes.retain(|note| {
            let own = names_one(&self.records[*note]) == Some(user);
            if own {
                self.take_note(*note, user);
            }
            !own
        });
        self.notes = notes;
        self.drop_taken();
    }

    /// Takes a note from the records, which leaves an empty one in its place.
    fn take_note(&mut self, place: usize, user: &'a [u8]) {
        let record = &mut self.records[place];
        record.body = Body::Dull;
        let Record { line, stamp, near, request, process, address, .. } = *record;
        let mut number = |text| self.texts.number(text, &mut self.new_texts);
        let (user, address) = (number(user), address.map(number));
        self.said_again.push(SaidAgain { line, stamp, near, request, process, user, address });
    }

    /// Drops the empty records at the end, which is where nearly all are: a note stands right before its request.
    fn drop_taken(&mut self) {
        while self.records.last().is_some_and(|record| matches!(record.body, Body::Dull)) {
            self.records.pop();
        }
    }

    /// The chunk is over: what is still open goes on as records, all in the order of lines.
    pub(crate) fn finish(&mut self) {
        let mut open: Vec<RequestId> = self.held.keys().copied().collect();
        for id in open.drain(..) {
            self.give_up(id);
        }
        self.records.retain(|record| !matches!(record.body, Body::Dull));
        if self.disordered {
            self.records.sort_by_key(|record| record.line);
        }
        self.said_again.sort_by_key(|said| said.line);
    }
}

/// Whom a note names: one whom tag and words name alike, or only one of them.
fn names_one<'a>(record: &Record<'a>) -> Option<&'a [u8]> {
    match record.body {
        Body::Note { user: words, .. } if record.user.is_none() || record.user == words => words,
        _ => None,
    }
}
