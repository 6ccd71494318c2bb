//! What the name of a log's rotation says: which log, and how old.

use std::cmp::Reverse;

/// The age of a rotation; the oldest comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// By the date or the time in its name (logrotate's `dateext`, Ruby's `Logger` with `daily`).
    Dated(String),
    /// By its number, which grows with each rotation.
    Numbered(Reverse<u32>),
    /// The log that is written to.
    Current,
}

/// Fewer digits are a number, as many or more a date: `20261117`.
const DATE_DIGITS: usize = 8;

/// The log that a file is a rotation of, the file's age, and whether it is compressed. `production.log.2.gz`,
/// `production.log-20261117.zst` and `production.log.20261117` are rotations of `production.log`; `puma-3.log` is a log.
pub(super) fn of(name: &str) -> (String, Rank, bool) {
    let plain = [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending));
    let compressed = plain.is_some();
    let name = plain.unwrap_or(name);
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '_'));
    let suffix = &name[base.len()..];
    let digits: String = suffix.chars().filter(char::is_ascii_digit).collect();
    let rank = if base.is_empty() {
        None
    } else if digits.len() >= DATE_DIGITS && suffix.starts_with(['.', '-', '_']) {
        Some(Rank::Dated(digits))
    } else {
        // Not `puma-3`, which may be a log of its own.
        suffix.strip_prefix('.').and_then(|number| number.parse().ok()).map(|number| Rank::Numbered(Reverse(number)))
    };
    match rank {
        Some(rank) => (base.to_owned(), rank, compressed),
        None => (name.to_owned(), Rank::Current, compressed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotations_are_told_from_logs_and_come_in_the_order_of_age() {
        let log = "production.log";
        let mut names = [
            "production.log",
            "production.log.1",
            "production.log.10.gz",
            "production.log.2.gz",
            "production.log-20261117.zst",
            "production.log.20261016",
        ];
        names.sort_by_key(|name| of(name).1);
        let oldest_first = [
            "production.log.20261016",
            "production.log-20261117.zst",
            "production.log.10.gz",
            "production.log.2.gz",
            "production.log.1",
            "production.log",
        ];
        assert_eq!(names, oldest_first);
        assert!(names.iter().all(|name| of(name).0 == log));
        for name in ["puma-3.log", "worker2", "puma-3", "syslog"] {
            assert_eq!(of(name), (name.to_owned(), Rank::Current, false));
        }
        assert_eq!(of("syslog.1").0, "syslog");
    }
}
