//! `render logs -o text`: `2026-11-21 22:31:53  text`, whole seconds in UTC without saying so, two blanks.
//!
//! Source: render-oss/cli, `fmt.Sprintf("%s  %s", time.DateTime, message)`; the API sends UTC.

use bumpalo::Bump;

use super::{Envelope, Peeled};
use crate::about::About;
use crate::time;

/// See the module.
pub(super) struct RenderText;

impl Envelope for RenderText {
    fn name(&self) -> &'static str {
        "render-text"
    }

    fn about(&self) -> About {
        About {
            example: "2026-11-21 22:31:53  [96f54b04-…] Started POST …",
            shows: "when the line arrived, in whole seconds of UTC",
            hides: "instance, level; which of several services wrote it",
            source: "render-oss/cli pkg/text: time.DateTime, two blanks, message",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_digit()
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let (stamp, length) = time::iso(line)?;
        if length != 19 || line.get(10) != Some(&b' ') {
            return None;
        }
        let inner = line[length..].strip_prefix(b"  ")?;
        Some(Peeled { inner, stamp: Some(stamp.in_utc()), ..Peeled::default() })
    }
}
