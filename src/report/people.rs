//! Everybody seen, each with what weighs most.

use std::collections::BTreeMap;

use super::days::Active;
use super::{Findings, rfc3339};
use crate::actor::Key;
use crate::cause::Label;
use crate::diagnosis::{ActorFinding, Impact, Incident, Scope};
use crate::incident;

/// How much each cause weighs for somebody.
pub(super) type Weights = BTreeMap<Label, f64>;

/// Somebody seen.
pub(super) struct Person {
    pub(super) key: Key,
    pub(super) finding: ActorFinding,
    pub(super) weights: Weights,
}

/// What an incident adds to the weight of its cause: a drop more than a hindrance, that more than a defect, and the surer the more.
fn weight(incident: &Incident) -> f64 {
    let weight = match incident.impact {
        Impact::Dropped => 3.0,
        Impact::Degraded => 1.0,
        Impact::Latent => 0.5,
    };
    weight * incident.confidence
}

/// What weighs most decides the verdict.
pub(super) fn verdict(weights: &Weights) -> &'static str {
    let unknown_only = weights.keys().all(|label| *label == Label::Inconclusive);
    let known = weights.iter().filter(|(label, _)| unknown_only || **label != Label::Inconclusive);
    known.max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(a.0))).map_or("healthy", |(label, _)| label.as_str())
}

/// The order in which people are listed: users by their number, or by name, then who is none.
pub(super) fn order(one: &ActorFinding, other: &ActorFinding) -> std::cmp::Ordering {
    let number = |user: &Option<String>| user.as_ref().and_then(|user| user.parse::<u64>().ok()).unwrap_or(u64::MAX);
    (one.user.is_none(), number(&one.user), &one.user, &one.ips).cmp(&(
        other.user.is_none(),
        number(&other.user),
        &other.user,
        &other.ips,
    ))
}

/// Everybody, in order.
pub(super) fn people(
    findings: &Findings<'_>,
    incidents: &[(Option<Key>, Incident)],
    active: &Active,
    restarts: &[&incident::service::Restart],
) -> Vec<Person> {
    let mut of_actor: BTreeMap<Key, Vec<&Incident>> = BTreeMap::new();
    let mut cut_by: BTreeMap<Key, Vec<&Incident>> = BTreeMap::new();
    for (whose, incident) in incidents {
        if let Some(key) = whose {
            of_actor.entry(*key).or_default().push(incident);
        } else if incident.cause == Label::ServerRestart && incident.scope == Scope::Service {
            let restart = restarts.iter().filter(|restart| rfc3339(restart.start) == incident.start);
            for key in restart.flat_map(|restart| &restart.cut) {
                cut_by.entry(*key).or_default().push(incident);
            }
        }
    }
    let mut out = Vec::new();
    for (key, hours) in &active.by_actor {
        let own = of_actor.get(key).map_or(&[][..], Vec::as_slice);
        let mut weights = Weights::new();
        for incident in own {
            *weights.entry(incident.cause).or_default() += weight(incident);
        }
        let cut = cut_by.get(key).map_or(&[][..], Vec::as_slice);
        let ids = own.iter().chain(cut).map(|incident| incident.id.clone()).collect();
        // A restart's wake is the restart's, not the actor's.
        weights.remove(&Label::ServerRestart);
        let actor = findings.actor_ref(*key);
        let finding = ActorFinding {
            user: actor.user.or_else(|| match key {
                Key::Email(_) => actor.email.clone(),
                _ => None,
            }),
            ips: actor.ips,
            verdict: verdict(&weights).into(),
            active_hours: hours.len() as u64,
            incidents: ids,
        };
        out.push(Person { key: *key, finding, weights });
    }
    out.sort_by(|one, other| order(&one.finding, &other.finding));
    out
}
