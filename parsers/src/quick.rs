//! The lines that most of a Rails log consists of, read by position.
//!
//! This is the hot path: `Started`, `Processing by`, `Parameters:` and `Completed` with a UUID as request id, bare or in Ruby's
//! logger frame. Nothing is searched for that stands in a fixed column, nothing is allocated, and whatever looks the least bit
//! unusual is left to the readers in [`crate::dialect`], which say the same of these lines (a test holds both against each other).

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use memchr::memchr;

use crate::dialect::Tags;
use crate::dialect::server::{rails, take_tags};
use crate::record::{Body, Params, Record, Side};
use crate::secret::RequestId;
use crate::text::first_word;
use crate::time::{self, Stamp};

/// A line that was read by position.
pub(crate) struct Quick<'a> {
    pub(crate) record: Record<'a>,
    /// It stands in Ruby's logger frame.
    pub(crate) framed: bool,
}

/// `I, [2026-11-16T06:03:52.068658 #`: where the process begins.
const PROCESS_AT: usize = 32;
/// `]  INFO -- : `: the severity is right-aligned to five.
const AFTER_PROCESS: usize = 13;
/// `[5e908487-aaaa-4bbb-8ccc-0123456789ab] `.
const ID_TAG: usize = 39;

/// Reads a line, or leaves it to the others.
pub(crate) fn read(line: &[u8]) -> Option<Quick<'_>> {
    let (text, stamp, process, severe) = match line.first()? {
        b'[' => (line, None, 0, false),
        b'D' | b'I' | b'W' | b'E' | b'F' => framed(line)?,
        _ => return None,
    };
    let tag = text.get(..ID_TAG)?;
    if (tag[0], tag[37], tag[38]) != (b'[', b']', b' ') {
        return None;
    }
    let request = RequestId::uuid(&tag[1..37])?;
    let mut rest = &text[ID_TAG..];
    let mut tags = Tags::default();
    if rest.first() == Some(&b'[') {
        (tags, rest) = take_tags(rest);
        if tags.cable || tags.request.is_some() {
            return None;
        }
    }
    let body = match rest.first()? {
        b'S' => rails::started(rest)?,
        b'P' => Body::Processing(first_word(rest.strip_prefix(b"Processing by ")?)),
        b'C' => rails::completed(rest)?,
        b' ' => {
            let parameters = rest.strip_prefix(b"  Parameters: ")?;
            if TELLING.is_match(parameters) {
                return None;
            }
            Body::Parameters(Params::default())
        }
        _ => return None,
    };
    if memchr(0x1b, line).is_some() {
        return None;
    }
    let record = Record {
        line: 0,
        stamp,
        near: None,
        request: Some(request),
        user: tags.user,
        address: tags.address,
        process,
        tagged: true,
        severe,
        side: Side::Server,
        body,
    };
    Some(Quick { record, framed: stamp.is_some() })
}

/// `I, [2026-11-16T06:03:52.068658 #7872]  INFO -- : text`: the text, the time, the process, whether it is an error.
fn framed(line: &[u8]) -> Option<(&[u8], Option<Stamp>, u64, bool)> {
    let head = line.get(..PROCESS_AT)?;
    if (head[1], head[2], head[3], head[23], head[30], head[31]) != (b',', b' ', b'[', b'.', b' ', b'#') {
        return None;
    }
    let (stamp, length) = time::iso(&head[4..30])?;
    let mut at = PROCESS_AT;
    let mut process = 0_u64;
    while let Some(digit) = line.get(at).map(|b| b.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        process = process.checked_mul(10)?.checked_add(u64::from(digit))?;
        at += 1;
    }
    let after = line.get(at..at + AFTER_PROCESS)?;
    if length != 26
        || at == PROCESS_AT
        || at > PROCESS_AT + 10
        || !after.starts_with(b"] ")
        || !after.ends_with(b" -- : ")
    {
        return None;
    }
    Some((&line[at + AFTER_PROCESS..], Some(stamp), process, matches!(head[0], b'E' | b'F')))
}

/// Parts of the names of parameters that say something of a session (see [`crate::dialect::server::params`]).
static TELLING: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build([
            "passw",
            "passphrase",
            "token",
            "jti",
            "grant_type",
            "email",
            "login",
            "username",
            "identifier",
            "jwt",
            "ticket",
        ])
        .expect("the words are few")
});
