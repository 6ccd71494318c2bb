//! Who was there in which hour, and counts by day: what rates are measured by.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveTime};
use why401_parsers::event::What;
use why401_parsers::record::Side;

use super::section::{Count, Edge};
use super::{Findings, time};
use crate::actor::{Actor, Key, role};
use crate::diagnosis::{Day, Impact, Incident, PlatformDay, ReleaseDay, Scope, micros};
use crate::incident::service::Attack;
use crate::session::endpoint::Role;
use crate::session::{DAY, HOUR};

/// People with the hours (since 1970) in which they were seen.
pub(super) struct Active {
    pub(super) by_actor: BTreeMap<Key, BTreeSet<i64>>,
}

impl Active {
    /// Users, addresses whose user no log names but who are no attackers, and traces that name nobody.
    pub(super) fn of(findings: &Findings<'_>, attacks: &[Attack]) -> Self {
        let identified = findings.identified;
        let edge = findings.scope.edge();
        let attackers: BTreeSet<Key> = attacks.iter().map(|attack| Key::Address(attack.address)).collect();
        // Of an earlier section only evidence is left: there he was counted.
        let here = |actor: &Actor| {
            !findings.scope.is_section()
                || actor.events.iter().any(|place| findings.scope.has(&identified.events[*place]))
        };
        let people = identified.actors.iter().filter(|(_, actor)| here(actor)).filter(|(key, _)| match key {
            Key::User(_) | Key::Email(_) => true,
            Key::Address(_) => !attackers.contains(key) && !findings.timelines[key].items.is_empty(),
            Key::Trace(number) => identified.client_sources.contains(number),
        });
        let by_actor = people
            .map(|(key, actor)| {
                let events = actor.events.iter().map(|place| &identified.events[*place]);
                let events = events.filter(|event| findings.scope.has(event));
                // Which release somebody runs is no sign of him beside the line that says it, whose event may be of the hour before.
                let times = events.filter(|event| !matches!(event.what, What::Release { .. })).map(|event| event.time);
                // A line before the first time of its source has none.
                let mut hours: Vec<i64> = Vec::new();
                for hour in times.filter(|time| *time > 0).map(|time| time.div_euclid(HOUR)) {
                    // Events are in order of time.
                    if hours.last() != Some(&hour) {
                        hours.push(hour);
                    }
                }
                hours.retain(|hour| !edge.has(Count::Hour, hour * HOUR, || findings.who(*key)));
                (*key, hours.into_iter().collect())
            })
            .collect();
        Self { by_actor }
    }

    pub(super) fn hours(&self) -> u64 {
        self.by_actor.values().map(|hours| hours.len() as u64).sum()
    }
}

/// One day while it is counted.
#[derive(Default)]
struct Tally {
    day: Day,
    platforms: Parts,
    releases: Parts,
}

/// People of a day, parted by a property.
#[derive(Default)]
struct Parts {
    by_name: BTreeMap<String, Part>,
    /// Whom drops hit, with their part.
    dropped: BTreeMap<Key, String>,
}

#[derive(Default)]
struct Part {
    active_actors: u64,
    active_hours: u64,
    incidents: u64,
    drops: u64,
    dropped_actors: u64,
}

/// The part of those of whom no log tells it.
const UNKNOWN: &str = "unknown";

impl Parts {
    /// Somebody was seen in so many hours; `new`: on this day for the first time.
    fn seen(&mut self, name: &str, hours: u64, new: bool) {
        let part = self.by_name.entry(name.to_owned()).or_default();
        part.active_actors += u64::from(new);
        part.active_hours += hours;
    }

    fn add(&mut self, key: Key, name: Option<&str>, dropped: bool, new: bool) {
        let name = name.unwrap_or(UNKNOWN);
        let part = self.by_name.entry(name.to_owned()).or_default();
        part.incidents += 1;
        part.drops += u64::from(dropped);
        if dropped && new {
            self.dropped.insert(key, name.to_owned());
        }
    }

    fn finish<T>(mut self, as_shown: impl Fn(String, Part) -> T) -> Vec<T> {
        for name in self.dropped.values() {
            if let Some(part) = self.by_name.get_mut(name) {
                part.dropped_actors += 1;
            }
        }
        self.by_name.into_iter().map(|(name, part)| as_shown(name, part)).collect()
    }
}

/// Counts by day of UTC. Server logs count where there are any, as in the summary.
pub(super) fn days(
    findings: &Findings<'_>,
    incidents: &[(Option<Key>, Incident)],
    active: &Active,
    thinned: &BTreeMap<i64, u64>,
) -> Vec<Day> {
    let mut days: BTreeMap<NaiveDate, Tally> = BTreeMap::new();
    let edge = findings.scope.edge();
    let begin = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc().timestamp_micros();
    let day_of = |micros: i64| time(micros).date_naive();
    for (day, counted) in requests(findings) {
        days.entry(day_of(day * DAY)).or_default().day = counted;
    }
    for (hour, count) in thinned {
        days.entry(day_of(hour * HOUR)).or_default().day.requests += count;
    }
    for (key, hours) in &active.by_actor {
        let platform = findings.platform(*key).unwrap_or(UNKNOWN);
        let mut of_day: BTreeMap<NaiveDate, (u64, BTreeMap<&str, u64>)> = BTreeMap::new();
        for hour in hours {
            let (hours, by_release) = of_day.entry(day_of(hour * HOUR)).or_default();
            *hours += 1;
            // Somebody who updates within an hour ran the new release in it.
            let release = findings.release(*key, (hour + 1) * HOUR - 1).unwrap_or(UNKNOWN);
            *by_release.entry(release).or_default() += 1;
        }
        for (day, (hours, by_release)) in of_day {
            let tally = days.entry(day).or_default();
            let new = |count: Count<'_>| !edge.has(count, begin(day), || findings.who(*key));
            tally.day.active_actors += u64::from(new(Count::Active));
            tally.day.active_hours += hours;
            tally.platforms.seen(platform, hours, new(Count::Platform(platform)));
            for (release, hours) in by_release {
                tally.releases.seen(release, hours, new(Count::Release(release)));
            }
        }
    }
    for (key, incident) in incidents {
        let Ok(start) = DateTime::parse_from_rfc3339(&incident.start) else { continue };
        let day = start.to_utc().date_naive();
        let new = |key: Key| !edge.has(Count::Dropped, begin(day), || findings.who(key));
        days.entry(day).or_default().add(*key, incident, new);
    }
    days.into_iter().map(|(day, tally)| tally.finish(day)).collect()
}

/// What is counted of requests, by the day since 1970.
fn requests(findings: &Findings<'_>) -> Vec<(i64, Day)> {
    let side = if findings.identified.has_server { Side::Server } else { Side::Client };
    let mut days: Vec<(i64, Day)> = Vec::new();
    for event in findings.counted().filter(|event| event.time > 0) {
        let What::Request(request) = &event.what else { continue };
        if request.side != side {
            continue;
        }
        // Events are in order of time: a day's stand together.
        let number = event.time.div_euclid(DAY);
        if days.last().is_none_or(|(last, _)| *last != number) {
            days.push((number, Day::default()));
        }
        let Some((_, day)) = days.last_mut() else { continue };
        let nameless = findings.names.text(request.method).is_empty() && findings.names.text(request.path).is_empty();
        day.requests += u64::from(!nameless);
        day.unauthorized += u64::from(request.status == Some(401));
        if role(event, findings.roles) == Some(Role::Refresh) {
            day.refreshes += 1;
            let failed = request.status.is_some_and(|status| status >= 400) || request.failure.is_some();
            day.refresh_failures += u64::from(failed);
        }
    }
    days
}

/// Who was new there on the day and in the hour that a time (microseconds) cuts, so that the next section does not count him again.
pub(super) fn edge(findings: &Findings<'_>, incidents: &[(Option<Key>, Incident)], active: &Active, at: i64) -> Edge {
    let mut edge = Edge::at(at);
    for (key, hours) in &active.by_actor {
        let who = findings.who(*key);
        for hour in hours.range((at - DAY).div_euclid(HOUR)..) {
            let time = hour * HOUR;
            let release = findings.release(*key, time + HOUR - 1).unwrap_or(UNKNOWN);
            let platform = findings.platform(*key).unwrap_or(UNKNOWN);
            for count in [Count::Hour, Count::Active, Count::Platform(platform), Count::Release(release)] {
                edge.note(count, time, who);
            }
        }
    }
    for (key, incident) in incidents.iter().filter(|(_, incident)| incident.impact == Impact::Dropped) {
        if let (Some(key), Some(start)) = (key, micros(&incident.start)) {
            edge.note(Count::Dropped, start, findings.who(*key));
        }
    }
    edge
}

impl Tally {
    /// An incident. `new`: whether whom it hit was not dropped on this day before.
    fn add(&mut self, key: Option<Key>, incident: &Incident, new: impl Fn(Key) -> bool) {
        let dropped = incident.impact == Impact::Dropped;
        self.day.incidents += 1;
        self.day.drops += u64::from(dropped);
        let Some(key) = key.filter(|_| incident.scope == Scope::Actor) else { return };
        let new = new(key);
        let platform = incident.actor.as_ref().and_then(|actor| actor.platform.as_deref());
        self.platforms.add(key, platform, dropped, new);
        self.releases.add(key, incident.release.as_deref(), dropped, new);
    }

    fn finish(self, day: NaiveDate) -> Day {
        let dropped_actors = self.platforms.dropped.len() as u64;
        let platforms = self.platforms.finish(|platform, part| {
            let Part { active_actors, active_hours, incidents, drops, dropped_actors } = part;
            PlatformDay { platform, active_actors, active_hours, incidents, drops, dropped_actors }
        });
        let releases = self.releases.finish(|release, part| {
            let Part { active_actors, active_hours, incidents, drops, dropped_actors } = part;
            ReleaseDay { release, active_actors, active_hours, incidents, drops, dropped_actors }
        });
        Day { day: day.to_string(), dropped_actors, platforms, releases, ..self.day }
    }
}
