//! Step logs of GitHub Actions: `2026-11-16T06:03:52.0686581Z text` (seven digits), and as `gh run view --log` prints them with job and
//! step in front: `build<TAB>Run tests<TAB>2026-11-16T06:03:52.0686581Z text`.
//!
//! Source: actions/runner `src/Runner.Worker/ExecutionContext.cs`; cli/cli `pkg/cmd/run/view/view.go`.

use bumpalo::Bump;

use super::{Envelope, Peeled};
use crate::about::About;
use crate::time;

/// See the module.
pub(super) struct GithubActions;

impl Envelope for GithubActions {
    fn name(&self) -> &'static str {
        "github-actions"
    }

    fn about(&self) -> About {
        About {
            example: "2026-11-16T06:03:52.0686581Z Started GET …",
            shows: "time to a tenth of a microsecond; job and step as `gh run view --log` prints them",
            hides: "process, level",
            source: "actions/runner src/Runner.Worker; cli/cli pkg/cmd/run/view",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_alphanumeric()
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let mut text = line;
        if !line.first()?.is_ascii_digit() || time::iso_end(line).is_none() {
            let head = &line[..line.len().min(256)];
            let job = memchr::memchr(b'\t', head)?;
            let step = memchr::memchr(b'\t', &head[job + 1..])?;
            // `pod rails "TIME","api","job<TAB>step<TAB>…"`: tabs of a line that is quoted in another frame.
            if memchr::memchr(b'"', &line[..job]).is_some() {
                return None;
            }
            // `web-1  | TIME stdout P job<TAB>step<TAB>…`: no job's name has a time in it.
            if line[..job].windows(19).any(|part| time::iso_end(part).is_some()) {
                return None;
            }
            text = &line[job + step + 2..];
            text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        }
        if text.get(27) != Some(&b'Z') || text.get(19) != Some(&b'.') {
            return None;
        }
        let (stamp, length) = time::iso(text)?;
        let inner = text[length..].strip_prefix(b" ").or_else(|| text[length..].is_empty().then_some(b""))?;
        // `##[group]Run …`: the runner's own marks.
        let inner = if inner.starts_with(b"##[") { b"" } else { inner };
        Some(Peeled { inner, stamp: Some(stamp), ..Peeled::default() })
    }
}
