//! Requests that were answered well and say nothing else: kept short, and thinned where a log is long.
//!
//! A log of 2 GB holds some three million of them. Each says that somebody's credential was good at a time, which matters near a
//! refusal, a refresh or a sign-in, and hardly in between: there the first and the last of a run, and the first on each endpoint,
//! say as much. So when more than [`MOST`] are held, those far from everything are dropped, the oldest first; they have been
//! counted before. Logs with fewer keep them all.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::event::{Event, GroupedBy, Name, Names, Request, Socket, TimeFrom, What};
use crate::record::Side;
use crate::secret::RequestId;
use crate::text::contains_ignoring_case;
use crate::time::{SECOND, Stamp};

/// A request that was answered well.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Use {
    /// Increases from one to the next.
    pub(super) number: u64,
    pub(super) line: u64,
    pub(super) stamp: Stamp,
    /// When it ended, in the clock of `stamp`.
    pub(super) ended: Option<i64>,
    pub(super) id: Option<RequestId>,
    pub(super) user: Option<Name>,
    pub(super) address: Option<Name>,
    pub(super) method: Name,
    pub(super) path: Name,
    pub(super) action: Option<Name>,
    pub(super) status: u16,
    pub(super) process: u64,
    pub(super) grouped_by: GroupedBy,
}

/// So many are kept before they are thinned: at some 130 bytes each 17 MB, and more than a whole day of a hundred people.
pub(super) const MOST: usize = 1 << 17;

/// So many times more, and even what is near to something else is thinned: at some 130 bytes each 136 MB.
const MUST_SHRINK: usize = 8;

/// The newest are never thinned: what happens next may be about them. This part of what is kept.
const NEWEST: usize = 8;

/// Uses this near (microseconds) before a refusal or a failure are evidence: causes look half an hour back.
const BEFORE_TROUBLE: i64 = 30 * 60 * SECOND;
/// And after it: calls that go on while a socket is refused.
const AFTER_TROUBLE: i64 = 10 * 60 * SECOND;
/// So many uses after a refresh, a sign-in or a socket show what was opened with it: an app's first page asks for some five things.
const OPENING: usize = 5;

/// Words in the paths of endpoints that may have a role in sessions: never thinned.
const TELLING: &[&[u8]] = &[
    b"auth", b"log", b"sign", b"session", b"token", b"passw", b"refresh", b"renew", b"rotat", b"reissue", b"extend",
    b"revok", b"regist", b"cred", b"identit",
];

/// Whose uses are thinned together: a user at an address, as far as lines name them.
type Whose = (Option<Name>, Option<Name>);

/// The uses of one source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Uses {
    list: Vec<Use>,
    next: u64,
    /// How many more than were looked through are kept before they are thinned.
    room: usize,
    /// So many from the beginning were looked through: what is left of them stays.
    thinned: usize,
    /// How thinning stands with each actor.
    runs: HashMap<Whose, Run, foldhash::fast::RandomState>,
    /// With more than this, even what is near to something else is thinned.
    most: usize,
    /// How many were dropped, by the hour (since 1970) that their lines state and whether they state its zone.
    pub(super) dropped: BTreeMap<(i64, bool), u64>,
}

/// What was seen of one actor's uses, in the order in which they ended, which is nearly that of time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Run {
    /// How many since something else happened.
    in_gap: usize,
    /// The hour of the last.
    hour: Option<i64>,
    /// The endpoints, at most [`MOST_ROUTES`].
    routes: Vec<Name>,
}

impl Uses {
    /// None yet, with room for so many.
    pub(super) fn with_room(room: usize) -> Self {
        Self {
            list: Vec::new(),
            next: 0,
            room,
            thinned: 0,
            runs: HashMap::default(),
            most: MUST_SHRINK * room,
            dropped: BTreeMap::new(),
        }
    }

    /// Keeps one and gives its number.
    pub(super) fn push(&mut self, one: Use) -> u64 {
        let number = self.next;
        self.next += 1;
        self.list.push(Use { number, ..one });
        number
    }

    /// Takes one out again.
    pub(super) fn take(&mut self, number: u64) -> Option<Use> {
        let place = self.list.binary_search_by_key(&number, |one| one.number).ok()?;
        self.thinned -= usize::from(place < self.thinned);
        Some(self.list.remove(place))
    }

    /// Drops what is old and not asked for by its number.
    pub(super) fn forget(&mut self, is_old: impl Fn(Stamp) -> bool, referred: &HashSet<u64>) {
        let (mut place, mut looked_through) = (0, 0);
        self.list.retain(|one| {
            let kept = !is_old(one.stamp) || referred.contains(&one.number);
            looked_through += usize::from(kept && place < self.thinned);
            place += 1;
            kept
        });
        self.thinned = looked_through;
        self.list.shrink_to_fit();
        let here: HashSet<Whose> = self.list.iter().map(|one| (one.user, one.address)).collect();
        self.runs.retain(|whose, _| here.contains(whose));
    }

    /// Shows every name.
    pub(super) fn each_name(&mut self, see: &mut impl FnMut(&mut Name)) {
        for Use { user, address, method, path, action, .. } in &mut self.list {
            [user, address, action].into_iter().flatten().chain([method, path]).for_each(&mut *see);
        }
        let runs = std::mem::take(&mut self.runs).into_iter().map(|((mut user, mut address), mut run)| {
            [&mut user, &mut address].into_iter().flatten().chain(&mut run.routes).for_each(&mut *see);
            ((user, address), run)
        });
        self.runs = runs.collect();
    }

    pub(super) fn is_full(&self) -> bool {
        self.list.len() - self.thinned > self.room + self.room / NEWEST
    }

    /// Whether any were looked through, so that at the end the rest has to be as well.
    pub(super) fn is_thinned(&self) -> bool {
        self.thinned > 0
    }

    pub(super) fn into_list(self) -> Vec<Use> {
        self.list
    }

    /// Drops what is far from all that matters, but for the newest. `events` are the source's other events so far.
    pub(super) fn thin<'a>(&mut self, events: impl Iterator<Item = (Stamp, &'a Event)> + Clone, names: &Names) {
        self.thin_before(self.list.len() - (self.room / NEWEST).min(self.list.len()), events, names);
    }

    /// The same with the newest, at the end.
    pub(super) fn thin_all<'a>(&mut self, events: impl Iterator<Item = (Stamp, &'a Event)> + Clone, names: &Names) {
        self.thin_before(self.list.len(), events, names);
    }

    fn thin_before<'a>(
        &mut self,
        until: usize,
        events: impl Iterator<Item = (Stamp, &'a Event)> + Clone,
        names: &Names,
    ) {
        let from = self.thinned.min(until);
        let times = || self.list[from..until].iter().map(|one| one.stamp.micros);
        let (Some(first), Some(last)) = (times().min(), times().max()) else { return };
        let near = first - AFTER_TROUBLE..=last + BEFORE_TROUBLE;
        let moments = Moments::of(events.clone().filter(|(stamp, _)| near.contains(&stamp.micros)));
        let mut runs = std::mem::take(&mut self.runs);
        self.thinned = self.drop_dull(from..until, &mut runs, &moments, names, false);
        self.runs = runs;
        if self.thinned > self.most {
            let moments = Moments::of(events);
            self.thinned = self.drop_dull(0..self.thinned, &mut HashMap::default(), &moments, names, true);
            // So many people that their firsts and lasts alone are more: the room grows with them.
            self.most = (self.thinned * 2).max(MUST_SHRINK * self.room);
        }
    }

    /// Drops the dull ones of a part, and gives where what is left of it ends.
    fn drop_dull(
        &mut self,
        part: std::ops::Range<usize>,
        runs: &mut HashMap<Whose, Run, foldhash::fast::RandomState>,
        moments: &Moments,
        names: &Names,
        hard: bool,
    ) -> usize {
        let mut by_actor: HashMap<Whose, Vec<u32>, foldhash::fast::RandomState> = HashMap::default();
        for (place, one) in (0_u32..).zip(&self.list[part.clone()]) {
            by_actor.entry((one.user, one.address)).or_default().push(place);
        }
        let mut keep = vec![true; part.len()];
        let mut telling: HashMap<Name, bool, foldhash::fast::RandomState> = HashMap::default();
        for (whose, places) in &by_actor {
            let lists = moments.lists(*whose);
            let run = runs.entry(*whose).or_default();
            for (at, place) in places.iter().enumerate() {
                let one = &self.list[part.start + *place as usize];
                let tells = *telling.entry(one.path).or_insert_with(|| {
                    let path = names.text(one.path).as_bytes();
                    TELLING.iter().any(|word| contains_ignoring_case(path, word))
                });
                let next = places.get(at + 1).map(|next| self.list[part.start + *next as usize].stamp.micros);
                let between_after = next.is_none_or(|next| between(lists, one.stamp.micros, next));
                keep[*place as usize] =
                    run.keeps(one, between_after, hard) || tells || (!hard && near_trouble(lists, one.stamp.micros));
            }
        }
        let mut to = part.start;
        let mut end = to;
        for place in part.start..self.list.len() {
            let one = self.list[place];
            if part.contains(&place) && !keep[place - part.start] {
                *self.dropped.entry((hour_of(&one), one.stamp.zoned)).or_default() += 1;
                continue;
            }
            self.list[to] = one;
            to += 1;
            if part.contains(&place) {
                end = to;
            }
        }
        self.list.truncate(to);
        end
    }
}

impl Run {
    /// Whether a use is worth keeping for its place among the actor's others. `between_after`: something else happened before the next.
    fn keeps(&mut self, one: &Use, between_after: bool, hard: bool) -> bool {
        let route = one.action.unwrap_or(one.path);
        let first_on_route = self.routes.len() < MOST_ROUTES && !self.routes.contains(&route);
        if first_on_route {
            self.routes.push(route);
        }
        // In which hours somebody was active is what rates are measured by.
        let first_in_hour = self.hour.replace(hour_of(one)) != Some(hour_of(one));
        let begins = self.in_gap < if hard { 1 } else { OPENING };
        self.in_gap = if between_after { 0 } else { self.in_gap + 1 };
        (!hard && first_in_hour) || first_on_route || begins || between_after
    }
}

fn hour_of(one: &Use) -> i64 {
    one.stamp.micros.div_euclid(3600 * SECOND)
}

/// So many endpoints of one actor are told apart.
const MOST_ROUTES: usize = 32;

/// When something happened to a user and at an address, and whether it was trouble.
type Lists<'a> = [&'a [(i64, bool)]; 2];

/// When something happened that uses are evidence for, by user and by address.
struct Moments {
    /// Time, and whether it was trouble.
    by_name: HashMap<Name, Vec<(i64, bool)>, foldhash::fast::RandomState>,
}

impl Moments {
    fn of<'a>(events: impl Iterator<Item = (Stamp, &'a Event)>) -> Self {
        let mut by_name: HashMap<Name, Vec<(i64, bool)>, foldhash::fast::RandomState> = HashMap::default();
        for (stamp, event) in events {
            let trouble = match &event.what {
                What::Request(request) => request.status.is_none_or(|status| status >= 400) && !request.upgraded,
                What::Socket(socket) => matches!(socket, Socket::Refused | Socket::Removing(_) | Socket::UpgradeFailed),
                _ => false,
            };
            for name in [event.user, event.address].into_iter().flatten() {
                by_name.entry(name).or_default().push((stamp.micros, trouble));
            }
        }
        for list in by_name.values_mut() {
            list.sort_unstable();
        }
        Self { by_name }
    }

    /// The lists of a user and of an address.
    fn lists(&self, (user, address): (Option<Name>, Option<Name>)) -> Lists<'_> {
        [user, address].map(|name| name.and_then(|name| self.by_name.get(&name)).map_or(&[][..], Vec::as_slice))
    }
}

/// Whether a time is near to trouble.
fn near_trouble(lists: Lists<'_>, time: i64) -> bool {
    lists.iter().any(|list| {
        let from = list.partition_point(|(at, _)| *at < time - AFTER_TROUBLE);
        list[from..].iter().take_while(|(at, _)| *at <= time + BEFORE_TROUBLE).any(|(_, trouble)| *trouble)
    })
}

/// Whether something happened between two times.
fn between(lists: Lists<'_>, one: i64, other: i64) -> bool {
    let (from, to) = (one.min(other), one.max(other));
    lists.iter().any(|list| list.get(list.partition_point(|(at, _)| *at < from)).is_some_and(|(at, _)| *at <= to))
}

/// The event that a use stands for. Its time is to be settled.
pub(super) fn event_of(one: &Use, source: u32, names: &mut Names) -> Event {
    let request = Request {
        method: one.method,
        path: one.path,
        action: one.action,
        status: Some(one.status),
        ended: one.ended,
        id: one.id,
        grouped_by: one.grouped_by,
        ..super::server::empty_request(Side::Server, names)
    };
    Event {
        source,
        line: one.line,
        time: 0,
        timed: TimeFrom::Line,
        user: one.user,
        email: None,
        address: one.address,
        device: None,
        process: one.process,
        what: What::Request(Box::new(request)),
    }
}

/// The use that an event is, if there is nothing else to say of it.
pub(super) fn use_of(event: &Event, stamp: Option<Stamp>, timed: TimeFrom, names: &Names) -> Option<Use> {
    let request = event.request()?;
    let status = request.status.filter(|status| (200..400).contains(status))?;
    let silent = request.side == Side::Server
        && timed == TimeFrom::Line
        && event.email.is_none()
        && !(request.password || request.new_password || request.refresh_token || request.upgraded || request.proxied)
        && request.sent.is_none()
        && request.issued.is_none()
        && request.halted.is_none()
        && request.sense.is_empty()
        && request.fault.is_none();
    if !silent || names.text(request.path).is_empty() {
        return None;
    }
    Some(Use {
        number: 0,
        line: event.line,
        stamp: stamp?,
        ended: request.ended,
        id: request.id,
        user: event.user,
        address: event.address,
        method: request.method,
        path: request.path,
        action: request.action,
        status,
        process: event.process,
        grouped_by: request.grouped_by,
    })
}
