//! What was found, written down and summed up.

use super::counts;
use super::days::{self, Active};
use super::judge::Found;
use super::lives::{changes, lifetime_findings};
use super::notes::{by_order, late_in_words, notes, seen_instead};
use super::people::{Person, people};
use super::place::Placed;
use super::plan::fix_plan;
use super::section::{Part, Told, Who};
use super::written::{kept, written};
use super::{Findings, Judged, ages, listing_order, rfc3339, role_name, series, service};
use crate::actor::Key;
use crate::diagnosis::{Diagnosis, Endpoint, Impact, Incident, SCHEMA_VERSION, Summary, Tool};
use crate::incident::service::{Attack, Restart};
use crate::session::endpoint::Listed;

/// What begins in the section that is diagnosed: each incident counts where its first sign does.
struct New<'f> {
    judged: Vec<&'f Judged>,
    attacks: Vec<&'f Attack>,
    restarts: Vec<&'f Restart>,
}

impl<'f> New<'f> {
    fn of(placed: &Placed, found: &'f Found) -> Self {
        let scope = &placed.scope;
        let by_sign = |judged: &&Judged| {
            let items = &placed.timelines[&judged.key].items;
            judged.incident.signs.first().is_none_or(|sign| scope.has_item(&items[*sign]))
        };
        let by_line = |attack: &&Attack| {
            attack.lines.first().is_none_or(|(source, line, time)| scope.has_at(*source, *line, *time))
        };
        let by_boot = |restart: &&Restart| scope.has(&placed.identified.events[restart.boot]);
        Self {
            judged: found.judged.iter().filter(by_sign).collect(),
            attacks: found.attacks.iter().filter(by_line).collect(),
            restarts: found.restarts.iter().filter(by_boot).collect(),
        }
    }

    /// Written down, numbered in the order in which they are listed.
    fn listed(&self, placed: &Placed, findings: &Findings<'_>) -> Vec<(Option<Key>, Incident)> {
        let mut incidents: Vec<(Option<Key>, Incident)> = service::restarts(findings, &self.restarts);
        incidents.extend(service::attacks(findings, &self.attacks));
        incidents.extend(placed.crew.each(&self.judged, |judged| (Some(judged.key), written(findings, judged))));
        incidents.retain(|(_, incident)| kept(&placed.config.filter, incident));
        incidents.sort_by(|(_, a), (_, b)| listing_order(a, b));
        for (number, (_, incident)) in incidents.iter_mut().enumerate() {
            incident.id = format!("i{}", number + 1);
        }
        incidents
    }
}

/// The diagnosis of what was found, with what puts it together with others where it is that of a section.
pub(super) fn concluded(placed: &Placed, found: &Found) -> Part {
    let findings = placed.findings();
    let (scope, crew) = (&placed.scope, placed.crew);
    let new = New::of(placed, found);
    let incidents = new.listed(placed, &findings);
    let seen = || {
        let active = Active::of(&findings, &found.attacks);
        (people(&findings, &incidents, &active, &new.restarts), active)
    };
    let ((people, active), (counted, series, told)) = crew.both(seen, || {
        let counted = counts::summary(&findings, &found.judged, &found.attacks, &found.in_flight);
        let series = series::series(&findings, &new.restarts, &placed.thinned);
        (counted, series, scope.told(Told { by_order: by_order(&findings), behind_proxy: placed.behind_proxy }))
    });
    let summary = summed_up(counted, placed, &people, &active, &incidents);
    let (days, (lifetimes, ages)) = crew.both(
        || days::days(&findings, &incidents, &active, &placed.thinned),
        || (lifetime_findings(placed), ages::ages(&findings)),
    );
    let endpoint = |Listed { method, path, role, by_behaviour }| {
        let role = role_name(role);
        Endpoint { method, path, role, by_behaviour }
    };
    let after = scope.until.map(|until| placed.after(days::edge(&findings, &incidents, &active, until), until, told));
    let who = |key: Key| scope.is_section().then(|| findings.who(key));
    let whose: Vec<Option<Who>> = incidents.iter().map(|(key, _)| key.and_then(who)).collect();
    let (actors, people): (Vec<_>, Vec<_>) = people
        .into_iter()
        .map(|Person { key, finding, weights }| (finding, who(key).map(|who| (who, weights))))
        .unzip();
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
        endpoints: placed.roles.list(&placed.names).into_iter().map(endpoint).collect(),
        incidents: incidents.into_iter().map(|(_, incident)| incident).collect(),
        actors,
        fix_plan: fix_plan(&findings, &new.judged, &new.attacks, &new.restarts, &placed.config.filter),
        policy: None,
        notes: all_notes(placed, &findings, told),
    };
    Part { diagnosis, people: people.into_iter().flatten().collect(), whose, after }
}

/// What was counted of the log, with people and incidents.
fn summed_up(
    counted: Summary,
    placed: &Placed,
    people: &[Person],
    active: &Active,
    incidents: &[(Option<Key>, Incident)],
) -> Summary {
    let mut summary = counted;
    summary.requests += placed.thinned.values().sum::<u64>();
    summary.active_hours = active.hours();
    summary.actors = people.len() as u64;
    summary.healthy_actors = people.iter().filter(|person| person.finding.verdict == "healthy").count() as u64;
    summary.incidents = incidents.len() as u64;
    for (_, incident) in incidents {
        *summary.by_cause.entry(incident.cause.to_string()).or_default() += 1;
    }
    let dropped = incidents.iter().filter(|(_, incident)| incident.impact == Impact::Dropped);
    let mut dropped: Vec<Key> = dropped.filter_map(|(key, _)| *key).collect();
    dropped.sort_unstable();
    dropped.dedup();
    summary.dropped_actors = dropped.len() as u64;
    summary
}

/// What a reader should know besides.
fn all_notes(placed: &Placed, findings: &Findings<'_>, Told { by_order, behind_proxy }: Told) -> Vec<String> {
    let mut notes = notes(findings, by_order);
    if behind_proxy > 0 {
        notes.push(format!(
            "{behind_proxy} lines of a proxy or router say again what the app's own lines say; they are not counted."
        ));
    }
    let refresh = placed.refresh.as_ref();
    notes.extend(refresh.map(|refresh| refresh.in_words(placed.roles.behaving_at(&placed.names))));
    notes.extend(changes(&placed.lifetimes));
    notes.extend(late_in_words(&placed.inputs));
    if let Some(since) = placed.since {
        notes.push(format!("Only what happened since {} is looked at: what is older is not kept.", rfc3339(since)));
    }
    notes.extend(seen_instead(&placed.inputs, &placed.identified, behind_proxy > 0));
    notes
}
