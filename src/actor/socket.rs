//! Sockets on the server: from a request that was upgraded to its acceptance or refusal and its end.
//!
//! ActionCable's lines after the upgrade have no request id; a refusal has no user and no address either. They are put
//! together by user and address where tags or earlier lines tie these, else by order: a refused connection ends at once, so
//! of the connections that are open and undecided, the one whose end comes next is the refused one.

mod live;

use std::collections::{BTreeMap, HashMap, VecDeque};

use why401_parsers::event::{Event, Name, Socket, What};
use why401_parsers::record::{Process, Sense};
use why401_parsers::secret::Fingerprint;

use super::{Key, owner::Owners};
use crate::spread::Crew;
use live::Live;

/// What became of an attempt to open a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted at this time.
    Accepted(i64),
    /// Refused by the app at this time.
    Refused(i64),
    /// Neither refused nor named, though this log names the others: it stands without its user. `true` if its end, where others'
    /// carry their user's tag, carries none.
    Anonymous(bool),
    /// The log does not say.
    Unknown,
}

/// One attempt to open a socket.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Whose it is.
    pub key: Option<Key>,
    /// From where.
    pub address: Option<Name>,
    /// When, microseconds since 1970.
    pub opened: i64,
    /// What became of it.
    pub outcome: Outcome,
    /// When it ended; `None` if no line says so.
    pub closed: Option<i64>,
    /// It ended because the server's process did.
    pub cut_by_restart: bool,
    /// The server removed it.
    pub removed: bool,
    /// The source and line that prove the outcome.
    pub source: u32,
    /// See `source`.
    pub line: u64,
    /// The line of its end.
    pub closed_line: Option<u64>,
    /// It was open together with other strangers' when one of them was accepted: which one was, nobody knows.
    doubtful: bool,
    /// Its end carries no user's tag.
    pub untagged_end: bool,
    /// What the app's own words around it mean.
    pub sense: Sense,
    /// The token it came with, where the log shows tokens.
    pub token: Option<Fingerprint>,
}

/// How long (microseconds) an attempt may stay undecided: authentication takes milliseconds, a loaded server seconds.
const UNDECIDED: i64 = 120 * 1_000_000;

/// A socket of one token that lived less than this (microseconds) and never subscribed was refused: lograge shows nothing else.
const REFUSED_LIFE: i64 = 15 * 1_000_000;

/// So many connections must have been named before one that is not is anonymous: an app that identifies its connections by something
/// else than a user names none.
const LEAST_NAMED: usize = 3;

/// A connection unsubscribes its channels just before it ends: milliseconds, on a loaded server seconds (microseconds).
const CHANNELS_FIRST: i64 = 3_000_000;

/// How long before a refusal (microseconds) the app's own line about it stands.
const WORDS_REACH: i64 = 15 * 1_000_000;

/// What matters for sockets among events.
#[derive(Debug, Default)]
pub(super) struct Marked<'e> {
    sources: BTreeMap<u32, OfSource<'e>>,
    /// Ends of connections that carry a user's tag say whose the token is.
    holders: HashMap<Fingerprint, Name>,
}

/// Of one source: all but requests, in order of time.
#[derive(Debug)]
struct OfSource<'e> {
    events: Vec<&'e Event>,
    /// Ends of accepted connections carry a tag, so one without was refused.
    tagged_ends: bool,
    /// The latest time of all, microseconds.
    latest: i64,
}

impl<'e> Marked<'e> {
    /// Of events in order of time.
    pub(super) fn of(events: &'e [Event]) -> Self {
        let mut marked = Self::default();
        for event in events {
            let none = || OfSource { events: Vec::new(), tagged_ends: false, latest: i64::MIN };
            let source = marked.sources.entry(event.source).or_insert_with(none);
            source.latest = source.latest.max(event.time);
            if !matches!(event.what, What::Request(_)) {
                source.events.push(event);
            }
            if let (What::Socket(Socket::Disconnect(token)), Some(user)) = (&event.what, event.user) {
                source.tagged_ends = true;
                marked.holders.extend(token.map(|token| (token, user)));
            }
        }
        marked
    }
}

/// Finds the sockets of all server sources, in order of time. Users and addresses that become known by it are learned.
pub(super) fn pair(events: &[Event], marked: &Marked<'_>, owners: &mut Owners, crew: Crew) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    for source in marked.sources.values() {
        let mut pairing = Pairing::new(&marked.holders, source);
        for event in &source.events {
            pairing.step(event, owners);
        }
        attempts.extend(pairing.finish(owners));
    }
    owners.settle();
    super::token::owners_of_tokens(&mut attempts, events, crew);
    for attempt in &mut attempts {
        if attempt.key.is_none() {
            // A refused socket of a shared address that no line names may be anybody's there: it stays with the address.
            let refused = matches!(attempt.outcome, Outcome::Refused(_));
            attempt.key = attempt.address.map(|address| match owners.at(address, attempt.opened) {
                Some((user, guessed)) if !(guessed && refused) => Key::User(user),
                _ => Key::Address(address),
            });
        }
    }
    attempts
}

struct Pairing<'a> {
    /// Whose tokens are, as far as tags say.
    holders: &'a HashMap<Fingerprint, Name>,
    /// Ends of accepted connections carry a tag in this source, so one without was refused.
    tagged_ends: bool,
    /// Opened and not decided, the oldest first.
    undecided: VecDeque<Attempt>,
    /// Accepted and not ended.
    live: Live,
    /// Refusals that no attempt has taken yet: time, line, words, user.
    refusals: VecDeque<(i64, u64, Sense, Option<Name>)>,
    /// The app's words about a socket, just said.
    words: VecDeque<(i64, Sense, Option<Name>)>,
    done: Vec<Attempt>,
    /// lograge: when a channel was last unsubscribed, with no connection ended since. The connection that ends next had been
    /// accepted: a refused one has no channels.
    unsubscribed_at: Option<i64>,
    /// lograge: by token, what is open.
    by_token: HashMap<Fingerprint, VecDeque<Attempt>>,
    /// lograge: connections since which no channel was subscribed, the oldest first.
    unsubscribed: VecDeque<(i64, Fingerprint)>,
    /// How many connections were named when they were accepted.
    named: usize,
    /// When an acceptance found no attempt that is surely its own: an attempt of that time may be the one.
    strayed: Vec<i64>,
    /// Ends of connections carry their user's tag.
    tagged_closes: bool,
    /// The latest time of the source.
    now: i64,
}

impl<'a> Pairing<'a> {
    fn new(holders: &'a HashMap<Fingerprint, Name>, source: &OfSource<'_>) -> Self {
        Self {
            holders,
            tagged_ends: source.tagged_ends,
            undecided: VecDeque::new(),
            live: Live::default(),
            refusals: VecDeque::new(),
            words: VecDeque::new(),
            done: Vec::new(),
            unsubscribed_at: None,
            by_token: HashMap::new(),
            unsubscribed: VecDeque::new(),
            named: 0,
            strayed: Vec::new(),
            tagged_closes: false,
            now: source.latest,
        }
    }

    fn step(&mut self, event: &Event, owners: &mut Owners) {
        match &event.what {
            What::Socket(socket) => self.socket(event, *socket, owners),
            What::Process(Process::Boot) => self.restart(event.time),
            What::Note { sense, .. } if sense.has(Sense::SOCKET) || sense.has(Sense::REFUSED) => {
                self.words.push_back((event.time, *sense, event.user));
                if self.words.len() > 16 {
                    self.words.pop_front();
                }
            }
            _ => {}
        }
    }

    fn socket(&mut self, event: &Event, socket: Socket, owners: &mut Owners) {
        match socket {
            Socket::Opened => {
                self.expire(event.time);
                self.undecided.push_back(attempt(event, event.address, None));
            }
            Socket::Accepted(_) => self.accepted(event, owners),
            Socket::Refused => {
                let said = self.words.iter().rposition(|(time, sense, _)| {
                    (event.time - time).abs() <= WORDS_REACH && (sense.has(Sense::REFUSED) || sense.has(Sense::EXPIRED))
                });
                let (sense, user) = said
                    .and_then(|place| self.words.remove(place))
                    .map_or((Sense::default(), None), |(_, sense, user)| (sense, user));
                self.refusals.push_back((event.time, event.line, sense, user));
            }
            Socket::Closed => self.closed(event, owners),
            Socket::Removing(_) => {
                if let Some(user) = event.user {
                    self.live.remove_of(user);
                }
            }
            Socket::Connect(Some(token)) => {
                let mut opened = attempt(event, None, Some(token));
                opened.key = self.holders.get(&token).copied().map(Key::User);
                self.by_token.entry(token).or_default().push_back(opened);
                self.unsubscribed.push_back((event.time, token));
                if self.unsubscribed.len() > 256 {
                    self.unsubscribed.pop_front();
                }
            }
            Socket::Disconnect(Some(token)) => self.disconnected(event, token),
            Socket::Subscribed => self.channel(event),
            Socket::Unsubscribed => self.unsubscribed_at = Some(event.time),
            Socket::Upgraded | Socket::UpgradeFailed | Socket::Connect(None) | Socket::Disconnect(None) => {}
        }
    }

    /// Attempts that nothing decided in time stay undecided: an app that logs neither acceptance nor refusal.
    fn expire(&mut self, now: i64) {
        while self.undecided.front().is_some_and(|attempt| attempt.opened + UNDECIDED < now) {
            if let Some(attempt) = self.undecided.pop_front() {
                // Open and neither refused nor named: still a live socket of whoever holds the address.
                self.live.push(attempt);
            }
        }
        self.refusals.retain(|(time, ..)| time + UNDECIDED >= now);
    }

    fn accepted(&mut self, event: &Event, owners: &mut Owners) {
        let user = event.user;
        self.named += usize::from(user.is_some());
        let fits = |attempt: &Attempt| attempt.opened <= event.time + 1_000_000;
        let known =
            |attempt: &Attempt| user.zip(attempt.address).is_some_and(|(user, address)| owners.knows(user, address));
        let nobodys = |attempt: &Attempt| attempt.address.is_none_or(|address| owners.count(address) == 0);
        let place = self
            .undecided
            .iter()
            .position(|attempt| fits(attempt) && known(attempt))
            .or_else(|| self.undecided.iter().position(|attempt| fits(attempt) && nobodys(attempt)));
        // Several strangers' attempts are open: which of them this is, order alone says, so nobody's address is learned by it.
        let sure = self.undecided.iter().any(|attempt| fits(attempt) && known(attempt));
        let ambiguous = !sure && self.undecided.iter().filter(|attempt| fits(attempt) && nobodys(attempt)).count() > 1;
        if ambiguous {
            for attempt in self.undecided.iter_mut().filter(|attempt| fits(attempt) && nobodys(attempt)) {
                attempt.doubtful = true;
            }
        }
        let mut attempt = place.and_then(|place| self.undecided.remove(place)).unwrap_or_else(|| {
            self.strayed.push(event.time);
            attempt(event, event.address, None)
        });
        // Whoever is left of several strangers is no better known than the first of them.
        if attempt.doubtful && !sure {
            attempt.address = None;
            self.strayed.push(event.time);
        }
        attempt.outcome = Outcome::Accepted(event.time);
        attempt.line = event.line;
        attempt.key = user.map(Key::User);
        if let (Some(user), Some(address)) = (user, attempt.address) {
            owners.sight(event.time, user, address);
        }
        self.live.push(attempt);
    }

    fn closed(&mut self, event: &Event, owners: &mut Owners) {
        self.tagged_closes |= event.user.is_some();
        let Some(address) = event.address else { return };
        // A tag of a user stands on it: an accepted socket. (Refused ones are never tagged.)
        if event.user.is_none() && !self.refusals.is_empty() {
            let place = self.undecided.iter().position(|attempt| attempt.address == Some(address));
            if let Some(mut attempt) = place.and_then(|place| self.undecided.remove(place)) {
                let owner = owners.settled_at(address, event.time).map(|(user, _)| user);
                let by_user = self.refusals.iter().position(|(_, _, _, user)| user.is_some() && *user == owner);
                let free = self.refusals.iter().position(|(_, _, _, user)| user.is_none() || owner.is_none());
                let Some((time, line, sense, user)) =
                    by_user.or(free).or(Some(0)).and_then(|place| self.refusals.remove(place))
                else {
                    return;
                };
                attempt.outcome = Outcome::Refused(time);
                attempt.line = line;
                attempt.sense = sense;
                attempt.closed = Some(event.time);
                attempt.closed_line = Some(event.line);
                // On a shared address the owner is a guess, and the refusal's own words know better.
                let guessed = owners.count(address) != 1;
                attempt.key = user.map(Key::User).filter(|_| owner.is_none() || owner == user || guessed);
                self.done.push(attempt);
                return;
            }
        }
        let ended = self.live.take(address, event.user).or_else(|| {
            let place = self.undecided.iter().position(|attempt| attempt.address == Some(address))?;
            self.undecided.remove(place)
        });
        // A socket that was opened before the log began.
        let mut ended = ended.unwrap_or_else(|| Attempt { opened: i64::MIN, ..attempt(event, Some(address), None) });
        ended.closed = Some(event.time);
        ended.closed_line = Some(event.line);
        ended.untagged_end = event.user.is_none();
        ended.key = ended.key.or(event.user.map(Key::User));
        self.done.push(ended);
    }

    /// With the process its sockets end, and no line says so.
    fn restart(&mut self, now: i64) {
        for mut attempt in self.live.drain().chain(self.undecided.drain(..)) {
            attempt.cut_by_restart = true;
            attempt.closed = Some(now);
            self.done.push(attempt);
        }
        for mut attempt in self.by_token.drain().flat_map(|(_, attempts)| attempts) {
            attempt.cut_by_restart = true;
            attempt.closed = Some(now);
            // A refused one would have ended at once.
            attempt.outcome = Outcome::Accepted(attempt.opened);
            self.done.push(attempt);
        }
        self.refusals.clear();
        self.unsubscribed.clear();
    }

    /// A channel was subscribed: by the connection that is waiting for it longest (with a tag, of that user's).
    fn channel(&mut self, event: &Event) {
        self.unsubscribed.retain(|(time, _)| time + UNDECIDED >= event.time);
        // The subscriber's own connection if its token is known for his, else the latest that nobody is known for: clients
        // subscribe as soon as they are welcome.
        let held_by = |token: &Fingerprint| self.holders.get(token).copied();
        let own = event.user.and_then(|user| {
            self.unsubscribed.iter().rev().find(|(_, token)| held_by(token) == Some(user)).map(|(_, token)| *token)
        });
        let free =
            || self.unsubscribed.iter().rev().find(|(_, token)| held_by(token).is_none()).map(|(_, token)| *token);
        let Some(token) = own.or_else(|| event.user.and_then(|_| free())) else { return };
        if let Some(attempt) = self.by_token.get_mut(&token).and_then(VecDeque::back_mut) {
            attempt.outcome = Outcome::Accepted(attempt.opened);
            attempt.key = attempt.key.or(event.user.map(Key::User));
        }
        // Apps subscribe one channel or a few at once; the first says that the connection stands, the others are told
        // from another connection's first by time alone.
        self.unsubscribed.retain(|(_, other)| *other != token);
    }

    fn disconnected(&mut self, event: &Event, token: Fingerprint) {
        let Some(mut attempt) = self.by_token.get_mut(&token).and_then(VecDeque::pop_front) else { return };
        attempt.closed = Some(event.time);
        attempt.closed_line = Some(event.line);
        attempt.key = attempt.key.or(event.user.map(Key::User));
        let short = event.time - attempt.opened < REFUSED_LIFE;
        let had_channels = self.unsubscribed_at.take().is_some_and(|at| event.time - at <= CHANNELS_FIRST);
        let refused = event.user.is_none() && (self.tagged_ends || short) && !had_channels;
        attempt.outcome = if refused { Outcome::Refused(event.time) } else { Outcome::Accepted(attempt.opened) };
        self.unsubscribed.retain(|(_, other)| *other != token);
        self.done.push(attempt);
    }

    fn finish(mut self, owners: &Owners) -> Vec<Attempt> {
        // Refusals whose end is not in the log go to the oldest attempts that are open.
        for (time, line, sense, user) in self.refusals {
            let place = self.undecided.iter().position(|attempt| {
                user.is_none_or(|user| attempt.address.is_none_or(|address| owners.knows(user, address)))
            });
            if let Some(mut attempt) = place.and_then(|place| self.undecided.remove(place)) {
                attempt.outcome = Outcome::Refused(time);
                attempt.line = line;
                attempt.sense = sense;
                self.done.push(attempt);
            }
        }
        self.done.extend(self.live.drain());
        self.done.extend(self.undecided);
        self.done.extend(self.by_token.into_values().flatten());
        if self.named >= LEAST_NAMED {
            self.strayed.sort_unstable();
            let strayed = |opened: i64| {
                let first = self.strayed.partition_point(|time| *time < opened.saturating_sub(UNDECIDED));
                self.strayed.get(first).is_some_and(|time| *time <= opened.saturating_add(UNDECIDED))
            };
            let now = self.now;
            for attempt in self.done.iter_mut().filter(|a| a.stood_unnamed(now) && !strayed(a.opened)) {
                attempt.outcome = Outcome::Anonymous(self.tagged_closes && attempt.untagged_end);
            }
        }
        self.done.sort_by_cached_key(|attempt| (attempt.opened, attempt.line));
        self.done
    }
}

impl Attempt {
    /// Whether it lived longer than a refused connection does, and no line named it.
    fn stood_unnamed(&self, now: i64) -> bool {
        self.outcome == Outcome::Unknown
            && self.opened > i64::MIN
            && !self.cut_by_restart
            && self.token.is_none()
            && !self.doubtful
            && self.closed.unwrap_or(now.saturating_sub(UNDECIDED)) - self.opened > REFUSED_LIFE
    }
}

fn attempt(event: &Event, address: Option<Name>, token: Option<Fingerprint>) -> Attempt {
    Attempt {
        key: event.user.map(Key::User),
        address,
        opened: event.time,
        outcome: Outcome::Unknown,
        closed: None,
        cut_by_restart: false,
        removed: false,
        source: event.source,
        line: event.line,
        closed_line: None,
        doubtful: false,
        untagged_end: false,
        sense: Sense::default(),
        token,
    }
}
