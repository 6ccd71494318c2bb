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
mod series;
mod service;
mod written;

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeZone as _, Utc};
use why401_parsers::event::{Name, Names};

use crate::actor::{Actor, Identified, Key, release_at};
use crate::cause::score;
use crate::diagnosis::{
    ActorRef, Contribution, Diagnosis, Endpoint, Impact, Incident, Input, SCHEMA_VERSION, Scope, Tool,
};
use crate::incident;
use crate::reading::Reading;
use crate::session::Timeline;
use crate::session::endpoint::Roles;
use crate::stats::Stages;
use days::Active;
pub use identity::identity;
pub(crate) use judge::{Found, judge};
use lives::{changes, lifetime_findings};
use notes::{late_in_words, notes, seen_instead};
use people::actors;
pub(crate) use place::{Placed, place};
use plan::fix_plan;
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
}

/// Diagnoses what was read.
#[must_use]
pub fn diagnose(reading: Reading) -> Diagnosis {
    diagnose_timed(reading, &mut Stages::default())
}

/// The same, with the time that each stage took.
#[must_use]
pub fn diagnose_timed(reading: Reading, stages: &mut Stages) -> Diagnosis {
    let placed = place(reading, stages);
    let found = judge(&placed);
    stages.done("judge");
    let diagnosis = concluded(&placed, &found);
    stages.done("conclude");
    diagnosis
}

/// The same, and what other lifetimes would have changed.
#[must_use]
pub fn diagnose_with_policy(reading: Reading) -> Diagnosis {
    let placed = place(reading, &mut Stages::default());
    let found = judge(&placed);
    let policy = crate::policy::replayed(&placed, &found, None);
    Diagnosis { policy: Some(policy), ..concluded(&placed, &found) }
}

fn concluded(placed: &Placed, found: &Found) -> Diagnosis {
    let lifetimes = &placed.lifetimes;
    let Found { restarts, attacks, judged, in_flight } = found;
    let findings = placed.findings();
    let mut incidents: Vec<(Option<Key>, Incident)> = service::restarts(&findings, restarts);
    incidents.extend(service::attacks(&findings, attacks));
    let crew = placed.crew;
    incidents.extend(crew.each(judged, |judged| (Some(judged.key), written(&findings, judged))));
    let filter = &placed.config.filter;
    incidents.retain(|(_, incident)| kept(filter, incident));
    incidents.sort_by(|(_, a), (_, b)| {
        (a.scope == Scope::Service, a.impact, &a.start, a.cause, actor_order(a))
            .cmp(&(b.scope == Scope::Service, b.impact, &b.start, b.cause, actor_order(b)))
            .then(b.confidence.total_cmp(&a.confidence))
    });
    for (number, (_, incident)) in incidents.iter_mut().enumerate() {
        incident.id = format!("i{}", number + 1);
    }
    let people = || {
        let active = Active::of(&findings, attacks);
        (actors(&findings, &incidents, &active, restarts), active)
    };
    let ((actors, active), (mut summary, series, mut notes)) = crew.both(people, || {
        let series = series::series(&findings, restarts, &placed.thinned);
        (counts::summary(&findings, judged, attacks, in_flight), series, notes(&findings))
    });
    summary.requests += placed.thinned.values().sum::<u64>();
    summary.active_hours = active.hours();
    summary.actors = actors.len() as u64;
    summary.healthy_actors = actors.iter().filter(|actor| actor.verdict == "healthy").count() as u64;
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
    let fix_plan = fix_plan(&findings, judged, attacks, restarts, filter);
    let behind_proxy = placed.behind_proxy;
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
        || (lifetime_findings(&findings, placed), ages::ages(&findings)),
    );
    Diagnosis {
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
    }
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

impl Findings<'_> {
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

impl Findings<'_> {
    /// The sort of client that an actor uses, as far as practice differs for it: `mobile`, `web` or `unknown`.
    pub(crate) fn class(&self, key: Key) -> &'static str {
        match self.platform(key) {
            Some("android" | "ios") => "mobile",
            Some("web") => "web",
            // Traces are phones' unless they say otherwise.
            _ if !self.identified.client_sources.is_empty() => "mobile",
            _ => "unknown",
        }
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

    /// What an actor's devices run, where their ids or their traces say so and agree.
    pub(crate) fn platform(&self, key: Key) -> Option<&'static str> {
        let actor = self.identified.actors.get(&key)?;
        let traces = || actor.traces.iter().filter_map(|trace| self.inputs.get(*trace as usize)?.envelope.as_deref());
        let mut seen = PLATFORMS.iter().filter(|(_, ids, envelopes)| {
            actor.devices.iter().any(|device| {
                let device = self.names.text(*device).to_ascii_lowercase();
                ids.iter().any(|id| device.strip_prefix(id).is_some_and(|rest| rest.starts_with(['-', '_', ':'])))
            }) || traces().any(|around| around.split('+').any(|envelope| envelopes.contains(&envelope)))
        });
        let (name, ..) = seen.next()?;
        seen.next().is_none().then_some(*name)
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
        }
    }
}
