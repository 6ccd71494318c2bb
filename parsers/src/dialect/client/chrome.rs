//! What a browser's console says of its own: `GET https://… 401 (Unauthorized)`, `WebSocket connection to 'wss://…' failed: …`, `Failed to load
//! resource: …`, `Access to XMLHttpRequest at '…' … blocked by CORS policy`.
//!
//! Source: Chromium `third_party/blink/renderer/core/inspector` (console messages of the network domain).

use super::fields::is_url;
use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Block, Body, ClientSocket, Side};
use crate::text::{digits, first_word, split_at_first};

/// See the module.
pub(crate) struct Chrome;

impl Dialect for Chrome {
    fn name(&self) -> &'static str {
        "chrome-console"
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn by_beginning(&self) -> bool {
        true
    }

    fn about(&self) -> About {
        About {
            example: "GET https://api.example.com/api/v1/profile 401 (Unauthorized)",
            shows: "method, address and status of failed calls, failed sockets",
            hides: "successes, time, status of a failed WebSocket handshake",
            source: "Chromium third_party/blink/renderer/core/inspector",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let text = line.whole;
        if text.starts_with(b"WebSocket connection to '") {
            return Some(Body::ClientSocket(ClientSocket::ConnectFailed));
        }
        let dull = [&b"Failed to load resource: "[..], b"Access to XMLHttpRequest at '", b"Access to fetch at '"];
        if dull.iter().any(|start| text.starts_with(start)) {
            return Some(Body::Dull);
        }
        let method = first_word(&text[..text.len().min(12)]);
        if !matches!(method, b"GET" | b"POST" | b"PUT" | b"PATCH" | b"DELETE" | b"HEAD") {
            return None;
        }
        let rest = text[method.len()..].trim_ascii_start();
        let uri = first_word(rest);
        let rest = rest[uri.len()..].trim_ascii();
        if !is_url(uri) {
            return None;
        }
        if rest.starts_with(b"net::ERR_") {
            return Some(Body::Call { block: Block::Error, method: Some(method), uri: Some(uri), status: None });
        }
        let (status, _) = split_at_first(rest, b" (")?;
        let status =
            u16::try_from(digits(status, 0, 3)?).ok().filter(|status| rest.len() > 4 && (400..600).contains(status))?;
        Some(Body::Call { block: Block::Error, method: Some(method), uri: Some(uri), status: Some(status) })
    }
}
