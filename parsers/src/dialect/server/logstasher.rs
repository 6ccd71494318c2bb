//! logstasher: one JSON object a request, with the fields flat (1.0 and later) or under `@fields` (before).
//!
//! Source: shadabahmed/logstasher `lib/logstasher/active_support/log_subscriber.rb`, `lib/logstasher.rb`.

use std::borrow::Cow;

use crate::about::About;
use crate::dialect::{Context, Dialect, Fields, Line};
use crate::json::Object;
use crate::record::{Body, Completed, Side};
use crate::text::{digits, leading_number};
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

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let object = candidate(line)?;
        let status = object.text("status").and_then(|status| digits(status, 0, 3)).and_then(|s| u16::try_from(s).ok());
        let duration = object
            .text("duration")
            .and_then(leading_number)
            .and_then(|(ms, _)| i64::try_from(ms).ok()?.checked_mul(1000));
        let exception = object.text("error").filter(|error| !error.is_empty());
        let end = Completed { status, duration, action: object.text("route"), exception };
        Some(Body::Request { method: object.text("method")?, path: object.text("path")?, end })
    }

    fn fields<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Fields<'a> {
        let Some(fields) = candidate(line) else { return Fields::default() };
        let stamp = line.object.and_then(|outer| outer.text("@timestamp")).and_then(time::any);
        Fields { stamp, ..requests::fields_of(&fields) }
    }
}

fn candidate<'a>(line: &Line<'a>) -> Option<Cow<'a, Object<'a>>> {
    let object = line.object?;
    let fields = if object.raw("@fields").is_some() {
        Cow::Owned(object.object("@fields")?)
    } else {
        object.raw("route")?;
        Cow::Borrowed(object)
    };
    (object.raw("@timestamp").is_some() && fields.has(&["method", "path", "status"])).then_some(fields)
}
