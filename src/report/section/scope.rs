//! What of the events at hand a section counts: those before it are held as evidence only, and nobody counts twice on the day in which
//! one section ends and the next begins.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::ops::Range;

use foldhash::fast::RandomState;
use why401_parsers::event::Event;

use crate::session::endpoint::behaviour::Inferred;
use crate::session::lifetime::Ages;
use crate::session::{DAY, HOUR, Item};

/// The part of a log that is diagnosed, and what is known of the parts before. By default it is the whole log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// The log goes on: what happens from this time (microseconds) on is for the next section.
    pub(crate) until: Option<i64>,
    /// What earlier sections counted.
    pub(super) counted: Vec<Counted>,
    /// Requests that were too many to keep and are counted, by the hour since 1970.
    pub(super) thinned: BTreeMap<i64, u64>,
    /// What earlier sections showed of lifetimes, by the sort of client.
    pub(crate) ages: BTreeMap<&'static str, Ages>,
    /// How often clients were told which lifetime, in seconds.
    pub(crate) told_lifetimes: BTreeMap<u32, usize>,
    /// What is taken for the refresh since an earlier section, where only what it does tells it.
    pub(crate) refresh: Option<Inferred>,
    /// Counts of which notes speak, in earlier sections.
    pub(super) told: Told,
    /// Who was there when the section before ended.
    pub(super) edge: Edge,
    /// How often in a row more was held after a section than should be.
    pub(super) haste: u32,
    /// So much was held then, in bytes.
    pub(super) left: usize,
}

/// A section that is over.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    /// What happened before this time (microseconds) was counted …
    pub(super) until: i64,
    /// … as far as it stands on lines that had been read, by the source's number.
    pub(super) lines: Vec<u64>,
}

impl Counted {
    fn has(&self, source: u32, line: u64, time: i64) -> bool {
        time < self.until && self.lines.get(source as usize).is_some_and(|read| line <= *read)
    }

    /// Whether it has all that another one has.
    pub(super) fn covers(&self, other: &Self) -> bool {
        other.until <= self.until
            && other
                .lines
                .iter()
                .enumerate()
                .all(|(source, read)| self.lines.get(source).is_some_and(|own| read <= own))
    }
}

/// Counts of which notes speak.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    /// Requests that were put together by the order of their lines.
    pub(crate) by_order: usize,
    /// Lines of a proxy that say again what the app's own lines say.
    pub(crate) behind_proxy: usize,
}

/// Somebody, the same in each section of a log: a hash of what he is called, which takes less room where there are many. (Of a million
/// people two are taken for one in one of thirty million logs.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Who(u64);

impl Who {
    /// Who is called so. Keys of several sorts may be spelt alike.
    pub(crate) fn called(sort: &str, name: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (sort, name).hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// Who was counted on the day and seen in the hour in which a section ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edge {
    at: Option<i64>,
    /// By the hour.
    hour: HashSet<u64, RandomState>,
    /// By the day.
    day: HashSet<u64, RandomState>,
}

/// As what somebody counts once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Count<'a> {
    /// Active in an hour.
    Hour,
    /// Active on a day.
    Active,
    /// Active on a day, with this platform.
    Platform(&'a str),
    /// Active on a day, with this release.
    Release(&'a str),
    /// Dropped on a day.
    Dropped,
}

impl Count<'_> {
    fn of(self, who: Who) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self, who).hash(&mut hasher);
        hasher.finish()
    }

    /// How long the time is in which he counts once, microseconds.
    const fn span(self) -> i64 {
        match self {
            Self::Hour => HOUR,
            _ => DAY,
        }
    }
}

impl Edge {
    /// Nobody yet, at this time.
    pub(crate) fn at(time: i64) -> Self {
        Self { at: Some(time), ..Self::default() }
    }

    /// Whether a time (microseconds) is in the hour or day that it cuts.
    fn cuts(&self, count: Count<'_>, time: i64) -> bool {
        self.at.is_some_and(|at| at.div_euclid(count.span()) == time.div_euclid(count.span()))
    }

    /// Somebody was counted at a time.
    pub(crate) fn note(&mut self, count: Count<'_>, time: i64, who: Who) {
        if self.cuts(count, time) {
            let seen = if count == Count::Hour { &mut self.hour } else { &mut self.day };
            seen.insert(count.of(who));
        }
    }

    /// Whether somebody was counted already. `who` is asked for only where it matters.
    pub(crate) fn has(&self, count: Count<'_>, time: i64, who: impl FnOnce() -> Who) -> bool {
        let seen = if count == Count::Hour { &self.hour } else { &self.day };
        self.cuts(count, time) && seen.contains(&count.of(who()))
    }

    /// Takes over who was counted before, where that was in the same hour or day.
    pub(super) fn and_before(self, before: Self) -> Self {
        let at = self.at.unwrap_or_default();
        // Before there may be many more.
        let both = |new: HashSet<u64, RandomState>, mut before: HashSet<u64, RandomState>| {
            before.extend(new);
            before
        };
        let (of_hour, of_day) = (before.cuts(Count::Hour, at), before.cuts(Count::Active, at));
        Self {
            at: self.at,
            hour: if of_hour { both(self.hour, before.hour) } else { self.hour },
            day: if of_day { both(self.day, before.day) } else { self.day },
        }
    }
}

impl Scope {
    /// Whether it is a section and not the whole log.
    pub(crate) const fn is_section(&self) -> bool {
        self.until.is_some() || !self.counted.is_empty()
    }

    /// Whether the log ends with it.
    pub(crate) const fn is_last(&self) -> bool {
        self.until.is_none()
    }

    /// The log time (microseconds) that it adds to those before.
    pub(crate) fn during(&self) -> Range<i64> {
        let from = self.counted.iter().map(|past| past.until).max();
        from.unwrap_or(i64::MIN)..self.until.unwrap_or(i64::MAX)
    }

    /// Whether what stands at a place and happened at a time (microseconds) counts.
    pub(crate) fn has_at(&self, source: u32, line: u64, time: i64) -> bool {
        self.until.is_none_or(|until| time < until) && !self.counted.iter().any(|past| past.has(source, line, time))
    }

    /// Whether an event counts.
    pub(crate) fn has(&self, event: &Event) -> bool {
        self.has_at(event.source, event.line, event.time)
    }

    /// Whether what is on a timeline counts.
    pub(crate) fn has_item(&self, item: &Item) -> bool {
        self.has_at(item.source, item.line, item.time)
    }

    /// Requests too many to keep that were not counted yet.
    pub(crate) fn new_of(&self, thinned: &BTreeMap<i64, u64>) -> BTreeMap<i64, u64> {
        let new = thinned
            .iter()
            .map(|(hour, count)| (*hour, count.saturating_sub(self.thinned.get(hour).copied().unwrap_or_default())));
        new.filter(|(_, count)| *count > 0).collect()
    }

    /// What notes speak of, with earlier sections.
    pub(crate) const fn told(&self, new: Told) -> Told {
        Told { by_order: self.told.by_order + new.by_order, behind_proxy: self.told.behind_proxy + new.behind_proxy }
    }

    /// The same, with who was counted before.
    pub(super) fn and_edge(self, before: Edge) -> Self {
        Self { edge: self.edge.and_before(before), ..self }
    }

    /// Who was counted already.
    pub(crate) const fn edge(&self) -> &Edge {
        &self.edge
    }
}
