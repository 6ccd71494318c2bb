//! Rails 8.1's structured events as subscribers print them, one JSON object a line:
//! `{"name":"action_controller.request_completed","payload":{"controller":…,"action":…,"status":401},"tags":{},"context":{"request_id":…},
//! "timestamp":1763273032068658123}`.
//!
//! Source: rails/rails `activesupport/lib/active_support/event_reporter.rb`,
//! `actionpack/lib/action_controller/structured_event_subscriber.rb` (8.1). Method, path, address and request id are there only where the app puts
//! them into `context` or `tags`; without a path a request has its controller and action for a name.

use crate::about::About;
use crate::dialect::{Context, Dialect, Fields, Line};
use crate::json::Object;
use crate::record::{Body, Completed, Side};
use crate::release;
use crate::secret::RequestId;
use crate::text::{contains, digits, is_address, is_user_id, milliseconds};
use crate::time;

/// See the module.
pub(crate) struct RailsEvents;

impl Dialect for RailsEvents {
    fn name(&self) -> &'static str {
        "rails-events"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: r#"{"name":"action_controller.request_completed","payload":{"controller":"Api::FeedController","action":"index","status":401,"duration_ms":2.1},"context":{"request_id":"5e908487-…"},"timestamp":1763273032068658123}"#,
            shows: "controller, action, status, duration, time to the nanosecond",
            hides: "method, path, user, address and request id unless the app puts them into context or tags; ActionCable (8.1 has no structured events for it)",
            source: "rails/rails 8.1 activesupport event_reporter.rb, actionpack structured_event_subscriber.rb",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Option<Body<'a>> {
        let object = candidate(line.text, context)?;
        let name = object.text("name")?;
        if name != b"action_controller.request_completed" {
            let known = [&b"action_"[..], b"active_", b"rails."].iter().any(|start| name.starts_with(start));
            return known.then_some(Body::Dull);
        }
        let payload = object.object("payload")?;
        let status = payload.text("status").and_then(|status| digits(status, 0, 3)).and_then(|s| u16::try_from(s).ok());
        let duration = payload.text("duration_ms").and_then(milliseconds);
        let mut action = bumpalo::collections::Vec::new_in(context.arena);
        action.extend_from_slice(payload.text("controller").unwrap_or_default());
        action.push(b'#');
        action.extend_from_slice(payload.text("action").unwrap_or_default());
        let action: &[u8] = action.into_bump_slice();
        let end = Completed { status, duration, action: Some(action), exception: payload.text("exception_class") };
        let told = |keys: &[&str]| object.first(keys);
        let method = told(&["context.method", "tags.method", "context.request_method"]).unwrap_or(b"-");
        let path = told(&["context.path", "tags.path", "context.fullpath", "context.url"]).unwrap_or(action);
        Some(Body::Request { method, path, end })
    }

    fn fields<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Fields<'a> {
        let Some(object) = candidate(line.text, context) else { return Fields::default() };
        let request = object.first(&["context.request_id", "tags.request_id", "tags.rid"]);
        let user = object.first(&["context.user_id", "tags.user_id", "context.current_user_id", "context.account_id"]);
        Fields {
            request: request.filter(|id| id.len() >= 8).map(RequestId::new),
            user: user.filter(|user| is_user_id(user)),
            address: object.first(&["context.ip", "context.remote_ip", "tags.ip"]).filter(|ip| is_address(ip)),
            stamp: object.text("timestamp").and_then(time::any),
            releases: object.object("context").map_or([None; 2], |context| release::of_fields(|key| context.at(key))),
        }
    }
}

fn candidate<'a>(text: &'a [u8], context: &Context<'a>) -> Option<Object<'a>> {
    if text.first() != Some(&b'{') || !contains(text, b"\"name\"") || !contains(text, b"\"payload\"") {
        return None;
    }
    let object = Object::read(text, context.arena)?;
    object.text("name").is_some_and(|name| memchr::memchr(b'.', name).is_some()).then_some(object)
}
