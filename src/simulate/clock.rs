//! Times as text, without a calendar's cost on every line.

use chrono::{DateTime, Datelike as _, Timelike as _};

use super::SECOND;

/// Keeps the text of the last second: most lines share theirs with the line before.
#[derive(Debug, Default)]
pub(super) struct Clock {
    second: Option<i64>,
    text: String,
}

impl Clock {
    /// `2026-11-16T06:03:52.068658`.
    pub(super) fn local(&mut self, micros: i64) -> &str {
        use std::fmt::Write as _;
        let second = micros.div_euclid(SECOND);
        if self.second != Some(second) {
            self.second = Some(second);
            self.text.clear();
            let time = DateTime::from_timestamp(second, 0).unwrap_or_default();
            let _ = write!(
                self.text,
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
                time.year(),
                time.month(),
                time.day(),
                time.hour(),
                time.minute(),
                time.second()
            );
        }
        self.text.truncate(19);
        let _ = write!(self.text, ".{:06}", micros.rem_euclid(SECOND));
        &self.text
    }
}
