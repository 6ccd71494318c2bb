//! Incidents of a kind, taken together.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;

use super::words::clean;
use crate::cause::Label;
use crate::diagnosis::{Diagnosis, Impact, Incident, Scope};

/// Incidents of one cause and kind.
pub(super) struct Group<'a> {
    pub(super) label: Label,
    pub(super) kind: &'a str,
    pub(super) incidents: Vec<&'a Incident>,
}

pub(super) fn groups(diagnosis: &Diagnosis) -> Vec<Group<'_>> {
    let mut by: BTreeMap<(Label, &str), Vec<&Incident>> = BTreeMap::new();
    for incident in &diagnosis.incidents {
        by.entry((incident.cause, &incident.kind)).or_default().push(incident);
    }
    let mut groups: Vec<Group<'_>> =
        by.into_iter().map(|((label, kind), incidents)| Group { label, kind, incidents }).collect();
    groups.sort_by_key(|group| {
        let worst = group.worst();
        (group.harmless(), worst, std::cmp::Reverse(group.people()), group.label)
    });
    groups
}

impl Group<'_> {
    pub(super) fn people(&self) -> u64 {
        let mut seen: Vec<(&Option<String>, &Vec<String>)> = self
            .incidents
            .iter()
            .filter(|incident| incident.scope == Scope::Actor)
            .filter_map(|incident| incident.actor.as_ref())
            .map(|actor| (&actor.user, &actor.ips))
            .collect();
        seen.sort();
        seen.dedup();
        let service: u64 = self.incidents.iter().filter(|i| i.scope == Scope::Service).map(|i| i.affected_actors).sum();
        seen.len() as u64 + service
    }

    pub(super) fn worst(&self) -> Impact {
        self.incidents.iter().map(|incident| incident.impact).min().unwrap_or(Impact::Latent)
    }

    /// Nobody's fault and nobody dropped: below what has to be mended.
    pub(super) fn harmless(&self) -> bool {
        matches!(
            self.label,
            Label::Logout
                | Label::NetworkLoss
                | Label::ServerRestart
                | Label::ServerReset
                | Label::CredentialAttack
                | Label::Revoked
        )
    }

    /// The incident that shows the cause best: one on whose drawing the cause itself is seen, if it is about as sure as any; then the
    /// surest, with both sides' logs and with most lines to prove it.
    pub(super) fn clearest(&self) -> Option<&Incident> {
        /// What is this much less sure (of 1) is as sure, to a reader.
        const AS_SURE: f64 = 0.05;
        let surest = self.incidents.iter().map(|incident| incident.confidence).fold(0.0, f64::max);
        let seen = |i: &Incident| i.confidence >= surest - AS_SURE && shows(i);
        let main = self.main_life(seen);
        let rank = |i: &Incident| match seen(i) {
            false => 0,
            true if self.label == Label::LifetimeExpiry && refused_life(i) != main => 1,
            true => 2,
        };
        self.incidents.iter().copied().max_by(|a, b| {
            let sources = |i: &Incident| {
                let mut sources: Vec<&String> = i.timeline.iter().map(|moment| &moment.source).collect();
                sources.sort();
                sources.dedup();
                sources.len()
            };
            let proof = |i: &Incident| i.evidence.iter().filter(|e| e.speaks_for && e.line.is_some()).count();
            rank(a)
                .cmp(&rank(b))
                .then(a.confidence.total_cmp(&b.confidence))
                .then(sources(a).cmp(&sources(b)))
                .then(proof(a).cmp(&proof(b)))
                .then(b.start.cmp(&a.start))
        })
    }

    /// The life of the credentials that ran out on most people, of equals the longest.
    fn main_life(&self, seen: impl Fn(&Incident) -> bool) -> Option<i64> {
        let mut lives: BTreeMap<i64, BTreeSet<&Option<String>>> = BTreeMap::new();
        for incident in self.incidents.iter().filter(|incident| seen(incident)) {
            if let (Some(life), Some(actor)) = (refused_life(incident), &incident.actor) {
                lives.entry(life).or_default().insert(&actor.user);
            }
        }
        lives.into_iter().max_by_key(|(life, people)| (people.len(), *life)).map(|(life, _)| life)
    }

    pub(super) fn name(&self) -> String {
        if self.kind.is_empty() {
            self.label.title().to_owned()
        } else {
            format!("{}: {}", self.label.title(), clean(self.kind).replace('_', " "))
        }
    }

    pub(super) fn sureness(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a count of incidents")]
        let count = self.incidents.len().max(1) as f64;
        self.incidents.iter().map(|incident| incident.confidence).sum::<f64>() / count
    }
}

/// Whether the drawing of an incident shows its cause: the age at which a token was refused, the older token beside the newer, the
/// refresh that fails.
fn shows(incident: &Incident) -> bool {
    let refused = || incident.timeline.iter().filter(|moment| moment.tone == "bad");
    match incident.cause {
        Label::LifetimeExpiry => refused_life(incident).is_some(),
        Label::StaleToken => {
            let mut newest = 0;
            incident.timeline.iter().any(|moment| {
                let Some(held) = &moment.credential else { return false };
                newest = newest.max(held.number);
                moment.tone == "bad" && held.number < newest
            })
        }
        Label::RefreshFailure => refused().any(|moment| moment.text.starts_with("refresh")),
        _ => refused().next().is_some(),
    }
}

/// How long the credential lived, seconds, that was refused after its end; `None` if its issue or its end is not known.
fn refused_life(incident: &Incident) -> Option<i64> {
    let time = |time: &str| DateTime::parse_from_rfc3339(time).ok().map(|time| time.timestamp());
    let mut refused = incident.timeline.iter().filter(|moment| moment.tone == "bad");
    refused.find_map(|moment| {
        let held = moment.credential.as_ref()?;
        let (issued, expires) = (time(held.issued.as_deref()?)?, time(held.expires.as_deref()?)?);
        (time(&moment.time)? >= expires).then_some(expires - issued)
    })
}

pub(super) fn people_of(diagnosis: &Diagnosis, is: impl Fn(&Incident) -> bool) -> u64 {
    let mut seen: Vec<(&Option<String>, &Vec<String>)> = diagnosis
        .incidents
        .iter()
        .filter(|incident| is(incident))
        .filter_map(|incident| incident.actor.as_ref())
        .map(|actor| (&actor.user, &actor.ips))
        .collect();
    seen.sort();
    seen.dedup();
    seen.len() as u64
}
