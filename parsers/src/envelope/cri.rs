//! Container runtimes under Kubernetes: `2026-11-16T06:03:52.068658123Z stdout F text`; `P` marks a part of a longer line.
//!
//! Source: kubernetes/kubernetes `pkg/kubelet/kuberuntime/logs/logs.go` (`parseCRILog`); containerd and CRI-O cut at 16 KiB.

use bumpalo::Bump;

use super::{Envelope, Peeled};
use crate::about::About;
use crate::time;

/// See the module.
pub(super) struct Cri;

impl Envelope for Cri {
    fn name(&self) -> &'static str {
        "cri"
    }

    fn about(&self) -> About {
        About {
            example: "2026-11-16T06:03:52.068658123Z stdout F Started GET …",
            shows: "time to the nanosecond with zone",
            hides: "process, level; lines beyond 16 KiB come in parts, which are joined where the file begins like this",
            source: "kubernetes/kubernetes pkg/kubelet/kuberuntime/logs/logs.go (parseCRILog)",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_digit()
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let end = time::iso_end(line)?;
        let rest = line[end..].strip_prefix(b" ")?;
        let rest = rest.strip_prefix(b"stdout ").or_else(|| rest.strip_prefix(b"stderr "))?;
        let inner = match rest {
            [b'F' | b'P', b' ', inner @ ..] => inner,
            [b'F' | b'P'] => b"",
            // Before Kubernetes 1.8 there was no mark.
            inner => inner,
        };
        let (stamp, _) = time::iso(line)?;
        Some(Peeled { inner, stamp: Some(stamp), ..Peeled::default() })
    }
}
