//! rails_semantic_logger's request lines, inside semantic_logger's text or JSON: `Completed #show -- {:method=>"GET", :path=>"/a", :status=>401,
//! …}` and, where Rack's line is on, `Started -- {:method=>"GET", :path=>"/a", :ip=>"…"}`. From Ruby 3.4 on the payload is `{method: "GET", …}`.
//!
//! Source: reidmorrison/rails_semantic_logger `lib/rails_semantic_logger/action_controller/log_subscriber.rb`, `rack/logger.rb`.

use crate::about::About;
use crate::dialect::{Context, Dialect, Fields, Line};
use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::record::{Body, Completed, Side, Upgrade};
use crate::release;
use crate::text::{contains, digits, is_address, is_user_id, leading_number, split_at_first, unquoted};

/// See the module.
pub(crate) struct Semantic;

impl Dialect for Semantic {
    fn name(&self) -> &'static str {
        "rails-semantic-logger"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: r#"Completed #index -- {:controller=>"Api::FeedController", :action=>"index", :method=>"GET", :path=>"/api/v1/feed", :status=>401}"#,
            shows: "method, path, status, controller; user, address and request id where they are tags or in the payload",
            hides: "what is logged at debug level (`Started`, `Processing`)",
            source: "reidmorrison/rails_semantic_logger lib/rails_semantic_logger",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let text = line.text;
        if !matches!(text.first()?, b'C' | b'S') {
            return None;
        }
        let (message, payload) = split_at_first(text, b" -- {")?;
        if message == b"Started" {
            let (method, path) = (value(payload, b"method")?, value(payload, b"path")?);
            let address = value(payload, b"ip").filter(|address| is_address(address)).unwrap_or_default();
            return Some(Body::Started { method, path, upgrade: Upgrade::None, address, at: None });
        }
        if !message.starts_with(b"Completed #") || !contains(payload, b"status") {
            return None;
        }
        let status =
            value(payload, b"status").and_then(|status| digits(status, 0, 3)).and_then(|s| u16::try_from(s).ok());
        let duration = value(payload, b"duration")
            .and_then(leading_number)
            .and_then(|(ms, _)| i64::try_from(ms).ok()?.checked_mul(1000));
        let end = Completed {
            status,
            duration,
            action: value(payload, b"controller"),
            exception: value(payload, b"exception"),
        };
        Some(Body::Request { method: value(payload, b"method")?, path: value(payload, b"path")?, end })
    }

    fn fields<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Fields<'a> {
        let Some((_, payload)) = split_at_first(line.text, b" -- {") else { return Fields::default() };
        Fields {
            user: value(payload, b"user_id").filter(|user| is_user_id(user)),
            address: value(payload, b"ip").or_else(|| value(payload, b"remote_ip")).filter(|ip| is_address(ip)),
            // A look at every pair for each name, which few lines are worth.
            releases: if contains(payload, b"version") {
                release::of_fields(|key| value(payload, key.as_bytes()))
            } else {
                [None; 2]
            },
            ..Fields::default()
        }
    }
}

static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?-u):?\b([a-z_]+)(?:=>|: )("(?:[^"\\]|\\.)*"|[^\s,{}]+)"#).expect("the pattern is valid")
});

/// A value of a Ruby hash in the notation of any Ruby.
fn value<'a>(payload: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    // Only the payload's own fields; an exception with its trace may follow it.
    let payload = &payload[..payload.len().min(4096)];
    PAIR.captures_iter(payload)
        .find_map(|pair| (pair.get(1)?.as_bytes() == name).then(|| pair.get(2))?)
        .map(|value| unquoted(value.as_bytes()))
}
