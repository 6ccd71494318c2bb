//! How old the newest credential was when something was refused: what tells a token that ran out from a stale one.

use why401_parsers::event::TimeFrom;

use super::Findings;
use super::section::Scope;
use crate::diagnosis::AgeBin;
use crate::session::{Item, Kind, SECOND};

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// Where bins begin, in seconds: fine where lifetimes of access tokens lie, as wide as people read them elsewhere.
const EDGES: &[i64] = &[
    0,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    20 * MINUTE,
    30 * MINUTE,
    45 * MINUTE,
    HOUR,
    75 * MINUTE,
    90 * MINUTE,
    2 * HOUR,
    3 * HOUR,
    4 * HOUR,
    6 * HOUR,
    8 * HOUR,
    12 * HOUR,
    18 * HOUR,
    DAY,
    30 * HOUR,
    36 * HOUR,
    2 * DAY,
    3 * DAY,
    5 * DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
    60 * DAY,
    90 * DAY,
    180 * DAY,
];

/// The bins that hold something, the youngest first.
pub(super) fn ages(findings: &Findings<'_>) -> Vec<AgeBin> {
    let mut bins: Vec<AgeBin> = EDGES
        .iter()
        .enumerate()
        .map(|(place, from)| AgeBin {
            from_seconds: *from,
            until_seconds: EDGES.get(place + 1).map_or(from * 2, |until| *until),
            ..AgeBin::default()
        })
        .collect();
    for timeline in findings.timelines.values() {
        for lane in 0..timeline.lanes {
            let timed = |item: &&Item| item.lane == lane && item.timed != TimeFrom::Order;
            add_lane(timeline.items.iter().filter(timed), findings.scope, &mut bins);
        }
    }
    let empty = |bin: &AgeBin| bin.refused == 0 && bin.sockets_refused == 0 && bin.accepted == 0;
    bins.retain(|bin| !empty(bin));
    bins
}

/// A credential while it is the newest.
struct Newest {
    issued: i64,
    accepted: Option<i64>,
    refused: Option<i64>,
    socket_refused: Option<i64>,
}

impl Newest {
    const fn since(issued: i64) -> Self {
        Self { issued, accepted: None, refused: None, socket_refused: None }
    }

    fn settle(self, bins: &mut [AgeBin]) {
        if let Some(at) = self.refused {
            bins[bin(at - self.issued)].refused += 1;
        }
        if let Some(at) = self.socket_refused {
            bins[bin(at - self.issued)].sockets_refused += 1;
        }
        if let (Some(at), None, None) = (self.accepted, self.refused, self.socket_refused) {
            bins[bin(at - self.issued)].accepted += 1;
        }
    }
}

/// A credential counts where it is replaced, or in the end.
fn add_lane<'a>(items: impl Iterator<Item = &'a Item>, scope: &Scope, all: &mut [AgeBin]) {
    let mut newest: Option<Newest> = None;
    for item in items {
        let bins = scope.has_item(item).then_some(&mut *all);
        match &item.kind {
            Kind::SignIn => replace(&mut newest, Some(item.ended), bins),
            Kind::Refresh(refresh) if refresh.gave() => replace(&mut newest, Some(item.ended), bins),
            // What is refused from here on is refused because the session has ended.
            Kind::SignOut | Kind::Revoke | Kind::Removing => replace(&mut newest, None, bins),
            kind => {
                let Some(newest) = &mut newest else { continue };
                match kind {
                    Kind::Accepted { .. } => newest.accepted = Some(item.time),
                    Kind::Unauthorized { .. } => newest.refused = newest.refused.or(Some(item.time)),
                    Kind::SocketRefused => newest.socket_refused = newest.socket_refused.or(Some(item.time)),
                    _ => {}
                }
            }
        }
    }
    replace(&mut newest, None, scope.is_last().then_some(all));
}

fn replace(newest: &mut Option<Newest>, issued: Option<i64>, bins: Option<&mut [AgeBin]>) {
    if let (Some(old), Some(bins)) = (newest.take(), bins) {
        old.settle(bins);
    }
    *newest = issued.map(Newest::since);
}

fn bin(age: i64) -> usize {
    EDGES.partition_point(|from| *from <= (age / SECOND).max(0)) - 1
}
