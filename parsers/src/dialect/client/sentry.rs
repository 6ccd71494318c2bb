//! Sentry's breadcrumbs, each a call, a move between pages or a change of the app's state, and its events.
//!
//! Source: getsentry/sentry-dart `dart/lib/src/protocol/breadcrumb.dart`, `dio/lib/src/breadcrumb_client_adapter.dart`;
//! develop.sentry.dev, "Breadcrumbs interface". A crumb's time is the call's end; a 401 is a crumb, no exception.

use crate::about::About;
use crate::dialect::{Context, Dialect, Fields, Line};
use crate::json::Object;
use crate::record::{Body, Exchange, Params, Side};
use crate::text::{contains, contains_ignoring_case, digits, leading_number, split_at_first};
use crate::time;

/// See the module.
pub(crate) struct Sentry;

impl Dialect for Sentry {
    fn name(&self) -> &'static str {
        "sentry"
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn about(&self) -> About {
        About {
            example: r#"{"timestamp":"2026-11-16T06:03:52.486Z","type":"http","category":"http","level":"error","data":{"url":"https://api.example.com/api/v1/feed","method":"GET","status_code":401,"duration":"0:00:00.486000"}}"#,
            shows: "method, address, status and time of calls, the ones that were mended included; the way to the sign-in page; front and back",
            hides: "tokens, the query (kept apart); the user outside an event on one line",
            source: "getsentry/sentry-dart breadcrumb.dart, breadcrumb_client_adapter.dart; develop.sentry.dev, Breadcrumbs interface",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        line.object?;
        if contains(line.text, b"\"event_id\"") && contains(line.text, b"\"platform\"") {
            return Some(Body::Dull);
        }
        let crumb = candidate(line)?;
        let data = crumb.object("data");
        let said = |key: &str| data.as_ref().and_then(|data| data.text(key));
        Some(match crumb.text("category")? {
            b"http" | b"xhr" | b"fetch" => Body::Exchange(Exchange {
                method: said("method").unwrap_or(b"GET"),
                uri: said("url")?,
                status: said("status_code").and_then(|s| digits(s, 0, 3)).and_then(|s| u16::try_from(s).ok()),
                duration: said("duration").and_then(dart_duration),
                id: None,
                bearer: None,
                params: Params::default(),
            }),
            b"navigation" => {
                let to = said("to").unwrap_or_default();
                let login = [&b"login"[..], b"sign-in", b"sign_in", b"signin"]
                    .iter()
                    .any(|word| contains_ignoring_case(to, word));
                if login { Body::LoginPage } else { Body::Dull }
            }
            b"app.lifecycle" | b"ui.lifecycle" => match said("state").or_else(|| crumb.text("message")) {
                Some(b"foreground" | b"resumed") => Body::Lifecycle { resumed: true },
                Some(b"background" | b"paused" | b"hidden") => Body::Lifecycle { resumed: false },
                _ => Body::Dull,
            },
            _ => Body::Dull,
        })
    }

    fn fields<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Fields<'a> {
        let Some(crumb) = candidate(line) else { return Fields::default() };
        let took = crumb.at("data.duration").and_then(dart_duration).unwrap_or(0);
        let stamp = crumb.text("timestamp").and_then(time::any).map(|end| end.at(end.micros() - took));
        Fields { stamp, ..Fields::default() }
    }
}

fn candidate<'a>(line: &Line<'a>) -> Option<&'a Object<'a>> {
    let crumb = line.object?;
    if !contains(line.text, b"\"category\"") || !contains(line.text, b"\"timestamp\"") {
        return None;
    }
    // `category` and `timestamp` are in many a log; a crumb has a kind or data as well, and no status of its own.
    (crumb.raw("data").is_some() || crumb.raw("type").is_some())
        .then_some(crumb)
        .filter(|crumb| crumb.raw("status").is_none())
}

/// `0:00:00.486000` in microseconds.
fn dart_duration(text: &[u8]) -> Option<i64> {
    let (hours, rest) = split_at_first(text, b":")?;
    let (minutes, seconds) = split_at_first(rest, b":")?;
    let whole = |text: &[u8]| {
        leading_number(text).and_then(|(value, _)| i64::try_from(value).ok()).filter(|value| *value < 100_000)
    };
    let (second, fraction) = split_at_first(seconds, b".").unwrap_or((seconds, b"0"));
    let micros = if fraction.len() == 6 { whole(&fraction[..3])? * 1000 + whole(&fraction[3..])? } else { 0 };
    Some(((whole(hours)? * 60 + whole(minutes)?) * 60 + whole(second)?) * time::SECOND + micros)
}
