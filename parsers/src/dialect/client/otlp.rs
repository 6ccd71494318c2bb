//! Spans of a client in OTLP/JSON; see [`crate::dialect::otlp`].

use crate::about::About;
use crate::dialect::otlp::{End, span};
use crate::dialect::{Context, Dialect, Fields, Line};
use crate::record::{Body, Exchange, Params, Side};

/// See the module.
pub(crate) struct OtlpClient;

impl Dialect for OtlpClient {
    fn name(&self) -> &'static str {
        "otlp-client"
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn about(&self) -> About {
        About {
            example: r#"{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","kind":3,"startTimeUnixNano":"1763273032068658000","endTimeUnixNano":"1763273032092658000","attributes":[{"key":"http.request.method","value":{"stringValue":"GET"}},{"key":"url.full","value":{"stringValue":"https://api.example.com/api/v1/feed"}},{"key":"http.response.status_code","value":{"intValue":"401"}}]}"#,
            shows: "method, address, status, start and duration of calls, trace id",
            hides: "tokens, sockets; user unless an attribute names it",
            source: "open-telemetry/opentelemetry-proto trace.proto; HTTP semantic conventions",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Option<Body<'a>> {
        let span = span(line, context)?;
        if span.end != End::Client {
            return None;
        }
        Some(Body::Exchange(Exchange {
            method: span.method,
            uri: span.path,
            status: span.status,
            duration: span.duration,
            id: span.fields.request,
            bearer: None,
            params: Params::default(),
        }))
    }

    fn fields<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Fields<'a> {
        span(line, context).map(|span| span.fields).unwrap_or_default()
    }
}
