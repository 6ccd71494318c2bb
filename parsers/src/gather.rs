//! Requests that begin and end within a chunk and about which there is nothing to say, put together where the chunk is parsed.
//!
//! Of every hundred requests some ninety-five are answered well and tell only that somebody's credential was good at that time.
//! Putting them together here, on all cores, leaves the ordered part of the work one short [`Answered`] for each instead of four
//! or five records. A request that is cut by the chunk's end, or has any line out of the ordinary, goes on as records, line by
//! line, and [`crate::assemble`] makes the same of it.

use std::collections::HashMap;

use crate::assemble::bare_path;
use crate::record::{Body, Completed, Params, Record, Side, Upgrade};
use crate::secret::{ById, RequestId};
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
}

/// The texts of a chunk's answered requests, each once.
#[derive(Debug, Default)]
pub(crate) struct Texts<'a> {
    numbers: HashMap<&'a [u8], u32, foldhash::fast::RandomState>,
    pub(crate) list: Vec<&'a [u8]>,
}

impl<'a> Texts<'a> {
    fn number(&mut self, text: &'a [u8]) -> u32 {
        // A chunk has far fewer texts than bytes.
        let next = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(text).or_insert(next);
        if number == next {
            self.list.push(text);
        }
        number
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
}

/// What a chunk's records come to.
#[derive(Debug)]
pub(crate) struct Gather<'a> {
    held: HashMap<RequestId, usize, ById>,
    slots: Vec<Held<'a>>,
    free: Vec<usize>,
    pub(crate) records: Vec<Record<'a>>,
    pub(crate) answered: Vec<Answered>,
    pub(crate) texts: Texts<'a>,
    /// Records were put in later than lines that follow them.
    disordered: bool,
    /// The release that was said last of each caller, and in which hour: what is said again of him goes no further.
    released: HashMap<Caller<'a>, (&'a [u8], i64), foldhash::fast::RandomState>,
}

/// Whether the release is an app's, and the caller's user and address.
type Caller<'a> = (bool, Option<&'a [u8]>, Option<&'a [u8]>);

/// Room for the requests of a chunk that are open at a time, and for its texts, so that tables need not grow.
const ROOM: usize = 1 << 10;

impl<'a> Gather<'a> {
    /// For a new chunk.
    pub(crate) fn new() -> Self {
        Self {
            held: HashMap::with_capacity_and_hasher(ROOM, ById),
            slots: Vec::with_capacity(ROOM),
            free: Vec::with_capacity(ROOM),
            records: Vec::with_capacity(ROOM),
            answered: Vec::with_capacity(ROOM),
            texts: Texts { numbers: HashMap::with_capacity_and_hasher(2 * ROOM, Default::default()), list: Vec::new() },
            disordered: false,
            released: HashMap::default(),
        }
    }

    /// Takes the next record of the chunk.
    pub(crate) fn push(&mut self, record: Record<'a>) {
        if let Body::Release(release) = record.body {
            // The server's own is nobody's, as in `assemble::releases`.
            let whose = record.user.filter(|_| release.of_app);
            let caller = (release.of_app, whose, record.address.filter(|_| release.of_app));
            // Without a time of its own it is told in an hour that is not known here.
            let said = record.stamp.map(|stamp| (release.name, stamp.micros.div_euclid(HOUR)));
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
            self.records.push(record);
            return;
        };
        if let Body::Started { upgrade: Upgrade::None, at, .. } = record.body
            && record.stamp.or(at).is_some()
        {
            self.give_up(id);
            let held = Held { started: record, processing: None, parameters: None, named: None };
            let slot = self.free.pop().unwrap_or(self.slots.len());
            if let Some(place) = self.slots.get_mut(slot) {
                *place = held;
            } else {
                self.slots.push(held);
            }
            self.held.insert(id, slot);
            return;
        }
        let Some(slot) = self.held.get(&id).copied() else {
            self.records.push(record);
            return;
        };
        let held = &mut self.slots[slot];
        match record.body {
            Body::Processing(_) if held.processing.is_none() => held.processing = Some(record),
            Body::Parameters(params) if held.parameters.is_none() && params == Params::default() => {
                held.parameters = Some(record);
            }
            Body::Note { sense, user: Some(_), .. } if held.named.is_none() && sense.is_empty() => {
                held.named = Some(record);
            }
            Body::Completed(end) if end.exception.is_none() && end.status.is_some_and(|s| (200..400).contains(&s)) => {
                let held = *held;
                self.held.remove(&id);
                self.free.push(slot);
                self.answered(id, &held, &record, &end);
            }
            _ => {
                self.give_up(id);
                self.records.push(record);
            }
        }
    }

    /// Hands on a request as it stands.
    fn give_up(&mut self, id: RequestId) {
        let Some(slot) = self.held.remove(&id) else { return };
        self.free.push(slot);
        let Held { started, processing, parameters, named } = self.slots[slot];
        self.records.extend([Some(started), processing, parameters, named].into_iter().flatten());
        self.disordered = true;
    }

    fn answered(&mut self, id: RequestId, held: &Held<'a>, last: &Record<'a>, end: &Completed<'a>) {
        let Body::Started { method, path, address, at, .. } = held.started.body else { return };
        let Some(begun) = held.started.stamp.or(at) else { return };
        let Held { started, processing, parameters, named } = held;
        let mut middle = [processing.as_ref(), parameters.as_ref(), named.as_ref()];
        // Whoever is named first: by a line's tags, else by its words.
        middle.sort_unstable_by_key(|record| record.map(|record| record.line));
        let lines = [Some(started)].into_iter().chain(middle).chain([Some(last)]).flatten();
        let name = |record: &Record<'a>| match record.body {
            Body::Note { user, .. } => record.user.or(user),
            _ => record.user,
        };
        let user = lines.clone().find_map(name);
        if lines.clone().filter_map(name).any(|other| Some(other) != user) {
            // Two are named: the long way decides.
            self.records.extend(lines.copied());
            self.disordered = true;
            return;
        }
        let address = Some(address).filter(|address| !address.is_empty());
        let action = held.processing.as_ref().and_then(|record| match record.body {
            Body::Processing(action) => Some(action),
            _ => None,
        });
        let by_duration = end.duration.map(|duration| begun.micros + duration);
        let answered = Answered {
            line: held.started.line,
            last_line: last.line,
            // (Words say nothing of the side that wrote them.)
            records: u32::try_from(lines.count() - usize::from(named.is_some())).unwrap_or(0),
            id,
            frame: held.started.stamp,
            at,
            ended: last.stamp.map(|stamp| stamp.micros).or(by_duration),
            status: end.status.unwrap_or(200),
            process: held.started.process,
            method: self.texts.number(method),
            path: self.texts.number(bare_path(path)),
            action: action.map(|action| self.texts.number(action)),
            address: address.map(|address| self.texts.number(address)),
            user: user.map(|user| self.texts.number(user)),
        };
        self.answered.push(answered);
    }

    /// The chunk is over: what is still open goes on as records, all in the order of lines.
    pub(crate) fn finish(&mut self) {
        let mut open: Vec<RequestId> = self.held.keys().copied().collect();
        for id in open.drain(..) {
            self.give_up(id);
        }
        if self.disordered {
            self.records.sort_by_key(|record| record.line);
        }
    }
}
