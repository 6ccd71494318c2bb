//! Spans of a server in OTLP/JSON; see [`crate::dialect::otlp`].

use crate::about::About;
use crate::dialect::otlp::{End, span};
use crate::dialect::{Context, Dialect, Fields, Line};
use crate::record::{Body, Completed, Side};

/// See the module.
pub(crate) struct OtlpServer;

impl Dialect for OtlpServer {
    fn name(&self) -> &'static str {
        "otlp-server"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: r#"{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","kind":2,"startTimeUnixNano":"1763273032068658000","endTimeUnixNano":"1763273032092658000","attributes":[{"key":"http.request.method","value":{"stringValue":"GET"}},{"key":"url.path","value":{"stringValue":"/api/v1/feed"}},{"key":"http.response.status_code","value":{"intValue":"401"}}]}"#,
            shows: "method, path, status, start and duration of requests, trace id; user and address where attributes name them",
            hides: "tokens, sockets, why a status was given",
            source: "open-telemetry/opentelemetry-proto trace.proto; HTTP semantic conventions",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Option<Body<'a>> {
        let span = span(line, context)?;
        let end = Completed {
            status: span.status,
            // A span's time is its start already.
            duration: None,
            action: None,
            exception: None,
        };
        match span.end {
            End::Server => Some(Body::Request { method: span.method, path: span.path, end }),
            End::Client => None,
            End::Other => Some(Body::Dull),
        }
    }

    fn fields<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Fields<'a> {
        span(line, context).map(|span| span.fields).unwrap_or_default()
    }
}
