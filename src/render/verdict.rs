//! The verdict in words, as every rendering says it first: how many, what, since when, what first.

use super::group::{Group, groups, people_of};
use super::words::{incidents, number, persons};
use crate::cause::Label;
use crate::diagnosis::{Diagnosis, Impact, Scope};

/// What stands above everything else.
pub(super) struct Verdict {
    /// How many people were hit, in a sentence.
    pub(super) headline: String,
    /// When it began, RFC 3339, if something is broken.
    pub(super) since: Option<String>,
    /// Somebody was hit by a defect.
    pub(super) bad: bool,
    /// The causes, the worst first.
    pub(super) causes: Vec<CauseLine>,
    /// What to change first.
    pub(super) first_fix: Option<String>,
    /// What could not be explained.
    pub(super) unclear: Option<String>,
}

/// One cause: how many people, and its kinds with what each did to them.
pub(super) struct CauseLine {
    pub(super) title: &'static str,
    pub(super) people: u64,
    pub(super) kinds: String,
}

impl Verdict {
    pub(super) fn of(diagnosis: &Diagnosis) -> Self {
        let groups = groups(diagnosis);
        let broken: Vec<&Group<'_>> =
            groups.iter().filter(|group| !group.harmless() && group.label != Label::Inconclusive).collect();
        let people = people_of(diagnosis, |incident| {
            incident.scope == Scope::Actor
                && !matches!(
                    incident.cause,
                    Label::Logout | Label::NetworkLoss | Label::ServerRestart | Label::ServerReset | Label::Revoked
                )
        });
        let starts = broken.iter().flat_map(|group| &group.incidents).map(|incident| incident.start.as_str());
        let unclear = groups.iter().find(|group| group.label == Label::Inconclusive).map(|group| {
            format!("{} could not be explained; what is missing is said with each.", incidents(group.incidents.len()))
        });
        Self {
            headline: headline(diagnosis, people),
            since: starts.min().map(str::to_owned),
            bad: people > 0,
            causes: causes(diagnosis, &broken),
            first_fix: diagnosis.fix_plan.first().filter(|_| !broken.is_empty()).map(|step| step.title.clone()),
            unclear,
        }
    }
}

fn headline(diagnosis: &Diagnosis, people: u64) -> String {
    let summary = &diagnosis.summary;
    let silent = summary.requests == 0 && summary.cable_connects == 0;
    match (people, summary.dropped_actors) {
        (0, _) if silent => "These logs show no requests: whether anybody was signed out cannot be told.".to_owned(),
        (0, _) if diagnosis.incidents.is_empty() => "Nobody was signed out: nothing found.".to_owned(),
        (0, _) => "Nobody lost a session to a defect.".to_owned(),
        (people, 0) => format!("{} hit, nobody signed out.", persons(people)),
        (people, dropped) => format!("{} hit, {} of them signed out.", persons(people), number(dropped)),
    }
}

fn causes(diagnosis: &Diagnosis, broken: &[&Group<'_>]) -> Vec<CauseLine> {
    let mut labels: Vec<Label> = Vec::new();
    for group in broken {
        if !labels.contains(&group.label) {
            labels.push(group.label);
        }
    }
    labels
        .into_iter()
        .map(|label| {
            let kinds = broken.iter().filter(|group| group.label == label).map(|group| {
                let what = match group.worst() {
                    Impact::Dropped => "",
                    Impact::Degraded => ", nobody signed out",
                    Impact::Latent => ", latent",
                };
                format!("{} ({}{what})", group.kind.replace('_', " "), number(group.people()))
            });
            CauseLine {
                title: label.title(),
                people: people_of(diagnosis, |incident| incident.cause == label),
                kinds: kinds.collect::<Vec<_>>().join(", "),
            }
        })
        .collect()
}
