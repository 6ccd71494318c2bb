//! Which incidents are known, and what was said of them: two diagnoses of a growing log are told apart by it.

use serde::{Deserialize, Serialize};

use super::change::{Change, Event, Stage};
use crate::cause::Label;
use crate::diagnosis::{Diagnosis, Impact, Incident, Scope, micros};

/// What is known of the incidents of a watch.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    known: Vec<Seen>,
    /// How many incidents were told of by this watch.
    #[serde(skip)]
    told: u64,
}

/// An incident that was seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seen {
    key: String,
    /// As it was last seen.
    incident: Incident,
    /// What was said of it, if anything.
    told: Option<Told>,
    /// It is over, or was before the watch began.
    over: bool,
}

/// What was said last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Told {
    cause: Label,
    kind: String,
    impact: Impact,
    affected: u64,
    confidence: f64,
}

impl Told {
    fn of(incident: &Incident) -> Self {
        Self {
            cause: incident.cause,
            kind: incident.kind.clone(),
            impact: incident.impact,
            affected: incident.affected_actors,
            confidence: incident.confidence,
        }
    }

    /// Whether the difference is worth a word.
    fn differs(&self, now: &Self) -> bool {
        (self.cause, &self.kind, self.impact, self.affected) != (now.cause, &now.kind, now.impact, now.affected)
            || (self.confidence - now.confidence).abs() >= SURER
    }
}

/// Less than even is no verdict to wake somebody for: the next lines may tell.
const SURE_ENOUGH: f64 = 0.5;

/// A smaller change of confidence says nothing new.
const SURER: f64 = 0.15;

/// An incident of which nothing is seen for so long (microseconds of log time) is over: the pause that divides incidents.
const QUIET: i64 = 10 * 60 * 1_000_000;

impl Ledger {
    /// Takes what is over in a first diagnosis as known, unless it was told of in an earlier watch and was not over then.
    pub(super) fn pass_over(&mut self, diagnosis: &Diagnosis) {
        let latest = latest(diagnosis);
        let goes_on = !self.known.is_empty();
        for incident in &diagnosis.incidents {
            // An earlier watch may have ended before it could tell of this one.
            if self.place_of(incident, &[]).is_none() && !goes_on && is_over(incident, latest).is_some() {
                let key = key(incident);
                self.known.push(Seen { key, incident: incident.clone(), told: None, over: true });
            }
        }
    }

    /// What is new in a diagnosis of the last `kept` microseconds. When the log has ended, what is not sure is said as well: nothing more will come.
    pub(super) fn changes(&mut self, diagnosis: &Diagnosis, kept: i64, ended: bool) -> Vec<Change> {
        let latest = latest(diagnosis);
        let mut changes = Vec::new();
        let mut tell = |stage, key: &str, reason: Option<&str>, incident: &Incident| {
            changes.push(Change::Incident(Box::new(Event::now(stage, key, reason, incident))));
        };
        let mut matched: Vec<usize> = Vec::with_capacity(diagnosis.incidents.len());
        for incident in &diagnosis.incidents {
            let place = self.place_of(incident, &matched).unwrap_or_else(|| {
                let seen = Seen { key: key(incident), incident: incident.clone(), told: None, over: false };
                self.known.push(seen);
                self.known.len() - 1
            });
            matched.push(place);
            let seen = &mut self.known[place];
            let goes_on = incident.end > seen.incident.end;
            seen.incident = incident.clone();
            let over = is_over(incident, latest);
            if seen.over && (!goes_on || over.is_some()) {
                continue;
            }
            let again = std::mem::take(&mut seen.over);
            let clear = incident.cause != Label::Inconclusive && incident.confidence >= SURE_ENOUGH;
            let settled = over.is_some() || ended;
            let now = Told::of(incident);
            match &seen.told {
                None if clear || settled => {
                    tell(Stage::Opened, &seen.key, None, incident);
                    seen.told = Some(now);
                    self.told += 1;
                }
                Some(told) if again || told.differs(&now) && (clear || settled) => {
                    tell(Stage::Updated, &seen.key, None, incident);
                    seen.told = Some(now);
                }
                _ => {}
            }
            if let (Some(why), Some(_)) = (over, &seen.told) {
                tell(Stage::Closed, &seen.key, Some(why), incident);
                seen.over = true;
            }
        }
        for (place, seen) in self.known.iter_mut().enumerate().filter(|(_, seen)| !seen.over) {
            if matched.contains(&place) {
                continue;
            }
            // It is too old to be looked at any more, or what came later explains it otherwise.
            seen.over = true;
            if seen.told.is_some() {
                let aged =
                    latest.is_some_and(|latest| micros(&seen.incident.end).is_some_and(|end| end + QUIET < latest));
                tell(Stage::Closed, &seen.key, Some(if aged { "quiet" } else { "retracted" }), &seen.incident);
            }
        }
        // What is too old to be looked at does not come again.
        let old =
            |seen: &Seen| latest.zip(micros(&seen.incident.end)).is_some_and(|(now, end)| end < now - kept - QUIET);
        self.known.retain(|seen| !(seen.over && old(seen)));
        changes
    }

    /// The incident in the ledger that this one is: the same first sign, or the same people at the same time. (Its first sign may
    /// have become too old to be looked at, and a line that came late may show an earlier one.)
    fn place_of(&self, incident: &Incident, taken: &[usize]) -> Option<usize> {
        let key = key(incident);
        let free = |place: &usize| !taken.contains(place);
        let same = self.known.iter().position(|seen| seen.key == key).filter(free);
        same.or_else(|| {
            let alike = |(_, seen): &(usize, &Seen)| {
                let known = &seen.incident;
                let meets = known.start <= incident.end && incident.start <= known.end;
                let whom = match (incident.scope, &incident.actor, &known.actor) {
                    (Scope::Service, one, other) => {
                        incident.cause == known.cause
                            && one.as_ref().map(|actor| &actor.ips) == other.as_ref().map(|actor| &actor.ips)
                    }
                    (Scope::Actor, Some(one), Some(other)) => match (&one.user, &other.user) {
                        (Some(one), Some(other)) => one == other,
                        _ => one.ips.iter().any(|address| other.ips.contains(address)),
                    },
                    _ => false,
                };
                known.scope == incident.scope && meets && whom
            };
            self.known.iter().enumerate().filter(alike).map(|(place, _)| place).find(free)
        })
    }

    /// Those that were told of and are not over.
    pub(super) fn open(&self) -> Vec<&Incident> {
        let open = self.known.iter().filter(|seen| !seen.over && seen.told.is_some());
        let mut open: Vec<&Incident> = open.map(|seen| &seen.incident).collect();
        open.sort_by(|a, b| (a.impact, &b.end, &a.start).cmp(&(b.impact, &a.end, &b.start)));
        open
    }

    /// How many were told of, are told of and not over, and were not told of.
    pub(super) fn counts(&self) -> (u64, u64, u64) {
        let open =
            |told: bool| self.known.iter().filter(|seen| !seen.over && seen.told.is_some() == told).count() as u64;
        (self.told, open(true), open(false))
    }
}

/// What stands for an incident: when and where its first sign is. It is the same whatever its cause is taken to be.
fn key(incident: &Incident) -> String {
    let first = incident.timeline.iter().find(|moment| moment.time == incident.start && moment.tone == "bad");
    let place = first.map(|moment| format!("{}:{}", moment.source, moment.line)).unwrap_or_default();
    let people = incident.actor.as_ref().map(|actor| actor.ips.join(",")).filter(|_| place.is_empty());
    let text = format!("{:?} {} {place}{}", incident.scope, incident.start, people.unwrap_or_default());
    // FNV-1a: short, and the same in every build.
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("why401-{hash:016x}")
}

/// Why an incident is over, if it is.
fn is_over(incident: &Incident, latest: Option<i64>) -> Option<&'static str> {
    let recovered = incident.timeline.iter().any(|moment| moment.time == incident.end && moment.tone == "good");
    if recovered {
        return Some("recovered");
    }
    let quiet = micros(&incident.end).zip(latest).is_some_and(|(end, latest)| end + QUIET < latest);
    quiet.then_some("quiet")
}

/// The latest time of all sources.
pub(super) fn latest(diagnosis: &Diagnosis) -> Option<i64> {
    diagnosis.inputs.iter().filter_map(|input| micros(input.last.as_deref()?)).max()
}
