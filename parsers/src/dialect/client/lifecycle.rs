//! The app's life: start, front, back. `AppLifecycleState.resumed` is how Dart prints the enum, whatever the words around it.
//!
//! Source: flutter/engine `lib/ui/platform_dispatcher.dart` (`AppLifecycleState`), flutter/flutter `flutter_tools` (`Launching …`).

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Side};
use crate::text::{contains, contains_ignoring_case, split_at_first};

/// See the module.
pub(crate) struct Lifecycle;

impl Dialect for Lifecycle {
    fn name(&self) -> &'static str {
        "lifecycle"
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn about(&self) -> About {
        About {
            example: "AppLifecycleState.resumed",
            shows: "front and back of the app, its starts",
            hides: "how long the device slept",
            source: "flutter/engine lib/ui/platform_dispatcher.dart",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let text = line.whole;
        if let Some((_, state)) = split_at_first(text, b"AppLifecycleState.") {
            return Some(if state.starts_with(b"resumed") {
                Body::Lifecycle { resumed: true }
            } else if [&b"paused"[..], b"hidden", b"detached"].iter().any(|name| state.starts_with(name)) {
                Body::Lifecycle { resumed: false }
            } else {
                Body::Dull
            });
        }
        if text.starts_with(b"Launching lib/") || text.starts_with(b"Restarted application in ") {
            return Some(Body::AppStart);
        }
        let starts = [&b" starting"[..], b" started", b" launched", b" booting"]
            .iter()
            .any(|word| contains_ignoring_case(text, word));
        (line.trace && starts && has_version(text)).then_some(Body::AppStart)
    }
}

/// `2.14.1` somewhere in the text.
fn has_version(text: &[u8]) -> bool {
    text.len() <= 200
        && !contains(text, b"://")
        && text.split(|b| matches!(b, b' ' | b'(' | b')' | b',' | b'v' | b'/')).any(|word| {
            let parts: Vec<&[u8]> = word.split(|b| matches!(b, b'.' | b'+')).collect();
            parts.len() >= 3
                && parts.iter().all(|part| !part.is_empty() && part.len() <= 6 && part.iter().all(u8::is_ascii_digit))
        })
}
