//! `render logs -o text`: `2026-11-21 22:31:53  text`, whole seconds in UTC without saying so, two blanks.
//!
//! Source: render-oss/cli, `fmt.Sprintf("%s  %s", time.DateTime, message)`; the API sends UTC.

use bumpalo::Bump;

use super::{Envelope, Peeled};
use crate::time;

/// See the module.
pub(super) struct RenderText;

impl Envelope for RenderText {
    fn name(&self) -> &'static str {
        "render-text"
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let (stamp, length) = time::iso(line)?;
        if length != 19 || line.get(10) != Some(&b' ') {
            return None;
        }
        let inner = line[length..].strip_prefix(b"  ")?;
        Some(Peeled { inner, stamp: Some(time::Stamp { zoned: true, ..stamp }), ..Peeled::default() })
    }
}
