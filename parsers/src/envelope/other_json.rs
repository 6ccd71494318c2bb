//! An object of any make that holds a line of Rails', be the field called what it may and lie one object deep: `{"_source":{"log":"I, [2026-…"}}`,
//! `{"result":{"_raw":"[5e908487-…] Started …"}}`, `{"@t":"2026-…","payload":"Completed 401 …"}`.
//!
//! The line is known by how it begins: in Ruby's frame, with the id of a request, or with Rails' own first words.

use bumpalo::Bump;

use super::{Envelope, Peeled, message};
use crate::about::About;
use crate::json::{Object, text_of};
use crate::secret::RequestId;
use crate::text::contains;
use crate::time;

/// See the module.
pub(super) struct OtherJson;

impl Envelope for OtherJson {
    fn name(&self) -> &'static str {
        "other-json"
    }

    fn about(&self) -> About {
        About {
            example: r#"{"_source":{"@timestamp":"2026-11-16T06:03:52.068Z","event":{"original":"Completed 401 Unauthorized in 1ms"}}}"#,
            shows: "time where a field's name says so",
            hides: "everything but the line and its time",
            source: "documents of Elasticsearch, Splunk, Better Stack as they are exported",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == b'{'
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        let object = Object::read(line, arena)?;
        let (mut inner, mut stamp) = (None, None);
        look(&object, DEPTH, arena, &mut |key, raw| {
            if raw.first() == Some(&b'"') && inner.is_none() {
                inner = text_of(raw, arena).filter(|text| is_of_rails(text));
            }
            if stamp.is_none() && is_time(key) {
                stamp = text_of(raw, arena).and_then(time::any);
            }
        });
        Some(Peeled { inner: message(inner?), stamp, ..Peeled::default() })
    }
}

/// So many objects lie one in the other around a line.
const DEPTH: usize = 3;

fn look<'a>(object: &Object<'a>, depth: usize, arena: &'a Bump, see: &mut impl FnMut(&'a [u8], &'a [u8])) {
    for (key, raw) in object.fields() {
        see(key, raw);
        if depth > 1
            && raw.first() == Some(&b'{')
            && let Some(inside) = Object::read(raw, arena)
        {
            look(&inside, depth - 1, arena, see);
        }
    }
}

fn is_time(key: &[u8]) -> bool {
    const NAMES: [&[u8]; 5] = [b"t", b"ts", b"dt", b"date", b"datetime"];
    let name = key.trim_ascii_start();
    let name = name.strip_prefix(b"@").or_else(|| name.strip_prefix(b"_")).unwrap_or(name);
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
        || name.len() >= 4
            && (name[..4].eq_ignore_ascii_case(b"time") || name[name.len() - 4..].eq_ignore_ascii_case(b"time"))
}

/// Whether a text begins as lines of Rails' do.
fn is_of_rails(text: &[u8]) -> bool {
    const FIRST: [&[u8]; 3] = [b"  Parameters: {", b"Filter chain halted as ", b"[ActionCable] "];
    let framed = matches!(text, [b'D' | b'I' | b'W' | b'E' | b'F' | b'A', b',', b' ', b'[', ..]);
    let tagged = || RequestId::tag(text).is_some();
    let after =
        |word: &[u8], is: fn(u8) -> bool| text.strip_prefix(word).and_then(|rest| rest.first()).is_some_and(|b| is(*b));
    let begun = || after(b"Started ", |b| b.is_ascii_uppercase()) && contains(text, b" \"/");
    let taken = || after(b"Processing by ", |b| b.is_ascii_uppercase()) && contains(text, b"#");
    let ended = || after(b"Completed ", |b| b.is_ascii_digit());
    framed || tagged() || begun() || taken() || ended() || FIRST.iter().any(|first| text.starts_with(first))
}
