//! What the templates show, in words.

use std::collections::HashSet;

use serde::Serialize;

use super::ages::{Ages, ages};
use super::incidents::{IncidentView, anchor, shown, view};
use super::lanes::{Lanes, lanes};
use super::what_if::{WhatIf, what_if};
use super::when::When;
use super::window::{Window, window};
use crate::diagnosis::Diagnosis;
use crate::render::balance::{common_folder, read_as, refusals};
use crate::render::group::{Group, groups};
use crate::render::verdict::Verdict;
use crate::render::words::{cut_to, impact, incidents, number, persons, sureness, with_kind};

/// Rows of any list but that of incidents: a page is read by people.
const MOST_ROWS: usize = 60;
/// Columns of one text.
const MOST_TEXT: usize = 500;

/// The page.
#[derive(Serialize)]
pub(in crate::render) struct View {
    tool: String,
    headline: String,
    since: Option<When>,
    bad: bool,
    causes: Vec<CauseRow>,
    first_fix: Option<String>,
    unclear: Option<String>,
    /// How far the app's own times are ahead of UTC, where a log tells it.
    zone_seconds: Option<i32>,
    window: Window,
    kinds: Vec<KindRow>,
    steps: Vec<Step>,
    cases: Vec<CaseView>,
    ages: Ages,
    what_if: Option<WhatIf>,
    incidents: Vec<IncidentView>,
    cut: Option<String>,
    refusals: Vec<(String, &'static str)>,
    counts: Vec<(String, &'static str)>,
    endpoints: Vec<(String, String)>,
    /// The folder that all sources are in, which the table of sources leaves out of their names.
    folder: String,
    inputs: Vec<InputRow>,
    more_inputs: usize,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct CauseRow {
    title: &'static str,
    people: String,
    kinds: String,
}

#[derive(Serialize)]
struct KindRow {
    name: String,
    people: String,
    cases: String,
    first: When,
    last: When,
    impact: &'static str,
    sure: String,
    anchor: String,
    id: String,
}

#[derive(Serialize)]
struct Step {
    title: String,
    why: String,
    name: String,
    people: String,
}

#[derive(Serialize)]
struct CaseView {
    name: String,
    more: String,
    incident: IncidentView,
    lanes: Lanes,
}

#[derive(Serialize)]
struct InputRow {
    source: String,
    read_as: String,
    lines: String,
    recognised: String,
    unrecognised: String,
    capped: String,
    clock: String,
}

impl View {
    pub(in crate::render) fn of(diagnosis: &Diagnosis) -> Self {
        let groups = groups(diagnosis);
        let verdict = Verdict::of(diagnosis);
        let (shown, cut) = shown(diagnosis);
        let folder = common_folder(diagnosis);
        Self {
            tool: format!("{} {}", diagnosis.tool.name, diagnosis.tool.version),
            headline: verdict.headline,
            since: verdict.since.as_deref().map(When::day),
            bad: verdict.bad,
            causes: verdict
                .causes
                .into_iter()
                .map(|cause| CauseRow { title: cause.title, people: persons(cause.people), kinds: text(&cause.kinds) })
                .collect(),
            first_fix: verdict.first_fix.as_deref().map(text),
            unclear: verdict.unclear,
            zone_seconds: diagnosis.inputs.iter().find_map(|input| input.zone_seconds),
            window: window(diagnosis, &groups),
            kinds: kinds(&groups, shown.len(), diagnosis),
            steps: diagnosis.fix_plan.iter().take(MOST_ROWS).map(step).collect(),
            cases: groups.iter().take(MOST_ROWS).filter_map(case).collect(),
            ages: ages(diagnosis),
            what_if: diagnosis.policy.as_ref().and_then(what_if),
            incidents: shown,
            cut,
            refusals: refusals(diagnosis),
            counts: counts(diagnosis),
            endpoints: diagnosis
                .endpoints
                .iter()
                .take(MOST_ROWS)
                .map(|endpoint| {
                    (text(&format!("{} {}", endpoint.method, endpoint.path)), endpoint.role.replace('_', " "))
                })
                .collect(),
            inputs: diagnosis.inputs.iter().take(MOST_ROWS).map(|one| input(one, &folder)).collect(),
            folder: text(&folder),
            more_inputs: diagnosis.inputs.len().saturating_sub(MOST_ROWS),
            notes: diagnosis.notes.iter().take(MOST_ROWS).map(|note| text(note)).collect(),
        }
    }
}

pub(super) fn text(text: &str) -> String {
    cut_to(text, MOST_TEXT)
}

fn kinds(groups: &[Group<'_>], shown: usize, diagnosis: &Diagnosis) -> Vec<KindRow> {
    let shown: HashSet<&str> = diagnosis.incidents.iter().take(shown).map(|incident| incident.id.as_str()).collect();
    groups
        .iter()
        .take(MOST_ROWS)
        .map(|group| {
            let first = group.incidents.iter().map(|incident| incident.start.as_str()).min().unwrap_or_default();
            let last = group.incidents.iter().map(|incident| incident.end.as_str()).max().unwrap_or_default();
            let clearest = group.clearest().filter(|incident| shown.contains(incident.id.as_str()));
            KindRow {
                name: text(&with_kind(group.label, group.kind)),
                people: number(group.people()),
                cases: number(group.incidents.len() as u64),
                first: When::day(first),
                last: When::day(last),
                impact: impact(group.worst()),
                sure: sureness(group.label, group.sureness()),
                anchor: clearest.map(|incident| anchor(&incident.id)).unwrap_or_default(),
                id: clearest.map(|incident| text(&incident.id)).unwrap_or_default(),
            }
        })
        .collect()
}

fn step(step: &crate::diagnosis::FixStep) -> Step {
    Step {
        title: text(&step.title),
        why: text(&step.why),
        name: text(&with_kind(step.cause, &step.kind)),
        people: persons(step.affected_actors),
    }
}

fn case(group: &Group<'_>) -> Option<CaseView> {
    let incident = group.clearest()?;
    let lanes = lanes(&incident.timeline)?;
    let more = match group.incidents.len() {
        1 => String::new(),
        count => format!("the clearest of {}", incidents(count)),
    };
    Some(CaseView { name: text(&group.name()), more, incident: view(incident), lanes })
}

fn counts(diagnosis: &Diagnosis) -> Vec<(String, &'static str)> {
    let summary = &diagnosis.summary;
    [
        (summary.requests, "requests"),
        (summary.unauthorized, "answered 401"),
        (summary.refreshes, "refreshes"),
        (summary.refresh_failures, "refreshes failed"),
        (summary.cable_connects, "sockets connected"),
        (summary.cable_rejects, "sockets refused"),
        (summary.cable_disconnects, "sockets ended"),
        (summary.actors, "people or addresses seen"),
        (summary.healthy_actors, "of them healthy"),
    ]
    .into_iter()
    .map(|(count, what)| (number(count), what))
    .collect()
}

fn input(input: &crate::diagnosis::Input, folder: &str) -> InputRow {
    InputRow {
        source: text(input.source.strip_prefix(folder).unwrap_or(&input.source)),
        read_as: text(&read_as(input)),
        lines: number(input.lines),
        recognised: number(input.recognised),
        unrecognised: number(input.unrecognised),
        capped: number(input.capped),
        clock: text(&input.clock),
    }
}
