//! logstasher: one JSON object a request, with the fields flat (1.0 and later) or under `@fields` (before).
//!
//! Source: shadabahmed/logstasher `lib/logstasher/active_support/log_subscriber.rb`, `lib/logstasher.rb`.

use crate::about::About;
use crate::dialect::{Context, Dialect, Fields, Line};
use crate::json::Object;
use crate::record::{Body, Completed, Side};
use crate::text::{contains, digits, leading_number};
use crate::time;

use super::requests;

/// See the module.
pub(crate) struct Logstasher;

impl Dialect for Logstasher {
    fn name(&self) -> &'static str {
        "logstasher"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: r#"{"method":"GET","path":"/api/v1/feed","controller":"feed","action":"index","status":401,"duration":2.1,"route":"feed#index","ip":"203.0.113.7","request_id":"5e908487-…","tags":["request"],"@timestamp":"2026-11-16T06:03:52.068Z","@version":"1"}"#,
            shows: "method, path, status, duration, address, request id, time",
            hides: "user unless the app adds it; ActionCable",
            source: "shadabahmed/logstasher lib/logstasher",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Option<Body<'a>> {
        let object = candidate(line.text, context)?;
        let status = object.text("status").and_then(|status| digits(status, 0, 3)).and_then(|s| u16::try_from(s).ok());
        let duration = object
            .text("duration")
            .and_then(leading_number)
            .and_then(|(ms, _)| i64::try_from(ms).ok()?.checked_mul(1000));
        let exception = object.text("error").filter(|error| !error.is_empty());
        let end = Completed { status, duration, action: object.text("route"), exception };
        Some(Body::Request { method: object.text("method")?, path: object.text("path")?, end })
    }

    fn fields<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Fields<'a> {
        let Some(fields) = candidate(line.text, context) else { return Fields::default() };
        let outer = Object::read(line.text, context.arena);
        let stamp = outer.and_then(|outer| outer.text("@timestamp")).and_then(time::any);
        Fields { stamp, ..requests::fields_of(&fields) }
    }
}

fn candidate<'a>(text: &'a [u8], context: &Context<'a>) -> Option<Object<'a>> {
    if text.first() != Some(&b'{') || !contains(text, b"\"@timestamp\"") {
        return None;
    }
    let nested = contains(text, b"\"@fields\"");
    if !nested && !contains(text, b"\"route\"") {
        return None;
    }
    let object = Object::read(text, context.arena)?;
    let fields = if nested { object.object("@fields")? } else { object };
    fields.has(&["method", "path", "status"]).then_some(fields)
}
