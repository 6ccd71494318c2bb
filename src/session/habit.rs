//! When clients refresh: ahead of the token's end, or only after a refusal.

use serde::{Deserialize, Serialize};

use super::{Item, Kind, MINUTE};

/// A refresh this soon (microseconds) after a refusal answers it.
const ANSWERS: i64 = MINUTE;

/// Fewer refreshes than this are no habit.
const LEAST: u64 = 3;

/// How refreshes came about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Habit {
    /// Refreshes with no refusal just before.
    pub proactive: u64,
    /// Refreshes within a minute of a refusal.
    pub reactive: u64,
}

/// A habit in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Refreshing {
    /// Ahead of the token's end; at most one of ten only after a refusal.
    Proactive,
    /// Only after a refusal; at most one of ten ahead.
    Reactive,
    /// Some ahead, some after a refusal.
    Both,
}

impl Habit {
    /// Counts the refreshes among one device's items.
    #[must_use]
    pub fn of<'a>(items: impl Iterator<Item = &'a Item>) -> Self {
        Self::among(items, |_| true)
    }

    /// Counts those of the refreshes among one device's items that count.
    #[must_use]
    pub fn among<'a>(items: impl Iterator<Item = &'a Item>, counts: impl Fn(&Item) -> bool) -> Self {
        let mut habit = Self::default();
        let mut refused = i64::MIN / 2;
        for item in items {
            match &item.kind {
                Kind::Unauthorized { .. } | Kind::SocketRefused => refused = item.time,
                Kind::Refresh(_) if !counts(item) => {}
                Kind::Refresh(_) if item.time - refused <= ANSWERS => habit.reactive += 1,
                Kind::Refresh(_) => habit.proactive += 1,
                _ => {}
            }
        }
        habit
    }

    /// Both together.
    pub fn add(&mut self, other: Self) {
        self.proactive += other.proactive;
        self.reactive += other.reactive;
    }

    /// In a word, where there are enough of them.
    #[must_use]
    pub fn refreshing(self) -> Option<Refreshing> {
        let all = self.proactive + self.reactive;
        if all < LEAST {
            return None;
        }
        Some(if self.reactive * 10 <= all {
            Refreshing::Proactive
        } else if self.proactive * 10 <= all {
            Refreshing::Reactive
        } else {
            Refreshing::Both
        })
    }
}
