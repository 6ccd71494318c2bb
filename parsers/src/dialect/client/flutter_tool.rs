//! What the `flutter` tool, Gradle, Xcode and adb print around an app's own lines: builds, installs, hot reloads. Known, and dull.
//!
//! Source: flutter/flutter `packages/flutter_tools/lib/src`; Gradle's console; observed in public captures.

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Side};
use crate::text::contains;

/// Its name.
pub(crate) const NAME: &str = "flutter-tool";

/// See the module.
pub(crate) struct FlutterTool;

impl Dialect for FlutterTool {
    fn name(&self) -> &'static str {
        NAME
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn about(&self) -> About {
        About {
            example: "Running Gradle task 'assembleDebug'...",
            shows: "nothing that a verdict rests on; counted, so that it is not taken for unknown",
            hides: "everything of the app",
            source: "flutter/flutter packages/flutter_tools/lib/src",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        // The tool's lines stand bare beside the app's, which have a frame.
        if line.program || line.tags.any {
            return None;
        }
        let text = line.whole.trim_ascii_start();
        let known = DULL.iter().any(|dull| text.starts_with(dull));
        let observatory =
            contains(text, b"is available at: http://127.0.0.1") || contains(text, b"is available at http://127.0.0.1");
        (known || observatory).then_some(Body::Dull)
    }
}

const DULL: &[&[u8]] = &[
    b"Running Gradle task ",
    b"Running Xcode build",
    b"Running pod install",
    b"Xcode build done",
    b"Built build/",
    "✓ Built ".as_bytes(),
    "✓  Built ".as_bytes(),
    "√ Built ".as_bytes(),
    "√  Built ".as_bytes(),
    b"Installing ",
    b"Waiting for ",
    b"Debug service listening on ",
    b"Syncing files to device ",
    b"Flutter run key commands.",
    b"r Hot reload",
    b"R Hot restart",
    b"h List all available interactive commands",
    b"h Repeat this help message",
    b"d Detach",
    b"c Clear the screen",
    b"q Quit",
    b"Performing hot re",
    b"Reloaded ",
    b"Application finished.",
    b"Lost connection to device.",
    b"Using hardware rendering with device ",
    b"To hot reload changes ",
    b"For a more detailed help message",
    b"An Observatory debugger",
    b"Resolving dependencies",
    b"Downloading packages",
    b"Got dependencies!",
    b"Changed ",
    b"executing: ",
    b"exiting with code ",
    b"> Task :",
    b"> Configure project",
    b"BUILD SUCCESSFUL",
    b"BUILD FAILED",
    b"* daemon ",
    b"--------- beginning of",
    b"Runtime execution, ",
];
