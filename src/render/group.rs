//! Incidents of a kind, taken together.

use std::collections::BTreeMap;

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

    /// The incident that shows the cause best: sure, and with a short story.
    pub(super) fn clearest(&self) -> Option<&Incident> {
        self.incidents.iter().copied().max_by(|a, b| {
            let sources = |i: &Incident| {
                let mut sources: Vec<&String> = i.timeline.iter().map(|moment| &moment.source).collect();
                sources.sort();
                sources.dedup();
                sources.len()
            };
            let proof = |i: &Incident| i.evidence.iter().filter(|e| e.speaks_for && e.line.is_some()).count();
            a.confidence
                .total_cmp(&b.confidence)
                .then(sources(a).cmp(&sources(b)))
                .then(proof(a).cmp(&proof(b)))
                .then(b.start.cmp(&a.start))
        })
    }

    pub(super) fn name(&self) -> String {
        if self.kind.is_empty() {
            self.label.title().to_owned()
        } else {
            format!("{}: {}", self.label.title(), self.kind.replace('_', " "))
        }
    }

    pub(super) fn sureness(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a count of incidents")]
        let count = self.incidents.len().max(1) as f64;
        self.incidents.iter().map(|incident| incident.confidence).sum::<f64>() / count
    }
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
