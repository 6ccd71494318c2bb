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

/// Endings that logrotate's `extension` is used for: what stands before them is numbered, not what stands behind.
const EXTENSIONS: [&str; 5] = [".log", ".txt", ".json", ".out", ".err"];

/// The log that a file is a rotation of, the file's age, and whether it is compressed. `production.log.2.gz`,
/// `production.log-20261117.zst`, `production.log.20261117`, `production.2.log.gz` and `production-20261117.log` are rotations of
/// `production.log`; `puma-3.log` is a log.
pub(super) fn of(name: &str) -> (String, Rank, bool) {
    let plain = [".gz", ".zst"].iter().find_map(|ending| name.strip_suffix(ending));
    let compressed = plain.is_some();
    let name = plain.unwrap_or(name);
    let within = || {
        let extension = EXTENSIONS.iter().find(|extension| name.ends_with(**extension))?;
        let (base, rank) = numbered(name.strip_suffix(extension)?)?;
        Some((format!("{base}{extension}"), rank))
    };
    let found = numbered(name).map(|(base, rank)| (base.to_owned(), rank)).or_else(within);
    let (base, rank) = found.unwrap_or_else(|| (name.to_owned(), Rank::Current));
    (base, rank, compressed)
}

/// What stands before a rotation's number or date, and its age.
fn numbered(name: &str) -> Option<(&str, Rank)> {
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '_'));
    let suffix = &name[base.len()..];
    let digits: String = suffix.chars().filter(char::is_ascii_digit).collect();
    let rank = if base.is_empty() {
        return None;
    } else if digits.len() >= DATE_DIGITS && suffix.starts_with(['.', '-', '_']) {
        Rank::Dated(digits)
    } else {
        // Not `puma-3`, which may be a log of its own.
        Rank::Numbered(Reverse(suffix.strip_prefix('.')?.parse().ok()?))
    };
    Some((base, rank))
}

/// The glob patterns of a log's rotations that lie beside it.
pub(super) fn patterns(log: &str) -> Vec<String> {
    let within = EXTENSIONS.iter().filter_map(|extension| Some((log.strip_suffix(extension)?, extension)));
    let within = within.map(|(stem, extension)| format!("{stem}[._-][0-9]*{extension}*"));
    [format!("{log}[._-][0-9]*")].into_iter().chain(within).collect()
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
        // logrotate's `extension .log`, with numbers and with `dateext`.
        let mut names = ["production.1.log", "production.log", "production.10.log.gz", "production-20261117.log.gz"];
        names.sort_by_key(|name| of(name).1);
        assert_eq!(names, ["production-20261117.log.gz", "production.10.log.gz", "production.1.log", "production.log"]);
        assert!(names.iter().all(|name| of(name).0 == log));
        for name in ["puma-3.log", "worker2", "puma-3", "syslog", "2026-11-17.log", "api.v2.log"] {
            assert_eq!(of(name), (name.to_owned(), Rank::Current, false));
        }
        assert_eq!(of("syslog.1").0, "syslog");
    }
}
