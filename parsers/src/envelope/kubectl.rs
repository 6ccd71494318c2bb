//! `kubectl logs --prefix`: `[pod/web-6d4f9c7b8-x2x9p/rails] text`, with `--timestamps` the time behind it.
//!
//! Source: kubernetes/kubectl `pkg/cmd/logs/logs.go` (`addPrefixIfNeeded`).

use bumpalo::Bump;

use super::{Envelope, Peeled, after_blank};
use crate::about::About;

/// See the module.
pub(super) struct Kubectl;

impl Envelope for Kubectl {
    fn name(&self) -> &'static str {
        "kubectl"
    }

    fn about(&self) -> About {
        About {
            example: "[pod/web-6d4f9c7b8-x2x9p/rails] Started GET …",
            shows: "pod and container",
            hides: "time unless `--timestamps`; process, level",
            source: "kubernetes/kubectl pkg/cmd/logs/logs.go",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == b'['
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let rest = line.strip_prefix(b"[pod/")?;
        let end = rest.iter().take(320).position(|b| *b == b']')?;
        let pod = &rest[..memchr::memchr(b'/', &rest[..end])?];
        Some(Peeled { inner: after_blank(&rest[end + 1..]), instance: Some(pod), ..Peeled::default() })
    }
}
