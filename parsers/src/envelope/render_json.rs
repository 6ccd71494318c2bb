//! `render logs -o json` and the API's log objects: `{"id", "labels": [{"name","value"}…], "message", "timestamp"}`.
//!
//! Source: render-oss/cli (`MarshalIndent` of each entry, nothing between them) and Render's API reference.

use bumpalo::Bump;
use serde::Deserialize;
use std::borrow::Cow;

use super::{Envelope, Peeled};
use crate::text::contains;
use crate::time;

/// See the module.
pub(super) struct RenderJson;

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default)]
    labels: Vec<Label<'a>>,
    #[serde(borrow)]
    message: Cow<'a, str>,
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Label<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

impl Envelope for RenderJson {
    fn name(&self) -> &'static str {
        "render-json"
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        if line.first() != Some(&b'{') || !contains(line, b"\"message\"") || !contains(line, b"\"timestamp\"") {
            return None;
        }
        let entry: Entry = serde_json::from_slice(line).ok()?;
        let (stamp, _) = time::iso(entry.timestamp.as_bytes())?;
        let label = |name: &str| entry.labels.iter().find(|label| label.name == name).map(|label| label.value.as_ref());
        Some(Peeled {
            inner: arena.alloc_slice_copy(entry.message.trim_end_matches('\n').as_bytes()),
            stamp: Some(stamp),
            instance: label("instance").map(|instance| &*arena.alloc_slice_copy(instance.as_bytes())),
            ..Peeled::default()
        })
    }
}
