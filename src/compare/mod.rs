//! Did the fix work? Two diagnoses compared by rates per person and hour, cause by cause.
//!
//! **What is counted**: incidents, over the hours in which people were seen (`active_hours`). What hits the whole service (restarts,
//! attacks) is counted over the hours that the logs cover.
//!
//! **How it is judged**: by the exact conditional binomial test ([`exact`]). One person's broken app can give thirty incidents, which are no
//! thirty pieces of evidence; so counts are first divided by their dispersion between people (Pearson's χ² over its degrees of
//! freedom, at least 1). Of many causes looked at together some differ by chance; Holm's procedure keeps the chance of any false
//! word at 5 % for all causes together, and for all kinds together. All drops together are judged at 1 %: they are the headline, and
//! their dispersion, over causes that behave differently, is estimated too low (of 100 shuffled halves of 240 people 8 differed at 5 %,
//! see `tests/compare.rs`).

pub mod exact;
mod stretch;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::cause::Label;
use exact::{Observed, p_value, rate_interval, ratio_interval};
pub use stretch::{Counts, Person, Stretch};

/// How sure words and intervals on causes and kinds are.
const LEVEL: f64 = 0.95;

/// And those on all drops.
const DROPS_LEVEL: f64 = 0.99;

/// "Same" is said where there are incidents and hours enough to exclude a change by this factor if there is none.
const SAME_WITHIN: f64 = 4.0;

/// What became of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// None any more, where some would have had to be seen.
    Gone,
    /// Fewer.
    Better,
    /// No difference, where a change by a factor of four would have shown.
    Same,
    /// More.
    Worse,
    /// Some, where none was before.
    New,
    /// Too few incidents or hours to tell.
    NotEnoughData,
}

impl Change {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Better => "better",
            Self::Same => "same",
            Self::Worse => "worse",
            Self::New => "new",
            Self::NotEnoughData => "not enough data",
        }
    }
}

/// Incidents of one stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Rate {
    /// Incidents.
    pub incidents: u64,
    /// People whom they hit.
    pub people: u64,
    /// Incidents per 1,000 hours.
    pub per_1000_hours: f64,
    /// Its interval.
    pub interval: (f64, f64),
}

/// One thing compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Which cause; null for all drops.
    pub cause: Option<Label>,
    /// Which kind; null for all of a cause.
    pub kind: Option<String>,
    /// `people`: hours in which people were seen; `service`: hours that the logs cover.
    pub hours_of: &'static str,
    /// Before.
    pub before: Rate,
    /// After.
    pub after: Rate,
    /// Rate after over rate before; null if there was none before.
    pub ratio: Option<f64>,
    /// The interval of the ratio; null is without bound.
    pub ratio_interval: (f64, Option<f64>),
    /// By what counts were divided because they come in clusters, person by person.
    pub dispersion: f64,
    /// The chance of such a difference if nothing changed, corrected for how many rows are looked at.
    pub p_value: f64,
    /// How sure the intervals and the word are.
    pub level: f64,
    /// What became of it.
    pub change: Change,
}

/// A stretch in short.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Extent {
    /// People seen.
    pub actors: u64,
    /// The hours in which each was seen, added up.
    pub active_hours: u64,
    /// Hours that the logs cover.
    pub log_hours: f64,
}

/// Two stretches compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Version of this document.
    pub schema_version: u32,
    /// How rates are judged, in words.
    pub method: &'static str,
    /// Before.
    pub before: Extent,
    /// After.
    pub after: Extent,
    /// All incidents that signed somebody out or cut somebody off.
    pub drops: Row,
    /// By cause.
    pub causes: Vec<Row>,
    /// By cause and kind.
    pub kinds: Vec<Row>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

impl Comparison {
    /// Whether anything got worse or is new.
    #[must_use]
    pub fn worse(&self) -> bool {
        let bad = |row: &Row| matches!(row.change, Change::Worse | Change::New);
        bad(&self.drops) || self.causes.iter().chain(&self.kinds).any(bad)
    }
}

/// Compares.
#[must_use]
pub fn compare(before: &Stretch, after: &Stretch) -> Comparison {
    let keys: BTreeSet<&(Label, String)> = before.keys().chain(after.keys()).collect();
    let labels: BTreeSet<Label> = keys.iter().map(|(label, _)| *label).collect();
    let mut drops = vec![row(before, after, (None, None), DROPS_LEVEL, &|person| person.drops, &|_| 0)];
    let mut causes: Vec<Row> = labels
        .into_iter()
        .map(|label| {
            let of = |counts: &stretch::Counts| {
                counts.iter().filter(|((own, _), _)| *own == label).map(|(_, count)| count).sum()
            };
            row(before, after, (Some(label), None), LEVEL, &|person| of(&person.incidents), &|stretch| {
                of(&stretch.service)
            })
        })
        .collect();
    let mut kinds: Vec<Row> = keys
        .into_iter()
        .map(|key| {
            let of = |counts: &stretch::Counts| counts.get(key).copied().unwrap_or(0);
            let name = (Some(key.0), Some(key.1.clone()));
            row(before, after, name, LEVEL, &|person| of(&person.incidents), &|stretch| of(&stretch.service))
        })
        .collect();
    for family in [&mut drops, &mut causes, &mut kinds] {
        correct(family);
        family.iter_mut().for_each(judge);
    }
    Comparison {
        schema_version: 1,
        method: "Exact conditional binomial test on incidents per hour, counts divided by their dispersion between people; \
                 Holm's correction over causes and over kinds; Clopper-Pearson and Garwood intervals; drops at 99 %, causes and kinds at 95 %",
        before: before.extent(),
        after: after.extent(),
        drops: drops.remove(0),
        causes,
        kinds,
        notes: notes(before, after),
    }
}

fn row(
    before: &Stretch,
    after: &Stretch,
    (cause, kind): (Option<Label>, Option<String>),
    level: f64,
    of_person: &dyn Fn(&Person) -> u64,
    of_service: &dyn Fn(&Stretch) -> u64,
) -> Row {
    let service = of_service(before) + of_service(after) > 0;
    let dispersion = if service { 1.0 } else { dispersion(&[before, after], of_person) };
    let side = |stretch: &Stretch| {
        let own = if service { of_service(stretch) } else { stretch.people.iter().map(of_person).sum() };
        let people = stretch.people.iter().filter(|person| of_person(person) > 0).count() as u64;
        let hours = if service { stretch.log_hours } else { whole(stretch.active_hours()) };
        // A stretch without an hour says nothing; what is nearly nothing lets the test say so.
        let observed = Observed { events: whole(own) / dispersion, exposure: hours.max(1e-3) / dispersion };
        let (low, high) = rate_interval(observed, level);
        let rate = Rate {
            incidents: own,
            people,
            per_1000_hours: 1000.0 * whole(own) / hours.max(1e-3),
            interval: (1000.0 * low, 1000.0 * high),
        };
        // The test looks at the share of exposures, which the dispersion leaves as it is.
        (rate, Observed { exposure: hours.max(1e-3), ..observed })
    };
    let ((before, seen_before), (after, seen_after)) = (side(before), side(after));
    let (low, high) = ratio_interval(seen_before, seen_after, level);
    Row {
        cause,
        kind,
        hours_of: if service { "service" } else { "people" },
        before,
        after,
        ratio: (before.incidents > 0).then(|| after.per_1000_hours / before.per_1000_hours),
        ratio_interval: (low, high.is_finite().then_some(high)),
        dispersion,
        p_value: p_value(seen_before, seen_after),
        level,
        change: if telling(seen_before, seen_after, level) { Change::Same } else { Change::NotEnoughData },
    }
}

/// Whether so many events over such exposures can tell: if they were split as equal rates split them, would the interval leave a
/// change by [`SAME_WITHIN`] out?
fn telling(before: Observed, after: Observed, level: f64) -> bool {
    let rate = (before.events + after.events) / (before.exposure + after.exposure);
    let even = |side: Observed| Observed { events: rate * side.exposure, ..side };
    let (low, high) = ratio_interval(even(before), even(after), level);
    low > 1.0 / SAME_WITHIN && high < SAME_WITHIN
}

/// How much more counts differ between people than chance alone would let them: Pearson's χ² against each stretch's own rate,
/// over its degrees of freedom.
fn dispersion(stretches: &[&Stretch], of_person: &dyn Fn(&Person) -> u64) -> f64 {
    let (mut chi_square, mut freedom) = (0.0, 0.0);
    for stretch in stretches {
        let people: Vec<(f64, f64)> = stretch
            .people
            .iter()
            .filter(|person| person.active_hours > 0.0)
            .map(|person| (whole(of_person(person)), person.active_hours))
            .collect();
        let events: f64 = people.iter().map(|(count, _)| count).sum();
        let hours: f64 = people.iter().map(|(_, hours)| hours).sum();
        if events <= 0.0 {
            continue;
        }
        for (count, own_hours) in &people {
            let expected = events / hours * own_hours;
            chi_square += (count - expected).powi(2) / expected;
        }
        freedom += whole(people.len() as u64) - 1.0;
    }
    if freedom < 1.0 { 1.0 } else { (chi_square / freedom).max(1.0) }
}

/// Holm's procedure: the smallest p-value counts as often as there are rows, the next once less, and none less than one before it.
fn correct(rows: &mut [Row]) {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| rows[*a].p_value.total_cmp(&rows[*b].p_value));
    let mut least: f64 = 0.0;
    for (rank, place) in order.into_iter().enumerate() {
        let left = u32::try_from(rows.len() - rank).unwrap_or(u32::MAX);
        least = least.max(rows[place].p_value * f64::from(left)).min(1.0);
        rows[place].p_value = least;
    }
}

/// Says so where there is a difference.
fn judge(row: &mut Row) {
    if row.p_value > 1.0 - row.level {
        return;
    }
    row.change = match (row.before.incidents, row.after.incidents) {
        (_, 0) => Change::Gone,
        (0, _) => Change::New,
        _ if row.ratio.is_some_and(|ratio| ratio < 1.0) => Change::Better,
        _ => Change::Worse,
    };
}

fn notes(before: &Stretch, after: &Stretch) -> Vec<String> {
    let mut notes = Vec::new();
    for (name, stretch) in [("before", before), ("after", after)] {
        if stretch.active_hours() == 0 {
            notes.push(format!(
                "{name}: nobody is seen at any time, or the diagnosis was saved by an older why401, which counted no hours: \
                 nothing can be compared."
            ));
        }
    }
    if before.even_hours || after.even_hours {
        notes.push(
            "A history keeps no hours by person; they are shared out evenly among the people of its fullest day."
                .into(),
        );
        // Nor the formats of its logs.
        return notes;
    }
    for (name, one, other) in [("before", before, after), ("after", after, before)] {
        let only: Vec<&str> = one.dialects.difference(&other.dialects).map(String::as_str).collect();
        if !only.is_empty() {
            notes.push(format!(
                "Only the logs {name} have {}: what only those show cannot be compared.",
                only.join(", ")
            ));
        }
    }
    notes
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn whole(count: u64) -> f64 {
    count as f64
}
