//! `render logs -o json` and the API's log objects: `{"id", "labels": [{"name","value"}…], "message", "timestamp"}`.
//!
//! Source: render-oss/cli (`MarshalIndent` of each entry, nothing between them) and Render's API reference.

use bumpalo::Bump;

use super::{Envelope, Peeled, message};
use crate::about::About;
use crate::json::{Object, elements};
use crate::text::contains;
use crate::time;

/// See the module.
pub(super) struct RenderJson;

impl Envelope for RenderJson {
    fn name(&self) -> &'static str {
        "render-json"
    }

    fn about(&self) -> About {
        About {
            example: r#"{"id":"a1","labels":[{"name":"type","value":"app"}],"message":"Started GET …","timestamp":"2026-11-16T06:03:52.068658Z"}"#,
            shows: "time to the nanosecond, instance; of a request line its method, path and status",
            hides: "the program's own time unless it writes one",
            source: "render-oss/cli (MarshalIndent, nothing between entries); Render API reference, GET /v1/logs",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == b'{'
    }

    fn fields(&self) -> &'static [&'static str] {
        &["message"]
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        if !contains(line, b"\"message\"") || !contains(line, b"\"timestamp\"") {
            return None;
        }
        let object = Object::read(line, arena)?;
        let labels = object.raw("labels").filter(|labels| labels.starts_with(b"["));
        let label = |name: &str| {
            let flat = object.text(name);
            flat.or_else(|| {
                let labels = elements(labels?).filter_map(|label| Object::read(label, arena));
                labels.filter(|label| label.text("name") == Some(name.as_bytes())).find_map(|label| label.text("value"))
            })
        };
        // Third-party tools flatten the labels to fields of the entry.
        if labels.is_none() && (object.raw("resource").is_none() || object.raw("type").is_none()) {
            return None;
        }
        let (stamp, _) = time::iso(object.text("timestamp")?)?;
        let text = message(object.text("message")?);
        let request = (label("type") == Some(b"request") && !text.starts_with(b"["))
            .then(|| Some((label("method")?, label("statusCode")?, label("host").unwrap_or_default(), label("path")?)))
            .flatten();
        let inner = match request {
            // The message of a request line can lack its head, which the labels have.
            Some((method, status, host, path)) => {
                let mut line = bumpalo::collections::Vec::new_in(arena);
                for part in [b"[", method, b"]", status, b" ", host, path, b" "] {
                    line.extend_from_slice(part);
                }
                line.extend_from_slice(
                    text.get(memchr::memmem::find(text, b"clientIP=").unwrap_or(0)..).unwrap_or_default(),
                );
                line.into_bump_slice()
            }
            None => text,
        };
        Some(Peeled { inner, stamp: Some(stamp), instance: label("instance"), ..Peeled::default() })
    }
}
