//! ActionCable's own lines, Rails 5.0 to 8.1.
//!
//! Sources: rails/rails `actioncable/lib/action_cable/connection/base.rb` (`Started`, `Finished`, `Successfully upgraded`),
//! `connection/authorization.rb` (the refusal), `connection/internal_channel.rb` (`Removing connection`),
//! `connection/identification.rb` with `Registered connection`. A refusal names nobody and no request; see
//! [`crate::assemble`] for how it finds its connection.

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Sense, Side};
use crate::text::{contains, is_address, split_at_last};
use crate::time;

/// See the module.
pub(crate) struct ActionCable;

impl Dialect for ActionCable {
    fn name(&self) -> &'static str {
        "action-cable"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: "Registered connection (Z2lkOi8vYXBwL1VzZXIvNDI)",
            shows: "sockets opened, accepted (with the user's GlobalID), refused and ended",
            hides: "why a socket was refused, whose it was, why it ended (no close code); request ids but on the first lines",
            source: "rails/rails actioncable/lib/action_cable/connection, 5.0 to 8.1",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let text = line.text;
        match text.first()? {
            b'F' => finished(text)
                .or_else(|| (text.starts_with(b"Failed to upgrade to WebSocket")).then_some(Body::UpgradeFailed)),
            b'S' => match text.starts_with(b"Successfully upgraded to WebSocket") {
                true => Some(Body::Upgraded),
                false => dull(text),
            },
            b'R' => {
                if let Some(body) = registered(text) {
                    return Some(body);
                }
                match text.strip_prefix(b"Removing connection") {
                    Some(rest) => Some(Body::Removing(in_parentheses(rest))),
                    None => dull(text),
                }
            }
            // Raised in a callback, `connect` perhaps: the socket stays open and is never welcomed.
            b'T' if text.starts_with(b"There was an exception - ") => {
                Some(Body::Note { sense: crate::dialect::meaning(text).with(Sense::FAULT), user: None, text })
            }
            b'A' => text.starts_with(b"An unauthorized connection attempt was rejected").then_some(Body::Rejected),
            _ => dull(text),
        }
        .or_else(|| (contains(text, b"Channel") && channel(text)).then_some(Body::Dull))
    }
}

fn dull(text: &[u8]) -> Option<Body<'_>> {
    DULL.iter().any(|dull| text.starts_with(dull)).then_some(Body::Dull)
}

const DULL: &[&[u8]] = &[
    b"Request origin not allowed",
    b"Unsubscribing from channel: ",
    b"Broadcasting to ",
    b"Subscription class not found",
    b"Received unrecognized command in ",
    b"Unable to process ",
    b"Couldn't handle non-string message",
    b"Could not execute command from ",
    b"Ignoring message processed after the WebSocket was closed",
    b"WebSocket error occurred: ",
    b"Could not find subscription",
];

/// `ChatChannel is streaming from x`, `… stopped streaming from x`, `… transmitting {…}`, `ChatChannel#speak({…})`.
pub(crate) fn channel(text: &[u8]) -> bool {
    let Some(end) = memchr::memmem::find(text, b"Channel") else { return false };
    let name_is_plain = text[..end].iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_'));
    let after = &text[end + b"Channel".len()..];
    name_is_plain
        && [&b" is streaming"[..], b" stopped streaming", b" transmitting", b" is transmitting", b"#", b" streaming"]
            .iter()
            .any(|verb| after.starts_with(verb))
}

/// `Registered connection (Z2lkOi8v…)`
pub(crate) fn registered(text: &[u8]) -> Option<Body<'_>> {
    Some(Body::Registered(in_parentheses(text.strip_prefix(b"Registered connection")?)))
}

/// The connection's identifier; it may hold parentheses itself (`#<User id: 1, name: "A (B)">`).
fn in_parentheses(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    text.strip_prefix(b"(").map_or(&b""[..], |text| text.strip_suffix(b")").unwrap_or(text))
}

/// `Finished "/cable?token=[FILTERED]" [WebSocket] for 127.0.0.1 at 2026-11-16 06:06:16 +0000`. (`[non-WebSocket]` ends a
/// request that was refused before it was a connection.)
pub(crate) fn finished(text: &[u8]) -> Option<Body<'_>> {
    let rest = text.strip_prefix(b"Finished \"")?;
    let (rest, when) = split_at_last(rest, b" at ")?;
    let (rest, address) = split_at_last(rest, b" for ")?;
    if rest.ends_with(b"[non-WebSocket]") {
        return Some(Body::Dull);
    }
    let address = if is_address(address) { address } else { b"" };
    Some(Body::Finished { address, at: time::iso(when).map(|(stamp, _)| stamp) })
}
