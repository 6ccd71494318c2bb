//! Who was there in which hour, and counts by day: what rates are measured by.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate};
use why401_parsers::event::What;
use why401_parsers::record::Side;

use super::{Findings, time};
use crate::actor::{Key, role};
use crate::diagnosis::{Day, Impact, Incident, PlatformDay, Scope};
use crate::incident::service::Attack;
use crate::session::SECOND;
use crate::session::endpoint::Role;

const HOUR: i64 = 3600 * SECOND;

/// People with the hours (since 1970) in which they were seen.
pub(super) struct Active {
    pub(super) by_actor: BTreeMap<Key, BTreeSet<i64>>,
}

impl Active {
    /// Users, addresses whose user no log names but who are no attackers, and traces that name nobody.
    pub(super) fn of(findings: &Findings<'_>, attacks: &[Attack]) -> Self {
        let identified = findings.identified;
        let attackers: BTreeSet<Key> = attacks.iter().map(|attack| Key::Address(attack.address)).collect();
        let people = identified.actors.iter().filter(|(key, _)| match key {
            Key::User(_) | Key::Email(_) => true,
            Key::Address(_) => !attackers.contains(key) && !findings.timelines[key].items.is_empty(),
            Key::Trace(number) => identified.client_sources.contains(number),
        });
        let by_actor = people
            .map(|(key, actor)| {
                let times = actor.events.iter().map(|place| identified.events[*place].time);
                // A line before the first time of its source has none.
                (*key, times.filter(|time| *time > 0).map(|time| time.div_euclid(HOUR)).collect())
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
    platforms: BTreeMap<String, PlatformDay>,
    /// Whom drops hit, with the platform.
    dropped: BTreeMap<Key, String>,
}

/// Counts by day of UTC. Server logs count where there are any, as in the summary.
pub(super) fn days(
    findings: &Findings<'_>,
    incidents: &[(Option<Key>, Incident)],
    active: &Active,
    thinned: &BTreeMap<i64, u64>,
) -> Vec<Day> {
    let mut days: BTreeMap<NaiveDate, Tally> = BTreeMap::new();
    let day_of = |micros: i64| time(micros).date_naive();
    let side = if findings.identified.has_server { Side::Server } else { Side::Client };
    for event in findings.identified.events.iter().filter(|event| event.time > 0) {
        let What::Request(request) = &event.what else { continue };
        if request.side != side {
            continue;
        }
        let day = &mut days.entry(day_of(event.time)).or_default().day;
        let nameless = findings.names.text(request.method).is_empty() && findings.names.text(request.path).is_empty();
        day.requests += u64::from(!nameless);
        day.unauthorized += u64::from(request.status == Some(401));
        if role(event, findings.roles) == Some(Role::Refresh) {
            day.refreshes += 1;
            let failed = request.status.is_some_and(|status| status >= 400) || request.failure.is_some();
            day.refresh_failures += u64::from(failed);
        }
    }
    for (hour, count) in thinned {
        days.entry(day_of(hour * HOUR)).or_default().day.requests += count;
    }
    for (key, hours) in &active.by_actor {
        let platform = findings.platform(*key).unwrap_or("unknown").to_owned();
        let mut of_day: BTreeMap<NaiveDate, u64> = BTreeMap::new();
        for hour in hours {
            *of_day.entry(day_of(hour * HOUR)).or_default() += 1;
        }
        for (day, hours) in of_day {
            let tally = days.entry(day).or_default();
            let of_platform = tally.platforms.entry(platform.clone()).or_default();
            tally.day.active_actors += 1;
            tally.day.active_hours += hours;
            of_platform.active_actors += 1;
            of_platform.active_hours += hours;
        }
    }
    for (key, incident) in incidents {
        let Ok(start) = DateTime::parse_from_rfc3339(&incident.start) else { continue };
        days.entry(start.to_utc().date_naive()).or_default().add(*key, incident);
    }
    days.into_iter().map(|(day, tally)| tally.finish(day)).collect()
}

impl Tally {
    fn add(&mut self, key: Option<Key>, incident: &Incident) {
        let dropped = incident.impact == Impact::Dropped;
        self.day.incidents += 1;
        self.day.drops += u64::from(dropped);
        let Some(key) = key.filter(|_| incident.scope == Scope::Actor) else { return };
        let platform = incident.actor.as_ref().and_then(|actor| actor.platform.clone());
        let platform = platform.unwrap_or_else(|| "unknown".into());
        let of_platform = self.platforms.entry(platform.clone()).or_default();
        of_platform.incidents += 1;
        of_platform.drops += u64::from(dropped);
        if dropped {
            self.dropped.insert(key, platform);
        }
    }

    fn finish(mut self, day: NaiveDate) -> Day {
        self.day.dropped_actors = self.dropped.len() as u64;
        for platform in self.dropped.values() {
            if let Some(of_platform) = self.platforms.get_mut(platform) {
                of_platform.dropped_actors += 1;
            }
        }
        let platforms =
            self.platforms.into_iter().map(|(platform, counts)| PlatformDay { platform, ..counts }).collect();
        Day { day: day.to_string(), platforms, ..self.day }
    }
}
