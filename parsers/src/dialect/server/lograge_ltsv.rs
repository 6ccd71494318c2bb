//! lograge's LTSV formatter: `method:GET<TAB>path:/a<TAB>…<TAB>status:401<TAB>duration:2.15`, tabs between.
//!
//! Source: roidrage/lograge `lib/lograge/formatters/ltsv.rb`. Any LTSV log with a method, a path and a status reads so.

use super::lograge::fields_of_pairs;
use crate::about::About;
use crate::dialect::{Context, Dialect, Fields, Line};
use crate::record::{Body, Completed, Side};
use crate::text::{digits, milliseconds, split_at_first};

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
        let pairs = pairs(line.text)?;
        let get = |name: &[u8]| pairs.clone().find(|(key, _)| *key == name).map(|(_, value)| value);
        let status = get(b"status").and_then(|status| digits(status, 0, 3)).and_then(|s| u16::try_from(s).ok());
        let duration = get(b"duration").and_then(milliseconds);
        let exception = get(b"error").filter(|error| !error.is_empty());
        let end = Completed { status: Some(status?), duration, action: get(b"controller"), exception };
        Some(Body::Request { method: get(b"method")?, path: get(b"path").or_else(|| get(b"uri"))?, end })
    }

    fn fields<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Fields<'a> {
        let pairs: Option<Vec<_>> = pairs(line.text).map(Iterator::collect);
        pairs.map_or_else(Fields::default, |pairs| fields_of_pairs(&pairs))
    }
}

/// The pairs of `name:value<TAB>name:value`.
fn pairs(text: &[u8]) -> Option<impl Iterator<Item = (&[u8], &[u8])> + Clone> {
    let first = text.split(|b| *b == b'\t').next()?;
    if first.len() == text.len() || !first.iter().take(24).any(|b| *b == b':') {
        return None;
    }
    Some(text.split(|b| *b == b'\t').filter_map(|pair| split_at_first(pair, b":")))
}
