//! Papertrail's archives: ten columns with tabs between: id, generated at, received at, source id, source name, source address,
//! facility, severity, program, message.
//!
//! Source: SolarWinds Papertrail manual, "Permanent log archives".

use bumpalo::Bump;

use super::{Envelope, Peeled, is_severe};
use crate::about::About;
use crate::time;

/// See the module.
pub(super) struct Papertrail;

impl Envelope for Papertrail {
    fn name(&self) -> &'static str {
        "papertrail"
    }

    fn about(&self) -> About {
        About {
            example: "1234	2026-11-16T06:03:52Z	2026-11-16T06:03:53Z	77	web1	203.0.113.1	User	Info	app/web.1	Started GET …",
            shows: "time, system, program, level",
            hides: "the program's own time unless it writes one",
            source: "Papertrail manual, Permanent log archives",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_digit()
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        if !line.iter().take(32).any(|b| *b == b'\t') {
            return None;
        }
        let mut columns = line.splitn(10, |b| *b == b'\t');
        let _id = columns.next()?;
        let (stamp, _) = time::iso(columns.next()?)?;
        let (_received, _source, name) = (columns.next()?, columns.next()?, columns.next()?);
        let (_address, _facility, severity) = (columns.next()?, columns.next()?, columns.next()?);
        let _program = columns.next()?;
        Some(Peeled {
            inner: columns.next()?,
            stamp: Some(stamp),
            instance: Some(name),
            severe: is_severe(severity),
            ..Peeled::default()
        })
    }
}
