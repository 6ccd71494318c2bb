//! `flutter run -v`: the tool's own lines and the app's behind the time since the last one: `[ +634 ms] flutter: text`,
//! `[        ] text` where no time passed.
//!
//! Source: flutter/flutter `packages/flutter_tools/lib/src/base/logger.dart` (`VerboseLogger`).

use bumpalo::Bump;

use super::{Envelope, Peeled, after_blank};
use crate::about::About;
use crate::text::leading_number;

/// See the module.
pub(super) struct FlutterVerbose;

impl Envelope for FlutterVerbose {
    fn name(&self) -> &'static str {
        "flutter-verbose"
    }

    fn about(&self) -> About {
        About {
            example: "[ +634 ms] flutter: *** Request ***",
            shows: "that the line comes from `flutter run -v`",
            hides: "time of day, process",
            source: "flutter/flutter packages/flutter_tools/lib/src/base/logger.dart (VerboseLogger)",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == b'['
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let rest = line.strip_prefix(b"[")?;
        let inside = rest.get(..rest.iter().take(16).position(|b| *b == b']')?)?;
        let blank = inside.len() >= 8 && inside.iter().all(|b| *b == b' ');
        let timed = || {
            let digits = inside.trim_ascii().strip_prefix(b"+")?;
            let digits: &[u8] = digits.strip_suffix(b" ms").or_else(|| digits.strip_suffix(b"ms"))?;
            let plain: usize = digits.iter().filter(|b| b.is_ascii_digit() || **b == b',').count();
            (plain == digits.len() && leading_number(digits).is_some()).then_some(())
        };
        if !blank && timed().is_none() {
            return None;
        }
        let inner = after_blank(&rest[inside.len() + 1..]);
        Some(Peeled { inner, client: true, program: true, ..Peeled::default() })
    }
}
