//! Server processes that refuse fresh credentials which their siblings accept: a clock that is off, or another secret.

use std::collections::{BTreeMap, BTreeSet};

use why401_parsers::record::Side;

use crate::actor::{Identified, Key};
use crate::session::lifetime::Lifetime;
use crate::session::{Item, Kind, MINUTE, Refresh, Timeline};
use crate::spread::Crew;

/// Another process must have accepted the same device within this time (microseconds) of the refusal.
const BESIDE: i64 = 2 * MINUTE;

/// Fewer refusals than this, or of fewer people, may have any reason.
const FEWEST: (usize, usize) = (4, 2);

/// How often a process accepted somebody, and refused a fresh credential that another one accepts.
#[derive(Default)]
struct Counts {
    accepted: usize,
    refused: usize,
}

/// What is known of a process.
#[derive(Default)]
struct Record {
    counts: Counts,
    /// Whom it refused.
    people: BTreeSet<Key>,
}

/// The processes (as in [`why401_parsers::event::Event::process`]) that do so, in order.
#[must_use]
pub(crate) fn odd_instances(
    identified: &Identified,
    timelines: &BTreeMap<Key, Timeline>,
    lifetimes: &[Lifetime],
    crew: Crew,
) -> Vec<u64> {
    let shortest = lifetimes.iter().map(|lifetime| lifetime.access).min();
    let timelines: Vec<(&Key, &Timeline)> = timelines.iter().collect();
    let mut processes: BTreeMap<u64, Record> = BTreeMap::new();
    for (of_actor, (key, _)) in
        crew.each(&timelines, |(_, timeline)| seen_by(identified, timeline, shortest)).into_iter().zip(&timelines)
    {
        for (process, Counts { accepted, refused }) in of_actor {
            let record = processes.entry(process).or_default();
            record.counts.accepted += accepted;
            record.counts.refused += refused;
            if refused > 0 {
                record.people.insert(**key);
            }
        }
    }
    let odd = |Record { counts, people }: &Record| {
        counts.refused >= FEWEST.0 && people.len() >= FEWEST.1 && counts.refused > 2 * counts.accepted
    };
    processes.into_iter().filter(|(_, record)| odd(record)).map(|(process, _)| process).collect()
}

/// What one actor shows of each process.
fn seen_by(identified: &Identified, timeline: &Timeline, shortest: Option<i64>) -> BTreeMap<u64, Counts> {
    let process_of = |item: &Item| {
        let event = &identified.events[item.event?];
        (event.process != 0 && item.side == Side::Server).then_some(event.process)
    };
    let mut processes: BTreeMap<u64, Counts> = BTreeMap::new();
    // The newest credential of each device.
    let mut issued: Vec<Option<i64>> = vec![None; timeline.lanes];
    for (place, item) in timeline.items.iter().enumerate() {
        match &item.kind {
            Kind::SignIn | Kind::Refresh(Refresh::Issued | Refresh::Swallowed(_)) => {
                issued[item.lane] = Some(item.ended);
            }
            Kind::SignOut | Kind::Revoke | Kind::Removing => issued[item.lane] = None,
            Kind::Accepted { .. } => {
                if let Some(process) = process_of(item) {
                    processes.entry(process).or_default().accepted += 1;
                }
            }
            Kind::Unauthorized { .. } => {
                let (Some(process), Some(issued)) = (process_of(item), issued[item.lane]) else { continue };
                let fresh = shortest.is_none_or(|shortest| item.time - issued < shortest * 8 / 10);
                let near = timeline.items[place + 1..].iter().take_while(|other| other.time - item.time <= BESIDE);
                // Accepted later by another one, with no newer credential: the token was good.
                let accepted_elsewhere = near
                    .filter(|other| other.lane == item.lane)
                    .take_while(|other| !matches!(other.kind, Kind::SignIn | Kind::Refresh(_)))
                    .any(|other| {
                        matches!(other.kind, Kind::Accepted { .. })
                            && process_of(other).is_some_and(|other| other != process)
                    });
                if fresh && accepted_elsewhere {
                    processes.entry(process).or_default().refused += 1;
                }
            }
            _ => {}
        }
    }
    processes
}
