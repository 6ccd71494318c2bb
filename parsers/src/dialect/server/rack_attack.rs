//! Rack::Attack writes nothing by itself; what is seen are the usual lines of a subscriber: `[Rack::Attack] throttle 203.0.113.7 POST /login`,
//! `rack.attack … throttled`. It answers 429 or 403, never 401.
//!
//! Source: rack/rack-attack `README.md` ("Logging & Instrumentation").

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Side};
use crate::text::contains;

/// See the module.
pub(crate) struct RackAttack;

impl Dialect for RackAttack {
    fn name(&self) -> &'static str {
        "rack-attack"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: "[Rack::Attack][Throttled] remote_ip: 203.0.113.7, path: /api/v1/auth/login",
            shows: "that a request was held back",
            hides: "its status; requests it answers have `Started` and no `Completed`",
            source: "rack/rack-attack README.md, Logging & Instrumentation",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let text = line.whole;
        let head = &text[..text.len().min(200)];
        let named = contains(head, b"Rack::Attack") || contains(head, b"rack_attack") || contains(head, b"rack.attack");
        // An exception or a frame that names the class is read by others.
        (named && !contains(head, b".rb:")).then_some(Body::Dull)
    }
}
