//! What is compared: people with their hours and incidents.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::DateTime;

use super::{Extent, whole};
use crate::cause::Label;
use crate::diagnosis::{Diagnosis, Impact, Incident, Scope};

/// Incidents by cause and kind.
pub type Counts = BTreeMap<(Label, String), u64>;

/// Somebody who was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Person {
    /// In how many hours.
    pub active_hours: f64,
    /// Incidents that signed this person out or cut the person off.
    pub drops: u64,
    /// All incidents of this person.
    pub incidents: Counts,
}

/// One side of a comparison.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stretch {
    /// Everybody seen.
    pub people: Vec<Person>,
    /// What hit the whole service.
    pub service: Counts,
    /// Hours that the logs cover.
    pub log_hours: f64,
    /// Formats that were read.
    pub dialects: BTreeSet<String>,
    /// Nobody knows who was seen in which hours; they are shared out evenly.
    pub even_hours: bool,
}

impl Stretch {
    /// What a diagnosis says of people.
    #[must_use]
    pub fn of(diagnosis: &Diagnosis) -> Self {
        let by_id: HashMap<&str, &Incident> =
            diagnosis.incidents.iter().map(|incident| (incident.id.as_str(), incident)).collect();
        let people = diagnosis
            .actors
            .iter()
            .map(|actor| {
                let mut person = Person { active_hours: whole(actor.active_hours), ..Person::default() };
                let own = actor.incidents.iter().filter_map(|id| by_id.get(id.as_str()));
                for incident in own.filter(|incident| incident.scope == Scope::Actor) {
                    person.drops += u64::from(incident.impact == Impact::Dropped);
                    *person.incidents.entry(key(incident)).or_default() += 1;
                }
                person
            })
            .collect();
        let mut service = Counts::new();
        for incident in diagnosis.incidents.iter().filter(|incident| incident.scope == Scope::Service) {
            *service.entry(key(incident)).or_default() += 1;
        }
        let times = diagnosis.inputs.iter().flat_map(|input| [&input.first, &input.last]).flatten();
        let times: Vec<_> = times.filter_map(|time| DateTime::parse_from_rfc3339(time).ok()).collect();
        let log_hours = match (times.iter().min(), times.iter().max()) {
            (Some(first), Some(last)) => (*last - *first).as_seconds_f64() / 3600.0,
            _ => 0.0,
        };
        let dialects = diagnosis
            .inputs
            .iter()
            .filter_map(|input| input.dialect.as_deref())
            .flat_map(|dialects| dialects.split('+'))
            .map(str::to_owned)
            .collect();
        Self { people, service, log_hours, dialects, even_hours: false }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &(Label, String)> {
        self.people.iter().flat_map(|person| person.incidents.keys()).chain(self.service.keys())
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hours are small and positive")]
    pub(super) fn active_hours(&self) -> u64 {
        self.people.iter().map(|person| person.active_hours).sum::<f64>().round() as u64
    }

    pub(super) fn extent(&self) -> Extent {
        Extent {
            actors: self.people.len() as u64,
            active_hours: self.active_hours(),
            log_hours: (self.log_hours * 100.0).round() / 100.0,
        }
    }
}

fn key(incident: &Incident) -> (Label, String) {
    (incident.cause, incident.kind.clone())
}
