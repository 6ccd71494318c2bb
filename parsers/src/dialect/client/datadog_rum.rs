//! Datadog RUM: one object an event; resources are the app's calls. The API and its exports wrap them in `attributes`.
//!
//! Source: Datadog manual, "RUM Browser/Mobile Data Collected" (`resource.*`, `usr.*`, `date`). `date` of a resource is its start.

use crate::about::About;
use crate::dialect::{Context, Dialect, Fields, Line};
use crate::json::Object;
use crate::record::{Body, Exchange, Params, Side};
use crate::release;
use crate::text::{contains, digits, is_user_id, leading_number};
use crate::time;

/// See the module.
pub(crate) struct DatadogRum;

impl Dialect for DatadogRum {
    fn name(&self) -> &'static str {
        "datadog-rum"
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn about(&self) -> About {
        About {
            example: r#"{"type":"resource","date":1763273032068,"usr":{"id":"42"},"session":{"id":"s1"},"resource":{"type":"native","method":"GET","url":"https://api.example.com/api/v1/feed","status_code":401,"duration":24000000}}"#,
            shows: "user, method, address, status and start of calls; the app's release",
            hides: "tokens, request ids (a trace id instead)",
            source: "Datadog manual, RUM Data Collected",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Option<Body<'a>> {
        let event = candidate(line.text, context)?;
        if event.text("type") != Some(b"resource") {
            return Some(Body::Dull);
        }
        let status = event.at("resource.status_code").and_then(|s| digits(s, 0, 3)).and_then(|s| u16::try_from(s).ok());
        Some(Body::Exchange(Exchange {
            method: event.at("resource.method").unwrap_or(b"GET"),
            uri: event.at("resource.url")?,
            status,
            duration: event
                .at("resource.duration")
                .and_then(leading_number)
                .and_then(|(ns, _)| i64::try_from(ns / 1000).ok()),
            id: None,
            bearer: None,
            params: Params::default(),
        }))
    }

    fn fields<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Fields<'a> {
        let Some(event) = candidate(line.text, context) else { return Fields::default() };
        Fields {
            user: event.at("usr.id").filter(|user| is_user_id(user)),
            stamp: event.text("date").and_then(time::any),
            releases: [event.text("version").and_then(release::of_app), None],
            ..Fields::default()
        }
    }
}

fn candidate<'a>(text: &'a [u8], context: &Context<'a>) -> Option<Object<'a>> {
    if text.first() != Some(&b'{') || !contains(text, b"\"session\"") || !contains(text, b"\"type\"") {
        return None;
    }
    let mut event = Object::read(text, context.arena)?;
    while let Some(inner) = event.object("attributes") {
        event = inner;
    }
    (event.object("session").is_some() && event.raw("type").is_some()).then_some(event)
}
