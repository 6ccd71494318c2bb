//! How long credentials live, inferred from their ages when they were accepted and when they were first refused.

use why401_parsers::event::TimeFrom;
use why401_parsers::record::Sense;

use super::{Item, Kind, MINUTE, SECOND, Timeline};

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
}

/// Where a lifetime is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
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
    /// For each credential that was refused for its age: the oldest accepted use, and the first refusal.
    refused: Vec<(i64, i64)>,
    /// For each credential that was not: the oldest accepted use.
    accepted: Vec<i64>,
    /// Ages at which a credential was replaced without a refusal: the lead of proactive refreshes.
    replaced: Vec<i64>,
}

/// Round lifetimes that servers are configured to, in minutes.
const USUAL: &[i64] = &[5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 720, 1440, 2880, 10080, 20160, 43200];

/// How much later than issued (microseconds) a first use may look because the answer took its time.
const SLACK: i64 = 90 * SECOND;

/// How soon after a refusal for age (microseconds) the app refreshes or the user signs in; a refusal that nobody cures for
/// longer is a call that nobody misses.
const CURE: i64 = 20 * MINUTE;

/// The shortest access lifetime in practice (Okta's and Cognito's minimum is five minutes), less some slack.
const SHORTEST: i64 = 4 * MINUTE;

impl Ages {
    /// Takes one actor's timeline into account.
    pub fn add(&mut self, timeline: &Timeline) {
        for lane in 0..timeline.lanes {
            let timed = |item: &&Item| item.lane == lane && item.timed != TimeFrom::Order;
            self.add_lane(timeline.items.iter().filter(timed));
        }
    }

    fn add_lane<'a>(&mut self, items: impl Iterator<Item = &'a Item>) {
        let mut issued: Option<i64> = None;
        let mut oldest_use = 0;
        let mut refused: Option<(i64, i64)> = None;
        for item in items {
            match &item.kind {
                Kind::SignIn => {
                    self.settle(issued, oldest_use, refused.filter(|(at, _)| item.time - at <= CURE), false);
                    (issued, oldest_use, refused) = (Some(item.ended), 0, None);
                }
                Kind::Refresh(refresh) if refresh.gave() => {
                    self.settle(issued, oldest_use, refused.filter(|(at, _)| item.time - at <= CURE), true);
                    (issued, oldest_use, refused) = (Some(item.ended), 0, None);
                }
                Kind::SignOut | Kind::Revoke | Kind::Removing => (issued, refused) = (None, None),
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
        self.settle(issued, oldest_use, refused, false);
    }

    fn settle(&mut self, issued: Option<i64>, oldest_use: i64, refused: Option<(i64, i64)>, refreshed: bool) {
        let Some(_) = issued else { return };
        match refused {
            Some((_, age)) if age > oldest_use && age >= SHORTEST => self.refused.push((oldest_use, age)),
            Some(_) => {}
            None => {
                self.accepted.push(oldest_use);
                if refreshed && oldest_use > 2 * MINUTE {
                    self.replaced.push(oldest_use);
                }
            }
        }
    }

    /// The lifetimes that the ages show, the best supported first. Credentials of two clients may live differently long.
    #[must_use]
    pub fn lifetimes(&self) -> Vec<Lifetime> {
        let mut rest = self.refused.clone();
        rest.sort_unstable_by_key(|(_, refused)| *refused);
        let mut found = Vec::new();
        while let Some(best) = best_of(&rest) {
            let fits = |(accepted, refused): &(i64, i64)| {
                *accepted <= best.access + SLACK && *refused >= best.access - SLACK && *refused < best.access * 3
            };
            let before = rest.len();
            rest.retain(|pair| !fits(pair));
            if rest.len() == before {
                break;
            }
            // One refusal alone is no lifetime, nor are a few that many credentials outlived.
            let outlived = self.accepted.iter().filter(|age| **age > best.access + SLACK).count();
            if best.support >= 2 && best.support > outlived {
                found.push(best);
            }
        }
        found.sort_by_key(|lifetime| (std::cmp::Reverse(lifetime.support), lifetime.access));
        found
    }

    /// The age at which clients replace a credential before it is refused, where many do at the same age.
    #[must_use]
    pub fn lead(&self) -> Option<i64> {
        let mut ages = self.replaced.clone();
        ages.sort_unstable();
        (ages.len() >= 3).then(|| ages[ages.len() / 2])
    }
}

/// The lifetime that most refusals agree with: above their accepted uses, at or below their refusals; a usual one if one fits.
fn best_of(pairs: &[(i64, i64)]) -> Option<Lifetime> {
    if pairs.is_empty() {
        return None;
    }
    let usual = USUAL.iter().map(|minutes| minutes * MINUTE);
    let observed = pairs.iter().map(|(_, refused)| *refused);
    let count = |age: i64| {
        pairs
            .iter()
            .filter(|(accepted, refused)| *accepted <= age + SLACK && age <= *refused + SLACK && *refused < age * 3)
            .count()
    };
    // Usual ones first, so that they win a tie; of equals the longest, for a refusal often comes long after the end.
    let best = usual
        .map(|age| (age, true))
        .chain(observed.map(|age| (age, false)))
        .max_by_key(|(age, usual)| (count(*age), *usual, *age))?;
    let support = count(best.0);
    if support == 0 {
        return None;
    }
    let supporting =
        || pairs.iter().filter(|(accepted, refused)| *accepted <= best.0 + SLACK && best.0 <= *refused + SLACK);
    let low = supporting().map(|(accepted, _)| *accepted).max().unwrap_or(0);
    let high = supporting().map(|(_, refused)| *refused).min().unwrap_or(best.0);
    Some(Lifetime { access: best.0, support, between: (low, high), known_by: KnownBy::Uses })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_lifetimes_are_told_apart_and_rounded_to_usual_ones() {
        let mut ages = Ages::default();
        for minute in [61, 62, 64, 66] {
            ages.refused.push((57 * MINUTE, minute * MINUTE));
        }
        for minute in [1450, 1500] {
            ages.refused.push((1400 * MINUTE, minute * MINUTE));
        }
        let found: Vec<_> = ages.lifetimes().iter().map(|l| (l.access / MINUTE, l.support)).collect();
        assert_eq!(found, vec![(60, 4), (1440, 2)]);
    }
}
