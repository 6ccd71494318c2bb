//! The app's own lines on the server: any text in a program's frame or behind tags, and `[Component] text` without either.

use crate::about::About;
use crate::dialect::{Context, Dialect, Line, words};
use crate::record::{Body, Side};

/// See the module.
pub(crate) struct ServerApp;

impl Dialect for ServerApp {
    fn name(&self) -> &'static str {
        "app"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: "[5e908487-…] [Auth] 401 token_expired user_id=42",
            shows: "what usual words mean (expired, revoked, reused …), users they name",
            hides: "words of other languages and unusual ones",
            source: "each app's own words",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        if line.client {
            return None;
        }
        if !line.program && !line.tags.any {
            return None;
        }
        let (sense, user) = words::meaning(line.text);
        // `[TokenRefresh] …`: the component says what it is about.
        let about = line.tags.other.map_or(sense, |component| words::meaning(component).0);
        let sense = if sense.is_empty() && user.is_none() { sense } else { sense.with(about) };
        if sense.is_empty() && user.is_none() {
            return Some(Body::Dull);
        }
        Some(Body::Note { sense, user, text: line.text })
    }
}
