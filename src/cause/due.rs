//! The refresh that was due while the device had no network: the token runs out later, and the refusal is the network's.

use why401_parsers::record::ClientSocket;

use super::case::{Facts, OPENING, OPENING_CALLS, World, endpoints_called};
use crate::incident::Incident;
use crate::session::{Item, Kind, MINUTE, SECOND, during};

/// A refresh that was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missed {
    /// When it was due, microseconds since 1970.
    pub(crate) due: i64,
    /// The item that shows that the device was away then.
    pub(crate) shown_by: usize,
    /// The device itself says so; else its socket was gone, and came back by itself.
    pub(crate) told: bool,
}

/// The device may notice so long (microseconds) after the refresh was due that its network is gone.
const NOTICED: i64 = MINUTE;

/// A connection that is back sooner (microseconds) missed nothing.
const SHORT: i64 = MINUTE;

/// Looks between the newest credential's issue and the first sign.
pub(super) fn missed(items: &[Item], incident: &Incident, facts: &Facts, world: &World<'_>) -> Option<Missed> {
    let credential = facts.credential?;
    let (issued, start) = (items[credential].ended, incident.start);
    let between = during(items, &(issued - SECOND..=start - 1));
    let own: Vec<usize> = between.filter(|place| items[*place].lane == incident.lane).collect();
    let stated = own.iter().rev().find_map(|place| match items[*place].kind {
        Kind::RefreshDue(after) => Some(items[*place].time + after),
        _ => None,
    });
    // Who has never refreshed ahead of time has nothing due.
    let habit = world.lead.filter(|_| facts.habit.proactive > 0).map(|lead| issued + lead);
    let due = stated.or(habit).filter(|due| (issued + MINUTE..start).contains(due))?;
    let mut gone: Option<(usize, bool)> = None;
    for place in &own {
        let item = &items[*place];
        match item.kind {
            Kind::NetworkDown | Kind::Client(ClientSocket::NoNetwork) => {
                let since = gone.map_or(*place, |(since, _)| since);
                gone = Some((since, true));
            }
            Kind::SocketClosed { removed: false, by_restart: false } if item.time <= due + NOTICED => {
                gone = gone.or(Some((*place, false)));
            }
            Kind::Paused => gone = None,
            Kind::Accepted { .. } | Kind::SocketAccepted => {
                // An app that was opened again is no network that returned. (What comes from the first sign on is the incident's.)
                let opened = || {
                    let first_calls = item.time..=(item.time + OPENING).min(start - 1);
                    endpoints_called(items, incident.lane, first_calls) >= OPENING_CALLS
                };
                if let Some((since, told)) = gone.take()
                    && (items[since].time - NOTICED..=item.time).contains(&due)
                    && (told || item.time - items[since].time >= SHORT && !opened())
                {
                    return Some(Missed { due, shown_by: since, told });
                }
            }
            _ => {}
        }
    }
    gone.filter(|(since, told)| *told && items[*since].time <= due + NOTICED).map(|(shown_by, told)| Missed {
        due,
        shown_by,
        told,
    })
}
