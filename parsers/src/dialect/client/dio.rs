//! dio's own `LogInterceptor`, 4.0 to 5.11, with any of its switches.
//!
//! Source: cfug/dio `dio/lib/src/interceptors/log.dart`, `dio_exception.dart` (tags 4.0.4, 5.0.1, 5.3.3, 5.4.0, 5.9.0, 5.11.0). One call of
//! `logPrint` a line. Up to 5.9.0 an error's answer has no head of its own: `uri`, `statusCode` and headers follow the text.

use super::fields;
use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Block, Body, NetFailure, Side};
use crate::text::{after, contains, digits, split_at_first};

/// See the module.
pub(crate) struct DioLog;

impl Dialect for DioLog {
    fn name(&self) -> &'static str {
        "dio"
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn by_beginning(&self) -> bool {
        true
    }

    fn about(&self) -> About {
        About {
            example: "*** DioException ***:",
            shows: "method, address, status, headers (`x-request-id`, `date`), tokens as fingerprints",
            hides: "time, unless a frame has it; status where `responseHeader` is off",
            source: "cfug/dio dio/lib/src/interceptors/log.dart, 4.0 to 5.11",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Option<Body<'a>> {
        let text = line.whole;
        match text.first()? {
            b'*' => match text {
                b"*** Request ***" => Some(Body::Block(Block::Request)),
                b"*** Response ***" => Some(Body::Block(Block::Response)),
                _ => (text.starts_with(b"*** DioException ***") || text.starts_with(b"*** DioError ***"))
                    .then_some(Body::Block(Block::Error)),
            },
            b'D' => failure(text),
            b'H' => text.starts_with(b"Http status error [").then(|| status(text)).flatten(),
            b'E' => {
                let rest = after(text, b"Error: ")?;
                let network = [&b"SocketException"[..], b"HttpException", b"HandshakeException", b"OS Error"];
                (line.trace && network.iter().any(|name| rest.starts_with(name)))
                    .then_some(Body::Failed(NetFailure::Connection))
            }
            b' ' if line.trace => {
                let (name, value) = fields::pair(text)?;
                Some(fields::header(name, value, context).unwrap_or(Body::Dull))
            }
            b'{' | b'[' | b'"' if line.trace && is_body(text) => {
                Some(fields::body(text, context).unwrap_or(Body::Dull))
            }
            b'}' | b']' if line.trace => Some(Body::Dull),
            _ => field(line, text),
        }
    }
}

/// A body's first line, and neither an app's `[Component] text` nor a frame of ActionCable, which others read.
fn is_body(text: &[u8]) -> bool {
    match text {
        [b'[', rest @ ..] => matches!(rest.first(), None | Some(b'{' | b'[' | b'"' | b']')),
        _ => !text.starts_with(b"{\"type\":"),
    }
}

/// `uri: …`, `method: …`, `statusCode: …`, and the rest of a block.
fn field<'a>(line: &Line<'a>, text: &'a [u8]) -> Option<Body<'a>> {
    if let Some(uri) = after(text, b"uri: ") {
        return Some(Body::Uri(uri.trim_ascii()));
    }
    if let Some(method) = after(text, b"method: ") {
        return method.iter().all(u8::is_ascii_uppercase).then_some(Body::Method(method));
    }
    if let Some(code) = after(text, b"statusCode: ") {
        return Some(digits(code, 0, 3).and_then(|code| u16::try_from(code).ok()).map_or(Body::Dull, Body::Status));
    }
    let dull: &[&[u8]] = &[
        b"responseType: ",
        b"followRedirects: ",
        b"persistentConnection: ",
        b"connectTimeout: ",
        b"sendTimeout: ",
        b"receiveTimeout: ",
        b"transformTimeout: ",
        b"receiveDataWhenStatusError: ",
        b"extra: ",
        b"headers:",
        b"data:",
        b"statusMessage: ",
        b"redirect: ",
        b"redirects: ",
        b"Response Text:",
        b"Read more about status codes at ",
        b"In order to resolve this exception you typically",
        b"The status code of ",
    ];
    (line.trace && dull.iter().any(|beginning| text.starts_with(beginning))).then_some(Body::Dull)
}

/// `DioException [bad response]: … status code of 401 …`, `DioError [DioErrorType.response]: Http status error [401]`, and failures
/// without an answer.
fn failure(text: &[u8]) -> Option<Body<'_>> {
    let rest = after(text, b"DioException [").or_else(|| after(text, b"DioError ["))?;
    let (kind, message) = split_at_first(rest, b"]")?;
    let kind = kind.strip_prefix(b"DioErrorType.").or_else(|| kind.strip_prefix(b"DioExceptionType.")).unwrap_or(kind);
    Some(match kind {
        b"bad response" | b"response" | b"badResponse" => status(message).unwrap_or(Body::Dull),
        b"connection timeout"
        | b"send timeout"
        | b"receive timeout"
        | b"transform timeout"
        | b"connectTimeout"
        | b"sendTimeout"
        | b"receiveTimeout"
        | b"connectionTimeout" => Body::Failed(NetFailure::Timeout),
        b"request cancelled" | b"cancel" => Body::Failed(NetFailure::Cancelled),
        b"connection error" | b"connectionError" | b"bad certificate" | b"badCertificate" => {
            Body::Failed(NetFailure::Connection)
        }
        // Before 5.3.3 a failed connection was of no kind of its own.
        _ if is_network_error(message) => Body::Failed(NetFailure::Connection),
        _ => Body::Failed(NetFailure::Other),
    })
}

fn status(message: &[u8]) -> Option<Body<'static>> {
    let code = [&b"status code of "[..], b"Http status error ["]
        .iter()
        .find_map(|before| split_at_first(message, before))
        .and_then(|(_, rest)| digits(rest, 0, 3))?;
    u16::try_from(code).ok().map(Body::Status)
}

/// Whether a line says that the device had no network, and not that a server could not be reached over it: errno 101
/// (`ENETUNREACH`), 7 and 8 (`getaddrinfo`), in the words that Dart prints.
pub(super) fn no_network(text: &[u8]) -> bool {
    [
        &b"Failed host lookup"[..],
        b"Network is unreachable",
        b"No route to host",
        b"name resolution",
        b"No address associated",
    ]
    .iter()
    .any(|words| contains(text, words))
}

/// Whether a line speaks of a failed connection, in the words that Dart's libraries use.
pub(super) fn is_network_error(text: &[u8]) -> bool {
    [
        &b"SocketException"[..],
        b"Failed host lookup",
        b"Network is unreachable",
        b"Connection refused",
        b"Connection reset",
    ]
    .iter()
    .any(|words| contains(text, words))
}

#[cfg(test)]
mod tests {
    use bumpalo::Bump;

    use super::*;
    use crate::secret::FingerprintKey;

    fn read(text: &str) -> Option<Body<'static>> {
        let arena = Box::leak(Box::new(Bump::new()));
        let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
        let line = Line { whole: text.as_bytes(), text: text.as_bytes(), trace: true, client: true, ..Line::default() };
        DioLog.read(&line, &Context { arena, key: FingerprintKey::new([1; 16]) })
    }

    #[test]
    fn old_and_new_names_of_an_error_mean_the_same() {
        assert_eq!(read("*** DioError ***:"), read("*** DioException ***:"));
        let new = "DioException [bad response]: This exception was thrown because the response has a status code of 401 and RequestOptions.validateStatus was configured to throw for this status code.";
        for text in [
            new,
            "DioError [DioErrorType.response]: Http status error [401]",
            "DioError [bad response]: The request returned an invalid status code of 401.",
        ] {
            assert_eq!(read(text), Some(Body::Status(401)), "{text}");
        }
        assert_eq!(
            read("DioException [connection error]: The connection errored: Connection refused"),
            Some(Body::Failed(NetFailure::Connection))
        );
        assert_eq!(
            read("DioException [receive timeout]: The request took longer"),
            Some(Body::Failed(NetFailure::Timeout))
        );
    }

    #[test]
    fn an_apps_component_and_a_frame_of_action_cable_are_no_body() {
        for text in ["[ActionCable] connecting to wss://a.example/cable?token=abcdefghijkl", "{\"type\":\"welcome\"}"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("[{id: 1}, {id: 2}]"), Some(Body::Dull));
    }

    #[test]
    fn a_token_leaves_as_a_fingerprint_and_the_same_one_from_header_and_body() {
        let Some(Body::Bearer(sent)) = read(" Authorization: Bearer abcdefghijkl0123456789") else { panic!() };
        let Some(Body::Issued { token, expires_in, .. }) =
            read(r#"{"access_token": "abcdefghijkl0123456789", "refresh_token": "zzzzzzzzzzzz", "expires_in": 3600}"#)
        else {
            panic!()
        };
        assert_eq!((sent, expires_in), (token, Some(3600)));
    }
}
