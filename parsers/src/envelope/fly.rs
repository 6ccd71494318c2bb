//! `fly logs`: `2026-11-16T06:03:52Z app[148ed193] fra [info] text`, often without the blank after `[info]`.
//!
//! Source: superfly/flyctl `internal/render/logs.go`.

use bumpalo::Bump;

use super::{Envelope, Peeled, after_blank, is_severe};
use crate::about::About;
use crate::text::first_word;
use crate::time;

/// See the module.
pub(super) struct Fly;

impl Envelope for Fly {
    fn name(&self) -> &'static str {
        "fly"
    }

    fn about(&self) -> About {
        About {
            example: "2026-11-16T06:03:52Z app[148ed193] fra [info]Started GET …",
            shows: "time, machine, region, level",
            hides: "the program's own time unless it writes one",
            source: "superfly/flyctl internal/render/logs.go",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_digit()
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let end = time::iso_end(line)?;
        let rest = line[end..].strip_prefix(b" ")?;
        let source = first_word(rest);
        let instance = source.strip_suffix(b"]").and_then(|name| Some(&name[memchr::memchr(b'[', name)? + 1..]))?;
        let rest = rest[source.len()..].strip_prefix(b" ")?;
        let region = first_word(rest);
        let rest = rest[region.len()..].strip_prefix(b" [")?;
        let level = &rest[..rest.iter().take(12).position(|b| *b == b']')?];
        if !(2..=4).contains(&region.len()) {
            return None;
        }
        let (stamp, _) = time::iso(line)?;
        Some(Peeled {
            inner: after_blank(&rest[level.len() + 1..]),
            stamp: Some(stamp),
            instance: Some(instance),
            severe: is_severe(level),
            ..Peeled::default()
        })
    }
}
