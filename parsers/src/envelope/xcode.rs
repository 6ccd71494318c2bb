//! Xcode's console (`NSLog`): `2026-11-16 06:10:00.043123+0900 Runner[512:34567] flutter: text`.
//!
//! Source: CoreFoundation `CFUtilities.c` (`CFLog`): date, process name, `[pid:thread]`.

use bumpalo::Bump;

use super::{Envelope, Peeled};
use crate::about::About;
use crate::text::leading_number;
use crate::time;

/// See the module.
pub(super) struct Xcode;

impl Envelope for Xcode {
    fn name(&self) -> &'static str {
        "xcode"
    }

    fn about(&self) -> About {
        About {
            example: "2026-11-16 06:10:00.043123+0900 Runner[512:34567] flutter: *** Request ***",
            shows: "time with zone, process",
            hides: "level",
            source: "Apple CoreFoundation CFUtilities.c (CFLog)",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_digit()
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let end = time::iso_end(line)?;
        let rest = line[end..].strip_prefix(b" ")?;
        let open = rest.iter().take(64).position(|b| *b == b'[')?;
        let (process, digits) = leading_number(&rest[open + 1..])?;
        let after = rest[open + 1 + digits..].strip_prefix(b":")?;
        let thread = after.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let inner = after[thread..].strip_prefix(b"] ")?;
        if thread == 0 || rest[..open].contains(&b' ') {
            return None;
        }
        let (stamp, _) = time::iso(line)?;
        Some(Peeled { inner, stamp: Some(stamp), process, client: true, program: true, ..Peeled::default() })
    }
}
