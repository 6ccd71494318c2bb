//! Whose events these are: keys joined into actors, shared addresses kept apart, clients' clocks set by the server's.

pub mod clock;
pub mod gid;
pub mod owner;
pub mod socket;
mod token;

use std::collections::{BTreeMap, HashMap, HashSet};

use why401_parsers::assemble::Assembled;
use why401_parsers::event::{Event, Name, Names, Request, Socket, What};
use why401_parsers::record::Side;
use why401_parsers::secret::RequestId;

use crate::session::endpoint::{Role, Roles};
use crate::spread::Crew;
use socket::Attempt;

/// Whom events belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A user, by the id as logged.
    User(Name),
    /// An e-mail whose user id no log names.
    Email(Name),
    /// An address whose user no log names.
    Address(Name),
    /// A client's trace that names nobody: the source's number.
    Trace(u32),
}

/// One actor: what its keys are and where its events stand.
#[derive(Debug, Default)]
pub struct Actor {
    /// E-mails seen with it.
    pub emails: Vec<Name>,
    /// Addresses seen with it.
    pub addresses: Vec<Name>,
    /// Devices seen with it.
    pub devices: Vec<Name>,
    /// Its events, as places in [`Identified::events`], in order of time.
    pub events: Vec<usize>,
    /// Its sockets on the server, in order of time.
    pub sockets: Vec<Attempt>,
    /// Client traces that speak of it.
    pub traces: Vec<u32>,
    /// The releases of the app that it ran, each from when on, in order of time.
    pub releases: Vec<(i64, Name)>,
    /// The events that were given to it by a shared address, where it stood out at that time: in order, as in `events`.
    pub guessed: Vec<usize>,
}

/// All events with their actors.
#[derive(Debug)]
pub struct Identified {
    /// All events, in order of time, sources, lines.
    pub events: Vec<Event>,
    /// Actors by key.
    pub actors: BTreeMap<Key, Actor>,
    /// What is known of each client's clock, by source.
    pub clocks: BTreeMap<u32, clock::ClientClock>,
    /// Which sources are clients' traces.
    pub client_sources: Vec<u32>,
    /// There is a server's log among the sources.
    pub has_server: bool,
    /// Server requests that a client's request is a copy of, by the place of the client's event.
    pub twins: HashMap<usize, usize>,
    /// The releases of the server, each from when on, in order of time.
    pub deploys: Vec<(i64, Name)>,
    /// Addresses behind which several users were seen.
    pub shared_addresses: Vec<Name>,
    /// Addresses that hide people: a proxy's or the machine's own.
    pub proxies: Vec<Name>,
}

/// Joins the events of all sources.
#[must_use]
pub(crate) fn identify(sources: Vec<Assembled>, roles: &Roles, names: &mut Names, crew: Crew) -> Identified {
    let client_sources: Vec<u32> = (0_u32..)
        .zip(&sources)
        .filter(|(_, source)| source.side == Side::Client && !source.events.is_empty())
        .map(|(number, _)| number)
        .collect();
    let has_server = sources.iter().any(|source| source.side == Side::Server && !source.events.is_empty());

    let mut server: Vec<Event> = Vec::new();
    let mut clients: Vec<(u32, Assembled)> = Vec::new();
    for (number, source) in (0_u32..).zip(sources) {
        if source.side == Side::Client {
            clients.push((number, source));
        } else if server.is_empty() {
            server = source.events;
        } else {
            server.extend(source.events);
        }
    }
    server.sort_by_key(|event| (event.time, event.source, event.line));
    name_gids(&mut server, names);
    let named: &Names = names;
    let (owners, (proxies, marked)) = crew
        .both(|| owner::Owners::named(&server), || (owner::proxies(server.iter(), named), socket::Marked::of(&server)));
    let mut owners = owners.learn(&server, roles, proxies);
    let sockets = socket::pair(&server, &marked, &mut owners, crew);
    let owners = owners;
    let (shared_addresses, proxies) = (owners.shared(), owners.proxies());

    let mut keys: Vec<(Key, bool)> = crew.each(&server, |event| owners.key_of(event, roles));

    // Clients: who they are, what their clock says.
    let mut events = server;
    let of_clients: HashSet<RequestId> =
        clients.iter().flat_map(|(_, source)| &source.events).filter_map(|event| event.request_id).collect();
    let by_id = places_by_id(&events, |_| true, &of_clients);
    let server_count = events.len();
    let mut clocks = BTreeMap::new();
    for (number, mut source) in clients {
        let whose = clock::whose(&source.events, &keys, &by_id, &owners);
        let theirs: Vec<usize> = (0..server_count).filter(|place| whose.main == Some(keys[*place].0)).collect();
        let set = clock::set(&mut source, &events[..server_count], &theirs, &by_id, names, roles);
        clocks.insert(number, set);
        for (event, key) in source.events.into_iter().zip(whose.keys) {
            events.push(event);
            keys.push((key.unwrap_or(Key::Trace(number)), false));
        }
    }

    // One order for all. (Servers' events are in it; where there are no others, nothing is moved.)
    if events.len() > server_count {
        let mut whole: Vec<(Event, (Key, bool))> = events.into_iter().zip(keys).collect();
        whole.sort_by_key(|(event, _)| (event.time, event.source, event.line));
        (events, keys) = whole.into_iter().unzip();
    }

    let mut deploys = Vec::new();
    for event in &events {
        if let What::Release { of_app: false, name } = event.what {
            note_release(&mut deploys, event.time, name);
        }
    }
    let (numbers, counts) = numbered(&keys);
    let parts = crew.split(counts.len(), |part| {
        let empty = |(_, count): &(Key, usize)| Actor { events: Vec::with_capacity(*count), ..Actor::default() };
        let mut actors: Vec<Actor> = counts[part.clone()].iter().map(empty).collect();
        for (place, number) in numbers.iter().enumerate().filter(|(_, number)| part.contains(number)) {
            actors[number - part.start].add(place, &events[place], keys[place].1, &client_sources);
        }
        actors
    });
    let mut actors: BTreeMap<Key, Actor> =
        counts.iter().map(|(key, _)| *key).zip(parts.into_iter().flatten()).collect();
    for attempt in sockets {
        if let Some(key) = attempt.key {
            actors.entry(key).or_default().sockets.push(attempt);
        }
    }
    for actor in actors.values_mut() {
        actor.sockets.sort_by_key(|attempt| (attempt.opened, attempt.line));
    }
    let twins = twins(&events, &actors, names);
    Identified { events, actors, clocks, client_sources, has_server, twins, deploys, shared_addresses, proxies }
}

impl Actor {
    /// Takes in its next event; `guessed`: it is its by a guess.
    fn add(&mut self, place: usize, event: &Event, guessed: bool, client_sources: &[u32]) {
        if let What::Release { of_app: true, name } = event.what {
            note_release(&mut self.releases, event.time, name);
        }
        self.events.push(place);
        if guessed {
            self.guessed.push(place);
        }
        for (list, value) in
            [(&mut self.emails, event.email), (&mut self.addresses, event.address), (&mut self.devices, event.device)]
        {
            if let Some(value) = value.filter(|value| !list.contains(value)) {
                list.push(value);
            }
        }
        if client_sources.contains(&event.source) && !self.traces.contains(&event.source) {
            self.traces.push(event.source);
        }
    }
}

/// The number of each event's actor, and the actors, each with the count of its events.
fn numbered(keys: &[(Key, bool)]) -> (Vec<usize>, Vec<(Key, usize)>) {
    let mut known: HashMap<Key, usize, foldhash::fast::RandomState> = HashMap::default();
    let mut counts: Vec<(Key, usize)> = Vec::new();
    let numbers: Vec<usize> = keys
        .iter()
        .map(|(key, _)| {
            let number = *known.entry(*key).or_insert_with(|| {
                counts.push((*key, 0));
                counts.len() - 1
            });
            counts[number].1 += 1;
            number
        })
        .collect();
    (numbers, counts)
}

/// Where the requests of these ids are.
fn places_by_id(
    events: &[Event],
    is: impl Fn(&Request) -> bool,
    wanted: &HashSet<RequestId>,
) -> HashMap<RequestId, usize> {
    if wanted.is_empty() {
        return HashMap::new();
    }
    let place_of = |(place, event): (usize, &Event)| {
        event.request().filter(|request| is(request))?;
        event.request_id.filter(|id| wanted.contains(id)).map(|id| (id, place))
    };
    events.iter().enumerate().filter_map(place_of).collect()
}

/// Releases that follow each other, each once.
fn note_release(releases: &mut Vec<(i64, Name)>, time: i64, name: Name) {
    if releases.last().is_none_or(|(_, known)| *known != name) {
        releases.push((time, name));
    }
}

/// The release that ran at a time.
pub(crate) fn release_at(releases: &[(i64, Name)], time: i64) -> Option<Name> {
    let before = releases.partition_point(|(from, _)| *from <= time);
    releases[..before].last().map(|(_, name)| *name)
}

/// A socket's identifier names a user: the event gets it. Where ActionCable's tags call him otherwise (by his e-mail, a device), what stands
/// in the tag is his from then on; where it stands with several users, it is nobody's.
fn name_gids(events: &mut [Event], names: &mut Names) {
    let mut of_gid: HashMap<Name, Option<Name>, foldhash::fast::RandomState> = HashMap::default();
    let mut of_tag: HashMap<Name, Option<Name>, foldhash::fast::RandomState> = HashMap::default();
    for event in &mut *events {
        let (gid, accepted) = match event.what {
            What::Socket(Socket::Accepted(gid)) => (gid, true),
            What::Socket(Socket::Removing(gid)) => (gid, false),
            _ => continue,
        };
        let user = *of_gid.entry(gid).or_insert_with(|| {
            let user = gid::user(names.text(gid));
            user.map(|user| names.intern(user.as_bytes()))
        });
        let Some(user) = user else { continue };
        match event.user {
            Some(tag) if accepted && tag != user && !gid::is_of_device(names.text(gid)) => {
                let whose = of_tag.entry(tag).or_insert(Some(user));
                *whose = whose.filter(|known| *known == user);
            }
            Some(_) => {}
            None => event.user = Some(user),
        }
    }
    if of_tag.is_empty() {
        return;
    }
    for event in events {
        let Some(whose) = event.user.and_then(|tag| of_tag.get(&tag)) else { continue };
        event.user = match event.what {
            What::Socket(Socket::Accepted(gid)) => of_gid.get(&gid).copied().flatten().or(*whose),
            _ => *whose,
        };
    }
}

/// A client's request and a server's are the same where they have one id, else where actor, method, path and (nearly) time agree.
fn twins(events: &[Event], actors: &BTreeMap<Key, Actor>, names: &Names) -> HashMap<usize, usize> {
    /// How far two clocks that were set by each other may still be apart, and a request be on its way: microseconds.
    const NEAR: i64 = 5_000_000;
    // Of GraphQL a server's log may name the operation, which a client's trace does not.
    let is_of = |operation: Name, path: Name| {
        let behind = || names.text(operation).strip_prefix(names.text(path))?.strip_prefix('/');
        operation == path || names.text(path).ends_with("/graphql") && behind().is_some_and(|name| !name.contains('/'))
    };
    let mut twins = HashMap::new();
    if actors.values().all(|actor| actor.traces.is_empty()) {
        return twins;
    }
    let clients = events.iter().filter_map(|event| {
        event.request().filter(|request| request.side == Side::Client)?;
        event.request_id
    });
    let by_id = places_by_id(events, |request| request.side == Side::Server, &clients.collect());
    for actor in actors.values().filter(|actor| !actor.traces.is_empty()) {
        let mut taken: Vec<usize> = Vec::new();
        let requests: Vec<usize> =
            actor.events.iter().copied().filter(|place| events[*place].request().is_some()).collect();
        for client in &requests {
            let Some(request) = events[*client].request().filter(|request| request.side == Side::Client) else {
                continue;
            };
            if let Some(server) = events[*client].request_id.and_then(|id| by_id.get(&id)) {
                twins.insert(*client, *server);
                taken.push(*server);
                continue;
            }
            let time = events[*client].time;
            let near = requests.iter().copied().filter(|place| {
                events[*place].request().is_some_and(|other| {
                    other.side == Side::Server
                        && is_of(other.path, request.path)
                        && (other.method == request.method)
                        && (request.status.is_none() || other.status.is_none() || request.status == other.status)
                }) && (events[*place].time - time).abs() <= NEAR
                    && !taken.contains(place)
            });
            if let Some(server) = near.min_by_key(|place| (events[*place].time - time).abs()) {
                twins.insert(*client, server);
                taken.push(server);
            }
        }
    }
    twins
}

/// The role of an event's request, if it is one.
pub(crate) fn role(event: &Event, roles: &Roles) -> Option<Role> {
    event.request().map(|request| roles.of(request))
}
