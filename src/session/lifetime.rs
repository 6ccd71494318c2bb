//! How long credentials live, inferred from their ages when they were accepted and when they were first refused.

use std::ops::Range;

use why401_parsers::event::TimeFrom;
use why401_parsers::record::Sense;

use super::habit::Habit;
use super::{Item, Kind, MINUTE, Refresh, SECOND, Timeline};

/// An inferred lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// In microseconds.
    pub access: i64,
    /// How many credentials were seen to reach it.
    pub support: usize,
    /// The oldest accepted use and the youngest refusal that bound it, microseconds.
    pub between: (i64, i64),
    /// Where it is known from.
    pub known_by: KnownBy,
    /// When the first and the last of the credentials that show it were issued, microseconds since 1970.
    pub issued: Option<(i64, i64)>,
}

/// A credential that was refused for its age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spent {
    /// The age at its oldest accepted use, microseconds.
    accepted: i64,
    /// The age at its first refusal.
    refused: i64,
    /// When it was issued.
    issued: i64,
}

/// Where a lifetime is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KnownBy {
    /// The ages at which credentials were accepted and refused.
    Uses,
    /// What clients were told when they got one.
    ExpiresIn,
    /// `[lifetimes]` of the configuration.
    Configuration,
}

/// What the log shows of credentials' ages, over all actors.
#[derive(Clone, Debug, Default)]
pub struct Ages {
    /// Access tokens that were refused for their age.
    refused: Vec<Spent>,
    /// For each credential that was not: when it was issued, and its age at the oldest accepted use.
    accepted: Vec<(i64, i64)>,
    /// Refresh tokens that were refused for their age, and the ages at which others were accepted.
    refresh_refused: Vec<Spent>,
    refresh_accepted: Vec<(i64, i64)>,
    /// Ages at which a credential was replaced without a refusal: the lead of proactive refreshes.
    replaced: Vec<i64>,
    /// How refreshes came about.
    habit: Habit,
}

/// Round lifetimes that servers are configured to, in minutes.
const USUAL: &[i64] = &[5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 720, 1440, 2880, 10080, 20160, 43200];

/// The same of refresh tokens, in days.
const USUAL_REFRESH: &[i64] = &[1, 3, 7, 14, 30, 60, 90, 180, 365];

/// No refresh token in practice lives shorter (microseconds) than this; one that is refused sooner was refused for another reason.
const SHORTEST_REFRESH: i64 = 12 * 60 * MINUTE;

/// How much later than issued (microseconds) a first use may look because the answer took its time.
const SLACK: i64 = 90 * SECOND;

/// How soon after a refusal for age (microseconds) the app refreshes or the user signs in; a refusal that nobody cures for
/// longer is a call that nobody misses.
const CURE: i64 = 20 * MINUTE;

/// The shortest access lifetime in practice (Okta's and Cognito's minimum is five minutes), less some slack.
const SHORTEST: i64 = 4 * MINUTE;

impl Ages {
    /// Takes one actor's timeline into account: what was refused, or last accepted, within a time (microseconds).
    pub fn add(&mut self, timeline: &Timeline, during: &Range<i64>) {
        let before = [&self.refused, &self.refresh_refused].map(Vec::len);
        let accepted_before = [&self.accepted, &self.refresh_accepted].map(Vec::len);
        for lane in 0..timeline.lanes {
            let timed = |item: &&Item| item.lane == lane && item.timed != TimeFrom::Order;
            self.add_lane(timeline.items.iter().filter(timed));
            let of_lane = timeline.items.iter().filter(|item| item.lane == lane);
            self.habit.add(Habit::among(of_lane, |item| during.contains(&item.time)));
        }
        for (list, before) in [&mut self.refused, &mut self.refresh_refused].into_iter().zip(before) {
            list.extract_if(before.., |spent| !during.contains(&(spent.issued + spent.refused))).for_each(drop);
        }
        for (list, before) in [&mut self.accepted, &mut self.refresh_accepted].into_iter().zip(accepted_before) {
            list.extract_if(before.., |(issued, age)| !during.contains(&(*issued + *age))).for_each(drop);
        }
    }

    /// Adds what others show.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.refused.extend_from_slice(&other.refused);
        self.accepted.extend_from_slice(&other.accepted);
        self.refresh_refused.extend_from_slice(&other.refresh_refused);
        self.refresh_accepted.extend_from_slice(&other.refresh_accepted);
        self.replaced.extend_from_slice(&other.replaced);
        self.habit.add(other.habit);
    }

    /// Lets go of the first of what was added, where there is more than `most` of its sort.
    pub(crate) fn cap(&mut self, most: usize) {
        fn cap<T>(list: &mut Vec<T>, most: usize) {
            list.drain(..list.len().saturating_sub(most));
        }
        cap(&mut self.refused, most);
        cap(&mut self.accepted, most);
        cap(&mut self.refresh_refused, most);
        cap(&mut self.refresh_accepted, most);
        cap(&mut self.replaced, most);
    }

    fn add_lane<'a>(&mut self, items: impl Iterator<Item = &'a Item>) {
        let mut issued: Option<i64> = None;
        let mut oldest_use = 0;
        let mut refused: Option<(i64, i64)> = None;
        // When the refresh token was issued: with each sign-in and, since it is rotated, with each refresh.
        let mut newest: Option<i64> = None;
        for item in items {
            match &item.kind {
                Kind::SignIn => {
                    newest = Some(item.ended);
                    self.settle(issued, oldest_use, refused.filter(|(at, _)| item.time - at <= CURE), None);
                    (issued, oldest_use, refused) = (Some(item.ended), 0, None);
                }
                Kind::Refresh(Refresh::Refused(_)) => {
                    let other_reason =
                        [Sense::REUSED, Sense::REVOKED, Sense::UNKNOWN].iter().any(|s| item.sense.has(*s));
                    if let Some(issued) = newest.take().filter(|at| item.time - at >= SHORTEST_REFRESH && !other_reason)
                    {
                        self.refresh_refused.push(Spent { accepted: 0, refused: item.time - issued, issued });
                    }
                }
                Kind::Refresh(refresh) if refresh.gave() => {
                    self.refresh_accepted.extend(newest.map(|at| (at, item.time - at)));
                    newest = Some(item.ended);
                    self.settle(issued, oldest_use, refused.filter(|(at, _)| item.time - at <= CURE), Some(item.time));
                    (issued, oldest_use, refused) = (Some(item.ended), 0, None);
                }
                Kind::SignOut | Kind::Revoke | Kind::Removing => (issued, refused, newest) = (None, None, None),
                Kind::Accepted { .. } => {
                    // Accepted after a refusal: the refusal was not for age.
                    if refused.is_some() {
                        (issued, refused) = (None, None);
                    } else if let Some(issued) = issued {
                        oldest_use = oldest_use.max(item.time - issued);
                    }
                }
                Kind::Unauthorized { .. } => {
                    let other_reason =
                        [Sense::MISSING, Sense::REVOKED, Sense::UNKNOWN].iter().any(|s| item.sense.has(*s));
                    if let (Some(issued), None, false) = (issued, refused, other_reason) {
                        refused = Some((item.time, item.time - issued));
                    }
                }
                _ => {}
            }
        }
        self.settle(issued, oldest_use, refused, None);
    }

    fn settle(&mut self, issued: Option<i64>, oldest_use: i64, refused: Option<(i64, i64)>, refreshed: Option<i64>) {
        let Some(issued) = issued else { return };
        match refused {
            Some((_, age)) if age > oldest_use && age >= SHORTEST => {
                self.refused.push(Spent { accepted: oldest_use, refused: age, issued });
            }
            Some(_) => {}
            None => {
                self.accepted.push((issued, oldest_use));
                if let Some(at) = refreshed.filter(|at| at - issued > 2 * MINUTE) {
                    self.replaced.push(at - issued);
                }
            }
        }
    }

    /// The lifetimes of access tokens that the ages show, the best supported first. Credentials of two clients may live differently
    /// long.
    #[must_use]
    pub fn lifetimes(&self) -> Vec<Lifetime> {
        let usual: Vec<i64> = USUAL.iter().map(|minutes| minutes * MINUTE).collect();
        told_apart(&self.refused, &self.accepted, &usual)
    }

    /// The same of refresh tokens.
    #[must_use]
    pub fn refresh_lifetimes(&self) -> Vec<Lifetime> {
        let usual: Vec<i64> = USUAL_REFRESH.iter().map(|days| days * 24 * 60 * MINUTE).collect();
        told_apart(&self.refresh_refused, &self.refresh_accepted, &usual)
    }

    /// How refreshes came about.
    #[must_use]
    pub fn habit(&self) -> Habit {
        self.habit
    }

    /// The age at which clients replace a credential before it is refused, where many do at the same age.
    #[must_use]
    pub fn lead(&self) -> Option<i64> {
        let mut ages = self.replaced.clone();
        ages.sort_unstable();
        (ages.len() >= 3).then(|| ages[ages.len() / 2])
    }
}

/// Lifetimes one after the other, each with the credentials that agree with it, the best supported first.
fn told_apart(refused: &[Spent], accepted: &[(i64, i64)], usual: &[i64]) -> Vec<Lifetime> {
    let mut rest = refused.to_vec();
    rest.sort_unstable_by_key(|spent| (spent.refused, spent.issued));
    let mut found = Vec::new();
    while let Some(best) = best_of(&rest, usual) {
        let fits = |spent: &Spent| agrees(spent, best.access) && spent.refused >= best.access - SLACK;
        let before = rest.len();
        rest.retain(|spent| !fits(spent));
        if rest.len() == before {
            break;
        }
        // One refusal alone is no lifetime, nor are a few that many credentials of the same time outlived.
        let meanwhile =
            best.issued.map_or(i64::MIN..=i64::MAX, |(first, last)| first - best.access..=last + best.access);
        let outlived = accepted.iter().filter(|(at, age)| *age > best.access + SLACK && meanwhile.contains(at)).count();
        if best.support >= 2 && best.support > outlived {
            found.push(best);
        }
    }
    found.sort_by_key(|lifetime| (std::cmp::Reverse(lifetime.support), lifetime.access));
    found
}

/// Whether a credential can have lived so long: accepted until then, refused after, and not long after.
fn agrees(spent: &Spent, age: i64) -> bool {
    spent.accepted <= age + SLACK && age <= spent.refused + SLACK && spent.refused < age * 3
}

/// The lifetime that most refusals agree with: above their accepted uses, at or below their refusals; a usual one if one fits.
fn best_of(spent: &[Spent], usual: &[i64]) -> Option<Lifetime> {
    let count = |age: i64| spent.iter().filter(|spent| agrees(spent, age)).count();
    let observed = spent.iter().map(|spent| (spent.refused, false));
    // Usual ones win a tie; of equals the longest, for a refusal often comes long after the end.
    let candidates = usual.iter().map(|age| (*age, true)).chain(observed);
    let (access, _) = candidates.max_by_key(|(age, usual)| (count(*age), *usual, *age))?;
    let supporting: Vec<&Spent> = spent.iter().filter(|spent| agrees(spent, access)).collect();
    let low = supporting.iter().map(|spent| spent.accepted).max()?;
    let high = supporting.iter().map(|spent| spent.refused).min()?;
    let issued = supporting.iter().map(|spent| spent.issued);
    let issued = issued.clone().min().zip(issued.max());
    Some(Lifetime { access, support: supporting.len(), between: (low, high), known_by: KnownBy::Uses, issued })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_lifetimes_are_told_apart_and_rounded_to_usual_ones() {
        let mut ages = Ages::default();
        for minute in [61, 62, 64, 66] {
            ages.refused.push(Spent { accepted: 57 * MINUTE, refused: minute * MINUTE, issued: 0 });
        }
        for minute in [1450, 1500] {
            ages.refused.push(Spent { accepted: 1400 * MINUTE, refused: minute * MINUTE, issued: 0 });
        }
        let found: Vec<_> = ages.lifetimes().iter().map(|l| (l.access / MINUTE, l.support)).collect();
        assert_eq!(found, vec![(60, 4), (1440, 2)]);
    }
}
