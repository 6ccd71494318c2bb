//! Sockets that are open: found by whose they are and from where, the oldest first, however many are open at a time.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;
use why401_parsers::event::Name;

use super::Attempt;
use crate::actor::Key;

/// What is open and not ended, in the order in which it was taken in.
#[derive(Debug, Default)]
pub(super) struct Live {
    open: HashMap<u64, Attempt, RandomState>,
    next: u64,
    by_address: BTreeSet<(Name, u64)>,
    by_user: BTreeSet<(Name, u64)>,
}

fn user_of(attempt: &Attempt) -> Option<Name> {
    match attempt.key {
        Some(Key::User(user)) => Some(user),
        _ => None,
    }
}

/// The numbers under a name, the lowest first.
fn under(index: &BTreeSet<(Name, u64)>, name: Name) -> impl Iterator<Item = u64> {
    index.range((name, 0)..=(name, u64::MAX)).map(|(_, number)| *number)
}

impl Live {
    /// Takes one in. Its key and its address stay what they are.
    pub(super) fn push(&mut self, attempt: Attempt) {
        let number = self.next;
        self.next += 1;
        self.by_address.extend(attempt.address.map(|address| (address, number)));
        self.by_user.extend(user_of(&attempt).map(|user| (user, number)));
        self.open.insert(number, attempt);
    }

    /// Takes out the oldest from an address; where a user is named, his, and else his of which no address is known.
    pub(super) fn take(&mut self, address: Name, user: Option<Name>) -> Option<Attempt> {
        let number = match user {
            None => under(&self.by_address, address).next(),
            Some(user) => {
                let from = |address: Option<Name>| {
                    under(&self.by_user, user).find(|number| self.open[number].address == address)
                };
                from(Some(address)).or_else(|| from(None))
            }
        }?;
        let attempt = self.open.remove(&number)?;
        if let Some(address) = attempt.address {
            self.by_address.remove(&(address, number));
        }
        if let Some(user) = user_of(&attempt) {
            self.by_user.remove(&(user, number));
        }
        Some(attempt)
    }

    /// The server removes a user's.
    pub(super) fn remove_of(&mut self, user: Name) {
        for number in under(&self.by_user, user) {
            if let Some(attempt) = self.open.get_mut(&number) {
                attempt.removed = true;
            }
        }
    }

    /// All of them, the oldest first.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Attempt> + use<> {
        self.by_address.clear();
        self.by_user.clear();
        let mut open: Vec<(u64, Attempt)> = self.open.drain().collect();
        open.sort_unstable_by_key(|(number, _)| *number);
        open.into_iter().map(|(_, attempt)| attempt)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use why401_parsers::event::Names;

    use super::*;
    use crate::actor::socket::Outcome;

    fn opened(at: i64, user: Option<Name>, address: Option<Name>) -> Attempt {
        Attempt {
            key: user.map(Key::User),
            address,
            opened: at,
            outcome: Outcome::Unknown,
            closed: None,
            cut_by_restart: false,
            removed: false,
            source: 0,
            line: 0,
            closed_line: None,
            doubtful: false,
            untagged_end: false,
            sense: why401_parsers::record::Sense::default(),
            token: None,
        }
    }

    proptest! {
        #[test]
        fn finds_what_a_look_through_all_finds(steps in prop::collection::vec((0..4_u8, 0..4_usize, 0..4_usize), 0..60)) {
            let mut names = Names::default();
            let texts: Vec<Option<Name>> = [None, Some("a"), Some("b"), Some("c")]
                .map(|text| text.map(|text| names.intern(text.as_bytes()))).to_vec();
            let (mut live, mut list) = (Live::default(), Vec::<Attempt>::new());
            for (at, (step, user, address)) in (0..).zip(steps) {
                let (user, address) = (texts[user], texts[address]);
                match (step, user, address) {
                    (0, Some(user), _) => {
                        live.remove_of(user);
                        list.iter_mut().filter(|a| a.key == Some(Key::User(user))).for_each(|a| a.removed = true);
                    }
                    (1, _, Some(address)) => {
                        let his = |a: &Attempt| user.is_none_or(|user| a.key == Some(Key::User(user)));
                        let place = list.iter().position(|a| a.address == Some(address) && his(a)).or_else(|| {
                            user.and_then(|_| list.iter().position(|a| a.address.is_none() && his(a)))
                        });
                        let expected = place.map(|place| list.remove(place));
                        let taken = live.take(address, user);
                        prop_assert_eq!(taken.map(|a| (a.opened, a.removed)), expected.map(|a| (a.opened, a.removed)));
                    }
                    _ => {
                        live.push(opened(at, user, address));
                        list.push(opened(at, user, address));
                    }
                }
            }
            prop_assert_eq!(live.drain().map(|a| a.opened).collect::<Vec<_>>(), list.iter().map(|a| a.opened).collect::<Vec<_>>());
        }
    }
}
