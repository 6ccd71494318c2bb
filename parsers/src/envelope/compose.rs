//! `docker compose` and process managers that print a name and a bar: `web-1  | text` (compose v2), `project_web_1  | text` (v1),
//! `web.1 | text` and `web  | text` (overmind, hivemind).
//!
//! Sources: docker/compose `cmd/formatter/logs.go`; DarthSim/overmind `start/multi_output.go`.

use bumpalo::Bump;

use super::{Envelope, Peeled, after_blank};
use crate::about::About;

/// See the module.
pub(super) struct Compose;

impl Envelope for Compose {
    fn name(&self) -> &'static str {
        "compose"
    }

    fn about(&self) -> About {
        About {
            example: "web-1  | Started GET …",
            shows: "which service or process wrote it",
            hides: "time unless `-t`; process, level",
            source: "docker/compose cmd/formatter/logs.go; DarthSim/overmind start/multi_output.go",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_alphanumeric()
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let (name, inner) = name_and_bar(line)?;
        Some(Peeled { inner, instance: Some(name), ..Peeled::default() })
    }
}

/// `web-1  | text`: one word, padded, a bar.
pub(super) fn name_and_bar(text: &[u8]) -> Option<(&[u8], &[u8])> {
    /// compose pads to the longest service name; names of containers have at most 64 characters.
    const LONGEST: usize = 72;
    let bar = text.iter().take(LONGEST).position(|b| *b == b'|')?;
    let name = text[..bar].strip_suffix(b" ")?.trim_ascii_end();
    let plain = name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    // A table's cell (`id | name`) is a word and a bar too; a service's name has a letter in lower case and no second bar near.
    let inner = &text[bar + 1..];
    (!name.is_empty() && plain && name.iter().any(u8::is_ascii_lowercase) && (inner.is_empty() || inner[0] == b' '))
        .then_some((name, after_blank(inner)))
}
