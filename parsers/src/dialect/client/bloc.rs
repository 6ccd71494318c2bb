//! What bloc's observers print: `Transition { currentState: X, event: E, nextState: Y }`, with or without words before it.
//!
//! Source: felangel/bloc `packages/bloc/lib/src/transition.dart`, `change.dart`, and the read-me's observer
//! (`onTransition -- AuthBloc, Transition { … }`). States hold braces and commas themselves, so the labels are searched.

use nom::bytes::complete::{tag, take_until};
use nom::sequence::delimited;
use nom::{IResult, Parser};

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Side};
use crate::text::{after, split_at_first, split_at_last};

/// See the module.
pub(crate) struct Bloc;

impl Dialect for Bloc {
    fn name(&self) -> &'static str {
        "bloc"
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn by_beginning(&self) -> bool {
        true
    }

    fn about(&self) -> About {
        About {
            example: "onTransition -- AuthBloc, Transition { currentState: AuthAuthenticated(userId: 42), event: AuthLoggedOut, nextState: AuthUnauthenticated }",
            shows: "moves between signed in and signed out, and what moved them",
            hides: "the user, unless states print their fields",
            source: "felangel/bloc packages/bloc/lib/src/transition.dart, change.dart; hydrated_bloc prints the same",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let text = line.whole;
        let observed = [&b"onTransition"[..], b"onChange", b"onEvent", b"onCreate", b"onClose", b"onError", b"onDone"];
        let is_observed = observed.iter().any(|word| text.starts_with(word));
        if !is_observed && !text.starts_with(b"Transition {") && !text.starts_with(b"Change {") {
            return None;
        }
        let (before, object) = split_at_first(text, b"Transition { ")
            .or_else(|| split_at_first(text, b"Change { "))
            .map_or((text, None), |(before, object)| (before, Some(object)));
        let Some(object) = object else { return Some(Body::Dull) };
        Some(match states(object) {
            Ok((_, (from, event, to))) => Body::Transition { bloc: bloc_of(before), event, from, to },
            // Cut in the middle: prints end after some thousand characters.
            Err(_) => Body::Dull,
        })
    }
}

/// State before, event, state after.
type Move<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// `currentState: X, event: E, nextState: Y }` or without the event.
fn states(object: &[u8]) -> IResult<&[u8], Move<'_>> {
    let mut head = delimited(tag("currentState: "), take_until(", nextState: "), tag(", nextState: "));
    let (rest, head) = head.parse(object)?;
    let (from, event) = split_at_last(head, b", event: ").unwrap_or((head, b""));
    let to = rest.trim_ascii();
    Ok((b"", (from, event, to.strip_suffix(b"}").unwrap_or(to).trim_ascii())))
}

/// `onTransition -- AuthBloc, ` or `onTransition -- bloc: AuthBloc, transition: `.
fn bloc_of(before: &[u8]) -> &[u8] {
    let rest = split_at_first(before, b"-- ").map_or(&b""[..], |(_, rest)| rest);
    let rest = after(rest, b"bloc: ").unwrap_or(rest);
    let end = rest.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_').unwrap_or(rest.len());
    &rest[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String, String) {
        let object = text.split_once("{ ").unwrap().1.as_bytes();
        let (_, (from, event, to)) = states(object).unwrap();
        let owned = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (owned(from), owned(event), owned(to))
    }

    #[test]
    fn states_may_hold_commas_and_braces() {
        let (from, event, to) = parts(
            "Transition { currentState: SignedIn(user: {id: 7, roles: [a, b]}), event: Left(why: x, y), nextState: SignedOut(reason: {a: b}) }",
        );
        assert_eq!(from, "SignedIn(user: {id: 7, roles: [a, b]})");
        assert_eq!((event.as_str(), to.as_str()), ("Left(why: x, y)", "SignedOut(reason: {a: b})"));
        assert_eq!(parts("Change { currentState: A, nextState: B }").1, "");
    }
}
