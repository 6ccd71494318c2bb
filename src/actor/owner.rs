//! Whose an address was, and when: the join of last resort, undone where an address turns out to be shared.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use foldhash::fast::RandomState;
use why401_parsers::event::{Event, Name, Names, What};

use super::Key;
use crate::session::endpoint::{Role, Roles};

/// Sightings of users on addresses, and of users behind e-mails.
#[derive(Debug, Default)]
pub struct Owners {
    addresses: HashMap<Name, Seen, RandomState>,
    /// The machine's own or a private address that most requests come from: a proxy, or a developer.
    proxies: BTreeSet<Name>,
    emails: HashMap<Name, Name, RandomState>,
    /// Addresses with sightings that are not in their place yet.
    unsettled: Vec<Name>,
}

/// Who was seen on an address.
#[derive(Debug, Default)]
struct Seen {
    /// When which user was, in order of time.
    times: Vec<(i64, Name)>,
    /// The same, of sightings that came later than others of a later time: put in their place all at once.
    late: Vec<(i64, Name)>,
    /// The first of them, and the others: of most addresses there are none.
    first: Option<Name>,
    others: BTreeSet<Name>,
}

impl Seen {
    fn add(&mut self, user: Name) {
        let first = *self.first.get_or_insert(user);
        if first != user {
            self.others.insert(user);
        }
    }

    fn settle(&mut self) {
        if !self.late.is_empty() {
            self.times.reserve_exact(self.late.len());
            self.times.append(&mut std::mem::take(&mut self.late));
            self.times.sort_by_key(|(time, _)| *time);
        }
    }

    fn count(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }
}

/// Within this time (microseconds) a sighting on a shared address counts as the same presence: people keep an address for
/// minutes at least, and in an office many act within the same minutes.
const PRESENCE: i64 = 120 * 1_000_000;

/// How soon after a refresh (microseconds) the app's next call or its socket follows.
const GOES_ON: i64 = 1_500_000;

/// How soon after a sign-in (microseconds) the user's first named act follows: apps load their start page at once.
const SIGN_IN_REACH: i64 = 60 * 1_000_000;

impl Owners {
    /// Learns from sign-ins besides, and which addresses are proxies'.
    #[must_use]
    pub(super) fn learn(self, events: &[Event], roles: &Roles, proxies: BTreeSet<Name>) -> Self {
        let mut owners = Self { proxies, ..self };
        // A sign-in by e-mail, then a user on the same address: one and the same.
        for event in events {
            let (Some(email), Some(address), None) = (event.email, event.address, event.user) else { continue };
            let signed_in = event
                .request()
                .is_some_and(|request| roles.of(request) == Role::SignIn && request.status.is_some_and(|s| s < 400));
            if !signed_in || owners.emails.contains_key(&email) {
                continue;
            }
            let next = owners.addresses.get(&address).and_then(|seen| {
                seen.times
                    .iter()
                    .find(|(time, _)| (0..=SIGN_IN_REACH).contains(&(time - event.time)))
                    .map(|(_, user)| *user)
            });
            if let Some(user) = next {
                owners.emails.insert(email, user);
            }
        }
        owners
    }

    /// Learns from events that name both a user and an address, or an e-mail.
    pub(super) fn named(events: &[Event]) -> Self {
        let mut owners = Self::default();
        for event in events {
            if let (Some(user), Some(address)) = (event.user, event.address) {
                owners.sight(event.time, user, address);
            }
            if let (Some(user), Some(email)) = (event.user, event.email) {
                owners.emails.entry(email).or_insert(user);
            }
        }
        owners
    }

    /// A user was seen on an address.
    pub fn sight(&mut self, time: i64, user: Name, address: Name) {
        let seen = self.addresses.entry(address).or_default();
        // Behind a proxy's address anybody may be, whoever is seen there when; and many are.
        if seen.count() > 1 && self.proxies.contains(&address) {
            seen.add(user);
            return;
        }
        let last = seen.times.last().copied();
        if last.is_none_or(|(other, _)| other <= time) {
            seen.times.push((time, user));
        } else {
            if seen.late.is_empty() {
                self.unsettled.push(address);
            }
            seen.late.push((time, user));
        }
        if last.is_none_or(|(_, other)| other != user) {
            seen.add(user);
        }
    }

    /// Puts what was seen in its place. Who held an address can be asked until somebody is seen anew.
    pub(super) fn settle(&mut self) {
        for address in std::mem::take(&mut self.unsettled) {
            if let Some(seen) = self.addresses.get_mut(&address) {
                seen.settle();
            }
        }
    }

    /// The user whom an e-mail belongs to.
    #[must_use]
    pub fn user_of_email(&self, email: Name) -> Option<Name> {
        self.emails.get(&email).copied()
    }

    /// Whether a user was ever seen on an address.
    #[must_use]
    pub fn knows(&self, user: Name, address: Name) -> bool {
        self.addresses.get(&address).is_some_and(|seen| seen.first == Some(user) || seen.others.contains(&user))
    }

    /// Private addresses that most requests come from: who is behind them is not to be told.
    #[must_use]
    pub fn proxies(&self) -> Vec<Name> {
        self.proxies.iter().copied().collect()
    }

    /// How many users were seen on an address.
    #[must_use]
    pub fn count(&self, address: Name) -> usize {
        self.addresses.get(&address).map_or(0, Seen::count)
    }

    /// Addresses with several users.
    #[must_use]
    pub fn shared(&self) -> Vec<Name> {
        let crowded = self.addresses.iter().filter(|(_, seen)| seen.count() > 1).map(|(address, _)| *address);
        let mut shared: Vec<Name> = crowded.chain(self.proxies.iter().copied()).collect();
        shared.sort_unstable();
        shared.dedup();
        shared
    }

    /// Who held an address at a time, by all that was seen so far: see [`Self::at`].
    pub(super) fn settled_at(&mut self, address: Name, time: i64) -> Option<(Name, bool)> {
        self.addresses.get_mut(&address)?.settle();
        self.at(address, time)
    }

    /// Who held an address at a time; `true` if that is a guess. On an address of one user it is that user; on a shared one
    /// whoever was seen before and after, or just then, if one stands out.
    #[must_use]
    pub fn at(&self, address: Name, time: i64) -> Option<(Name, bool)> {
        let seen = self.addresses.get(&address)?;
        let is_proxy = self.proxies.contains(&address);
        if seen.count() == 1 && !is_proxy {
            return Some((seen.first?, false));
        }
        // Behind a proxy's address anybody may be.
        if is_proxy && seen.count() > 1 {
            return None;
        }
        let seen = &seen.times;
        let next = seen.partition_point(|(other, _)| *other < time);
        let before = next.checked_sub(1).and_then(|place| seen.get(place));
        let after = seen.get(next);
        match (before, after) {
            (Some((_, one)), Some((_, other))) if one == other => Some((*one, true)),
            _ => {
                let near: BTreeSet<Name> =
                    seen.iter().filter(|(other, _)| (other - time).abs() <= PRESENCE).map(|(_, user)| *user).collect();
                if near.len() == 1 {
                    return near.first().map(|user| (*user, true));
                }
                None
            }
        }
    }

    /// The only user who was seen on an address just after a time; `None` behind a proxy.
    fn next_on(&self, address: Name, time: i64) -> Option<Name> {
        if self.proxies.contains(&address) {
            return None;
        }
        let seen = &self.addresses.get(&address)?.times;
        let from = seen.partition_point(|(other, _)| *other < time);
        let mut soon = seen[from..].iter().take_while(|(other, _)| other - time <= GOES_ON).map(|(_, user)| *user);
        let first = soon.next()?;
        soon.all(|other| other == first).then_some(first)
    }

    /// Whose an event is; `true` if by a guess.
    #[must_use]
    pub fn key_of(&self, event: &Event, roles: &Roles) -> (Key, bool) {
        if let Some(user) = event.user {
            return (Key::User(user), false);
        }
        let owner = event.address.and_then(|address| self.at(address, event.time));
        // The e-mail of a failed sign-in says whom somebody wanted to be, not who it was.
        let failed_sign_in = event
            .request()
            .is_some_and(|request| roles.of(request) == Role::SignIn && request.status.is_none_or(|s| s >= 400));
        if !failed_sign_in && let Some(user) = event.email.and_then(|email| self.user_of_email(email)) {
            return (Key::User(user), false);
        }
        if let Some((user, guessed)) = owner {
            return (Key::User(user), guessed);
        }
        // On a shared address: with a new token the app goes on at once.
        let refresh = event
            .request()
            .filter(|request| roles.of(request) == Role::Refresh && request.status.is_some_and(|status| status < 400));
        let next = refresh.and_then(|_| self.next_on(event.address?, event.ended.map_or(event.time, i64::from)));
        if let Some(user) = next {
            return (Key::User(user), true);
        }
        match (event.address, event.email) {
            (Some(address), _) => (Key::Address(address), false),
            (None, Some(email)) if !failed_sign_in => (Key::Email(email), false),
            _ => (Key::Trace(event.source), false),
        }
    }
}

/// More than this share of all requests from one private address is no person's device.
const MOST_OF_ALL: f64 = 0.6;

/// Private addresses that most requests come from, and the machine's own.
pub(crate) fn proxies<'e>(events: impl Iterator<Item = &'e Event>, names: &Names) -> BTreeSet<Name> {
    let mut counts: HashMap<Name, usize, RandomState> = HashMap::default();
    for event in events.filter(|event| event.request().is_some()) {
        if let Some(address) = event.address {
            *counts.entry(address).or_default() += 1;
        }
    }
    let all: usize = counts.values().sum();
    let is_proxy = |address: Name, count: usize| match names.text(address).parse::<IpAddr>() {
        Ok(ip) if ip == IpAddr::V4(Ipv4Addr::LOCALHOST) || ip == IpAddr::V6(Ipv6Addr::LOCALHOST) => true,
        #[allow(clippy::cast_precision_loss, reason = "counts of requests")]
        Ok(IpAddr::V4(ip)) => ip.is_private() && count as f64 > all as f64 * MOST_OF_ALL,
        #[allow(clippy::cast_precision_loss, reason = "counts of requests")]
        Ok(IpAddr::V6(ip)) => ip.is_unique_local() && count as f64 > all as f64 * MOST_OF_ALL,
        Err(_) => false,
    };
    counts.into_iter().filter(|(address, count)| is_proxy(*address, *count)).map(|(address, _)| address).collect()
}

/// Whether an event is a server process's own, which belongs to nobody.
#[must_use]
pub fn is_process(event: &Event) -> bool {
    matches!(event.what, What::Process(_))
}
