//! Everybody seen, each with what weighs most.

use std::collections::BTreeMap;

use super::days::Active;
use super::{Findings, rfc3339};
use crate::actor::Key;
use crate::cause::Label;
use crate::diagnosis::{ActorFinding, Impact, Incident, Scope};
use crate::incident;

/// What weighs most for an actor decides its verdict: a drop over a hindrance over a defect, and the surer.
pub(super) fn actors(
    findings: &Findings<'_>,
    incidents: &[(Option<Key>, Incident)],
    active: &Active,
    restarts: &[incident::service::Restart],
) -> Vec<ActorFinding> {
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
        let mut weights: BTreeMap<Label, f64> = BTreeMap::new();
        for incident in own {
            let weight = match incident.impact {
                Impact::Dropped => 3.0,
                Impact::Degraded => 1.0,
                Impact::Latent => 0.5,
            };
            *weights.entry(incident.cause).or_default() += weight * incident.confidence;
        }
        let cut = cut_by.get(key).map_or(&[][..], Vec::as_slice);
        let ids = own.iter().chain(cut).map(|incident| incident.id.clone()).collect();
        // A restart's wake is the restart's, not the actor's.
        weights.remove(&Label::ServerRestart);
        if weights.len() > 1 {
            weights.remove(&Label::Inconclusive);
        }
        let verdict = weights
            .iter()
            .max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(a.0)))
            .map_or("healthy", |(label, _)| label.as_str());
        let actor = findings.actor_ref(*key);
        out.push(ActorFinding {
            user: actor.user.or_else(|| match key {
                Key::Email(_) => actor.email.clone(),
                _ => None,
            }),
            ips: actor.ips,
            verdict: verdict.to_owned(),
            active_hours: hours.len() as u64,
            incidents: ids,
        });
    }
    out.sort_by(|a, b| {
        let number =
            |user: &Option<String>| user.as_ref().and_then(|user| user.parse::<u64>().ok()).unwrap_or(u64::MAX);
        (a.user.is_none(), number(&a.user), &a.user, &a.ips).cmp(&(b.user.is_none(), number(&b.user), &b.user, &b.ips))
    });
    out
}
