//! Counts over the whole window, in so few bins that a drawing can show them all.

use std::collections::BTreeMap;

use why401_parsers::event::{Event, Socket, What};
use why401_parsers::record::Side;

use super::{Findings, rfc3339};
use crate::actor::role;
use crate::diagnosis::{Restart, Series, micros};
use crate::incident::service;
use crate::session::endpoint::Role;
use crate::session::{HOUR, SECOND};

/// More bins than this cannot be told apart in a drawing.
const MOST_BINS: i64 = 240;

/// Lengths of bins that people can read off an axis, in seconds; a longer window takes a multiple of the last.
const LENGTHS: &[i64] =
    &[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];

/// Counts as the summary counts, by bin.
pub(super) fn series(findings: &Findings<'_>, restarts: &[&service::Restart], thinned: &BTreeMap<i64, u64>) -> Series {
    let side = if findings.identified.has_server { Side::Server } else { Side::Client };
    let counted = |event: &&Event| event.time > 0 && counts(event, side) && findings.scope.has(event);
    // In order of time.
    let mut events = findings.identified.events.iter();
    let first = events.by_ref().find(counted);
    let last = events.rev().find(counted).or(first);
    let Some((first, last)) = first.zip(last).map(|(first, last)| (first.time, last.time)) else {
        return Series::default();
    };
    let window = Window::over(first, last);
    let mut series = window.empty();
    let restarts = restarts.iter();
    series.restarts =
        restarts.map(|restart| Restart { time: rfc3339(restart.start), orderly: restart.orderly }).collect();
    for event in findings.identified.events.iter().filter(counted) {
        series.add(window.bin(event.time), event, findings);
    }
    for (hour, count) in thinned {
        window.spread(hour * HOUR, *count, &mut series.requests);
    }
    series
}

fn counts(event: &Event, side: Side) -> bool {
    match &event.what {
        What::Request(request) => request.side == side,
        What::Socket(_) => true,
        _ => false,
    }
}

impl Series {
    fn add(&mut self, bin: usize, event: &Event, findings: &Findings<'_>) {
        match &event.what {
            What::Request(request) => {
                let text = |name| findings.names.text(name);
                let nameless = text(request.method).is_empty() && text(request.path).is_empty();
                self.requests[bin] += u64::from(!nameless);
                self.unauthorized[bin] += u64::from(request.status == Some(401));
                if role(event, findings.roles) == Some(Role::Refresh) {
                    let failed = request.status.is_some_and(|status| status >= 400) || request.failure.is_some();
                    self.refresh_failures[bin] += u64::from(failed);
                    self.refreshed[bin] += u64::from(!failed);
                }
            }
            What::Socket(Socket::Upgraded | Socket::Connect(_)) => self.cable_connects[bin] += 1,
            What::Socket(Socket::Refused) => self.cable_rejects[bin] += 1,
            _ => {}
        }
    }
}

/// The window in bins, microseconds.
struct Window {
    from: i64,
    length: i64,
    bins: usize,
}

impl Window {
    fn over(first: i64, last: i64) -> Self {
        let needed = |length: i64| last.div_euclid(length) - first.div_euclid(length) + 1;
        let usual = LENGTHS.iter().map(|seconds| seconds * SECOND).find(|length| needed(*length) <= MOST_BINS);
        let length = usual.unwrap_or_else(|| {
            let longest = LENGTHS[LENGTHS.len() - 1] * SECOND;
            longest * ((last - first) / longest / (MOST_BINS - 1) + 1)
        });
        let bins = usize::try_from(needed(length)).unwrap_or(1);
        Self { from: first.div_euclid(length) * length, length, bins }
    }

    /// Nothing counted yet.
    fn empty(&self) -> Series {
        let empty = || vec![0; self.bins];
        Series {
            from: Some(rfc3339(self.from)),
            bin_seconds: self.length / SECOND,
            requests: empty(),
            unauthorized: empty(),
            refreshed: empty(),
            refresh_failures: empty(),
            cable_connects: empty(),
            cable_rejects: empty(),
            restarts: Vec::new(),
        }
    }

    fn bin(&self, time: i64) -> usize {
        usize::try_from((time - self.from).max(0) / self.length).unwrap_or(0).min(self.bins - 1)
    }

    /// Requests of which only the hour is known, in equal parts over its bins.
    fn spread(&self, hour: i64, count: u64, bins: &mut [u64]) {
        let (first, last) = (self.bin(hour), self.bin(hour + HOUR - 1));
        let share = (last - first + 1) as u64;
        for (place, bin) in (0..share).zip(&mut bins[first..=last]) {
            *bin += count / share + u64::from(place < count % share);
        }
    }
}

/// The counts of two parts of a log together, in bins that hold both. A bin's count goes where the bin begins.
pub(super) fn joined(one: Series, other: Series) -> Series {
    let end = |series: &Series| {
        let from = micros(series.from.as_deref()?)?;
        let bins = i64::try_from(series.requests.len()).ok()?;
        Some((from, from + (bins * series.bin_seconds * SECOND - 1).max(0)))
    };
    let (Some(a), Some(b)) = (end(&one), end(&other)) else {
        return if one.from.is_none() { other } else { one };
    };
    let window = Window::over(a.0.min(b.0), a.1.max(b.1));
    let mut whole = window.empty();
    for (from, series) in [(a.0, one), (b.0, other)] {
        let length = series.bin_seconds * SECOND;
        whole.restarts.extend(series.restarts);
        for (sum, counts) in [
            (&mut whole.requests, series.requests),
            (&mut whole.unauthorized, series.unauthorized),
            (&mut whole.refreshed, series.refreshed),
            (&mut whole.refresh_failures, series.refresh_failures),
            (&mut whole.cable_connects, series.cable_connects),
            (&mut whole.cable_rejects, series.cable_rejects),
        ] {
            for (place, count) in (0..).zip(counts) {
                sum[window.bin(from + place * length)] += count;
            }
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_window_takes_a_bounded_number_of_bins_of_a_readable_length() {
        for seconds in [0, 1, 239, 240, 86_400, 35 * 86_400, 4000 * 86_400, 40_000 * 86_400] {
            let window = Window::over(1_700_000_123 * SECOND, (1_700_000_123 + seconds) * SECOND);
            assert!((1..=240).contains(&window.bins), "{seconds} s: {} bins", window.bins);
            assert!(window.bin((1_700_000_123 + seconds) * SECOND) < window.bins);
            assert!(window.from <= 1_700_000_123 * SECOND);
        }
    }

    #[test]
    fn what_is_known_by_the_hour_loses_nothing() {
        let window = Window::over(0, 3 * HOUR);
        let mut bins = vec![0; window.bins];
        window.spread(HOUR, 1001, &mut bins);
        window.spread(50 * HOUR, 7, &mut bins);
        assert_eq!(bins.iter().sum::<u64>(), 1008);
    }
}
