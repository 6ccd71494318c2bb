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

/// What is known of a process.
#[derive(Default)]
struct Record {
    accepted: usize,
    refused: usize,
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
        for (process, (accepted, refused)) in of_actor {
            let record = processes.entry(process).or_default();
            record.accepted += accepted;
            record.refused += refused;
            if refused > 0 {
                record.people.insert(**key);
            }
        }
    }
    let odd = |record: &Record| {
        record.refused >= FEWEST.0 && record.people.len() >= FEWEST.1 && record.refused > 2 * record.accepted
    };
    processes.into_iter().filter(|(_, record)| odd(record)).map(|(process, _)| process).collect()
}

/// How often each process accepted an actor, and how often it refused a fresh credential of his that another one accepts; in the order in
/// which they are first seen.
fn seen_by(identified: &Identified, timeline: &Timeline, shortest: Option<i64>) -> Vec<(u64, (usize, usize))> {
    let process_of = |item: &Item| {
        let event = &identified.events[item.event?];
        (event.process != 0 && item.side == Side::Server).then_some(event.process)
    };
    let mut processes: Vec<(u64, (usize, usize))> = Vec::new();
    let mut note = |process: u64, accepted: usize, refused: usize| {
        let place = processes.iter().position(|(known, _)| *known == process).unwrap_or_else(|| {
            processes.push((process, (0, 0)));
            processes.len() - 1
        });
        let counts = &mut processes[place].1;
        *counts = (counts.0 + accepted, counts.1 + refused);
    };
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
                    note(process, 1, 0);
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
                    note(process, 0, 1);
                }
            }
            _ => {}
        }
    }
    processes
}
