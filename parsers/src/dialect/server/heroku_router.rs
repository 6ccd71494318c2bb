//! Heroku's router: `at=info method=GET path="/cable?token=…" host=… request_id=… fwd="203.0.113.7" dyno=web.1 connect=0ms service=24ms
//! status=401 bytes=240`, written at the end of a request; of a WebSocket at its close, with its whole life as `service`.
//!
//! It is the proxy's own view: a request that the app logs as well counts once. Source: Heroku Dev Center, "HTTP Routing" and
//! "Heroku Error Codes". The path has its query unfiltered.

use crate::about::About;
use crate::dialect::{Context, Dialect, Fields, Line};
use crate::record::{Body, Completed, Side};
use crate::secret::RequestId;
use crate::text::{contains, digits, is_address, leading_number};

use super::lograge::KeyValues;

/// See the module.
pub(crate) struct HerokuRouter;

impl Dialect for HerokuRouter {
    fn name(&self) -> &'static str {
        "heroku-router"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: r#"at=info method=GET path="/api/v1/feed" host=x.herokuapp.com request_id=8601b555-… fwd="203.0.113.7" dyno=web.1 connect=0ms service=24ms status=401 bytes=240"#,
            shows: "method, path, status, duration and address of every request, Rails' request id, the router's own errors (H12, H13, H15, H18)",
            hides: "user, why a status was given",
            source: "Heroku Dev Center, HTTP Routing; Heroku Error Codes",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        // Copies have a dash before it: the drain's sign for no message id.
        let text = line.text.strip_prefix(b"- ").unwrap_or(line.text);
        if !text.starts_with(b"at=") && !text.starts_with(b"sock=") {
            return None;
        }
        if !contains(line.text, b" dyno=") || !contains(line.text, b"method=") {
            return None;
        }
        let get = |name: &[u8]| KeyValues::new(line.text).find(|(key, _)| *key == name).map(|(_, value)| value);
        let status =
            get(b"status").and_then(|status| digits(status, 0, 3)).and_then(|status| u16::try_from(status).ok());
        let duration =
            get(b"service").and_then(leading_number).and_then(|(ms, _)| i64::try_from(ms).ok()?.checked_mul(1000));
        let end = Completed { status, duration, action: None, exception: None };
        Some(Body::Proxied { method: get(b"method")?, path: get(b"path").unwrap_or_default(), end })
    }

    fn fields<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Fields<'a> {
        let get = |name: &[u8]| KeyValues::new(line.text).find(|(key, _)| *key == name).map(|(_, value)| value);
        let forwarded = get(b"fwd").and_then(|chain| chain.split(|b| *b == b',').next());
        Fields {
            request: get(b"request_id").filter(|id| id.len() >= 8).map(RequestId::new),
            address: forwarded.map(<[u8]>::trim_ascii).filter(|address| is_address(address)),
            ..Fields::default()
        }
    }
}
