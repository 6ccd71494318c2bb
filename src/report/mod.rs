//! From what was read to the diagnosis: identify, place, notice, explain, sum up.

mod ages;
mod conclude;
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
pub(crate) mod turned;
mod written;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeZone as _, Utc};
use why401_parsers::event::{Event, Name, Names};

use crate::actor::{Actor, Identified, Key, release_at};
use crate::cause::score;
use crate::diagnosis::{ActorRef, Contribution, Diagnosis, Impact, Incident, Input, Scope as Hit};
use crate::incident;
use crate::reading::Reading;
use crate::session::Timeline;
use crate::session::endpoint::{Roles, behaviour::Inferred};
use crate::stats::Stages;
use conclude::concluded;
pub use identity::identity;
pub(crate) use judge::{Found, judge};
pub(crate) use place::{Placed, place};
use section::{Scope, Who};
use written::actor_order;

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

/// The same, and what is taken for the refresh by what it does, to be known from then on.
pub(crate) fn diagnose_and_keep(reading: Reading) -> (Diagnosis, Option<Inferred>) {
    let placed = place(reading, &mut Stages::default());
    let found = judge(&placed);
    (concluded(&placed, &found).diagnosis, placed.refresh)
}

/// The same, with the time that each stage took.
#[must_use]
pub fn diagnose_timed(mut reading: Reading, stages: &mut Stages) -> Diagnosis {
    let whole = reading.whole.take();
    let placed = place(reading, stages);
    let found = judge(&placed);
    stages.done("judge");
    let part = concluded(&placed, &found);
    let diagnosis = with_earlier(whole, part, &placed);
    placed.crew.let_go((placed, found));
    stages.done("conclude");
    diagnosis
}

/// The same, and what other lifetimes would have changed.
#[must_use]
pub fn diagnose_with_policy(mut reading: Reading) -> Diagnosis {
    let whole = reading.whole.take();
    let placed = place(reading, &mut Stages::default());
    let found = judge(&placed);
    let mut part = concluded(&placed, &found);
    // Of sections, what is held is not all that would have to be replayed.
    if whole.is_none() {
        part.diagnosis.policy = Some(crate::policy::replayed(&placed, &found, None));
    }
    with_earlier(whole, part, &placed)
}

/// The diagnosis of the last section, or of all, with those of the sections before.
fn with_earlier(whole: Option<Box<section::Whole>>, part: section::Part, placed: &Placed) -> Diagnosis {
    let mut diagnosis = match whole {
        Some(whole) => whole.with(part),
        None => part.diagnosis,
    };
    placed.turned.restore(&mut diagnosis);
    diagnosis
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
