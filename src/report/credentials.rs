//! Which credential is behind a moment: numbered as a device was given them, with issue and expiry.

use std::collections::BTreeSet;

use super::place::stated;
use super::{Placed, rfc3339};
use crate::actor::Key;
use crate::cause::Label;
use crate::cause::case::Case;
use crate::diagnosis::Credential;
use crate::incident::Incident;
use crate::session::{Item, Kind, SECOND, Timeline};

/// The credentials of an incident's device.
pub(super) struct Credentials {
    /// When each was issued, microseconds.
    issued: Vec<i64>,
    /// How long they live.
    lifetime: Option<i64>,
    /// When the socket was accepted, each time.
    sockets: Vec<i64>,
    /// When the incident begins and ends.
    during: (i64, i64),
    /// What goes on with an older one, by the verdict.
    stale: Option<Stale>,
}

/// What presents an older credential than the newest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stale {
    Socket,
    Http,
}

impl Credentials {
    pub(super) fn of(timeline: &Timeline, incident: &Incident, cause: (Label, &str), lifetime: Option<i64>) -> Self {
        let own = || timeline.items.iter().filter(|item| item.lane == incident.lane);
        let accepted = |item: &&Item| item.kind == Kind::SocketAccepted;
        Self {
            issued: own().filter(|item| gives(&item.kind)).map(|item| item.ended).collect(),
            lifetime,
            sockets: own().filter(accepted).map(|item| item.time).collect(),
            during: (incident.start, incident.end),
            stale: match cause {
                (Label::StaleToken, "http") => Some(Stale::Http),
                (Label::StaleToken, _) => Some(Stale::Socket),
                _ => None,
            },
        }
    }

    /// The number of the credential that an item gives or presents; `None` if it presents none.
    pub(super) fn behind(&self, item: &Item) -> Option<usize> {
        let during = (self.during.0..=self.during.1).contains(&item.time);
        Some(match &item.kind {
            kind if gives(kind) => self.newest(item.ended),
            Kind::Unauthorized { .. } if self.stale == Some(Stale::Http) && during => {
                self.newest(item.time).saturating_sub(1)
            }
            Kind::Accepted { .. } | Kind::Unauthorized { .. } | Kind::Refresh(_) => self.newest(item.time),
            Kind::SocketRefused | Kind::SocketAnonymous { .. } if self.stale == Some(Stale::Socket) => {
                self.kept(item.time)
            }
            Kind::SocketClosed { .. } => self.at_accept(item.time).unwrap_or_else(|| self.newest(item.time)),
            Kind::SocketAccepted | Kind::SocketRefused | Kind::SocketAnonymous { .. } => self.newest(item.time),
            _ => return None,
        })
    }

    /// The credential of a number, for a reader.
    pub(super) fn shown(&self, number: usize) -> Credential {
        let issued = number.checked_sub(1).map(|place| self.issued[place]);
        Credential {
            number: number as u64,
            issued: issued.map(rfc3339),
            expires: issued.zip(self.lifetime).map(|(issued, lifetime)| rfc3339(issued.saturating_add(lifetime))),
        }
    }

    /// How many had been issued by then.
    fn newest(&self, at: i64) -> usize {
        self.issued.partition_point(|issued| *issued <= at)
    }

    /// What the socket goes on with: the newest when it was last accepted; at any rate an older one.
    fn kept(&self, at: i64) -> usize {
        let older = self.newest(at).saturating_sub(1);
        self.at_accept(at).map_or(older, |kept| kept.min(older))
    }

    /// The newest when the socket was last accepted.
    fn at_accept(&self, at: i64) -> Option<usize> {
        let before = self.sockets.partition_point(|accepted| *accepted <= at);
        let accepted = self.sockets[..before].last()?;
        Some(self.newest(*accepted))
    }
}

/// How long the credential lives that an incident is about, microseconds, as far as anything tells: its own age when it was refused,
/// what the actor's clients were told, or that the service knows one lifetime only.
pub(super) fn life(case: &Case<'_>, placed: &Placed, key: Key) -> Option<i64> {
    if case.facts.age.is_some() {
        return case.lifetime().map(|lifetime| lifetime.access);
    }
    let actor = placed.identified.actors.get(&key);
    let told =
        actor.into_iter().flat_map(|actor| &actor.events).filter_map(|event| stated(&placed.identified.events[*event]));
    let told: BTreeSet<u32> = told.collect();
    let known = || placed.lifetimes.iter().map(|lifetime| lifetime.access);
    match (told.first(), placed.lifetimes.as_slice()) {
        (Some(seconds), _) if told.len() == 1 => {
            let told = i64::from(*seconds) * SECOND;
            known().min_by_key(|life| (life - told).abs())
        }
        (None, [only]) => Some(only.access),
        _ => None,
    }
}

fn gives(kind: &Kind) -> bool {
    match kind {
        Kind::SignIn => true,
        Kind::Refresh(refresh) => refresh.gave(),
        _ => false,
    }
}
