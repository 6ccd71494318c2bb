//! Requests that were answered well and say nothing else: kept short, and thinned where a log is long.
//!
//! A log of 2 GB holds some three million of them. Each says that somebody's credential was good at a time, which matters near a
//! refusal, a refresh or a sign-in, and hardly in between: there the first and the last of a run, the first on each endpoint and in each
//! hour, and what an app asks for when it is opened say as much. So with each [`MOST`] more, those that are not the newest are looked
//! through, and the dull ones dropped; they have been counted before. Logs with fewer keep them all. Verdicts are the same: labelled logs
//! are diagnosed with room for 64, too (`tests/scenarios.rs`).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::{Event, GroupedBy, Name, Names, Request, Socket, TimeFrom, WRITES, What, is_unauthorized};
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

/// So many are kept before they are thinned, at some 110 bytes each.
pub(super) const MOST: usize = 1 << 15;

/// The newest are never thinned: what happens next may be about them. This part of what is kept.
const NEWEST: usize = 8;

/// Uses this near (microseconds) to a refusal or a failure are evidence: causes look at what went on meanwhile. What was well long before
/// and after, the first and the last tell.
const NEAR_TROUBLE: i64 = 3 * 60 * SECOND;
/// So many of them between one thing that happened and the next: more of the same say no more.
const BESIDE: usize = 16;
/// So many uses together show what was opened: an app's first page asks for some five things.
const OPENING: usize = 5;
/// One that comes so long (microseconds) after the first since something happened shows that it went on.
const WENT_ON: i64 = 31 * SECOND;
/// Uses this near (microseconds) to each other came together.
const TOGETHER: i64 = 10 * SECOND;
/// And this near to a socket: they were opened with it.
const OPENED: i64 = 40 * SECOND;
/// Who asked for nothing for so long (microseconds) may have put the app away; a socket that is back sooner is no loss.
const AWAY: i64 = 50 * SECOND;

/// Words in the paths of endpoints that may have a role in sessions: never thinned.
const TELLING: &[&[u8]] = &[
    b"auth", b"log", b"sign", b"session", b"token", b"passw", b"refresh", b"renew", b"rotat", b"reissue", b"extend",
    b"revok", b"regist", b"cred", b"identit",
];

/// So long (microseconds) after a refusal, what is answered first may have healed it. With it, calls succeed again: what refreshes is
/// not thinned once it showed itself, whatever it is called. (A client needs some seconds at most. Which endpoint it is, is told elsewhere.)
const HEALS: i64 = 6 * SECOND;
/// So often an endpoint must have been the first …
const HEALED: u32 = 3;
/// … and once in so many times. More often than that nothing else is, but what everybody calls again and again.
const HEALED_IN: u32 = 4;
/// And no more than one of so many uses may be of it: else it is most of what an app calls (`POST /graphql`), not what heals.
const SELDOM: u64 = 8;
/// So many endpoints are looked at for that.
const MOST_HEALERS: usize = 64;

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
    runs: Runs,
    /// How many were dropped, by the hour (since 1970) that their lines state and whether they state its zone.
    pub(super) dropped: BTreeMap<(i64, bool), u64>,
}

/// How thinning stands with each actor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Runs {
    of: HashMap<Whose, Run, foldhash::fast::RandomState>,
    healing: Healing,
}

/// What was the first to be answered well soon after refusals.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Healing {
    /// How often anything was.
    all: u32,
    /// What a client wrote, by action or path.
    wrote: BTreeMap<Name, Healer>,
}

/// An endpoint that was written to soon after a refusal.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Healer {
    /// How often it was the first that was answered well.
    first: u32,
    /// How often it was written to since it is looked at.
    uses: u64,
    /// How many uses were looked through since.
    of: u64,
}

impl Healing {
    /// Takes note of what was the first to be answered well soon after a refusal.
    fn note(&mut self, one: &Use, wrote: bool) {
        self.all = self.all.saturating_add(1);
        if !wrote {
            return;
        }
        // What came but once makes room: paths with ids in them do.
        if self.wrote.len() >= MOST_HEALERS && !self.wrote.contains_key(&one.route()) {
            self.wrote.retain(|_, healer| healer.first > 1);
        }
        if self.wrote.len() < MOST_HEALERS || self.wrote.contains_key(&one.route()) {
            self.wrote.entry(one.route()).or_default().first += 1;
        }
    }

    /// Counts how often all that is looked at is called.
    fn count(&mut self, part: &[Use], writes: impl Fn(&Use) -> bool) {
        for one in part.iter().filter(|one| writes(one)) {
            if let Some(healer) = self.wrote.get_mut(&one.route()) {
                healer.uses += 1;
            }
        }
        self.wrote.values_mut().for_each(|healer| healer.of += part.len() as u64);
    }

    /// Whether an endpoint that is written to may be what makes calls succeed again.
    fn may_be(&self, one: &Use) -> bool {
        self.wrote.get(&one.route()).is_some_and(|Healer { first, uses, of }| {
            *first >= HEALED && *first * HEALED_IN >= self.all && uses * SELDOM <= *of
        })
    }
}

/// What was seen of one actor's uses, in the order in which they ended, which is nearly that of time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Run {
    /// How many since something else happened.
    in_gap: usize,
    /// When the first of these was, until one came that shows that it went on.
    gap: Option<i64>,
    /// When the last was, microseconds in its own clock.
    last: Option<i64>,
    /// How many came with it before.
    burst: usize,
    /// Nothing had come for a while before these.
    was_away: bool,
    /// The hour of the last.
    hour: Option<i64>,
    /// The endpoints, at most [`MOST_ROUTES`].
    routes: Vec<Name>,
}

impl Uses {
    /// None yet, with room for so many.
    pub(super) fn with_room(room: usize) -> Self {
        Self { list: Vec::new(), next: 0, room, thinned: 0, runs: Runs::default(), dropped: BTreeMap::new() }
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
    pub(super) fn forget(&mut self, is_old: impl Fn(&Use) -> bool, referred: &HashSet<u64>) {
        let (mut place, mut looked_through) = (0, 0);
        self.list.retain(|one| {
            let kept = !is_old(one) || referred.contains(&one.number);
            looked_through += usize::from(kept && place < self.thinned);
            place += 1;
            kept
        });
        self.thinned = looked_through;
        self.list.shrink_to_fit();
        let here: HashSet<Whose> = self.list.iter().map(|one| (one.user, one.address)).collect();
        self.runs.of.retain(|whose, _| here.contains(whose));
    }

    /// Shows every name.
    pub(super) fn each_name(&mut self, see: &mut impl FnMut(&mut Name)) {
        for Use { user, address, method, path, action, .. } in &mut self.list {
            [user, address, action].into_iter().flatten().chain([method, path]).for_each(&mut *see);
        }
        let healing = std::mem::take(&mut self.runs.healing.wrote).into_iter();
        self.runs.healing.wrote = healing
            .map(|(mut route, count)| {
                see(&mut route);
                (route, count)
            })
            .collect();
        let runs = std::mem::take(&mut self.runs.of).into_iter().map(|((mut user, mut address), mut run)| {
            [&mut user, &mut address].into_iter().flatten().chain(&mut run.routes).for_each(&mut *see);
            ((user, address), run)
        });
        self.runs.of = runs.collect();
    }

    /// How much memory they take, in bytes.
    pub(super) fn held(&self) -> usize {
        self.list.len() * size_of::<Use>() + self.runs.of.len() * size_of::<(Whose, Run)>()
    }

    /// When each was.
    pub(super) fn stamps(&self) -> impl Iterator<Item = Stamp> {
        self.list.iter().map(|one| one.stamp)
    }

    /// Keeps all that are here, at the end as well.
    pub(super) fn stay(&mut self) {
        self.thinned = 0;
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

    /// How many are left until something more happened, where the log goes on.
    pub(super) fn newest(&self) -> usize {
        self.room / NEWEST
    }

    /// How many stand behind the last that is old.
    pub(super) fn after(&self, is_old: impl Fn(Stamp) -> bool) -> usize {
        self.list.iter().rev().take_while(|one| !is_old(one.stamp)).count()
    }

    /// What is to be looked through next, but for so many of the newest: between which times (microseconds) other events matter for it.
    pub(super) fn around(&self, newest: usize) -> Option<(i64, i64)> {
        let times = || self.list[self.part(newest)].iter().map(|one| one.stamp.micros());
        Some((times().min()? - NEAR_TROUBLE, times().max()? + NEAR_TROUBLE))
    }

    fn part(&self, newest: usize) -> Range<usize> {
        let until = self.list.len() - newest.min(self.list.len());
        self.thinned.min(until)..until
    }

    /// Drops what is far from all that matters. `events` are the source's other events [around](Self::around) that time.
    pub(super) fn thin<'a>(&mut self, events: impl Iterator<Item = (Stamp, &'a Event)>, names: &Names, newest: usize) {
        let part = self.part(newest);
        let keep = self.runs.worth_keeping(&self.list[part.clone()], events, names);
        let mut to = part.start;
        let mut end = to;
        for place in part.start..self.list.len() {
            let one = self.list[place];
            if part.contains(&place) && !keep[place - part.start] {
                *self.dropped.entry((hour_of(&one), one.stamp.zoned())).or_default() += 1;
                continue;
            }
            self.list[to] = one;
            to += 1;
            if part.contains(&place) {
                end = to;
            }
        }
        self.list.truncate(to);
        self.thinned = end;
    }
}

impl Runs {
    /// For each use of a part, whether it is worth keeping.
    fn worth_keeping<'a>(
        &mut self,
        part: &[Use],
        events: impl Iterator<Item = (Stamp, &'a Event)>,
        names: &Names,
    ) -> Vec<bool> {
        let mut actors: Vec<Whose> = Vec::new();
        let mut numbers: HashMap<Whose, usize, foldhash::fast::RandomState> = HashMap::default();
        // The last use so far of each actor in the part.
        let mut latest: Vec<usize> = Vec::new();
        // Whose each is, and when the same actor's next one is.
        let mut each: Vec<(usize, Option<i64>)> = Vec::with_capacity(part.len());
        for (place, one) in part.iter().enumerate() {
            let whose = (one.user, one.address);
            let actor = *numbers.entry(whose).or_insert_with(|| {
                actors.push(whose);
                latest.push(place);
                actors.len() - 1
            });
            let last = std::mem::replace(&mut latest[actor], place);
            if last < place {
                each[last].1 = Some(one.stamp.micros());
            }
            each.push((actor, None));
        }
        let moments = Moments::of(&actors, events);
        let mut standing: Vec<(Run, Lists<'_>)> =
            actors.iter().map(|whose| (self.of.remove(whose).unwrap_or_default(), moments.lists(*whose))).collect();
        let writing = WRITES.map(|method| names.get(method));
        let writes = |one: &Use| writing.contains(&Some(one.method));
        let mut healed: HashMap<Name, i64, foldhash::fast::RandomState> = HashMap::default();
        for (one, (actor, _)) in part.iter().zip(&each) {
            let mut first_since = |name: Option<Name>, happened: &Happened<'_>| {
                let refused = name.zip(last_before(happened.refused, one.stamp.micros()));
                let new = refused.filter(|(name, at)| healed.get(name).is_none_or(|known| known < at));
                healed.extend(new);
                new.is_some()
            };
            let [by_user, by_address] = &standing[*actor].1;
            let of_user = first_since(one.user, by_user);
            let of_address = first_since(one.address, by_address);
            if of_user | of_address {
                self.healing.note(one, writes(one));
            }
        }
        self.healing.count(part, writes);
        let mut telling: HashMap<Name, bool, foldhash::fast::RandomState> = HashMap::default();
        let keep = part.iter().zip(each).map(|(one, (actor, next))| {
            let (run, lists) = &mut standing[actor];
            run.keeps(one, next, lists, moments.blind)
                || writes(one) && self.healing.may_be(one)
                || *telling.entry(one.path).or_insert_with(|| {
                    let path = names.text(one.path).as_bytes();
                    TELLING.iter().any(|word| contains_ignoring_case(path, word))
                })
        });
        let keep = keep.collect();
        self.of.extend(actors.iter().copied().zip(standing.into_iter().map(|(run, _)| run)));
        keep
    }
}

impl Run {
    /// Whether a use is worth keeping for its place among the actor's others. `next`: when the next is. `blind`: nobody knows whose
    /// sockets the log's are.
    fn keeps(&mut self, one: &Use, next: Option<i64>, lists: &Lists<'_>, blind: bool) -> bool {
        let time = one.stamp.micros();
        let route = one.route();
        let first_on_route = self.routes.len() < MOST_ROUTES && !self.routes.contains(&route);
        if first_on_route {
            self.routes.push(route);
        }
        // In which hours somebody was active is what rates are measured by.
        let first_in_hour = self.hour.replace(hour_of(one)) != Some(hour_of(one));
        let between_after = next.is_none_or(|next| lists.iter().any(|happened| between(happened.all, time, next)));
        let before = self.in_gap;
        self.in_gap = if between_after { 0 } else { before + 1 };
        // That calls went on while a socket was gone, one shows that is neither its first moment nor its last.
        if before == 0 {
            self.gap = Some(time);
        }
        let went_on = self.gap.is_some_and(|begun| time - begun >= WENT_ON);
        if went_on {
            self.gap = None;
        }
        let near_trouble = before < BESIDE && lists.iter().any(|happened| near(happened.trouble, time, NEAR_TROUBLE));
        // An app that is opened, after it was away, asks for several things at once.
        let silence = self.last.replace(time).map_or(i64::MAX, |last| (time - last).abs());
        let joins = silence <= TOGETHER;
        if !joins {
            (self.burst, self.was_away) = (0, silence >= AWAY);
        }
        let together = joins || next.is_some_and(|next| (next - time).abs() <= TOGETHER);
        let opens = together
            && self.was_away
            && self.burst < OPENING
            && (blind || lists.iter().any(|happened| near(happened.all, time, OPENED)));
        self.burst += 1;
        first_in_hour || first_on_route || before == 0 || went_on || between_after || near_trouble || opens
    }
}

impl Use {
    /// The endpoint: its action, or its path where the log names none.
    fn route(&self) -> Name {
        self.action.unwrap_or(self.path)
    }
}

fn hour_of(one: &Use) -> i64 {
    one.stamp.micros().div_euclid(3600 * SECOND)
}

/// So many endpoints of one actor are told apart.
const MOST_ROUTES: usize = 32;

/// When something happened that uses are evidence for, to a user or at an address: microseconds, in order.
#[derive(Clone, Copy, Debug)]
struct Happened<'m> {
    all: &'m [i64],
    /// Only trouble.
    trouble: &'m [i64],
    /// Only calls that were refused.
    refused: &'m [i64],
}

/// What happened to a user and at an address.
type Lists<'m> = [Happened<'m>; 2];

/// When something happened that uses are evidence for, by user and by address, as far as these are somebody's whose uses are looked through.
struct Moments {
    numbers: HashMap<Name, u32, foldhash::fast::RandomState>,
    all: Times,
    trouble: Times,
    refused: Times,
    /// Sockets are opened with neither a user nor an address.
    blind: bool,
}

impl Moments {
    fn of<'a>(actors: &[Whose], events: impl Iterator<Item = (Stamp, &'a Event)>) -> Self {
        let mut numbers: HashMap<Name, u32, foldhash::fast::RandomState> = HashMap::default();
        for name in actors.iter().flat_map(|(user, address)| [user, address]).flatten() {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            numbers.entry(*name).or_insert(next);
        }
        let (mut all, mut trouble, mut refused, mut blind) = (Vec::new(), Vec::new(), Vec::new(), false);
        for (stamp, event) in events {
            blind |= matches!(event.what, What::Socket(Socket::Connect(_))) && event.user.or(event.address).is_none();
            let is_trouble = || match &event.what {
                What::Request(request) => request.status.is_none_or(|status| status >= 400) && !request.upgraded,
                What::Socket(socket) => matches!(socket, Socket::Refused | Socket::Removing(_) | Socket::UpgradeFailed),
                _ => false,
            };
            for number in [event.user, event.address].into_iter().flatten().filter_map(|name| numbers.get(&name)) {
                all.push((*number, stamp.micros()));
                trouble.extend(is_trouble().then_some((*number, stamp.micros())));
                let is_refused = event.request().and_then(|request| request.status).is_some_and(is_unauthorized);
                refused.extend(is_refused.then_some((*number, stamp.micros())));
            }
        }
        let [all, trouble, refused] = [all, trouble, refused].map(|moments| Times::of(numbers.len(), &moments));
        Self { numbers, all, trouble, refused, blind }
    }

    /// The lists of a user and of an address.
    fn lists(&self, (user, address): Whose) -> Lists<'_> {
        [user, address].map(|name| {
            let number = name.and_then(|name| self.numbers.get(&name));
            let [all, trouble, refused] = [&self.all, &self.trouble, &self.refused]
                .map(|times| number.map_or(&[][..], |number| &times.times[times.range(*number)]));
            Happened { all, trouble, refused }
        })
    }
}

/// Lists of times by number, one after the other.
struct Times {
    /// Where each list begins, and where the last ends.
    begins: Vec<usize>,
    times: Vec<i64>,
}

impl Times {
    fn of(count: usize, moments: &[(u32, i64)]) -> Self {
        let mut begins = vec![0; count + 1];
        for (number, _) in moments {
            begins[*number as usize + 1] += 1;
        }
        for number in 0..count {
            begins[number + 1] += begins[number];
        }
        let (mut next, mut times) = (begins.clone(), vec![0; moments.len()]);
        for (number, time) in moments {
            let place = &mut next[*number as usize];
            times[*place] = *time;
            *place += 1;
        }
        for ends in begins.windows(2) {
            times[ends[0]..ends[1]].sort_unstable();
        }
        Self { begins, times }
    }

    fn range(&self, number: u32) -> Range<usize> {
        self.begins[number as usize]..self.begins[number as usize + 1]
    }
}

/// Whether something happened within so long of a time.
fn near(times: &[i64], time: i64, reach: i64) -> bool {
    between(times, time - reach, time + reach)
}

/// When it last happened that lately before a time, if it did.
fn last_before(times: &[i64], time: i64) -> Option<i64> {
    let last = times.partition_point(|at| *at <= time).checked_sub(1)?;
    Some(times[last]).filter(|at| time - at <= HEALS)
}

/// Whether something happened between two times.
fn between(times: &[i64], one: i64, other: i64) -> bool {
    let (from, to) = (one.min(other), one.max(other));
    times.get(times.partition_point(|at| *at < from)).is_some_and(|at| *at <= to)
}

/// The requests that uses stand for: what many have in common is held once.
#[derive(Default)]
pub(super) struct Requests(HashMap<Common, Arc<Request>, foldhash::fast::RandomState>);

/// Method, path, action, status.
type Common = (Name, Name, Option<Name>, u16, GroupedBy);

impl Requests {
    /// The event that a use stands for. Its time is to be settled.
    pub(super) fn event_of(&mut self, one: &Use, source: u32, names: &mut Names) -> Event {
        let Use { method, path, action, status, grouped_by, .. } = *one;
        let request = self.0.entry((method, path, action, status, grouped_by)).or_insert_with(|| {
            let empty = super::server::empty_request(Side::Server, names);
            Arc::new(Request { method, path, action, status: Some(status), grouped_by, ..empty })
        });
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
            ended: one.ended,
            request_id: one.id,
            what: What::Request(Arc::clone(request)),
        }
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
        ended: event.ended,
        id: event.request_id,
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

#[cfg(test)]
mod tests {
    use super::{GroupedBy, HEALED, Healing, MOST_HEALERS, Name, Names, Stamp, Use};
    use crate::time::Stated;

    fn write(path: Name, names: &mut Names) -> Use {
        Use {
            number: 0,
            line: 1,
            stamp: Stamp::of(Stated { micros: 0, zoned: true, dated: true, coarse: false }),
            ended: None,
            id: None,
            user: None,
            address: None,
            method: names.intern(b"POST"),
            path,
            action: None,
            status: 200,
            process: 0,
            grouped_by: GroupedBy::OneLine,
        }
    }

    #[test]
    fn what_an_app_calls_mostly_is_not_what_heals() {
        let mut names = Names::default();
        let [next, graphql, feed] = [&b"/next"[..], b"/graphql", b"/feed"].map(|path| {
            let path = names.intern(path);
            write(path, &mut names)
        });
        let mut healing = Healing::default();
        for _ in 0..HEALED {
            healing.note(&next, true);
            healing.note(&graphql, true);
        }
        let part: Vec<Use> = [graphql, graphql, graphql, graphql, next, feed, feed, feed].repeat(5);
        healing.count(&part, |_| true);
        assert!(healing.may_be(&next) && !healing.may_be(&graphql));
    }

    #[test]
    fn paths_with_ids_do_not_keep_out_what_heals() {
        let mut names = Names::default();
        let mut healing = Healing::default();
        for id in 0..=MOST_HEALERS {
            let path = names.intern(format!("/posts/{id}/likes").as_bytes());
            healing.note(&write(path, &mut names), true);
        }
        let path = names.intern(b"/next");
        let next = write(path, &mut names);
        for _ in 0..HEALED * 40 {
            healing.note(&next, true);
        }
        healing.count(&[], |_| true);
        assert!(healing.may_be(&next));
        assert!(healing.wrote.len() <= MOST_HEALERS);
    }
}
