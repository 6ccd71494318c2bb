//! A time as the page shows it: for readers in UTC, and for the zone switch as it stands in the JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::render::words::{clock, clock_and_day, cut_to};

/// A time in words, and what a script can make other words of.
#[derive(Clone, Default, Serialize)]
pub(super) struct When {
    iso: String,
    said: String,
}

/// A time in RFC 3339 is no longer than this.
const LONGEST: usize = 40;

impl When {
    /// `22:38:47`.
    pub(super) fn clock(time: &str) -> Self {
        let time = cut_to(time, LONGEST);
        Self { said: clock(&time), iso: iso(&time) }
    }

    /// `2026-11-21 22:38:47`.
    pub(super) fn day(time: &str) -> Self {
        let time = cut_to(time, LONGEST);
        Self { said: clock_and_day(&time), iso: iso(&time) }
    }

    /// A tick of an axis that is `length` microseconds long.
    pub(super) fn tick(micros: i64, length: i64) -> Self {
        const DAYS: i64 = 3 * 86_400 * crate::session::SECOND;
        let Some(time) = DateTime::from_timestamp_micros(micros) else { return Self::default() };
        let format = if length > DAYS { "%m-%d %H:%M" } else { "%H:%M" };
        Self { said: time.format(format).to_string(), iso: time.format("%Y-%m-%dT%H:%M:%SZ").to_string() }
    }

    /// `deploy at 2026-11-21 22:38:47 UTC`.
    pub(super) fn in_words(&self, what: &str) -> String {
        format!("{what} at {} UTC", self.said)
    }

    /// About the bytes that it takes in the page.
    pub(super) const fn size(&self) -> usize {
        self.iso.len() + self.said.len() + 30
    }
}

/// To the second, in UTC; empty if it is no time.
fn iso(time: &str) -> String {
    DateTime::parse_from_rfc3339(time)
        .map(|time| time.with_timezone(&Utc).format("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}
