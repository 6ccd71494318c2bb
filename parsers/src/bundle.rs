//! Entries that hold many: the JSON documents that APIs and exports hand out, on one line or printed over many.
//!
//! | document | array | source |
//! | --- | --- | --- |
//! | Render's `GET /v1/logs` | `logs` | Render API reference |
//! | CloudWatch `filter-log-events`, `get-log-events` | `events` | AWS CLI reference |
//! | CloudWatch subscription (Firehose, Lambda) | `logEvents` | AWS manual, "Subscriptions" |
//! | CloudWatch Logs Insights | `results` | AWS CLI reference, `get-query-results` |
//! | Datadog `POST /api/v2/logs/events/search` | `data` | Datadog API reference |
//! | Loki's query API | `values` of each stream | Grafana Loki HTTP API |
//! | HAR 1.2 | `log.entries` | HAR 1.2 specification |
//! | OTLP/JSON traces and logs | `spans`, `logRecords` | open-telemetry/opentelemetry-proto |
//! | Sentry event | `breadcrumbs` | develop.sentry.dev, "Breadcrumbs interface" |
//! | `gcloud logging read --format=json` and its like | the array itself | Google Cloud CLI |

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use bumpalo::Bump;
use memchr::memmem;

use crate::json::{Object, elements, value_end};
use crate::record::Release;
use crate::release;
use crate::text::{is_user_id, split_at_first};

/// What a document begins with (its first key, or one close to it), and the name of the array that holds its entries.
const DOCUMENTS: &[(&[u8], &[u8])] = &[
    (b"\"hasMore\"", b"\"logs\""),
    (b"\"logs\"", b"\"logs\""),
    (b"\"events\"", b"\"events\""),
    (b"\"messageType\"", b"\"logEvents\""),
    (b"\"results\"", b"\"results\""),
    (b"\"data\"", b"\"data\""),
    (b"\"resultType\"", b"\"values\""),
    (b"\"log\"", b"\"entries\""),
    (b"\"resourceSpans\"", b"\"spans\""),
    (b"\"resourceLogs\"", b"\"logRecords\""),
    (b"\"event_id\"", b"\"breadcrumbs\""),
];

/// What any document begins with.
static KINDS: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(DOCUMENTS.iter().map(|(kind, _)| kind)).expect("the words are few"));

/// Whether it is a word, without its quotes, that a document begins with.
pub(crate) fn is_kind(word: &[u8]) -> bool {
    // Few texts of a request begin so: this is asked of each.
    matches!(word.first(), Some(b'd' | b'e' | b'h' | b'l' | b'm' | b'r'))
        && DOCUMENTS.iter().any(|(kind, _)| kind[1..kind.len() - 1] == *word)
}

/// How far into a document its kind shows.
const KIND_WITHIN: usize = 160;

/// The entries of a document, each with where it stands in `text`; `None` for text that is none.
pub(crate) fn entries(text: &[u8]) -> Option<Vec<(usize, &[u8])>> {
    let first = text.iter().position(|b| !b.is_ascii_whitespace())?;
    let start = &text[first..];
    let place = |element: &[u8]| element.as_ptr() as usize - text.as_ptr() as usize;
    let objects = |array: &'_ [u8]| elements(array).filter(|element| matches!(element[0], b'{' | b'[')).count();
    match start {
        [b'[', rest @ ..] => {
            let holds = rest.iter().find(|b| !b.is_ascii_whitespace());
            // `[[` is text as well as JSON; only objects and pairs of texts are entries.
            if !matches!(holds, Some(b'{')) && !rest.starts_with(b"[{") && !rest.starts_with(b"[\"") {
                return None;
            }
            let all: Vec<_> = elements(start).map(|element| (place(element), element)).collect();
            (objects(start) > 0).then_some(all)
        }
        [b'{', ..] => {
            let head = &start[..start.len().min(KIND_WITHIN)];
            if !KINDS.is_match(head) {
                return None;
            }
            let (_, array) = DOCUMENTS.iter().find(|(kind, array)| {
                // An array's own name is common in any object, so there it must come first.
                let begins = start[1..].trim_ascii_start().starts_with(kind);
                let is_kind = begins || (kind != array && memmem::find(head, kind).is_some());
                is_kind && memmem::find(start, array).is_some()
            })?;
            let mut found = Vec::new();
            let mut rest = start;
            while let Some(at) = memmem::find(rest, array) {
                rest = &rest[at + array.len()..];
                // `"breadcrumbs": {"values": [`
                let Some(open) = rest.iter().take(24).position(|b| *b == b'[') else { continue };
                // The whole array and no more: what is inside it is looked at, and once is enough however it was made.
                let (array, after) = rest[open..].split_at(value_end(&rest[open..]));
                found.extend(elements(array).filter(|e| matches!(e[0], b'{' | b'[')).map(|e| (place(e), e)));
                rest = after;
            }
            (!found.is_empty()).then_some(found)
        }
        _ => None,
    }
}

/// The user whom a document names for all of its entries: a Sentry event's.
pub(crate) fn user<'a>(text: &'a [u8], arena: &'a Bump) -> Option<&'a [u8]> {
    memmem::find(&text[..text.len().min(KIND_WITHIN)], b"\"event_id\"")?;
    Object::read(text, arena)?.at("user.id").filter(|user| is_user_id(user))
}

/// The releases that a document names for its entries: a Sentry event one for all, OTLP one for each resource.
#[derive(Debug, Default)]
pub(crate) struct Releases<'a> {
    of_all: Option<Release<'a>>,
    /// Where each resource is said, and its `service.version`.
    of_resources: Vec<(usize, Option<Release<'a>>)>,
}

impl<'a> Releases<'a> {
    pub(crate) fn of(text: &'a [u8], arena: &'a Bump) -> Self {
        let head = &text[..text.len().min(KIND_WITHIN)];
        if memmem::find(head, b"\"event_id\"").is_some() {
            let named = Object::read(text, arena).and_then(|event| event.text("release"));
            return Self { of_all: named.and_then(release::of_app), ..Self::default() };
        }
        if memmem::find(head, b"\"resourceSpans\"").is_none() {
            return Self::default();
        }
        let places: Vec<usize> = memmem::find_iter(text, b"\"resource\"").collect();
        let ends = places.iter().skip(1).copied().chain([text.len()]);
        let version = |resource: &'a [u8]| {
            let attribute = &resource[memmem::find(resource, b"\"service.version\"")?..];
            let value = &attribute[memmem::find(attribute, b"\"stringValue\"")? + b"\"stringValue\"".len()..];
            let (_, value) = split_at_first(value, b"\"")?;
            release::of_app(&value[..memchr::memchr(b'"', value)?])
        };
        let of_resources = places.iter().zip(ends).map(|(from, to)| (*from, version(&text[*from..to]))).collect();
        Self { of_all: None, of_resources }
    }

    /// The release of the entry that stands at a place.
    pub(crate) fn of_entry(&self, place: usize) -> Option<Release<'a>> {
        let before = self.of_resources.partition_point(|(resource, _)| *resource < place);
        self.of_all.or_else(|| self.of_resources[..before].last()?.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(document: &str) -> Vec<String> {
        let found = entries(document.as_bytes()).unwrap_or_default();
        found
            .iter()
            .map(|(at, element)| {
                assert!(document.as_bytes()[*at..].starts_with(element));
                String::from_utf8_lossy(element).into_owned()
            })
            .collect()
    }

    #[test]
    fn every_document_is_known_by_its_word() {
        for (kind, _) in DOCUMENTS {
            assert!(is_kind(&kind[1..kind.len() - 1]), "{}", String::from_utf8_lossy(kind));
        }
        assert!(!is_kind(b"logout") && !is_kind(b""));
    }

    #[test]
    fn documents_are_taken_apart() {
        assert_eq!(texts(r#"{"hasMore":false,"logs":[{"id":"1"},{"id":"2"}]}"#), [r#"{"id":"1"}"#, r#"{"id":"2"}"#]);
        assert_eq!(texts("[\n  {\n    \"a\": 1\n  }\n]").len(), 1);
        assert_eq!(
            texts(r#"{"status":"success","data":{"resultType":"streams","result":[{"stream":{},"values":[["1","a"],["2","b"]]},{"stream":{},"values":[["3","c"]]}]}}"#)
                .len(),
            3
        );
        assert_eq!(texts(r#"{"event_id":"x","breadcrumbs":{"values":[{"type":"http"}]}}"#).len(), 1);
    }

    #[test]
    fn an_entry_has_the_release_of_its_own_resource() {
        let resource = |version: &str, span: &str| {
            format!(r#"{{"resource":{{"attributes":[{version}]}},"scopeSpans":[{{"spans":[{{"spanId":"{span}"}}]}}]}}"#)
        };
        let version = r#"{"key":"service.version","value":{"stringValue":"2.3.1"}}"#;
        let document = format!(r#"{{"resourceSpans":[{},{}]}}"#, resource(version, "with"), resource("", "without"));
        let arena = Bump::new();
        let releases = Releases::of(document.as_bytes(), &arena);
        let of = |span: &str| releases.of_entry(document.find(span).unwrap()).map(|release| release.name);
        assert_eq!((of("with\""), of("without")), (Some(&b"2.3.1"[..]), None));
    }

    #[test]
    fn other_text_is_left_alone() {
        for text in
            ["[5e908487-aaaa] Started GET", "[[x]] y", "{\"method\":\"GET\",\"events\":[{}]}", "{}", "[1, 2]", ""]
        {
            assert!(entries(text.as_bytes()).is_none(), "{text}");
        }
    }
}
