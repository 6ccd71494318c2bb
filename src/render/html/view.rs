//! What the templates show, in words.

use std::collections::HashSet;

use chrono::DateTime;
use serde::Serialize;

use super::lanes::{Lanes, lanes};
use crate::cause::{Label, case::span};
use crate::diagnosis::{Diagnosis, Evidence, Impact, Incident, LifetimeFinding, Scope};
use crate::render::group::{Group, groups, people_of};
use crate::render::words::{
    clock, clock_and_day, cut_to, impact, incidents, known_by, number, percent, persons, platform, whose, with_kind,
};
use crate::session::SECOND;

/// How many incidents are shown in full. The rest is in the JSON.
const MOST_INCIDENTS: usize = 2000;
/// Bytes of incidents in a page, so that it stays below 5 MB whatever they say.
const MOST_BYTES: usize = 2 << 20;
/// Rows of any other list: a page is read by people.
const MOST_ROWS: usize = 60;
/// Pieces of evidence of an incident.
const MOST_EVIDENCE: usize = 12;
/// Columns of one text.
const MOST_TEXT: usize = 500;

/// The page.
#[derive(Serialize)]
pub(in crate::render) struct View {
    tool: String,
    headline: String,
    bad: bool,
    causes: Vec<CauseRow>,
    first_fix: Option<String>,
    unclear: Option<String>,
    window: Window,
    kinds: Vec<KindRow>,
    steps: Vec<Step>,
    cases: Vec<CaseView>,
    lifetimes: Vec<LifetimeRow>,
    incidents: Vec<IncidentView>,
    cut: Option<String>,
    refusals: Vec<(String, String)>,
    counts: Vec<(String, &'static str)>,
    endpoints: Vec<(String, String)>,
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

/// The whole time that incidents cover, as a drawing: one row a kind.
#[derive(Serialize)]
struct Window {
    from: String,
    to: String,
    height: usize,
    ticks: Vec<Tick>,
    rows: Vec<WindowRow>,
}

#[derive(Serialize)]
struct Tick {
    x: i64,
    label: String,
}

#[derive(Serialize)]
struct WindowRow {
    y: usize,
    name: String,
    bars: Vec<Bar>,
}

#[derive(Serialize)]
struct Bar {
    x: i64,
    width: i64,
    class: &'static str,
    title: String,
}

#[derive(Serialize)]
struct KindRow {
    name: String,
    people: String,
    cases: String,
    first: String,
    last: String,
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
struct LifetimeRow {
    credential: String,
    platform: String,
    lives: String,
    known: String,
    practice: String,
    verdict: String,
    at: i64,
    low: i64,
    span: i64,
}

#[derive(Clone, Serialize)]
struct IncidentView {
    id: String,
    anchor: String,
    name: String,
    who: String,
    start: String,
    end: String,
    impact: &'static str,
    sure: String,
    runner_up: Option<String>,
    for_it: Vec<EvidenceRow>,
    against: Vec<EvidenceRow>,
    more_evidence: usize,
    missing: Vec<String>,
    contributing: Vec<String>,
    fix: String,
}

#[derive(Clone, Serialize)]
struct EvidenceRow {
    text: String,
    place: String,
    time: String,
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
        let broken: Vec<&Group<'_>> =
            groups.iter().filter(|group| !group.harmless() && group.label != Label::Inconclusive).collect();
        let people = people_of(diagnosis, |incident| {
            incident.scope == Scope::Actor
                && !matches!(
                    incident.cause,
                    Label::Logout | Label::NetworkLoss | Label::ServerRestart | Label::ServerReset | Label::Revoked
                )
        });
        let unclear = groups.iter().find(|group| group.label == Label::Inconclusive).map(|group| {
            format!("{} could not be explained; what is missing is said with each.", incidents(group.incidents.len()))
        });
        let (shown, cut) = shown(diagnosis);
        Self {
            tool: format!("{} {}", diagnosis.tool.name, diagnosis.tool.version),
            headline: headline(diagnosis, &broken, people),
            bad: people > 0,
            causes: causes(diagnosis, &broken),
            first_fix: diagnosis.fix_plan.first().filter(|_| !broken.is_empty()).map(|step| text(&step.title)),
            unclear,
            window: window(&groups),
            kinds: kinds(&groups, shown.len(), diagnosis),
            steps: diagnosis.fix_plan.iter().take(MOST_ROWS).map(step).collect(),
            cases: groups.iter().take(MOST_ROWS).filter_map(case).collect(),
            lifetimes: diagnosis.lifetimes.iter().take(MOST_ROWS).map(lifetime).collect(),
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
            inputs: diagnosis.inputs.iter().take(MOST_ROWS).map(input).collect(),
            more_inputs: diagnosis.inputs.len().saturating_sub(MOST_ROWS),
            notes: diagnosis.notes.iter().take(MOST_ROWS).map(|note| text(note)).collect(),
        }
    }
}

fn text(text: &str) -> String {
    cut_to(text, MOST_TEXT)
}

fn headline(diagnosis: &Diagnosis, broken: &[&Group<'_>], people: u64) -> String {
    let first = broken.iter().flat_map(|group| group.incidents.iter()).map(|incident| incident.start.as_str()).min();
    let said = match (people, diagnosis.summary.dropped_actors) {
        (0, _) if diagnosis.incidents.is_empty() => "Nobody was signed out: nothing found.".to_owned(),
        (0, _) => "Nobody lost a session to a defect.".to_owned(),
        (people, 0) => format!("{} hit, nobody signed out.", persons(people)),
        (people, dropped) => format!("{} hit, {} of them signed out.", persons(people), number(dropped)),
    };
    first.map_or_else(|| said.clone(), |first| format!("{said} Since {} UTC.", clock_and_day(first)))
}

/// One row a cause: how many people, and its kinds with what each did to them.
fn causes(diagnosis: &Diagnosis, broken: &[&Group<'_>]) -> Vec<CauseRow> {
    let mut labels: Vec<Label> = Vec::new();
    for group in broken {
        if !labels.contains(&group.label) {
            labels.push(group.label);
        }
    }
    labels
        .into_iter()
        .map(|label| {
            let kinds = broken.iter().filter(|group| group.label == label).take(MOST_ROWS).map(|group| {
                let what = match group.worst() {
                    Impact::Dropped => "",
                    Impact::Degraded => ", nobody signed out",
                    Impact::Latent => ", latent",
                };
                format!("{} ({}{what})", group.kind.replace('_', " "), number(group.people()))
            });
            CauseRow {
                title: label.title(),
                people: persons(people_of(diagnosis, |incident| incident.cause == label)),
                kinds: text(&kinds.collect::<Vec<_>>().join(", ")),
            }
        })
        .collect()
}

/// The drawing's left edge of time, and its width, in its own units.
const LEFT: i64 = 240;
const WIDE: i64 = 740;
/// Height of a row.
const ROW: usize = 24;

fn micros(time: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(time).ok().map(|time| time.timestamp_micros())
}

fn window(groups: &[Group<'_>]) -> Window {
    let all = || groups.iter().flat_map(|group| group.incidents.iter());
    let from = all().filter_map(|incident| micros(&incident.start)).min().unwrap_or(0);
    let to = all().filter_map(|incident| micros(&incident.end)).max().unwrap_or(from).max(from.saturating_add(SECOND));
    let length = i128::from(to) - i128::from(from);
    let place = |time: i64| {
        let into = (i128::from(time) - i128::from(from)) * i128::from(WIDE) / length;
        LEFT + i64::try_from(into).unwrap_or(0).clamp(0, WIDE)
    };
    let rows: Vec<WindowRow> = groups
        .iter()
        .take(MOST_ROWS)
        .enumerate()
        .map(|(number, group)| WindowRow { y: number * ROW, name: cut_to(&group.name(), 38), bars: bars(group, place) })
        .collect();
    let said = |time: i64, format: &str| {
        DateTime::from_timestamp_micros(time).map(|time| time.format(format).to_string()).unwrap_or_default()
    };
    let format = if length > 2 * 86_400 * i128::from(SECOND) { "%m-%d %H:%M" } else { "%H:%M" };
    let ticks = (0..=4)
        .map(|quarter| {
            let time = i64::try_from(i128::from(from) + length * quarter / 4).unwrap_or(from);
            Tick { x: place(time), label: said(time, format) }
        })
        .collect();
    Window {
        from: said(from, "%Y-%m-%d %H:%M:%S"),
        to: said(to, "%Y-%m-%d %H:%M:%S"),
        height: rows.len() * ROW,
        ticks,
        rows,
    }
}

/// Incidents that would touch are drawn as one bar, so that a row has no more bars than the drawing has room for.
fn bars(group: &Group<'_>, place: impl Fn(i64) -> i64) -> Vec<Bar> {
    let mut spans: Vec<(i64, i64, &Incident)> = group
        .incidents
        .iter()
        .filter_map(|incident| {
            let (start, end) = (micros(&incident.start)?, micros(&incident.end)?);
            Some((place(start), place(end).max(place(start) + 4), *incident))
        })
        .collect();
    spans.sort_by_key(|(start, end, _)| (*start, *end));
    let mut joined: Vec<(i64, i64, Vec<&Incident>)> = Vec::new();
    for (start, end, incident) in spans {
        match joined.last_mut() {
            Some(last) if start <= last.1 => {
                last.1 = last.1.max(end);
                last.2.push(incident);
            }
            _ => joined.push((start, end, vec![incident])),
        }
    }
    joined
        .into_iter()
        .map(|(start, end, all)| {
            let first = all.iter().map(|incident| incident.start.as_str()).min().unwrap_or_default();
            let last = all.iter().map(|incident| incident.end.as_str()).max().unwrap_or_default();
            Bar {
                x: start,
                width: end - start,
                class: all.iter().map(|incident| incident.impact).min().map_or("latent", impact),
                title: format!("{}, {} to {}", incidents(all.len()), clock(first), clock(last)),
            }
        })
        .collect()
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
                first: clock_and_day(first),
                last: clock_and_day(last),
                impact: impact(group.worst()),
                sure: percent(group.sureness()),
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

/// A name that is a fragment of an address and nothing else.
fn anchor(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect()
}

/// The incidents that fit, and what is said of the others.
fn shown(diagnosis: &Diagnosis) -> (Vec<IncidentView>, Option<String>) {
    let mut room = MOST_BYTES;
    let mut shown = Vec::new();
    for incident in diagnosis.incidents.iter().take(MOST_INCIDENTS) {
        let view = view(incident);
        let Some(left) = room.checked_sub(view.size()) else { break };
        room = left;
        shown.push(view);
    }
    let all = diagnosis.incidents.len();
    let cut = (shown.len() < all).then(|| {
        format!(
            "The first {} of {} incidents are shown, the most severe and surest first. All of them are in the JSON: why401 report -o report.json.",
            number(shown.len() as u64),
            number(all as u64)
        )
    });
    (shown, cut)
}

fn view(incident: &Incident) -> IncidentView {
    let side = |speaks_for: bool| {
        let of_side = incident.evidence.iter().filter(|evidence| evidence.speaks_for == speaks_for);
        of_side.take(MOST_EVIDENCE).map(evidence).collect::<Vec<_>>()
    };
    let (for_it, against) = (side(true), side(false));
    let name = match incident.kind.as_str() {
        "" => incident.cause.title().to_owned(),
        kind => format!("{}: {}", incident.cause.title(), kind.replace('_', " ")),
    };
    IncidentView {
        id: text(&incident.id),
        anchor: anchor(&incident.id),
        name: text(&name),
        who: text(&whose(incident)),
        start: clock_and_day(&text(&incident.start)),
        end: clock(&text(&incident.end)),
        impact: impact(incident.impact),
        sure: percent(incident.confidence),
        runner_up: incident
            .runner_up
            .as_ref()
            .map(|other| format!("{} ({})", other.cause.title(), percent(other.confidence))),
        more_evidence: incident.evidence.len() - for_it.len() - against.len(),
        for_it,
        against,
        missing: incident.missing.iter().take(MOST_EVIDENCE).map(|missing| text(missing)).collect(),
        contributing: incident
            .contributing
            .iter()
            .take(MOST_EVIDENCE)
            .map(|other| text(&format!("{}: {}", other.cause.title(), other.text)))
            .collect(),
        fix: text(&incident.fix),
    }
}

fn evidence(evidence: &Evidence) -> EvidenceRow {
    let place = match (&evidence.source, evidence.line) {
        (Some(source), Some(line)) => format!("{}:{line}", text(source)),
        (Some(source), None) => text(source),
        _ => String::new(),
    };
    EvidenceRow {
        text: text(&evidence.text),
        place,
        time: evidence.time.as_deref().map(|time| clock(&text(time))).unwrap_or_default(),
    }
}

/// Bytes of mark-up around an incident and around each of its rows.
const FRAME: usize = 900;
const ROW_FRAME: usize = 120;

impl IncidentView {
    /// About what it takes in the page.
    fn size(&self) -> usize {
        // Escaping makes six bytes of a quote.
        let size = |text: &String| text.bytes().map(|b| if b"<>&\"'/".contains(&b) { 6 } else { 1 }).sum::<usize>();
        let rows = self.for_it.iter().chain(&self.against);
        FRAME
            + [&self.id, &self.name, &self.who, &self.fix].into_iter().map(size).sum::<usize>()
            + rows.map(|row| ROW_FRAME + size(&row.text) + size(&row.place) + row.time.len()).sum::<usize>()
            + self.missing.iter().chain(&self.contributing).map(|text| ROW_FRAME + size(text)).sum::<usize>()
    }
}

/// The scale of lifetimes, from a minute to half a year, in the hundredths that a page lays out by.
fn scale(seconds: i64) -> i64 {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a place on a drawing")]
    let place = ((seconds.max(60) as f64 / 60.0).ln() / 12.5 * 1000.0) as i64;
    place.clamp(0, 1000)
}

fn lifetime(lifetime: &LifetimeFinding) -> LifetimeRow {
    let seconds = |seconds: i64| span(seconds.saturating_mul(SECOND));
    let (low, high) = (scale(lifetime.recommended.0), scale(lifetime.recommended.1));
    LifetimeRow {
        credential: text(&lifetime.credential),
        platform: text(platform(lifetime)),
        lives: seconds(lifetime.access_seconds),
        known: known_by(lifetime),
        practice: format!("{} to {}", seconds(lifetime.recommended.0), seconds(lifetime.recommended.1)),
        verdict: match lifetime.verdict.as_str() {
            "long" => "long for practice".into(),
            "short" => "short for practice".into(),
            _ => "within practice".into(),
        },
        at: scale(lifetime.access_seconds),
        low,
        span: (high - low).max(8),
    }
}

fn refusals(diagnosis: &Diagnosis) -> Vec<(String, String)> {
    let by = &diagnosis.summary.unauthorized_by;
    [
        (by.incident, "in incidents"),
        (by.failed_login, "by failed sign-ins"),
        (by.never_signed_in, "of people who never signed in"),
        (by.in_flight, "in flight during a refresh"),
        (by.after_logout, "after a sign-out"),
        (by.attack, "in attacks"),
        (by.unexplained, "unexplained"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| (number(count), what.to_owned()))
    .collect()
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

fn input(input: &crate::diagnosis::Input) -> InputRow {
    let read_as = match (&input.envelope, &input.dialect) {
        (Some(envelope), Some(dialect)) => format!("{dialect} in {envelope}"),
        (None, Some(dialect)) => dialect.clone(),
        _ => "nothing that why401 knows".to_owned(),
    };
    InputRow {
        source: text(&input.source),
        read_as: text(&read_as),
        lines: number(input.lines),
        recognised: number(input.recognised),
        unrecognised: number(input.unrecognised),
        capped: number(input.capped),
        clock: text(&input.clock),
    }
}
