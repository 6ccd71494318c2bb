//! What clients say of their sockets: ActionCable's frames as received, and the usual words around `web_socket_channel`.
//!
//! Source of the frames: rails/rails `actioncable/lib/action_cable/connection/base.rb` (`disconnect` with `reason`), `lib/action_cable.rb`
//! (`INTERNAL`). The words are each app's own.

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, ClientSocket, Side};
use crate::text::{contains, contains_ignoring_case, leading_number};

use super::dio::{is_network_error, no_network};

/// See the module.
pub(crate) struct CableClient;

impl Dialect for CableClient {
    fn name(&self) -> &'static str {
        "cable-client"
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn about(&self) -> About {
        About {
            example: r#"{"type":"disconnect","reason":"unauthorized","reconnect":false}"#,
            shows: "sockets connected, refused, removed and lost, close codes",
            hides: "the token a socket was opened with",
            source: "rails/rails actioncable/lib/action_cable; web_socket_channel; app/javascript/action_cable",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        if !line.trace {
            return None;
        }
        let text = line.whole;
        if let Some(frame) = frame(text) {
            return Some(frame);
        }
        let has = |word: &[u8]| contains_ignoring_case(text, word);
        let about = [&b"cable"[..], b"socket", b"ws://", b"wss://", b"realtime", b"[ws"].iter().any(|word| has(word));
        if !about {
            return None;
        }
        let socket = if has(b"failed")
            || has(b"not upgraded")
            || (has(b"exception") && !has(b"platformexception"))
            || is_network_error(text)
        {
            if no_network(text) { ClientSocket::NoNetwork } else { ClientSocket::ConnectFailed }
        } else if has(b"giving up") || has(b"gave up") {
            ClientSocket::GaveUp
        } else if has(b"unauthorized") || has(b"rejected") || has(b"refused") {
            ClientSocket::Refused
        } else if has(b"closed") || has(b"close code") || has(b"closecode") || has(b"connection lost") {
            ClientSocket::Closed(code(text).unwrap_or(1005))
        } else if has(b"reconnecting") {
            return Some(Body::Dull);
        } else if has(b"connecting") {
            ClientSocket::Connecting
        } else if has(b"welcome") || has(b"connected to") || has(b" connected") && !has(b"disconnected") {
            ClientSocket::Connected
        } else {
            return [&b"subscri"[..], b"message", b"ping", b"disconnect"]
                .iter()
                .any(|word| has(word))
                .then_some(Body::Dull);
        };
        Some(Body::ClientSocket(socket))
    }
}

/// ActionCable's protocol frames.
pub(super) fn frame(text: &[u8]) -> Option<Body<'static>> {
    let at = memchr::memmem::find(text, b"{\"type\":")?;
    let frame = &text[at..];
    Some(if contains(frame, b"\"disconnect\"") {
        Body::ClientSocket(if contains(frame, b"unauthorized") {
            ClientSocket::Refused
        } else if contains(frame, b"server_restart") {
            ClientSocket::ServerRestart
        } else if contains(frame, b"\"remote\"") {
            ClientSocket::Removed
        } else {
            return Some(Body::Dull);
        })
    } else if contains(frame, b"\"welcome\"") {
        Body::ClientSocket(ClientSocket::Connected)
    } else {
        Body::Dull
    })
}

/// The close code: `code=1006`, `code: 1006`, `(1006)`.
fn code(text: &[u8]) -> Option<u16> {
    let mut rest = text;
    while let Some(at) = rest.iter().position(u8::is_ascii_digit) {
        let (value, length) = leading_number(&rest[at..])?;
        if (1000..5000).contains(&value) && length == 4 {
            return u16::try_from(value).ok();
        }
        rest = &rest[at + length..];
    }
    None
}
