//! Formats of a user's own, taught by configuration: a regular expression with named groups, or the names of JSON fields.
//!
//! A pattern that gives a method and a path reads a whole request; any other is an envelope: its `message` is read like a line of its
//! own, with the time, user and request id that the pattern found.

use bumpalo::Bump;
use chrono::{DateTime, NaiveDateTime};
use regex::bytes::Regex;

use crate::json::Object;
use crate::record::Side;
use crate::secret::RequestId;
use crate::text::{digits, is_address, is_user_id, leading_number, milliseconds};
use crate::time::{self, Stamp, Stated};

/// What a group or field can be: the product's keys.
pub const KEYS: &[&str] =
    &["time", "user", "ip", "method", "path", "status", "request_id", "level", "message", "duration_ms", "pid"];

/// How many patterns a configuration may have.
pub const MOST_PATTERNS: usize = 16;

/// A pattern as it is written.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    /// Its name, in messages and counts.
    pub name: &'a str,
    /// A regular expression whose groups are named after [`KEYS`].
    pub regex: Option<&'a str>,
    /// JSON fields by key: `("user", "who.id")`.
    pub json: Vec<(&'a str, &'a str)>,
    /// `strftime` notation of the time; without it the usual forms are tried.
    pub time_format: Option<&'a str>,
    /// A line that it must read.
    pub example: &'a str,
    /// Which side writes such lines.
    pub side: Side,
}

/// A pattern that is fit for use: its example was read.
#[derive(Clone, Debug)]
pub struct Pattern {
    name: String,
    how: How,
    time_format: Option<String>,
    side: Side,
}

#[derive(Clone, Debug)]
enum How {
    Regex(Regex),
    Json(Vec<(usize, String)>),
}

/// What a pattern found in a line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found<'a> {
    pub(crate) stamp: Option<Stamp>,
    pub(crate) user: Option<&'a [u8]>,
    pub(crate) address: Option<&'a [u8]>,
    pub(crate) method: Option<&'a [u8]>,
    pub(crate) path: Option<&'a [u8]>,
    pub(crate) status: Option<u16>,
    pub(crate) request: Option<RequestId>,
    pub(crate) level: Option<&'a [u8]>,
    pub(crate) message: Option<&'a [u8]>,
    pub(crate) duration: Option<i64>,
    pub(crate) process: u64,
}

impl Pattern {
    /// Checks a pattern and its example.
    ///
    /// # Errors
    /// What is wrong with it, naming it.
    pub fn new(written: &Written<'_>) -> Result<Self, String> {
        let name = written.name;
        let wrong = |what: String| format!("pattern '{name}': {what}");
        let known = |key: &str| {
            KEYS.iter()
                .position(|known| *known == key)
                .ok_or_else(|| wrong(format!("'{key}' is no key; known are {}", KEYS.join(", "))))
        };
        let how = match (written.regex, written.json.is_empty()) {
            (Some(_), false) => return Err(wrong("it has both `regex` and `json`; leave one out".into())),
            (None, true) => return Err(wrong("it has neither `regex` nor `json`".into())),
            (Some(text), true) => {
                let regex =
                    Regex::new(text).map_err(|error| wrong(format!("the regular expression is not valid: {error}")))?;
                for group in regex.capture_names().flatten() {
                    known(group)?;
                }
                if regex.capture_names().flatten().next().is_none() {
                    return Err(wrong(format!(
                        "the regular expression has no named group, like (?<status>\\d+); known are {}",
                        KEYS.join(", ")
                    )));
                }
                How::Regex(regex)
            }
            (None, false) => {
                let fields: Result<Vec<_>, String> =
                    written.json.iter().map(|(key, field)| Ok((known(key)?, (*field).to_owned()))).collect();
                How::Json(fields?)
            }
        };
        let pattern = Self {
            name: name.to_owned(),
            how,
            time_format: written.time_format.map(str::to_owned),
            side: written.side,
        };
        pattern.check(written.example.as_bytes()).map_err(wrong)?;
        Ok(pattern)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which side writes such lines.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.side
    }

    fn check(&self, example: &[u8]) -> Result<(), String> {
        let arena = Bump::new();
        let values = self.values(example, &arena).ok_or("it does not fit its own example line")?;
        let [stated, _, _, method, path, status, _, _, message, ..] = values;
        if let Some(text) = stated.filter(|text| self.stamp(text).is_none()) {
            let shown = String::from_utf8_lossy(text);
            return Err(match &self.time_format {
                Some(format) => format!("the example's time '{shown}' is not written as time_format '{format}' says"),
                None => {
                    format!("the example's time '{shown}' is of no known form; say how it is written with time_format")
                }
            });
        }
        if let Some(text) = status.filter(|text| status_of(text).is_none()) {
            return Err(format!(
                "the example's status '{}' is no number of three digits",
                String::from_utf8_lossy(text)
            ));
        }
        if message.is_none() && (method.is_none() || path.is_none()) {
            return Err("it finds neither a message nor a method and a path in its example: nothing could be learnt from its lines".into());
        }
        Ok(())
    }

    /// The texts by key, in the order of [`KEYS`].
    fn values<'a>(&self, text: &'a [u8], arena: &'a Bump) -> Option<[Option<&'a [u8]>; KEYS.len()]> {
        let mut values = [None; KEYS.len()];
        match &self.how {
            How::Regex(regex) => {
                let captures = regex.captures(text)?;
                for (value, key) in values.iter_mut().zip(KEYS) {
                    *value = captures.name(key).map(|found| found.as_bytes()).filter(|text| !text.is_empty());
                }
            }
            How::Json(fields) => {
                let object = Object::read(text, arena)?;
                for (key, field) in fields {
                    values[*key] = object.at(field);
                }
                values.iter().any(Option::is_some).then_some(())?;
            }
        }
        Some(values)
    }

    fn stamp(&self, text: &[u8]) -> Option<Stamp> {
        let Some(format) = &self.time_format else { return time::any(text) };
        let text = std::str::from_utf8(text).ok()?;
        if let Ok(zoned) = DateTime::parse_from_str(text, format) {
            return Some(Stamp::of(Stated {
                micros: zoned.timestamp_micros(),
                zoned: true,
                dated: true,
                coarse: false,
            }));
        }
        let local = NaiveDateTime::parse_from_str(text, format).ok()?;
        Some(Stamp::of(Stated { micros: local.and_utc().timestamp_micros(), zoned: false, dated: true, coarse: false }))
    }

    /// Whether it may fit; quicker than reading it.
    pub(crate) fn may_read(&self, text: &[u8]) -> bool {
        match &self.how {
            How::Regex(regex) => regex.is_match(text),
            How::Json(_) => text.trim_ascii_start().first() == Some(&b'{'),
        }
    }

    /// What a line says, or `None` if it does not fit.
    pub(crate) fn read<'a>(&self, text: &'a [u8], arena: &'a Bump) -> Option<Found<'a>> {
        let [stated, user, ip, method, path, status, request, level, message, duration, process] =
            self.values(text, arena)?;
        let found = Found {
            stamp: stated.and_then(|text| self.stamp(text)),
            user: user.filter(|user| is_user_id(user)),
            address: ip.filter(|ip| is_address(ip)),
            method,
            path,
            status: status.and_then(status_of),
            request: request.filter(|id| id.len() >= 8).map(RequestId::new),
            level,
            message,
            duration: duration.and_then(milliseconds),
            process: process.and_then(leading_number).map_or(0, |(process, _)| process),
        };
        (found.message.is_some() || (found.method.is_some() && found.path.is_some())).then_some(found)
    }
}

fn status_of(text: &[u8]) -> Option<u16> {
    if text.len() != 3 {
        return None;
    }
    digits(text, 0, 3).and_then(|status| u16::try_from(status).ok()).filter(|status| (100..600).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<'a>(regex: &'a str, example: &'a str) -> Written<'a> {
        Written { name: "mine", regex: Some(regex), json: Vec::new(), time_format: None, example, side: Side::Server }
    }

    #[test]
    fn a_pattern_reads_what_its_groups_name() {
        let regex = r"^(?<time>\S+) (?<method>[A-Z]+) (?<path>\S+) => (?<status>\d+) by (?<user>\d+)$";
        let pattern = Pattern::new(&written(regex, "2026-11-16T06:03:52Z GET /a => 401 by 42")).unwrap();
        let arena = Bump::new();
        let found = pattern.read(b"2026-11-16T06:03:53Z POST /b => 200 by 43", &arena).unwrap();
        assert_eq!((found.status, found.user, found.path), (Some(200), Some(&b"43"[..]), Some(&b"/b"[..])));
        assert!(pattern.read(b"something else", &arena).is_none());
    }

    #[test]
    fn what_is_wrong_is_said_by_name() {
        for (regex, example, said) in [
            ("(", "x", "not valid"),
            ("(?<nobody>x)", "x", "'nobody' is no key"),
            ("x", "x", "no named group"),
            ("(?<message>x)", "y", "does not fit its own example"),
            ("(?<time>x) (?<message>y)", "x y", "of no known form"),
            ("(?<status>x) (?<message>y)", "x y", "no number"),
            ("(?<status>401)", "401", "neither a message"),
        ] {
            let error = Pattern::new(&written(regex, example)).unwrap_err();
            assert!(error.starts_with("pattern 'mine': ") && error.contains(said), "{regex}: {error}");
        }
    }
}
