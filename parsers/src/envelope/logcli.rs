//! Grafana's `logcli query`: `2026-11-16T06:03:52Z {app="web"} text`. Newest first unless `--forward`.
//!
//! Source: grafana/loki `pkg/logcli/output/default.go`.

use bumpalo::Bump;

use super::{Envelope, Peeled};
use crate::about::About;
use crate::time;

/// See the module.
pub(super) struct Logcli;

impl Envelope for Logcli {
    fn name(&self) -> &'static str {
        "logcli"
    }

    fn about(&self) -> About {
        About {
            example: r#"2026-11-16T06:03:52Z {app="web"} Started GET …"#,
            shows: "time, labels",
            hides: "the labels that all lines share (printed in a head)",
            source: "grafana/loki pkg/logcli/output/default.go",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_digit()
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let end = time::iso_end(line)?;
        let rest = line[end..].trim_ascii_start();
        let labels = &rest[..memchr::memchr(b'}', rest)? + 1];
        let inside = labels.strip_prefix(b"{")?.strip_suffix(b"}")?;
        // `{app="web", pod="x"}`: names without quotes, so it is no JSON.
        if !inside.is_empty() && (inside.starts_with(b"\"") || !inside.windows(2).any(|pair| pair == b"=\"")) {
            return None;
        }
        let inner = rest[labels.len()..].strip_prefix(b" ")?;
        let (stamp, _) = time::iso(line)?;
        Some(Peeled { inner: inner.trim_ascii_start(), stamp: Some(stamp), ..Peeled::default() })
    }
}
