//! stern: `web-6d4f9c7b8-x2x9p rails text`, and `+ web-6d4f9c7b8-x2x9p › rails` when it attaches.
//!
//! A pod's name ends in five characters of an alphabet without vowels, which tells it from a word. Sources: stern/stern
//! `stern/tail.go` (default template); kubernetes/apimachinery `pkg/util/rand` (`bcdfghjklmnpqrstvwxz2456789`).

use bumpalo::Bump;

use super::{Envelope, Peeled, after_blank};
use crate::about::About;
use crate::text::first_word;

/// See the module.
pub(super) struct Stern;

impl Envelope for Stern {
    fn name(&self) -> &'static str {
        "stern"
    }

    fn about(&self) -> About {
        About {
            example: "web-6d4f9c7b8-x2x9p rails Started GET …",
            shows: "pod and container",
            hides: "time unless `-t`; process, level",
            source: "stern/stern stern/tail.go",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_lowercase() || matches!(first, b'+' | b'-')
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        if let Some(rest) = line.strip_prefix(b"+ ").or_else(|| line.strip_prefix(b"- ")) {
            let pod = first_word(rest);
            let attaches = is_pod(pod) && rest[pod.len()..].starts_with(" › ".as_bytes());
            return attaches.then_some(Peeled { instance: Some(pod), ..Peeled::default() });
        }
        let pod = first_word(&line[..line.len().min(260)]);
        if !is_pod(pod) {
            return None;
        }
        let rest = line[pod.len()..].strip_prefix(b" ")?;
        let container = first_word(rest);
        let plain = container.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-');
        if container.is_empty() || container.len() > 63 || !plain {
            return None;
        }
        Some(Peeled { inner: after_blank(&rest[container.len()..]), instance: Some(pod), ..Peeled::default() })
    }
}

/// `web-6d4f9c7b8-x2x9p`.
fn is_pod(name: &[u8]) -> bool {
    let Some(at) = name.len().checked_sub(6).filter(|at| *at > 0) else { return false };
    name[at] == b'-'
        && name[at + 1..].iter().all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(b))
        && name[at + 1..].iter().any(u8::is_ascii_digit)
        && name.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.'))
}
