//! Lines of one request, connection or transition become one event.
//!
//! An [`Assembler`] takes the records of one source in their order and keeps what is open. What belongs together is found
//! by request id where lines have one, else by process and order, else by order alone, and each event says by which.

mod client;
mod keep;
mod nearly;
mod releases;
pub(crate) mod server;
mod uses;

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::detect::{Parsed, stated};
use crate::event::{Event, GroupedBy, Name, Names, TimeFrom, What};
use crate::gather::{Answered, NewTexts, SaidAgain};
use crate::record::{Body, Record, Side};
use crate::time::{HOUR, SECOND, Stamp, Stated};

/// The zone, year and side of a source, as far as its lines told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Some line had a time at all.
    pub timed: bool,
    /// The times had a zone, or it could be inferred from lines that had both.
    pub zoned: bool,
    /// Seconds east of UTC that were taken off local times.
    pub offset: i32,
    /// The times had a year.
    pub dated: bool,
}

/// From a local time (microseconds since 1970 as if it were UTC) to the offset of its zone then, in seconds east of UTC.
pub type Zone<'a> = &'a dyn Fn(i64) -> i32;

/// The events of one source, in the order of time (ties in the order of lines).
#[derive(Debug)]
pub struct Assembled {
    /// What happened.
    pub events: Vec<Event>,
    /// What its times are worth.
    pub clock: Clock,
    /// Which side wrote most of it.
    pub side: Side,
    /// First and last time seen, in microseconds.
    pub span: Option<(i64, i64)>,
    /// Requests answered well that are not among the events, because there were too many of them far from anything else.
    /// By the hour, since 1970.
    pub dropped: BTreeMap<i64, u64>,
    /// Events that stand below one that is more than [`REORDER_WINDOW`] younger. They are in their place all the same.
    pub late: u64,
    /// Some requests are a proxy's view of them.
    pub proxied: bool,
}

/// Within this time (microseconds) lines in disorder are how logs are: several processes write one file, and platforms deliver
/// seconds late. An event that comes later than this is put in its place as well, and counted as late: a clock was set back, or
/// files were joined in the wrong order.
pub const REORDER_WINDOW: i64 = 60 * SECOND;

impl Assembled {
    /// Leaves out what happened before a time.
    pub fn since(&mut self, time: i64) {
        self.events.retain(|event| event.time >= time);
        self.dropped.retain(|hour, _| hour * HOUR >= time);
        self.span = self.span.map(|_| span_of(&self.events));
    }

    /// Moves times that had no year into `year`.
    pub fn set_year(&mut self, year: i32) {
        if self.clock.dated {
            return;
        }
        let moved = |micros: i64| {
            let stamp = Stamp::of(Stated { micros, zoned: true, dated: false, coarse: false });
            in_year(stamp, year).micros()
        };
        for event in &mut self.events {
            event.time = moved(event.time);
            event.ended = event.ended.map(moved);
        }
        self.span = self.span.map(|(first, last)| (moved(first), moved(last)));
        self.dropped = by_hour(self.dropped.iter().map(|(hour, count)| (moved(hour * HOUR), *count)));
        self.clock.dated = true;
    }
}

/// The names of the texts that a [`crate::detect::Parser`] numbered. Its chunks have to be taken in the order in which it read them.
#[derive(Debug, Default)]
pub struct Known {
    texts: Vec<Box<[u8]>>,
    /// Those that were asked for: what no event has needs no name.
    names: Vec<Option<Name>>,
}

impl Known {
    fn add(&mut self, new: &NewTexts<'_>) {
        self.texts.truncate(new.from);
        self.texts.extend(new.list.iter().map(|text| Box::from(*text)));
        self.names.truncate(new.from);
        self.names.resize(self.texts.len(), None);
    }

    /// The names are to be those of another table from now on.
    pub fn forget_names(&mut self) {
        self.names.fill(None);
    }

    /// The name of a number; `None` for one that belongs to no chunk that was taken.
    fn name(&mut self, number: u32, names: &mut Names) -> Option<Name> {
        let place = number as usize;
        let name = self.names.get_mut(place)?;
        if name.is_none() {
            *name = self.texts.get(place).map(|text| names.intern(text));
        }
        *name
    }
}

/// Puts the records of one source together. Feed it in the order of lines, then [`Assembler::finish`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Assembler {
    source: u32,
    server: server::State,
    client: client::State,
    /// What tells the last line that was taken, if a client said something in it.
    last_line: Option<u64>,
    /// Events that are not settled yet; the places in `free` are to be used again.
    pub(crate) events: Vec<Draft>,
    free: Vec<usize>,
    /// All drafts before this place are older than this time (microseconds), so that they need not be looked at when uses are thinned.
    passed: (usize, i64),
    uses: uses::Uses,
    releases: releases::Releases,
    /// The latest time seen, for lines that have none.
    latest: Option<Stamp>,
    /// Zone changes: from this line on, local times are this many seconds east of UTC.
    zones: Vec<(u64, i32)>,
    sides: [u64; 2],
    undated: bool,
    zoned: bool,
    timed: bool,
    /// Lines that state a time older than what was read before.
    late: u64,
}

/// The offset of a local time's zone, in seconds. Zones are multiples of a quarter of an hour; the rest is the time between the
/// two clocks being read.
fn offset_between(local: Stamp, zoned: Stamp) -> Option<i32> {
    const QUARTER: i64 = 15 * 60 * SECOND;
    let quarters = (local.micros() - zoned.micros() + QUARTER / 2).div_euclid(QUARTER);
    let offset = i32::try_from(quarters * (QUARTER / SECOND)).ok()?;
    (offset.abs() <= 16 * 3600).then_some(offset)
}

/// Lines of several processes that stand this much out of order (microseconds) are usual: each writes when it has time.
const LATE: i64 = 5 * SECOND;

/// The order of what one line says: the app's release, the server's, and the rest. (Places of drafts are used again, so they do not tell.)
const fn within_line(event: &Event) -> u8 {
    match event.what {
        What::Release { of_app: true, .. } => 0,
        What::Release { of_app: false, .. } => 1,
        _ => 2,
    }
}

/// An event whose time is not settled yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Draft {
    pub(crate) stamp: Option<Stamp>,
    pub(crate) timed: TimeFrom,
    pub(crate) event: Event,
}

/// Where a request is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Place {
    /// Whole, at this place of the drafts.
    Draft(usize),
    /// In short, under this number.
    Use(u64),
}

/// What of a chunk is no record and not taken yet, in the order of lines.
type InShort<'r> = (&'r [Answered], &'r [SaidAgain]);

/// What a record says of itself, apart from its body.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) line: u64,
    pub(crate) stamp: Option<Stamp>,
    pub(crate) timed: TimeFrom,
}

impl Assembler {
    /// For the source with this number.
    #[must_use]
    pub fn new(source: u32) -> Self {
        Self::with_room(source, uses::MOST)
    }

    /// For the source with this number. Requests that were answered well are thinned when there are more than `room`: fewer make
    /// a diagnosis quicker, and matter less, when it is made again and again.
    #[must_use]
    pub fn with_room(source: u32, room: usize) -> Self {
        Self {
            source,
            server: server::State::default(),
            client: client::State::default(),
            last_line: None,
            events: Vec::new(),
            free: Vec::new(),
            passed: (0, i64::MIN),
            uses: uses::Uses::with_room(room),
            releases: releases::Releases::default(),
            latest: None,
            zones: Vec::new(),
            sides: [0; 2],
            undated: false,
            zoned: false,
            timed: false,
            late: 0,
        }
    }

    /// Takes the next chunk. `first_line` is the number (from 1) of its first line, `known` what was taken from its
    /// [`crate::detect::Parser`] before.
    pub fn take(&mut self, parsed: &Parsed<'_>, first_line: u64, known: &mut Known, names: &mut Names) {
        known.add(&parsed.texts);
        self.learn_zones(parsed, first_line);
        let mut rest = (&parsed.answered[..], &parsed.said_again[..]);
        for record in &parsed.records {
            rest = self.take_before(Some(record.line), rest, first_line, known, names);
            if record.side == Side::Client {
                let same = parsed.twice.has(record.line, self.last_line);
                let blank = matches!(record.body, Body::BlockEnd);
                if self.client.is_said_again(first_line + u64::from(record.line), same, blank) {
                    continue;
                }
            }
            self.push(record, first_line, names);
        }
        if parsed.balance.lines > 0 {
            self.last_line = parsed.twice.last;
        }
        self.take_before(None, rest, first_line, known, names);
        self.latest = parsed.last.or(self.latest);
    }

    /// Takes what is said in short of requests that ended before a line of the chunk, and before them, in the order of lines; gives the rest.
    fn take_before<'r>(
        &mut self,
        line: Option<u32>,
        (mut answered, mut said_again): InShort<'r>,
        first_line: u64,
        known: &mut Known,
        names: &mut Names,
    ) -> InShort<'r> {
        let is_before = |other: &u32| line.is_none_or(|line| *other < line);
        loop {
            let ended = answered.first().map(|one| one.last_line).filter(is_before);
            let said = said_again.first().map(|said| said.line).filter(is_before);
            match (&answered, &said_again) {
                (_, [one, rest @ ..]) if said.is_some_and(|said| ended.is_none_or(|ended| said < ended)) => {
                    self.said_again(one, first_line, known, names);
                    said_again = rest;
                }
                ([one, rest @ ..], _) if ended.is_some() => {
                    self.answered_well(one, first_line, known, names);
                    answered = rest;
                }
                _ => return (answered, said_again),
            }
        }
    }

    /// Takes a request that was put together in its chunk.
    fn answered_well(&mut self, answered: &Answered, first_line: u64, known: &mut Known, names: &mut Names) {
        let Some(stamp) = answered.frame.or(answered.at) else { return };
        let mut name = |number: u32| known.name(number, names);
        let (Some(method), Some(path)) = (name(answered.method), name(answered.path)) else { return };
        let mut name = |number: Option<u32>| number.and_then(&mut name);
        let line = first_line + u64::from(answered.line);
        self.note_stamp(stamp);
        self.sides[0] += u64::from(answered.records);
        let one = uses::Use {
            number: 0,
            line,
            stamp,
            ended: answered.ended,
            id: Some(answered.id),
            user: name(answered.user),
            address: name(answered.address),
            method,
            path,
            action: name(answered.action),
            status: answered.status,
            process: answered.process,
            grouped_by: answered.grouped_by,
        };
        let waits = one.grouped_by == GroupedBy::OneLine && self.server.waits_for(answered.id);
        let place = if waits { self.at_length(&one, names) } else { self.keep_use(one, names) };
        self.server.ended_well(answered.id, place);
    }

    /// Keeps a use, and gives its place.
    fn keep_use(&mut self, one: uses::Use, names: &Names) -> Place {
        let number = self.uses.push(one);
        if self.uses.is_full() {
            self.thin(names, self.uses.newest());
        }
        Place::Use(number)
    }

    /// The places of drafts that are to be used again.
    fn free_places(&self) -> HashSet<usize> {
        self.free.iter().copied().collect()
    }

    /// Thins the uses, but for so many of the newest.
    fn thin(&mut self, names: &Names, newest: usize) {
        let Some((from, to)) = self.uses.around(newest) else { return };
        if from < self.passed.1 {
            self.passed.0 = 0;
        }
        let free = self.free_places();
        let mut first = None;
        let drafts = (self.passed.0..).zip(&self.events[self.passed.0..]);
        let moments = drafts.filter_map(|(place, draft)| {
            let stamp = draft.stamp.filter(|stamp| stamp.micros() >= from)?;
            first.get_or_insert(place);
            // A release is said of everybody each hour: no moment around which more is worth keeping.
            let moment =
                stamp.micros() <= to && !matches!(draft.event.what, What::Release { .. }) && !free.contains(&place);
            moment.then_some((stamp, &draft.event))
        });
        self.uses.thin(moments, names, newest);
        self.passed = (first.unwrap_or(self.events.len()), from);
    }

    /// A draft that turned out to be a use becomes one.
    fn shorten(&mut self, place: usize, names: &Names) -> Place {
        let Draft { stamp, timed, event } = &self.events[place];
        let Some(one) = uses::use_of(event, *stamp, *timed, names) else { return Place::Draft(place) };
        self.free.push(place);
        self.keep_use(one, names)
    }

    /// The draft at a place; a use becomes a draft again. `None` if it was dropped meanwhile.
    fn draft_at(&mut self, place: Place, names: &mut Names) -> Option<usize> {
        match place {
            Place::Draft(place) => Some(place),
            Place::Use(number) => {
                let one = self.uses.take(number)?;
                let event = uses::Requests::default().event_of(&one, self.source, names);
                Some(self.keep(Draft { stamp: Some(one.stamp), timed: TimeFrom::Line, event }))
            }
        }
    }

    fn keep(&mut self, draft: Draft) -> usize {
        if let Some(place) = self.free.pop() {
            self.events[place] = draft;
            self.passed.0 = self.passed.0.min(place);
            return place;
        }
        self.events.push(draft);
        self.events.len() - 1
    }

    fn note_stamp(&mut self, stamp: Stamp) {
        self.timed = true;
        self.undated |= !stamp.dated();
        self.zoned |= stamp.zoned();
    }

    /// Takes note of the time that a line states, or takes that of the line before it.
    fn origin(&mut self, line: u64, stated: Option<Stamp>, near: Option<Stamp>) -> Origin {
        // The frame's time is finer; the line's own has the zone.
        if let Some(stamp) = stated {
            self.note_stamp(stamp);
            self.late += u64::from(self.latest.is_some_and(|latest| stamp.is_before(latest, LATE)));
        }
        let (stamp, timed) = match (stated, near.or(self.latest)) {
            (Some(stamp), _) => (Some(stamp), TimeFrom::Line),
            (None, Some(latest)) => (Some(latest), TimeFrom::Neighbour),
            (None, None) => (None, TimeFrom::Order),
        };
        Origin { line, stamp, timed }
    }

    /// Takes the next record. `first_line` is the number (from 1) of the first line of the record's chunk.
    fn push(&mut self, record: &Record<'_>, first_line: u64, names: &mut Names) {
        let origin = self.origin(first_line + u64::from(record.line), stated(record), record.near);
        if let Body::Release(release) = record.body {
            self.release(record, origin, release, names);
            return;
        }
        if !matches!(record.body, Body::Note { .. } | Body::BlockEnd) {
            self.sides[usize::from(record.side == Side::Client)] += 1;
        }
        match record.side {
            Side::Server => self.push_server(record, origin, names),
            Side::Client => self.push_client(record, origin, names),
        }
    }

    /// Lines with a local time and the same time with a zone tell the zone. They tell it in the order of lines: what was put
    /// together in its chunk comes in the order in which it ended.
    fn learn_zones(&mut self, parsed: &Parsed<'_>, first_line: u64) {
        let of_records = parsed.records.iter().filter_map(|record| match record.body {
            Body::Started { at, .. } | Body::Finished { at, .. } => Some((record.line, record.stamp, at)),
            _ => None,
        });
        let of_answered = parsed.answered.iter().map(|one| (one.line, one.frame, one.at));
        let told = of_records.chain(of_answered).filter_map(|(line, frame, at)| {
            let offset = offset_between(frame.filter(|frame| !frame.zoned())?, at?)?;
            Some((first_line + u64::from(line), offset))
        });
        let known = self.zones.last().map(|(_, offset)| *offset);
        if told.clone().all(|(_, offset)| Some(offset) == known) {
            return;
        }
        let mut told: Vec<(u64, i32)> = told.collect();
        told.sort_unstable();
        for (line, offset) in told {
            if self.zones.last().is_none_or(|(_, known)| *known != offset) {
                self.zones.push((line, offset));
            }
        }
    }

    pub(crate) fn draft(&mut self, record: &Record<'_>, origin: Origin, names: &mut Names, what: What) -> usize {
        let name = |names: &mut Names, text: Option<&[u8]>| text.map(|text| names.intern(text));
        let event = Event {
            source: self.source,
            line: origin.line,
            time: 0,
            timed: origin.timed,
            user: name(names, record.user),
            email: None,
            address: name(names, record.address),
            device: None,
            process: record.process,
            ended: None,
            request_id: record.request.filter(|_| record.side == Side::Server && matches!(what, What::Request(_))),
            what,
        };
        self.keep(Draft { stamp: origin.stamp, timed: origin.timed, event })
    }

    /// Closes what is open and settles the times. `zone` gives the offset (seconds east of UTC) of a local time (microseconds)
    /// that states none, where the caller knows the zone; `year` is the year of times without one.
    #[must_use]
    pub fn finish(mut self, zone: Option<Zone<'_>>, year: Option<i32>, names: &mut Names) -> Assembled {
        self.finish_client(names);
        if self.uses.is_thinned() {
            self.thin(names, 0);
        }
        let side = self.side();
        let free = self.free_places();
        let mut drafts = self.events;
        keep::drop_free(&mut drafts, &free);
        nearly::sort_by_key(&mut drafts, |draft| (draft.event.line, within_line(&draft.event)));
        let dropped = std::mem::take(&mut self.uses.dropped);
        let mut uses = self.uses.into_list();
        nearly::sort_by_key(&mut uses, |one| one.line);
        self.zones.sort_unstable();
        let inferred = self.zones.first().map(|(_, offset)| *offset);
        let mut offset = inferred.unwrap_or(0);
        let mut first_offset = inferred;
        let mut zones = self.zones.iter().peekable();
        let mut previous = 0;
        let (mut newest, mut late, mut proxied) = (i64::MIN, 0, false);
        let mut requests = uses::Requests::default();
        let mut events = Vec::with_capacity(drafts.len() + uses.len());
        // Both in one order of lines.
        let (mut drafts, mut uses) = (drafts.into_iter().peekable(), uses.into_iter().peekable());
        loop {
            let draft = match (drafts.peek(), uses.peek()) {
                (Some(draft), Some(one)) if one.line < draft.event.line => None,
                (None, Some(_)) => None,
                _ => drafts.next(),
            };
            let draft = draft.or_else(|| {
                let one = uses.next()?;
                let event = requests.event_of(&one, self.source, names);
                Some(Draft { stamp: Some(one.stamp), timed: TimeFrom::Line, event })
            });
            let Some(Draft { stamp, timed, mut event }) = draft else { break };
            while let Some((_, next)) = zones.next_if(|(from, _)| *from <= event.line) {
                offset = *next;
            }
            let mut settle = |stamp: Stamp| {
                let stamp = match year {
                    Some(year) if !stamp.dated() => in_year(stamp, year),
                    _ => stamp,
                };
                // What the lines show of their zone is better than what was said of it.
                let offset = zone.filter(|_| inferred.is_none()).map_or(offset, |zone| zone(stamp.micros()));
                if !stamp.zoned() {
                    first_offset.get_or_insert(offset);
                }
                stamp.in_zone(offset)
            };
            event.time = stamp.map_or(previous, &mut settle);
            event.timed = timed;
            if let (Some(stamp), Some(ended)) = (stamp, event.ended) {
                // Drafts hold the duration or the end as the line stated it; see `server`.
                event.ended = Some(event.time + (ended - stamp.micros()).max(0));
            }
            if stamp.is_some() {
                previous = event.time;
            }
            proxied |= event.request().is_some_and(|request| request.proxied);
            if event.timed == TimeFrom::Line && !matches!(event.what, What::Release { .. }) {
                newest = newest.max(event.time);
                late += u64::from(event.time < newest.saturating_sub(REORDER_WINDOW));
            }
            events.push(event);
        }
        if !events.is_sorted_by_key(|event| (event.time, event.line)) {
            nearly::sort_by_key(&mut events, |event| (event.time, event.line));
        }
        let span = self.timed.then(|| span_of(&events));
        let clock = Clock {
            timed: self.timed,
            zoned: self.zoned || inferred.is_some() || zone.is_some(),
            offset: first_offset.unwrap_or(0),
            dated: !self.undated || year.is_some(),
        };
        let dated = !self.undated;
        let dropped = by_hour(dropped.into_iter().map(|((hour, zoned), count)| {
            let stamp = Stamp::of(Stated { micros: hour * HOUR, zoned, dated, coarse: false });
            let stamp = year.filter(|_| !dated).map_or(stamp, |year| in_year(stamp, year));
            (stamp.in_zone(clock.offset), count)
        }));
        Assembled { events, clock, side, span, dropped, late, proxied }
    }
}

/// The first and the last time that stand on lines.
fn span_of(events: &[Event]) -> (i64, i64) {
    let mut times = events.iter().filter(|event| event.timed < TimeFrom::Order).map(|event| event.time);
    let Some(first) = times.next() else { return (0, 0) };
    times.fold((first, first), |(earliest, latest), time| (earliest.min(time), latest.max(time)))
}

/// Counts at times, by the hour.
fn by_hour(counts: impl Iterator<Item = (i64, u64)>) -> BTreeMap<i64, u64> {
    let mut out = BTreeMap::new();
    for (time, count) in counts {
        *out.entry(time.div_euclid(HOUR)).or_default() += count;
    }
    out
}

/// The same month, day and time in `year`. (29 February of a year that has none becomes 28 February.)
fn in_year(stamp: Stamp, year: i32) -> Stamp {
    use chrono::Datelike as _;
    let Some(time) = chrono::DateTime::from_timestamp_micros(stamp.micros()) else { return stamp };
    let moved = time.with_year(year).or_else(|| time.with_day(28)?.with_year(year));
    moved.map_or(stamp, |time| Stamp::of(Stated { micros: time.timestamp_micros(), dated: true, ..stamp.stated() }))
}

/// A message, fit to be kept: e-mails and long words (which may be tokens) are masked.
pub(crate) fn masked(text: &[u8], names: &mut Names) -> Name {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    for word in text[..text.len().min(400)].split(|b| *b == b' ') {
        if !out.is_empty() {
            out.push(b' ');
        }
        let secret = may_be_token(word) || (word.len() > 32 && word.iter().any(u8::is_ascii_digit));
        out.extend_from_slice(if secret || word.contains(&b'@') { "…".as_bytes() } else { word });
    }
    names.intern(&out)
}

/// The shortest random tokens in use: Devise's 20 characters (`friendly_token`), 22 (`urlsafe_base64`), 24 (`has_secure_token`).
const SHORTEST_SECRET: usize = 20;

/// Whether a run of 20 letters and digits or more, with both among them, stands in a word, whatever is around it.
fn may_be_token(word: &[u8]) -> bool {
    word.split(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'-' | b'_')).any(|run| {
        run.len() >= SHORTEST_SECRET && run.iter().any(u8::is_ascii_digit) && run.iter().any(u8::is_ascii_alphabetic)
    })
}

/// A path without scheme, host and query.
pub(crate) fn bare_path(uri: &[u8]) -> &[u8] {
    let Some(first) = memchr::memchr3(b':', b'?', b'#', uri) else { return uri };
    let mut path = uri;
    if let Some(at) = memchr::memmem::find(&uri[first..], b"://").map(|at| at + first) {
        let rest = &uri[at + 3..];
        path = memchr::memchr(b'/', rest).map_or(&b"/"[..], |slash| &rest[slash..]);
    }
    let end = path.iter().position(|b| matches!(b, b'?' | b'#')).unwrap_or(path.len());
    &path[..end]
}
