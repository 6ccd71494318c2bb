//! Drops found on timelines: runs of refusals, refreshes that gave nothing, sign-outs nobody asked for, sign-ins without a
//! reason, sockets that were lost, refreshes that repeat without need.

pub(crate) mod instance;
mod refreshes;
mod refusals;
pub mod service;
mod sign_ins;
mod sockets;
pub(crate) mod standstill;

use crate::session::{Kind, Refresh, SECOND, Timeline};

/// What an incident was noticed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Calls answered 401.
    Unauthorized,
    /// Sockets refused.
    SocketRefused,
    /// A refresh that gave nothing usable.
    RefreshFailed,
    /// The app signed itself out.
    ForcedOut,
    /// The store of secrets failed, or was empty.
    Storage,
    /// A sign-in while a session was alive.
    SignInAgain,
    /// A socket ended and came back after a while.
    SocketLost,
    /// The server removed sockets.
    SocketRemoved,
    /// Refreshes in a row without need.
    RefreshStorm,
    /// An error hidden under a refresh that answered well.
    HiddenError,
    /// A socket came back without the user it had.
    SocketAnonymous,
    /// Calls that were begun and never ended, and then silence.
    Standstill,
}

/// One drop of one actor, or a defect that may become one.
#[derive(Clone, Debug)]
pub struct Incident {
    /// What it was noticed by.
    pub trigger: Trigger,
    /// The items that are its signs, as places on the timeline, in order.
    pub signs: Vec<usize>,
    /// The device.
    pub lane: usize,
    /// First sign, microseconds.
    pub start: i64,
    /// Last sign.
    pub end: i64,
    /// The item that ended it: a refresh, a sign-in, an accepted call or socket.
    pub recovery: Option<usize>,
}

/// In-flight calls of a refresh may be answered this much after it (microseconds).
const STRAGGLERS: i64 = 60 * SECOND;

/// Finds the incidents on one timeline. `window`: the pause that ends a run of refusals, in microseconds.
#[must_use]
pub fn detect(timeline: &Timeline, window: i64) -> Vec<Incident> {
    let mut found = Vec::new();
    for lane in 0..timeline.lanes {
        let places: Vec<usize> =
            (0..timeline.items.len()).filter(|place| timeline.items[*place].lane == lane).collect();
        let items = &timeline.items;
        found.extend(refusals::runs(items, &places, lane, window));
        found.extend(sign_ins::again(items, &places, lane));
        found.extend(sockets::lost(items, &places, lane));
        found.extend(sockets::anonymous(items, &places, lane));
        found.extend(refreshes::storms(items, &places, lane));
        found.extend(refreshes::hidden_errors(items, &places, lane));
        found.extend(standstill::standstills(items, &places, lane));
    }
    found.sort_by_key(|incident| (incident.start, incident.trigger, incident.lane));
    found
}

fn is_sign(kind: &Kind) -> Option<Trigger> {
    match kind {
        Kind::Unauthorized { .. } => Some(Trigger::Unauthorized),
        Kind::SocketRefused => Some(Trigger::SocketRefused),
        Kind::Refresh(
            Refresh::Refused(_) | Refresh::Fault(..) | Refresh::Lost | Refresh::Unreadable | Refresh::Unreachable(_),
        ) => Some(Trigger::RefreshFailed),
        Kind::ForcedOut => Some(Trigger::ForcedOut),
        Kind::Storage { .. } => Some(Trigger::Storage),
        _ => None,
    }
}
