//! Sockets that were lost and came back, or came back without their user.

use why401_parsers::event::TimeFrom;
use why401_parsers::record::ClientSocket;

use super::{Incident, Trigger};
use crate::session::{Item, Kind, MINUTE, SECOND};

/// A socket that is back sooner (microseconds) was reconnected on purpose or by a blink of the network.
const SOCKET_GAP: i64 = 60 * SECOND;

/// A pause longer than this (microseconds) is a person who put the phone away, whatever the socket did.
const LONGEST_SOCKET_GAP: i64 = 60 * MINUTE;

/// Sockets that ended without the server's doing and came back after a while without a refusal.
pub(super) fn lost(items: &[Item], places: &[usize], lane: usize) -> Vec<Incident> {
    let mut found: Vec<Incident> = Vec::new();
    let mut closed: Option<usize> = None;
    let mut removed: Option<usize> = None;
    let mut offline = false;
    for place in places {
        let item = &items[*place];
        match &item.kind {
            Kind::Client(ClientSocket::NoNetwork) => offline = true,
            Kind::SocketClosed { removed: true, .. } | Kind::Removing => removed = Some(*place),
            Kind::SocketClosed { by_restart: false, .. } => closed = Some(*place),
            Kind::SocketRefused | Kind::Unauthorized { .. } | Kind::SignIn | Kind::SignOut | Kind::Refresh(_) => {
                (closed, removed) = (None, None);
            }
            Kind::SocketAccepted => {
                if let Some(end) = removed.take() {
                    let signs = vec![end];
                    let start = items[end].time;
                    found.push(Incident {
                        trigger: Trigger::SocketRemoved,
                        signs,
                        lane,
                        start,
                        end: item.time,
                        recovery: Some(*place),
                    });
                    closed = None;
                }
                if let Some(end) = closed.take() {
                    let gap = item.time - items[end].time;
                    // Without times, the device's own word for it must do.
                    let long = if item.timed == TimeFrom::Order {
                        offline
                    } else {
                        (SOCKET_GAP..LONGEST_SOCKET_GAP).contains(&gap)
                    };
                    if long {
                        let start = items[end].time;
                        found.push(Incident {
                            trigger: Trigger::SocketLost,
                            signs: vec![end],
                            lane,
                            start,
                            end: item.time,
                            recovery: Some(*place),
                        });
                    }
                }
                offline = false;
            }
            _ => {}
        }
    }
    found
}

/// Sockets that stand without the user whom the device's earlier ones had. One that no line names may have lost its line; two in a
/// row, or an end without the tag that others' ends carry, have not.
pub(super) fn anonymous(items: &[Item], places: &[usize], lane: usize) -> Vec<Incident> {
    let mut found = Vec::new();
    let mut had_user = false;
    let mut run: Vec<usize> = Vec::new();
    let mut close = |run: &mut Vec<usize>, recovery: Option<usize>| {
        let sure = run.iter().any(|sign| matches!(items[*sign].kind, Kind::SocketAnonymous { untagged: true }));
        if let (Some(first), Some(last)) = (run.first(), run.last())
            && (sure || run.len() > 1)
        {
            let (start, end) = (items[*first].time, items[*last].time);
            let trigger = Trigger::SocketAnonymous;
            found.push(Incident { trigger, signs: run.clone(), lane, start, end, recovery });
        }
        run.clear();
    };
    for place in places {
        match &items[*place].kind {
            Kind::SocketAnonymous { .. } if had_user => run.push(*place),
            Kind::SocketAccepted => {
                close(&mut run, Some(*place));
                had_user = true;
            }
            Kind::SignOut | Kind::Revoke => {
                close(&mut run, None);
                had_user = false;
            }
            _ => {}
        }
    }
    close(&mut run, None);
    found
}
