//! Incidents with their evidence, as many as a page can hold.

use serde::Serialize;

use super::view::text;
use super::when::When;
use crate::diagnosis::{Diagnosis, Evidence, Incident};
use crate::render::words::{how_sure, impact, number, percent, whose};

/// How many incidents are shown in full. The rest is in the JSON.
const MOST_INCIDENTS: usize = 2000;
/// Bytes of incidents in a page, so that it stays below 5 MB whatever they say.
const MOST_BYTES: usize = 2 << 20;
/// Pieces of evidence of an incident.
const MOST_EVIDENCE: usize = 12;

#[derive(Clone, Serialize)]
pub(super) struct IncidentView {
    pub(super) id: String,
    anchor: String,
    /// The cause alone, to filter by.
    cause: &'static str,
    name: String,
    who: String,
    start: When,
    end: When,
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
    time: Option<When>,
}

/// A name that is a fragment of an address and nothing else.
pub(super) fn anchor(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect()
}

/// The incidents that fit, and what is said of the others.
pub(super) fn shown(diagnosis: &Diagnosis) -> (Vec<IncidentView>, Option<String>) {
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

pub(super) fn view(incident: &Incident) -> IncidentView {
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
        cause: incident.cause.title(),
        name: text(&name),
        who: text(&whose(incident)),
        start: When::day(&incident.start),
        end: When::clock(&incident.end),
        impact: impact(incident.impact),
        sure: how_sure(incident),
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
    EvidenceRow { text: text(&evidence.text), place, time: evidence.time.as_deref().map(When::clock) }
}

/// Bytes of mark-up around an incident and around each of its rows.
const FRAME: usize = 1000;
const ROW_FRAME: usize = 120;

impl IncidentView {
    /// About what it takes in the page.
    fn size(&self) -> usize {
        // Escaping makes six bytes of a quote.
        let size = |text: &String| text.bytes().map(|b| if b"<>&\"'/".contains(&b) { 6 } else { 1 }).sum::<usize>();
        let rows = self.for_it.iter().chain(&self.against);
        FRAME
            + [&self.id, &self.name, &self.who, &self.fix].into_iter().map(size).sum::<usize>()
            + rows
                .map(|row| ROW_FRAME + size(&row.text) + size(&row.place) + row.time.as_ref().map_or(0, When::size))
                .sum::<usize>()
            + self.missing.iter().chain(&self.contributing).map(|text| ROW_FRAME + size(text)).sum::<usize>()
    }
}
