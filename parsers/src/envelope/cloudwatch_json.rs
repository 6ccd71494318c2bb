//! CloudWatch Logs as JSON: events of `filter-log-events` and `get-log-events`, of subscriptions, and rows of Logs Insights.
//!
//! - `{"logStreamName":"web/1","timestamp":1763273032068,"message":"text","ingestionTime":1763273032500,"eventId":"1"}`
//! - `{"id":"1","timestamp":1763273032068,"message":"text"}` (subscriptions)
//! - `[{"field":"@timestamp","value":"2026-11-16 06:03:52.068"},{"field":"@message","value":"text"}]`, `{"@timestamp":…,"@message":…}`
//!
//! Source: AWS CLI reference, `filter-log-events`, `get-query-results`; AWS manual, "Real-time processing of log data".

use bumpalo::Bump;

use super::{Envelope, Peeled, message};
use crate::about::About;
use crate::json::{Object, elements};
use crate::text::contains;
use crate::time;

/// See the module.
pub(super) struct CloudWatchJson;

impl Envelope for CloudWatchJson {
    fn name(&self) -> &'static str {
        "cloudwatch-json"
    }

    fn about(&self) -> About {
        About {
            example: r#"{"logStreamName":"web/1","timestamp":1763273032068,"message":"Started GET …","ingestionTime":1763273032500}"#,
            shows: "time to the millisecond, stream",
            hides: "process, level",
            source: "AWS CLI reference, filter-log-events and get-query-results",
        }
    }

    fn begins(&self, first: u8) -> bool {
        matches!(first, b'{' | b'[')
    }

    fn fields(&self) -> &'static [&'static str] {
        &["@message", "message"]
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        if line.first() == Some(&b'[') {
            return insights(line, arena);
        }
        if contains(line, b"\"@message\"") {
            let object = Object::read(line, arena)?;
            let stamp = object.text("@timestamp").and_then(time::any).map(utc);
            return Some(Peeled { inner: message(object.text("@message")?), stamp, ..Peeled::default() });
        }
        if !contains(line, b"\"message\"") || !contains(line, b"\"timestamp\"") {
            return None;
        }
        let object = Object::read(line, arena)?;
        let stated = object.raw("timestamp")?;
        let event =
            object.raw("ingestionTime").is_some() || object.raw("eventId").is_some() || object.raw("id").is_some();
        // Milliseconds as a number: loggers that write `timestamp` themselves write text or seconds.
        if !event || stated.len() != 13 || !stated.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let (stamp, instance) = (time::epoch(stated), object.text("logStreamName"));
        Some(Peeled { inner: message(object.text("message")?), stamp, instance, ..Peeled::default() })
    }
}

/// `[{"field":"@timestamp","value":"…"},{"field":"@message","value":"…"}]`: a row of Logs Insights.
fn insights<'a>(line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
    if !contains(line, b"\"@message\"") {
        return None;
    }
    let (mut inner, mut stamp) = (None, None);
    for column in elements(line).filter_map(|column| Object::read(column, arena)) {
        match column.text("field")? {
            b"@message" => inner = column.text("value"),
            b"@timestamp" => stamp = column.text("value").and_then(time::any).map(utc),
            _ => {}
        }
    }
    Some(Peeled { inner: message(inner?), stamp, ..Peeled::default() })
}

/// Insights writes UTC without saying so.
fn utc(stamp: time::Stamp) -> time::Stamp {
    stamp.in_utc()
}
