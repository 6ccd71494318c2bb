//! lograge's LTSV formatter: `method:GET<TAB>path:/a<TAB>…<TAB>status:401<TAB>duration:2.15`, tabs between.
//!
//! Source: roidrage/lograge `lib/lograge/formatters/ltsv.rb`. Any LTSV log with a method, a path and a status reads so.

use crate::about::About;
use crate::dialect::{Context, Dialect, Fields, Line};
use crate::record::{Body, Completed, Side};
use crate::release;
use crate::secret::RequestId;
use crate::text::{digits, is_address, is_user_id, milliseconds, split_at_first};
use crate::time;

/// See the module.
pub(crate) struct LogrageLtsv;

impl Dialect for LogrageLtsv {
    fn name(&self) -> &'static str {
        "lograge-ltsv"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: "method:GET	path:/api/v1/feed	format:json	controller:FeedController	action:index	status:401	duration:2.15",
            shows: "method, path, status, duration",
            hides: "time, request id, user and address unless the app adds them",
            source: "roidrage/lograge lib/lograge/formatters/ltsv.rb",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let get = getter(line.text)?;
        let status = get(b"status").and_then(|status| digits(status, 0, 3)).and_then(|s| u16::try_from(s).ok());
        let duration = get(b"duration").and_then(milliseconds);
        let exception = get(b"error").filter(|error| !error.is_empty());
        let end = Completed { status: Some(status?), duration, action: get(b"controller"), exception };
        Some(Body::Request { method: get(b"method")?, path: get(b"path").or_else(|| get(b"uri"))?, end })
    }

    fn fields<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Fields<'a> {
        let Some(get) = getter(line.text) else { return Fields::default() };
        Fields {
            request: get(b"request_id").filter(|id| id.len() >= 8).map(RequestId::new),
            user: get(b"user_id").filter(|user| is_user_id(user)),
            address: get(b"ip").or_else(|| get(b"remote_ip")).filter(|address| is_address(address)),
            stamp: get(b"time").and_then(time::any),
            releases: release::of_fields(|key| get(key.as_bytes())),
        }
    }
}

/// A look-up in `name:value<TAB>name:value`.
fn getter<'a>(text: &'a [u8]) -> Option<impl Fn(&[u8]) -> Option<&'a [u8]>> {
    let first = text.split(|b| *b == b'\t').next()?;
    if first.len() == text.len() || !first.iter().take(24).any(|b| *b == b':') {
        return None;
    }
    Some(move |name: &[u8]| {
        text.split(|b| *b == b'\t')
            .find_map(|pair| split_at_first(pair, b":").filter(|(key, _)| *key == name))
            .map(|(_, value)| value)
    })
}
