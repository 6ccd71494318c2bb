//! Clients' clocks: whom a trace speaks of, and how its clock stands to the server's.

use std::collections::{BTreeMap, HashMap};

use why401_parsers::assemble::Assembled;
use why401_parsers::event::{AuthState, Event, Name, Names, Socket, TimeFrom, What};
use why401_parsers::record::{ClientRefresh, ClientSocket};
use why401_parsers::secret::RequestId;

use super::{Key, owner::Owners};
use crate::session::endpoint::{Role, Roles};

/// How a client's clock was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SetBy {
    /// Request ids that both sides logged.
    RequestIds,
    /// `date` headers of answers.
    DateHeaders,
    /// The same requests in the same order.
    Sequence,
    /// Nothing: as the trace states it.
    Nothing,
}

/// What is known of a client's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClientClock {
    /// By what it was set.
    pub set_by: SetBy,
    /// How many pairs of times speak for it.
    pub support: usize,
    /// What was added to the trace's times (taken in its stated zone, UTC if none), in seconds.
    pub offset_seconds: i64,
    /// What of it no time zone explains, in seconds: the error of the device's clock, ahead if positive. `None` if unknown.
    pub skew_seconds: Option<i64>,
    /// How far off that may be: nine of ten pairs agree with it to so many milliseconds.
    pub bound_millis: i64,
    /// How much the device's clock gains in a day, in seconds, if it was seen to; lost if negative.
    pub drift_per_day: Option<i64>,
    /// The trace has times of its own.
    pub timed: bool,
}

/// Whom a trace speaks of.
#[derive(Debug)]
pub struct Whose {
    /// Each event's actor.
    pub keys: Vec<Option<Key>>,
    /// The actor of most of them.
    pub main: Option<Key>,
}

/// Finds whom a trace's events belong to: users whom its states name, request ids that the server logged, e-mails.
#[must_use]
pub fn whose(
    trace: &[Event],
    server_keys: &[(Key, bool)],
    by_id: &HashMap<RequestId, usize>,
    owners: &Owners,
) -> Whose {
    let mut order: Vec<usize> = (0..trace.len()).collect();
    order.sort_by_key(|place| trace[*place].line);
    let mut keys: Vec<Option<Key>> = vec![None; trace.len()];
    for place in &order {
        let event = &trace[*place];
        let by_server = || {
            let id = event.request_id?;
            let (key, guessed) = server_keys[*by_id.get(&id)?];
            (matches!(key, Key::User(_)) && !guessed).then_some(key)
        };
        let by_email = || event.email.map(|email| owners.user_of_email(email).map_or(Key::Email(email), Key::User));
        // What a state names is who is signed in; a request's id leads to whom the server saw.
        keys[*place] = event.user.map(Key::User).or_else(by_server).or_else(by_email);
    }
    // An e-mail whose user is named later in the same sign-in is that user.
    let mut emails: HashMap<Name, Key> = HashMap::new();
    for pair in order.windows(12) {
        let Some(Key::Email(email)) = keys[pair[0]] else { continue };
        let named = pair[1..].iter().find_map(|place| keys[*place].filter(|key| matches!(key, Key::User(_))));
        if let Some(named) = named {
            emails.entry(email).or_insert(named);
        }
    }
    for key in keys.iter_mut().flatten() {
        if let Key::Email(email) = key {
            *key = emails.get(email).copied().unwrap_or(*key);
        }
    }
    let mut counts: BTreeMap<Key, usize> = BTreeMap::new();
    for key in keys.iter().flatten() {
        *counts.entry(*key).or_default() += if matches!(key, Key::User(_)) { 2 } else { 1 };
    }
    let main = counts.iter().max_by_key(|(key, count)| (**count, std::cmp::Reverse(**key))).map(|(key, _)| *key);
    // Lines that name nobody belong to whoever was named last before them, at the start to who is named first.
    let mut current = order.iter().find_map(|place| keys[*place]);
    for place in &order {
        if let Some(key) = keys[*place] {
            current = Some(key);
        }
        keys[*place] = current;
    }
    Whose { keys, main }
}

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;

/// An offset that is off a quarter of an hour by more than this (seconds) is no time zone but a wrong clock. Pairs of a
/// request's times lie some seconds apart on a slow network.
const SKEW: i64 = 60;

/// How far apart (microseconds) the events of a trace without any time are placed. Only their order means something.
const UNTIMED_PACE: i64 = 2 * SECOND;

/// Sets a trace's times by the server's and says by what.
pub fn set(
    trace: &mut Assembled,
    server: &[Event],
    theirs: &[usize],
    by_id: &HashMap<RequestId, usize>,
    names: &Names,
    roles: &Roles,
) -> ClientClock {
    let timed = trace.clock.timed;
    let by_ids: Vec<(usize, i64)> = trace
        .events
        .iter()
        .enumerate()
        .filter_map(|(place, event)| Some((place, server[*by_id.get(&event.request_id?)?].time)))
        .collect();
    let by_dates: Vec<(usize, i64)> = trace
        .events
        .iter()
        .enumerate()
        .filter_map(|(place, event)| Some((place, event.request()?.server_date? * SECOND)))
        .collect();
    if !timed {
        let mut anchors = if by_ids.is_empty() { by_dates.clone() } else { by_ids.clone() };
        let mut set_by = if !by_ids.is_empty() {
            SetBy::RequestIds
        } else if !by_dates.is_empty() {
            SetBy::DateHeaders
        } else {
            SetBy::Sequence
        };
        if anchors.is_empty() {
            anchors = align(&trace.events, server, theirs, roles, names);
        }
        if anchors.is_empty() {
            set_by = SetBy::Nothing;
        }
        place_between(&mut trace.events, &anchors);
        return ClientClock {
            set_by,
            support: anchors.len(),
            offset_seconds: 0,
            skew_seconds: None,
            bound_millis: 0,
            drift_per_day: None,
            timed,
        };
    }
    let differences = |pairs: &[(usize, i64)], by_end: bool| -> Vec<i64> {
        pairs
            .iter()
            .map(|(place, time)| {
                let event = &trace.events[*place];
                let own = event.ended.filter(|_| by_end).map_or(event.time, i64::from);
                time - own
            })
            .collect()
    };
    let (set_by, mut found) = if by_ids.len() >= 2 {
        (SetBy::RequestIds, differences(&by_ids, false))
    } else if by_dates.len() >= 2 {
        (SetBy::DateHeaders, differences(&by_dates, true))
    } else {
        (SetBy::Sequence, commonest_difference(&trace.events, server, theirs, roles, names))
    };
    if found.is_empty() {
        return ClientClock {
            set_by: SetBy::Nothing,
            support: 0,
            offset_seconds: 0,
            skew_seconds: None,
            bound_millis: 0,
            drift_per_day: None,
            timed,
        };
    }
    let paired = match set_by {
        SetBy::RequestIds => &by_ids[..],
        SetBy::DateHeaders => &by_dates[..],
        SetBy::Sequence | SetBy::Nothing => &[],
    };
    let own: Vec<i64> = paired.iter().map(|(place, _)| trace.events[*place].time).collect();
    let drift = Drift::of(&own, &found);
    if let Some(drift) = drift {
        for (difference, time) in found.iter_mut().zip(&own) {
            *difference -= drift.at(*time);
        }
    }
    found.sort_unstable();
    let offset = found[found.len() / 2];
    let nine_of_ten = found[(found.len() * 19 / 20).min(found.len() - 1)] - found[found.len() / 20];
    let added = |time: i64| offset + drift.map_or(0, |drift| drift.at(time));
    for event in &mut trace.events {
        event.time += added(event.time);
        event.ended = event.ended.map(i64::from).map(|ended| (ended + added(ended)).into());
    }
    let seconds = offset.div_euclid(SECOND);
    // Ahead of the true time means that something was taken off.
    let skew = if trace.clock.zoned { -seconds } else { nearest_zone(seconds) - seconds };
    let skew_seconds = (skew.abs() > SKEW).then_some(skew).or(Some(0));
    ClientClock {
        set_by,
        support: found.len(),
        offset_seconds: seconds,
        skew_seconds,
        bound_millis: nine_of_ten / 2000,
        drift_per_day: drift.map(|drift| -drift.at(drift.middle + DAY) / SECOND),
        timed,
    }
}

const DAY: i64 = 24 * 3600 * SECOND;

/// A clock that gains or loses steadily, as a difference that grows with time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Drift {
    /// Around this time (microseconds of the device) nothing is added.
    middle: i64,
    /// So much is added in `over` microseconds.
    added: i64,
    over: i64,
}

impl Drift {
    /// Fewer pairs than this show no drift.
    const LEAST: usize = 9;
    /// Answers take longer or shorter by so much (microseconds) anyway.
    const JITTER: i64 = 2 * SECOND;

    /// The drift that pairs show, in the order of the trace: the medians of their thirds lie on a line, and further apart than answers
    /// take. A clock that was set once in between shows a step, and no drift is taken from it.
    fn of(own: &[i64], differences: &[i64]) -> Option<Self> {
        if own.len() < Self::LEAST || own.len() != differences.len() {
            return None;
        }
        let median = |values: &[i64]| {
            let mut sorted = values.to_vec();
            sorted.sort_unstable();
            sorted[sorted.len() / 2]
        };
        let third = own.len() / 3;
        let parts = [0..third, third..own.len() - third, own.len() - third..own.len()];
        let [first, middle, last] = parts.map(|part| (median(&own[part.clone()]), median(&differences[part])));
        let (added, over) = (last.1 - first.1, last.0 - first.0);
        if over <= 0 || added.abs() <= Self::JITTER {
            return None;
        }
        let drift = Self { middle: middle.0, added, over };
        let line = first.1 + drift.at(middle.0) - drift.at(first.0);
        ((middle.1 - line).abs() * 4 <= added.abs()).then_some(drift)
    }

    /// What is to be added at a time of the device, beside the offset.
    fn at(self, time: i64) -> i64 {
        let added = i128::from(time - self.middle) * i128::from(self.added) / i128::from(self.over);
        i64::try_from(added).unwrap_or(0)
    }
}

/// Zones that are no whole hour, in minutes east of UTC (IANA tz database, 2026): Marquesas, Newfoundland and its summer time,
/// Iran, Afghanistan, India, Nepal, Myanmar, Eucla, Adelaide and its summer time, Lord Howe's, Chatham's two.
const ODD_ZONES: &[i64] = &[-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825];

/// The time zone, seconds that are added to its local times to get UTC, that is nearest to a difference: only ones that exist.
#[must_use]
pub fn nearest_zone(added: i64) -> i64 {
    let hours = (-12..=14).map(|hour| hour * 60);
    let zones = hours.chain(ODD_ZONES.iter().copied()).map(|east| -east * 60);
    zones.min_by_key(|zone| ((added - zone).abs(), *zone)).unwrap_or(0)
}

/// What both sides show of one and the same act, comparable between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Call { method: Name, path: Name, refused: bool },
    SignIn,
    Refresh,
    Connected,
}

/// The act that an event shows. Credentials are also given in an app's own words where its HTTP logger is silent.
fn act(event: &Event, roles: &Roles, names: &Names) -> Option<Act> {
    match &event.what {
        What::Request(request) => {
            let well = request.status.map_or(request.answered, |status| status < 400);
            Some(match roles.of(request) {
                Role::SignIn if well => Act::SignIn,
                Role::Refresh if well => Act::Refresh,
                _ => {
                    let refused = request.status.is_some_and(|status| status / 100 == 4);
                    Act::Call { method: request.method, path: request.path, refused }
                }
            })
        }
        What::ClientRefresh(ClientRefresh::Done { .. }) => Some(Act::Refresh),
        What::State { to: AuthState::SignedIn, event, .. } => {
            crate::session::is_sign_in(names.text(*event)).then_some(Act::SignIn)
        }
        What::ClientSocket(ClientSocket::Connected) | What::Socket(Socket::Accepted(_)) => Some(Act::Connected),
        _ => None,
    }
}

/// Differences between the trace's acts and the actor's on the server that agree with one another: the fullest bin of two
/// seconds over all pairs of the same act. Acts that give credentials count most, being rarest.
fn commonest_difference(trace: &[Event], server: &[Event], theirs: &[usize], roles: &Roles, names: &Names) -> Vec<i64> {
    const BIN: i64 = 2 * SECOND;
    const MOST: usize = 4000;
    let acts: Vec<(Act, i64)> = theirs
        .iter()
        .filter_map(|place| Some((act(&server[*place], roles, names)?, server[*place].time)))
        .take(MOST)
        .collect();
    let mut bins: BTreeMap<i64, (f64, Vec<i64>)> = BTreeMap::new();
    for event in trace.iter().take(MOST) {
        let Some(wanted) = act(event, roles, names) else { continue };
        let same: Vec<i64> = acts.iter().filter(|(act, _)| *act == wanted).map(|(_, time)| *time).collect();
        #[allow(clippy::cast_precision_loss, reason = "a count of acts")]
        let weight = if matches!(wanted, Act::SignIn | Act::Refresh) { 3.0 } else { 1.0 } / (same.len().max(1) as f64);
        for time in same {
            let difference = time - event.time;
            let entry = bins.entry(difference.div_euclid(BIN)).or_default();
            entry.0 += weight;
            entry.1.push(difference);
        }
    }
    let best = bins
        .keys()
        .copied()
        .map(|bin| {
            let next = bins.get(&(bin + 1)).map_or(0.0, |(weight, _)| *weight);
            (bins[&bin].0 + next, std::cmp::Reverse(bin))
        })
        .max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let Some((_, std::cmp::Reverse(bin))) = best else { return Vec::new() };
    let mut found = bins[&bin].1.clone();
    if let Some((_, more)) = bins.get(&(bin + 1)) {
        found.extend(more);
    }
    // One agreeing pair is chance.
    if found.len() < 2 { Vec::new() } else { found }
}

/// Pairs the trace's acts with the actor's on the server by order: the longest common subsequence.
fn align(trace: &[Event], server: &[Event], theirs: &[usize], roles: &Roles, names: &Names) -> Vec<(usize, i64)> {
    const MOST: usize = 3000;
    let mut left: Vec<(usize, Act)> =
        (0..trace.len()).filter_map(|place| Some((place, act(&trace[place], roles, names)?))).collect();
    left.sort_by_key(|(place, _)| trace[*place].line);
    left.truncate(MOST);
    let right: Vec<(usize, Act)> =
        theirs.iter().filter_map(|place| Some((*place, act(&server[*place], roles, names)?))).take(MOST).collect();
    // An answer of which the trace shows no status says nothing of a refusal.
    let same = |l: usize, r: usize| match (left[l].1, right[r].1) {
        (Act::Call { method, path, refused }, Act::Call { method: m, path: p, refused: r }) => {
            (method, path) == (m, p)
                && (refused == r || trace[left[l].0].request().is_some_and(|request| request.status.is_none()))
        }
        (one, other) => one == other,
    };
    let width = right.len() + 1;
    let mut table = vec![0_u16; (left.len() + 1) * width];
    for l in (0..left.len()).rev() {
        for r in (0..right.len()).rev() {
            table[l * width + r] = if same(l, r) {
                table[(l + 1) * width + r + 1] + 1
            } else {
                table[(l + 1) * width + r].max(table[l * width + r + 1])
            };
        }
    }
    let (mut l, mut r, mut pairs) = (0, 0, Vec::new());
    while l < left.len() && r < right.len() {
        if same(l, r) && table[l * width + r] == table[(l + 1) * width + r + 1] + 1 {
            pairs.push((left[l].0, server[right[r].0].time));
            l += 1;
            r += 1;
        } else if table[(l + 1) * width + r] >= table[l * width + r + 1] {
            l += 1;
        } else {
            r += 1;
        }
    }
    // Few matches of common requests are chance.
    if pairs.len() < 3 { Vec::new() } else { pairs }
}

/// Gives a trace without times those of its anchors, and to what stands between them the time of the anchor before (the first
/// one's to what stands before it), in order.
fn place_between(events: &mut [Event], anchors: &[(usize, i64)]) {
    let mut order: Vec<usize> = (0..events.len()).collect();
    order.sort_by_key(|place| events[*place].line);
    let times: HashMap<usize, i64> = anchors.iter().copied().collect();
    let mut current = order.iter().find_map(|place| times.get(place)).copied().unwrap_or(0);
    for place in order {
        if let Some(time) = times.get(&place) {
            current = current.max(*time);
        }
        let event = &mut events[place];
        event.time = current;
        event.timed = if times.contains_key(&place) {
            TimeFrom::Request
        } else if anchors.is_empty() {
            TimeFrom::Order
        } else {
            TimeFrom::Neighbour
        };
        if event.request().is_some() {
            event.ended = Some(current.into());
        }
        // A microsecond an event keeps the order when sorted by time; with no time at all, a made-up pace keeps what happened
        // one after the other from looking like one burst.
        current += if anchors.is_empty() { UNTIMED_PACE } else { 1 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_gain_is_drift_and_a_step_is_none() {
        let own: Vec<i64> = (0..30).map(|n| n * 600 * SECOND).collect();
        // A second gained in each ten minutes; answers jitter by some tenths.
        let gains: Vec<i64> = (0..30).map(|n| -n * SECOND + (n % 3) * SECOND / 10).collect();
        let drift = Drift::of(&own, &gains).expect("a drift");
        assert_eq!(-drift.at(drift.middle + DAY) / SECOND, 144);
        let step: Vec<i64> = (0..30).map(|n| if n < 12 { 0 } else { -40 * SECOND }).collect();
        assert_eq!(Drift::of(&own, &step), None);
        assert_eq!(Drift::of(&own, &vec![SECOND; 30]), None);
    }
}
