//! Drops found on timelines: runs of refusals, refreshes that gave nothing, sign-outs nobody asked for, sign-ins without a
//! reason, sockets that were lost, refreshes that repeat without need.

pub mod service;

use why401_parsers::event::TimeFrom;
use why401_parsers::record::ClientSocket;

use crate::session::{Item, Kind, MINUTE, Refresh, SECOND, Timeline};

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

/// A socket that is back sooner (microseconds) was reconnected on purpose or by a blink of the network.
const SOCKET_GAP: i64 = 60 * SECOND;

/// A pause longer than this (microseconds) is a person who put the phone away, whatever the socket did.
const LONGEST_SOCKET_GAP: i64 = 60 * MINUTE;

/// So many refreshes in a row, each at most this long (microseconds) after the one before, are a storm: the shortest access
/// lifetime in practice is five minutes.
const STORM: (usize, i64) = (4, 4 * MINUTE);

/// Finds the incidents on one timeline. `window`: the pause that ends a run of refusals, in microseconds.
#[must_use]
pub fn detect(timeline: &Timeline, window: i64) -> Vec<Incident> {
    let mut found = Vec::new();
    for lane in 0..timeline.lanes {
        let places: Vec<usize> =
            (0..timeline.items.len()).filter(|place| timeline.items[*place].lane == lane).collect();
        let items = &timeline.items;
        found.extend(refusals(items, &places, lane, window));
        found.extend(sign_ins_again(items, &places, lane));
        found.extend(lost_sockets(items, &places, lane));
        found.extend(storms(items, &places, lane));
        found.extend(hidden_errors(items, &places, lane));
    }
    found.sort_by_key(|incident| (incident.start, incident.trigger, incident.lane));
    found
}

fn is_sign(kind: &Kind) -> Option<Trigger> {
    match kind {
        Kind::Unauthorized { .. } => Some(Trigger::Unauthorized),
        Kind::SocketRefused => Some(Trigger::SocketRefused),
        Kind::Refresh(Refresh::Refused(_) | Refresh::Fault(..) | Refresh::Lost | Refresh::Unreachable(_)) => {
            Some(Trigger::RefreshFailed)
        }
        Kind::ForcedOut => Some(Trigger::ForcedOut),
        Kind::Storage { .. } => Some(Trigger::Storage),
        _ => None,
    }
}

/// A run of refusals as a state machine: it opens at the first sign, takes what comes within the window, and closes when the
/// actor is well again on the channel that failed.
struct Run<'a> {
    items: &'a [Item],
    window: i64,
    lane: usize,
    open: Option<Incident>,
    /// A refresh gave a credential: what comes after the stragglers is another incident.
    refreshed: Option<usize>,
    done: Vec<Incident>,
}

fn refusals(items: &[Item], places: &[usize], lane: usize, window: i64) -> Vec<Incident> {
    let mut run = Run { items, window, lane, open: None, refreshed: None, done: Vec::new() };
    for place in places {
        run.step(*place);
    }
    run.close(None);
    run.done
}

impl Run<'_> {
    fn step(&mut self, place: usize) {
        let item = &self.items[place];
        if let Some(trigger) = is_sign(&item.kind) {
            self.sign(place, trigger);
            return;
        }
        let Some(open) = &self.open else { return };
        match &item.kind {
            Kind::SignIn => self.close(Some(place)),
            Kind::Refresh(refresh) if refresh.gave() => {
                self.refreshed.get_or_insert(place);
            }
            Kind::SocketAccepted if self.only(open, |kind| matches!(kind, Kind::SocketRefused)) => {
                self.close(Some(place))
            }
            Kind::Accepted { route } => {
                let same = open.signs.iter().any(
                    |sign| matches!(&self.items[*sign].kind, Kind::Unauthorized { route: failed } if failed == route),
                );
                let http = self.only(open, |kind| matches!(kind, Kind::Unauthorized { .. }));
                if same && http && item.time > open.end + SECOND {
                    self.close(Some(self.refreshed.unwrap_or(place)));
                }
            }
            _ => {}
        }
    }

    fn only(&self, open: &Incident, is: impl Fn(&Kind) -> bool) -> bool {
        open.signs.iter().all(|sign| is(&self.items[*sign].kind))
    }

    fn sign(&mut self, place: usize, trigger: Trigger) {
        let time = self.items[place].time;
        let over = self.open.as_ref().is_some_and(|open| {
            time - open.end > self.window
                || self.refreshed.is_some_and(|refresh| time - self.items[refresh].ended > STRAGGLERS)
        });
        if over {
            let recovery = self.refreshed;
            self.close(recovery);
        }
        if let Some(open) = &mut self.open {
            open.signs.push(place);
            open.end = open.end.max(time);
        } else {
            let (start, end) = (time, time);
            self.open = Some(Incident { trigger, signs: vec![place], lane: self.lane, start, end, recovery: None });
        }
    }

    fn close(&mut self, recovery: Option<usize>) {
        if let Some(mut incident) = self.open.take() {
            incident.recovery = recovery.or(self.refreshed);
            self.done.push(incident);
        }
        self.refreshed = None;
    }
}

/// A sign-in on a device whose session was alive, with nothing before it that would explain it.
fn sign_ins_again(items: &[Item], places: &[usize], lane: usize) -> Vec<Incident> {
    let mut found = Vec::new();
    let mut alive: Option<usize> = None;
    let mut explained = false;
    let mut refused_at = i64::MIN / 2;
    for place in places {
        let item = &items[*place];
        if is_sign(&item.kind).is_some() {
            refused_at = item.time;
        }
        match &item.kind {
            Kind::SignIn => {
                if alive.is_some() && !explained {
                    let (start, end) = (item.time, item.ended);
                    let signs = vec![*place];
                    found.push(Incident {
                        trigger: Trigger::SignInAgain,
                        signs,
                        lane,
                        start,
                        end,
                        recovery: Some(*place),
                    });
                }
                (alive, explained) = (Some(*place), false);
            }
            Kind::SignOut | Kind::Revoke => (alive, explained) = (None, true),
            kind if is_sign(kind).is_some() => explained = true,
            Kind::Accepted { .. } | Kind::SocketAccepted | Kind::Refresh(_) => {
                // What is accepted right after a refusal was under way: the refusal still explains the sign-in.
                let under_way = item.time - refused_at <= STRAGGLERS;
                (alive, explained) = (Some(*place), explained && under_way);
            }
            _ => {}
        }
    }
    found
}

/// Sockets that ended without the server's doing and came back after a while without a refusal.
fn lost_sockets(items: &[Item], places: &[usize], lane: usize) -> Vec<Incident> {
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

/// Refreshes that follow one another faster than any credential runs out.
fn storms(items: &[Item], places: &[usize], lane: usize) -> Vec<Incident> {
    let (count, gap) = STORM;
    let refreshes: Vec<usize> = places
        .iter()
        .copied()
        .filter(|place| items[*place].timed != TimeFrom::Order)
        .filter(|place| matches!(&items[*place].kind, Kind::Refresh(refresh) if refresh.gave()))
        .collect();
    let mut found = Vec::new();
    let mut run: Vec<usize> = Vec::new();
    let mut flush = |run: &mut Vec<usize>| {
        if run.len() >= count {
            let (start, end) = (items[run[0]].time, items[run[run.len() - 1]].time);
            found.push(Incident {
                trigger: Trigger::RefreshStorm,
                signs: run.clone(),
                lane,
                start,
                end,
                recovery: None,
            });
        }
        run.clear();
    };
    for place in refreshes {
        if run.last().is_some_and(|last| items[place].time - items[*last].time > gap) {
            flush(&mut run);
        }
        run.push(place);
    }
    flush(&mut run);
    found
}

/// Errors logged under refreshes that answered well: one finding for the actor, whatever their number.
fn hidden_errors(items: &[Item], places: &[usize], lane: usize) -> Vec<Incident> {
    let signs: Vec<usize> = places
        .iter()
        .copied()
        .filter(|place| matches!(&items[*place].kind, Kind::Refresh(Refresh::Swallowed(_))))
        .collect();
    let (Some(first), Some(last)) = (signs.first(), signs.last()) else { return Vec::new() };
    let (start, end) = (items[*first].time, items[*last].time);
    vec![Incident { trigger: Trigger::HiddenError, signs, lane, start, end, recovery: None }]
}
