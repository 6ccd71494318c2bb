//! From what was read to the diagnosis: identify, place, notice, explain, sum up.

mod ages;
mod counts;
mod credentials;
mod days;
mod identity;
mod judge;
mod lives;
mod moments;
mod notes;
mod people;
mod place;
mod plan;
mod proxy;
pub(crate) mod section;
mod series;
mod service;
mod written;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeZone as _, Utc};
use why401_parsers::event::{Event, Name, Names};

use crate::actor::{Actor, Identified, Key, release_at};
use crate::cause::score;
use crate::diagnosis::{
    ActorRef, Contribution, Diagnosis, Endpoint, Impact, Incident, Input, SCHEMA_VERSION, Scope as Hit, Tool,
};
use crate::incident;
use crate::reading::Reading;
use crate::session::Timeline;
use crate::session::endpoint::Roles;
use crate::stats::Stages;
use days::Active;
pub use identity::identity;
use incident::service::{Attack, Restart};
pub(crate) use judge::{Found, judge};
use lives::{changes, lifetime_findings};
use notes::{by_order, late_in_words, notes, seen_instead};
use people::{Person, people};
pub(crate) use place::{Placed, place};
use plan::fix_plan;
use section::{Part, Scope, Told, Who};
use written::{actor_order, kept, written};

/// An incident of one actor with its verdict, before it is written down.
pub(crate) struct Judged {
    pub(crate) key: Key,
    pub(crate) incident: incident::Incident,
    pub(crate) verdict: score::Verdict,
    pub(crate) impact: Impact,
    pub(crate) contributing: Vec<Contribution>,
    /// The life of the credential that it is about, microseconds.
    pub(crate) lifetime: Option<i64>,
}

/// Everything that writing down needs.
pub(crate) struct Findings<'a> {
    pub(crate) sources: &'a [String],
    pub(crate) inputs: &'a [Input],
    pub(crate) names: &'a Names,
    pub(crate) identified: &'a Identified,
    pub(crate) timelines: &'a BTreeMap<Key, Timeline>,
    pub(crate) roles: &'a Roles,
    pub(crate) scope: &'a Scope,
}

/// Diagnoses what was read.
#[must_use]
pub fn diagnose(reading: Reading) -> Diagnosis {
    diagnose_timed(reading, &mut Stages::default())
}

/// The same, with the time that each stage took.
#[must_use]
pub fn diagnose_timed(mut reading: Reading, stages: &mut Stages) -> Diagnosis {
    let whole = reading.whole.take();
    let placed = place(reading, stages);
    let found = judge(&placed);
    stages.done("judge");
    let part = concluded(&placed, &found);
    let diagnosis = match whole {
        Some(whole) => whole.with(part),
        None => part.diagnosis,
    };
    stages.done("conclude");
    diagnosis
}

/// The same, and what other lifetimes would have changed.
#[must_use]
pub fn diagnose_with_policy(mut reading: Reading) -> Diagnosis {
    let whole = reading.whole.take();
    let placed = place(reading, &mut Stages::default());
    let found = judge(&placed);
    let part = concluded(&placed, &found);
    match whole {
        // What is held is not all that would have to be replayed.
        Some(whole) => whole.with(part),
        None => Diagnosis { policy: Some(crate::policy::replayed(&placed, &found, None)), ..part.diagnosis },
    }
}

fn concluded(placed: &Placed, found: &Found) -> Part {
    let lifetimes = &placed.lifetimes;
    let Found { restarts, attacks, judged, in_flight } = found;
    let findings = placed.findings();
    // Each incident counts in the section in which its first sign does.
    let scope = &placed.scope;
    let begun_here = |judged: &&Judged| {
        let items = &placed.timelines[&judged.key].items;
        judged.incident.signs.first().is_none_or(|sign| scope.has_item(&items[*sign]))
    };
    let new: Vec<&Judged> = judged.iter().filter(begun_here).collect();
    let events = &placed.identified.events;
    let restarts: Vec<&Restart> = restarts.iter().filter(|restart| scope.has(&events[restart.boot])).collect();
    let begun_here =
        |attack: &&Attack| attack.lines.first().is_none_or(|(source, line, time)| scope.has_at(*source, *line, *time));
    let new_attacks: Vec<&Attack> = attacks.iter().filter(begun_here).collect();
    let mut incidents: Vec<(Option<Key>, Incident)> = service::restarts(&findings, &restarts);
    incidents.extend(service::attacks(&findings, &new_attacks));
    let crew = placed.crew;
    incidents.extend(crew.each(&new, |judged| (Some(judged.key), written(&findings, judged))));
    let filter = &placed.config.filter;
    incidents.retain(|(_, incident)| kept(filter, incident));
    incidents.sort_by(|(_, a), (_, b)| listing_order(a, b));
    for (number, (_, incident)) in incidents.iter_mut().enumerate() {
        incident.id = format!("i{}", number + 1);
    }
    let seen = || {
        let active = Active::of(&findings, attacks);
        (people(&findings, &incidents, &active, &restarts), active)
    };
    let ((people, active), (mut summary, series, mut notes, told)) = crew.both(seen, || {
        let series = series::series(&findings, &restarts, &placed.thinned);
        let told = scope.told(Told { by_order: by_order(&findings), behind_proxy: placed.behind_proxy });
        (counts::summary(&findings, judged, attacks, in_flight), series, notes(&findings, told.by_order), told)
    });
    summary.requests += placed.thinned.values().sum::<u64>();
    summary.active_hours = active.hours();
    summary.actors = people.len() as u64;
    summary.healthy_actors = people.iter().filter(|person| person.finding.verdict == "healthy").count() as u64;
    summary.incidents = incidents.len() as u64;
    for (_, incident) in &incidents {
        *summary.by_cause.entry(incident.cause.to_string()).or_default() += 1;
    }
    summary.dropped_actors = {
        let mut dropped: Vec<Key> = incidents
            .iter()
            .filter(|(_, incident)| incident.impact == Impact::Dropped)
            .filter_map(|(key, _)| *key)
            .collect();
        dropped.sort_unstable();
        dropped.dedup();
        dropped.len() as u64
    };
    let fix_plan = fix_plan(&findings, &new, &new_attacks, &restarts, filter);
    let behind_proxy = told.behind_proxy;
    if behind_proxy > 0 {
        notes.push(format!(
            "{behind_proxy} lines of a proxy or router say again what the app's own lines say; they are not counted."
        ));
    }
    notes.extend(changes(lifetimes));
    notes.extend(late_in_words(&placed.inputs));
    if let Some(since) = placed.since {
        notes.push(format!("Only what happened since {} is looked at: what is older is not kept.", rfc3339(since)));
    }
    notes.extend(seen_instead(&placed.inputs, &placed.identified, behind_proxy > 0));
    let (days, (lifetimes, ages)) = crew.both(
        || days::days(&findings, &incidents, &active, &placed.thinned),
        || (lifetime_findings(placed), ages::ages(&findings)),
    );
    let after = scope.until.map(|until| {
        let edge = days::edge(&findings, &incidents, &active, until);
        placed.after(edge, until, told)
    });
    let whose = |key: &Option<Key>| key.filter(|_| scope.is_section()).map(|key| findings.who(key));
    let whose: Vec<Option<Who>> = incidents.iter().map(|(key, _)| whose(key)).collect();
    let (actors, people) = people
        .into_iter()
        .map(|Person { key, finding, weights }| {
            let sum = scope.is_section().then(|| (findings.who(key), weights));
            (finding, sum)
        })
        .unzip::<_, _, Vec<_>, Vec<_>>();
    let diagnosis = Diagnosis {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "why401".into(), version: env!("CARGO_PKG_VERSION").into() },
        inputs: placed.inputs.clone(),
        summary,
        since: placed.since.map(rfc3339),
        days,
        series,
        ages,
        lifetimes,
        endpoints: placed
            .roles
            .list(&placed.names)
            .into_iter()
            .map(|(method, path, role)| Endpoint { method, path, role: role_name(role) })
            .collect(),
        incidents: incidents.into_iter().map(|(_, incident)| incident).collect(),
        actors,
        fix_plan,
        policy: None,
        notes,
    };
    Part { diagnosis, people: people.into_iter().flatten().collect(), whose, after }
}

/// The order in which incidents are listed.
fn listing_order(a: &Incident, b: &Incident) -> Ordering {
    (a.scope == Hit::Service, a.impact, &a.start, a.cause, actor_order(a))
        .cmp(&(b.scope == Hit::Service, b.impact, &b.start, b.cause, actor_order(b)))
        .then(b.confidence.total_cmp(&a.confidence))
}

fn role_name(role: crate::session::endpoint::Role) -> String {
    serde_json::to_value(role).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn rfc3339(micros: i64) -> String {
    time(micros).to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn time(micros: i64) -> DateTime<Utc> {
    Utc.timestamp_micros(micros).single().unwrap_or_default()
}

/// See [`Findings::who`].
fn who_is_at(address: &str) -> Who {
    Who::called("address", address)
}

impl Findings<'_> {
    /// The events that count.
    fn counted(&self) -> impl Iterator<Item = &Event> {
        self.identified.events.iter().filter(|event| self.scope.has(event))
    }

    /// Who an actor is in all sections of a log.
    fn who(&self, key: Key) -> Who {
        match key {
            Key::User(name) => Who::called("user", self.names.text(name)),
            Key::Email(name) => Who::called("e-mail", self.names.text(name)),
            Key::Address(name) => who_is_at(self.names.text(name)),
            Key::Trace(number) => Who::called("trace", &number.to_string()),
        }
    }

    fn text(&self, name: Name) -> String {
        self.names.text(name).to_owned()
    }

    pub(crate) fn source(&self, number: u32) -> Option<String> {
        self.sources.get(number as usize).cloned()
    }

    pub(crate) fn actor_ref(&self, key: Key) -> ActorRef {
        let empty = Actor::default();
        let actor = self.identified.actors.get(&key).unwrap_or(&empty);
        let texts = |names: &[Name]| {
            let mut texts: Vec<String> = names.iter().map(|name| self.text(*name)).collect();
            texts.sort();
            texts
        };
        let email = match key {
            Key::Email(email) => Some(self.text(email)),
            _ => texts(&actor.emails).into_iter().next(),
        };
        let user = if let Key::User(user) = key { Some(self.text(user)) } else { None };
        let mut ips = texts(&actor.addresses);
        if let Key::Address(address) = key
            && ips.is_empty()
        {
            ips.push(self.text(address));
        }
        let devices = texts(&actor.devices);
        let platform = self.platform(key).map(str::to_owned);
        ActorRef { user, email, ips, devices, platform }
    }
}

/// Platforms, by the ways in which device ids and the envelopes of traces give them away.
const PLATFORMS: [(&str, &[&str], &[&str]); 3] = [
    ("android", &["android"], &["logcat"]),
    ("ios", &["ios", "iphone", "ipad"], &["os-log", "idevicesyslog", "xcode"]),
    ("web", &["web", "browser"], &["browser-console"]),
];

/// What an actor's devices run, where their ids or their traces say so and agree.
fn platform(actor: &Actor, inputs: &[Input], names: &Names) -> Option<&'static str> {
    let traces = || actor.traces.iter().filter_map(|trace| inputs.get(*trace as usize)?.envelope.as_deref());
    let mut seen = PLATFORMS.iter().filter(|(_, ids, envelopes)| {
        actor.devices.iter().any(|device| {
            let device = names.text(*device).to_ascii_lowercase();
            ids.iter().any(|id| device.strip_prefix(id).is_some_and(|rest| rest.starts_with(['-', '_', ':'])))
        }) || traces().any(|around| around.split('+').any(|envelope| envelopes.contains(&envelope)))
    });
    let (name, ..) = seen.next()?;
    seen.next().is_none().then_some(*name)
}

/// The sort of client that an actor uses, as far as practice differs for it: `mobile`, `web` or `unknown`.
fn class(platform: Option<&str>, identified: &Identified) -> &'static str {
    match platform {
        Some("android" | "ios") => "mobile",
        Some("web") => "web",
        // Traces are phones' unless they say otherwise.
        _ if !identified.client_sources.is_empty() => "mobile",
        _ => "unknown",
    }
}

impl Findings<'_> {
    /// See [`class`].
    pub(crate) fn class(&self, key: Key) -> &'static str {
        class(self.platform(key), self.identified)
    }

    /// The release of the app that an actor ran at a time; before any is named, the first that is.
    pub(crate) fn release(&self, key: Key, time: i64) -> Option<&str> {
        let releases = &self.identified.actors.get(&key)?.releases;
        let named = release_at(releases, time).or_else(|| releases.first().map(|(_, name)| *name))?;
        Some(self.names.text(named))
    }

    /// The release of the server that ran at a time.
    pub(crate) fn deploy(&self, time: i64) -> Option<&str> {
        release_at(&self.identified.deploys, time).map(|name| self.names.text(name))
    }

    /// See [`platform`].
    pub(crate) fn platform(&self, key: Key) -> Option<&'static str> {
        platform(self.identified.actors.get(&key)?, self.inputs, self.names)
    }
}

impl Placed {
    pub(crate) fn findings(&self) -> Findings<'_> {
        Findings {
            sources: &self.sources,
            inputs: &self.inputs,
            names: &self.names,
            identified: &self.identified,
            timelines: &self.timelines,
            roles: &self.roles,
            scope: &self.scope,
        }
    }
}
