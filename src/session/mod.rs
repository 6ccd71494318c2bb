//! One actor's timeline: what was done with credentials on both channels, in order of time.

pub mod endpoint;
pub mod habit;
pub mod lifetime;

use std::cell::LazyCell;
use std::ops::{Range, RangeInclusive};
use std::sync::OnceLock;

use why401_parsers::event::{AuthState, Event, Fault, Name, Names, TimeFrom, What, is_unauthorized};
use why401_parsers::record::{ClientRefresh, ClientSocket, NetFailure, Sense, Side};

use crate::actor::clock::SetBy;
use crate::actor::{Actor, Identified, socket::Attempt, socket::Outcome};
use endpoint::{Role, Roles};
use habit::Habit;

/// Microseconds in a second, a minute, an hour, a day.
pub const SECOND: i64 = 1_000_000;
/// See [`SECOND`].
pub const MINUTE: i64 = 60 * SECOND;
/// See [`SECOND`].
pub const HOUR: i64 = 60 * MINUTE;
/// See [`SECOND`].
pub const DAY: i64 = 24 * HOUR;

/// How a refresh ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Refresh {
    /// It gave a new credential.
    Issued,
    /// It answered well, and an error was logged under it.
    Swallowed(Box<Fault>),
    /// It was refused, with this status.
    Refused(u16),
    /// The server failed, with this status.
    Fault(u16, Option<Box<Fault>>),
    /// The server answered well, and the client never got the answer.
    Lost,
    /// The server answered well, and the client could not read it.
    Unreadable,
    /// The client got no answer, and no server says that it was asked.
    Unreachable(NetFailure),
}

impl Refresh {
    /// It gave a credential that the client has.
    #[must_use]
    pub fn gave(&self) -> bool {
        matches!(self, Self::Issued | Self::Swallowed(_))
    }
}

/// What an item on a timeline is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A sign-in that worked.
    SignIn,
    /// A sign-in that was refused.
    FailedSignIn,
    /// A refresh.
    Refresh(Refresh),
    /// A sign-out that the user asked for, as the server or the client saw it.
    SignOut,
    /// A password change or a revocation that worked.
    Revoke,
    /// A call that the server accepted: not 401, not its own failure.
    Accepted {
        /// The endpoint.
        route: Name,
    },
    /// A call that was answered 401, or what is as much.
    Unauthorized {
        /// The endpoint.
        route: Name,
        /// The status.
        status: u16,
    },
    /// A call that got no answer.
    NoAnswer(NetFailure),
    /// A call that the client began and never ended, neither well nor badly, in a trace that shows how calls end.
    Unended,
    /// A socket was accepted.
    SocketAccepted,
    /// A socket was refused by the app.
    SocketRefused,
    /// A socket stands without its user.
    SocketAnonymous {
        /// Its end carries no user's tag, where others' do.
        untagged: bool,
    },
    /// A socket ended. `known_since`: it is the one that was accepted then.
    SocketClosed {
        /// Removed by the server.
        removed: bool,
        /// With the server's process.
        by_restart: bool,
    },
    /// The server removes the user's sockets.
    Removing,
    /// The app went to the signed-out state by itself.
    ForcedOut,
    /// The app is signed in.
    SignedIn,
    /// The store of secrets failed.
    Storage {
        /// Because the device was locked.
        locked: bool,
    },
    /// The app found nothing stored.
    NoSession,
    /// The app came to the front.
    Resumed,
    /// The app left the front.
    Paused,
    /// The app started.
    AppStart,
    /// The network was gone, as the client saw it.
    NetworkDown,
    /// The client means to refresh in so long (microseconds), by its own clock.
    RefreshDue(i64),
    /// What the client says of its socket.
    Client(ClientSocket),
}

/// Something on a timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// When it began, microseconds since 1970.
    pub time: i64,
    /// When it ended.
    pub ended: i64,
    /// Where the time comes from.
    pub timed: TimeFrom,
    /// The source's number.
    pub source: u32,
    /// The line, from 1.
    pub line: u64,
    /// On which of the actor's devices: see [`Timeline::lanes`].
    pub lane: usize,
    /// What it is.
    pub kind: Kind,
    /// What the words around it mean.
    pub sense: Sense,
    /// Who saw it.
    pub side: Side,
    /// The event it comes from, if it is an HTTP request.
    pub event: Option<usize>,
    /// That it is this actor's is a guess by a shared address.
    pub guessed: bool,
}

/// One actor's items.
#[derive(Debug, Default)]
pub struct Timeline {
    /// In order of time.
    pub items: Vec<Item>,
    /// How many devices the actor seems to have: addresses that were used in turn are one, at the same time several.
    pub lanes: usize,
    /// The lane of each address.
    pub lane_of: Vec<(Name, usize)>,
    /// The actor's client wrote some of it.
    pub has_client: bool,
    /// A server wrote some of it.
    pub has_server: bool,
    /// By lane: see [`Timeline::habit`].
    habits: OnceLock<Vec<Habit>>,
}

impl Timeline {
    /// The places of the items within a time (microseconds).
    #[must_use]
    pub fn during(&self, within: &RangeInclusive<i64>) -> Range<usize> {
        during(&self.items, within)
    }

    /// How the refreshes of a device came about, in the whole log.
    #[must_use]
    pub fn habit(&self, lane: usize) -> Habit {
        let habits = self.habits.get_or_init(|| {
            let of = |lane| Habit::of(self.items.iter().filter(move |item| item.lane == lane));
            (0..self.lanes.max(1)).map(of).collect()
        });
        habits.get(lane).copied().unwrap_or_default()
    }
}

/// The places of the items within a time (microseconds), of items in order of time.
pub(crate) fn during(items: &[Item], within: &RangeInclusive<i64>) -> Range<usize> {
    let from = items.partition_point(|item| item.time < *within.start());
    from..items.partition_point(|item| item.time <= *within.end()).max(from)
}

/// Builds an actor's timeline.
#[must_use]
pub fn timeline(actor: &Actor, identified: &Identified, roles: &Roles, names: &Names) -> Timeline {
    let mut out = Timeline::default();
    let events = &identified.events;
    (out.lane_of, out.lanes) = lanes(actor, events);
    let lane_of = |address: Option<Name>| {
        address.and_then(|address| out.lane_of.iter().find(|(known, _)| *known == address)).map(|(_, lane)| *lane)
    };
    // A trace speaks of one device: the one whose requests it shows.
    let trace_lane = |source: u32| {
        let twin = actor
            .events
            .iter()
            .find_map(|place| (events[*place].source == source).then(|| identified.twins.get(place)).flatten());
        twin.and_then(|server| lane_of(events[*server].address)).unwrap_or(0)
    };
    // With no server's log each trace is a device of its own.
    let alone = actor.events.iter().all(|place| identified.client_sources.contains(&events[*place].source));
    let trace_lanes: Vec<(u32, usize)> = (0..)
        .zip(&actor.traces)
        .map(|(number, trace)| (*trace, if alone { number } else { trace_lane(*trace) }))
        .collect();
    if alone {
        out.lanes = actor.traces.len().max(1);
    }
    // A trace that cannot be placed on the server's time says nothing about what happened when.
    let unplaced = |source: u32| {
        !alone && identified.clocks.get(&source).is_some_and(|clock| clock.set_by == SetBy::Nothing && !clock.timed)
    };
    let server_covers = |time: i64| {
        let span = |place: Option<&usize>| place.map(|place| events[*place].time);
        let server = |place: &&usize| !identified.client_sources.contains(&events[**place].source);
        let (first, last) = (span(actor.events.iter().find(server)), span(actor.events.iter().rev().find(server)));
        matches!((first, last), (Some(first), Some(last)) if (first - 60 * MINUTE..=last + 60 * MINUTE).contains(&time))
    };
    // Some loggers show no answers at all.
    let shows_ends = |source: u32| {
        let of_source = actor.events.iter().map(|place| &events[*place]).filter(|event| event.source == source);
        let (ended, open): (Vec<bool>, Vec<bool>) = of_source.filter_map(ended).partition(|ended| *ended);
        ended.len() >= LEAST_ENDED && open.len() * 4 <= ended.len()
    };
    let traces_with_ends: Vec<u32> = actor.traces.iter().copied().filter(|trace| shows_ends(*trace)).collect();
    // A server's log shows sign-ins and refreshes better than the app's words do.
    let shown = LazyCell::new(|| Shown::of(actor, identified, roles));
    let mut items = Vec::with_capacity(actor.events.len());
    for place in &actor.events {
        let event = &events[*place];
        let client = identified.client_sources.contains(&event.source);
        if unplaced(event.source) {
            continue;
        }
        out.has_client |= client;
        out.has_server |= !client;
        let lane = if client {
            trace_lanes.iter().find(|(source, _)| *source == event.source).map_or(0, |(_, lane)| *lane)
        } else {
            lane_of(event.address).unwrap_or(0)
        };
        let twin = identified.twins.get(place).map(|server| &events[*server]);
        let covered = client && server_covers(event.time);
        // That an answer could not be read the client alone knows.
        let unreadable = matches!(
            event.what,
            What::ClientRefresh(ClientRefresh::Failed { failure: Some(NetFailure::Unreadable), .. })
        );
        let words = || if alone || unreadable { shown.in_words(event, names) } else { None };
        let unended = || {
            let open = client && twin.is_none() && !ended(event)? && traces_with_ends.contains(&event.source);
            open.then_some((Kind::Unended, Sense::default()))
        };
        let known = words().or_else(unended).or_else(|| item_of(event, twin, covered, roles));
        let Some((kind, sense)) = known else {
            continue;
        };
        let ended = event.ended.unwrap_or(event.time);
        items.push(Item {
            time: event.time,
            ended,
            timed: event.timed,
            source: event.source,
            line: event.line,
            lane,
            kind,
            sense,
            side: if client { Side::Client } else { Side::Server },
            event: event.request().map(|_| *place),
            guessed: actor.guessed.binary_search(place).is_ok(),
        });
    }
    for attempt in &actor.sockets {
        push_socket(&mut items, attempt, lane_of(attempt.address).unwrap_or(0));
    }
    items.sort_by_key(|item| (item.time, item.source, item.line));
    if out.has_client && out.has_server {
        mark_lost_answers(&mut items);
    }
    // The client's own sockets count where no server's log shows them.
    if !actor.sockets.is_empty() || out.has_server {
        items.retain(|item| {
            item.side == Side::Server
                || !matches!(item.kind, Kind::SocketAccepted | Kind::SocketRefused | Kind::SocketClosed { .. })
        });
    } else {
        for item in &mut items {
            if let Kind::Client(ClientSocket::Closed(_)) = item.kind {
                item.kind = Kind::SocketClosed { removed: false, by_restart: false };
            }
        }
    }
    out.items = items;
    out
}

/// A client's refresh that got no answer, while the server answered one of the same device well: that answer was lost. (Loggers show no
/// request id where there is no answer, so that the two are told to be one by their times alone.)
fn mark_lost_answers(items: &mut [Item]) {
    /// A clock that is set by request ids is right to a second; the request takes some time to get there (microseconds).
    const APART: i64 = 5 * SECOND;
    let given: Vec<(usize, i64)> = items
        .iter()
        .filter(|item| item.side == Side::Server && matches!(&item.kind, Kind::Refresh(refresh) if refresh.gave()))
        .map(|item| (item.lane, item.time))
        .collect();
    for item in items.iter_mut().filter(|item| item.timed != TimeFrom::Order) {
        let until = item.ended.max(item.time) + SECOND;
        let answered = |(lane, time): &(usize, i64)| *lane == item.lane && (item.time - APART..=until).contains(time);
        if matches!(item.kind, Kind::Refresh(Refresh::Unreachable(_))) && given.iter().any(answered) {
            item.kind = Kind::Refresh(Refresh::Lost);
        }
    }
}

/// So many calls of a trace must show how they ended before one that does not was never answered.
const LEAST_ENDED: usize = 4;

/// Whether a client's call shows how it ended; `None` if the event is none.
fn ended(event: &Event) -> Option<bool> {
    let request = event.request().filter(|request| request.side == Side::Client)?;
    Some(request.status.is_some() || request.answered || request.failure.is_some())
}

/// Where a client's trace shows requests that give or end a credential. What the app says of them in its own words counts only
/// where its HTTP logger is silent.
struct Shown(Vec<(u32, u64, Role, bool)>);

impl Shown {
    /// Within so many lines the app's words speak of the request that its logger shows: a block with headers and bodies is
    /// some fifty lines long, and others may stand between.
    const REACH: u64 = 150;

    fn of(actor: &Actor, identified: &Identified, roles: &Roles) -> Self {
        let shown = |place: &usize| {
            let event = &identified.events[*place];
            let request = event.request().filter(|request| request.side == Side::Client)?;
            let role = roles.of(request);
            let well = request.failure.is_none() && request.status.is_none_or(|status| status < 400);
            matches!(role, Role::Refresh | Role::SignIn).then_some((event.source, event.line, role, well))
        };
        Self(actor.events.iter().filter_map(shown).collect())
    }

    /// Whether a call of that role which ended so well is shown near by. (Some loggers show failures only.)
    fn near(&self, event: &Event, role: Role, well: bool) -> bool {
        self.0.iter().any(|(source, line, shown, ended)| {
            (*source, *shown, *ended) == (event.source, role, well) && line.abs_diff(event.line) <= Self::REACH
        })
    }

    /// What the app's own words add.
    fn in_words(&self, event: &Event, names: &Names) -> Option<(Kind, Sense)> {
        let kind = match &event.what {
            What::ClientRefresh(refresh)
                if !self.near(event, Role::Refresh, matches!(refresh, ClientRefresh::Done { .. })) =>
            {
                match refresh {
                    ClientRefresh::Started => return None,
                    ClientRefresh::Done { .. } => Refresh::Issued,
                    ClientRefresh::Failed { failure: Some(NetFailure::Unreadable), .. } => Refresh::Unreadable,
                    ClientRefresh::Failed { status: Some(status @ 500..), .. } => Refresh::Fault(*status, None),
                    ClientRefresh::Failed { status: Some(status), .. } => Refresh::Refused(*status),
                    ClientRefresh::Failed { failure, .. } => Refresh::Unreachable(failure.unwrap_or(NetFailure::Other)),
                }
            }
            What::State { to: AuthState::SignedIn, from, event: moved_by, .. }
                if *from != Some(AuthState::SignedIn)
                    && is_sign_in(names.text(*moved_by))
                    && !self.near(event, Role::SignIn, true) =>
            {
                return Some((Kind::SignIn, Sense::default()));
            }
            _ => return None,
        };
        Some((Kind::Refresh(kind), Sense::default()))
    }
}

/// Whether a bloc's event is a sign-in by the user, not a session restored at the start.
pub(crate) fn is_sign_in(event: &str) -> bool {
    let event = event.to_ascii_lowercase();
    ["login", "signin", "sign_in", "log_in", "signup", "register", "credentials"]
        .iter()
        .any(|word| event.contains(word))
}

fn push_socket(items: &mut Vec<Item>, attempt: &Attempt, lane: usize) {
    let base = Item {
        time: attempt.opened,
        ended: attempt.opened,
        timed: TimeFrom::Line,
        source: attempt.source,
        line: attempt.line,
        lane,
        kind: Kind::SocketAccepted,
        sense: attempt.sense,
        side: Side::Server,
        event: None,
        guessed: false,
    };
    match attempt.outcome {
        // It began when it was opened: what the app did besides, it did then.
        Outcome::Accepted(at) if attempt.opened > i64::MIN => {
            items.push(Item { ended: at.max(base.time), ..base.clone() })
        }
        Outcome::Accepted(at) => items.push(Item { time: at, ended: at, ..base.clone() }),
        Outcome::Refused(at) => {
            items.push(Item { time: at, ended: at, kind: Kind::SocketRefused, ..base });
            return;
        }
        Outcome::Anonymous(untagged) => {
            items.push(Item { kind: Kind::SocketAnonymous { untagged }, ..base });
            return;
        }
        Outcome::Unknown => {}
    }
    if let Some(closed) = attempt.closed {
        let kind = Kind::SocketClosed { removed: attempt.removed, by_restart: attempt.cut_by_restart };
        let line = attempt.closed_line.unwrap_or(attempt.line);
        items.push(Item { time: closed, ended: closed, line, kind, ..base });
    }
}

/// What an event is on a timeline. `covered`: the server's log shows this actor at that time, so the client's copy of an
/// answered request says nothing new.
fn item_of(event: &Event, twin: Option<&Event>, covered: bool, roles: &Roles) -> Option<(Kind, Sense)> {
    let kind = match &event.what {
        What::Request(request) => return request_item(request, twin, covered, roles),
        What::Socket(why401_parsers::event::Socket::Removing(_)) => Kind::Removing,
        What::Socket(_) | What::Process(_) => return None,
        What::State { to: AuthState::SignedIn, from, .. } => {
            if *from == Some(AuthState::SignedIn) {
                return None;
            }
            Kind::SignedIn
        }
        What::State { to: AuthState::SignedOut, from, asked, sense, .. } => {
            if *from == Some(AuthState::SignedOut) {
                return None;
            }
            if *asked {
                return Some((Kind::SignOut, *sense));
            }
            // From the start-up state to signed out: nothing was stored.
            if *from == Some(AuthState::SignedIn) {
                return Some((Kind::ForcedOut, *sense));
            }
            return None;
        }
        What::ClientSocket(socket) => match socket {
            ClientSocket::Connected => Kind::SocketAccepted,
            ClientSocket::Refused => Kind::SocketRefused,
            ClientSocket::Removed => Kind::Removing,
            ClientSocket::Closed(_) => Kind::Client(*socket),
            other => Kind::Client(*other),
        },
        What::Storage { locked } => Kind::Storage { locked: *locked },
        What::Lifecycle { resumed: true } => Kind::Resumed,
        What::Lifecycle { resumed: false } => Kind::Paused,
        What::ClientRefresh(_) | What::Lifetime(_) | What::Release { .. } => return None,
        What::RefreshDue(seconds) => Kind::RefreshDue(i64::from(*seconds) * SECOND),
        What::AppStart => Kind::AppStart,
        What::LoginPage => return None,
        What::NetworkDown => Kind::NetworkDown,
        What::Note { sense, .. } => {
            if sense.has(Sense::NO_SESSION) {
                return Some((Kind::NoSession, *sense));
            }
            return None;
        }
    };
    Some((kind, Sense::default()))
}

fn request_item(
    request: &why401_parsers::event::Request,
    twin: Option<&Event>,
    covered: bool,
    roles: &Roles,
) -> Option<(Kind, Sense)> {
    let role = roles.of(request);
    let sense = request.sense;
    if request.side == Side::Client {
        if let Some(failure) = request.failure {
            let server_answered =
                twin.and_then(Event::request).and_then(|twin| twin.status).is_some_and(|status| status < 400);
            let kind = match (role, server_answered) {
                (Role::Refresh, true) => Kind::Refresh(Refresh::Lost),
                (Role::Refresh, false) => Kind::Refresh(Refresh::Unreachable(failure)),
                _ => Kind::NoAnswer(failure),
            };
            return Some((kind, sense));
        }
        if covered || twin.is_some() {
            return None;
        }
        if request.status.is_none() && !request.answered {
            return None;
        }
    }
    let status = request.status.unwrap_or(if request.answered { 200 } else { 0 });
    let well = (200..400).contains(&status);
    let kind = match role {
        Role::Health | Role::Socket => return None,
        Role::SignIn if well => Kind::SignIn,
        Role::SignIn if (400..500).contains(&status) => Kind::FailedSignIn,
        Role::SignIn => return None,
        Role::Refresh => match status {
            200..400 => match &request.fault {
                Some(fault) => Kind::Refresh(Refresh::Swallowed(fault.clone())),
                None => Kind::Refresh(Refresh::Issued),
            },
            429 => return None,
            400..500 => Kind::Refresh(Refresh::Refused(status)),
            500.. => Kind::Refresh(Refresh::Fault(status, request.fault.clone())),
            _ => return None,
        },
        Role::SignOut if well => Kind::SignOut,
        Role::Revoke if well => Kind::Revoke,
        _ if is_unauthorized(status) => Kind::Unauthorized { route: request.action.unwrap_or(request.path), status },
        _ if (200..500).contains(&status) => Kind::Accepted { route: request.action.unwrap_or(request.path) },
        _ => return None,
    };
    Some((kind, sense))
}

/// The actor's devices by address. Addresses used one after the other are one device that moved; addresses used in turn over
/// a while are several.
fn lanes(actor: &Actor, events: &[Event]) -> (Vec<(Name, usize)>, usize) {
    /// So many changes back and forth are two devices; a phone that moves from Wi-Fi to mobile and back makes two.
    const ALTERNATIONS: usize = 4;
    let mut visits: Vec<Name> = Vec::new();
    for address in actor.events.iter().filter_map(|place| events[*place].address) {
        if visits.last() != Some(&address) {
            visits.push(address);
        }
    }
    let mut order: Vec<Name> = Vec::new();
    for address in &visits {
        if !order.contains(address) {
            order.push(*address);
        }
    }
    let mut lane_of: Vec<(Name, usize)> = Vec::new();
    let mut count = 0;
    for address in order {
        let alternates = |other: Name| {
            let both: Vec<Name> = visits.iter().copied().filter(|a| *a == address || *a == other).collect();
            both.windows(2).filter(|pair| pair[0] != pair[1]).count() >= ALTERNATIONS
        };
        let free =
            (0..count).find(|lane| lane_of.iter().filter(|(_, l)| l == lane).all(|(other, _)| !alternates(*other)));
        let lane = free.unwrap_or(count);
        count = count.max(lane + 1);
        lane_of.push((address, lane));
    }
    (lane_of, count.max(1))
}
