//! The lines that most of a Rails log consists of, read by position.
//!
//! The four lines of a request, with a UUID as request id, and ActionCable's, bare or in Ruby's logger frame. With [`crate::gather`], which
//! takes most of them as soon as their [`head`] is read, this is the hot path. Nothing is searched for that stands in a fixed column,
//! nothing is allocated, and whatever looks the least bit unusual is left to the readers in [`crate::dialect`], which say the same of
//! these lines (a test holds both against each other).

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::dialect::Tags;
use crate::dialect::server::{action_cable, rails, take_tags};
use crate::pattern::Pattern;
use crate::record::{Body, Params, Record, Side};
use crate::secret::RequestId;
use crate::shape::Bare;
use crate::text::first_word;
use crate::time::{self, Stamp, Stated};

/// A line that was read by position.
pub(crate) struct Quick<'a> {
    pub(crate) said: Said<'a>,
    /// It stands in Ruby's logger frame.
    pub(crate) framed: bool,
    /// ActionCable wrote it, not Rails.
    pub(crate) cable: bool,
}

/// The places of the dialects and the envelope of lines that are read by position (a test holds them to it).
pub(crate) const RAILS: usize = 0;
/// See [`RAILS`].
pub(crate) const ACTION_CABLE: usize = 1;
/// See [`RAILS`].
pub(crate) const LOGRAGE_KEY_VALUE: usize = 3;
/// See [`RAILS`].
pub(crate) const LOGRAGE_JSON: usize = 5;
/// See [`RAILS`].
pub(crate) const RUBY_LOGGER: usize = 0;

/// `I, [2026-11-16T06:03:52.068658 #`: where the process begins.
const PROCESS_AT: usize = 32;
/// `]  INFO -- : `: the severity is right-aligned to five.
const AFTER_PROCESS: usize = 13;
/// `[5e908487-aaaa-4bbb-8ccc-0123456789ab] `.
const ID_TAG: usize = 39;

/// What a line said that was read by position.
pub(crate) enum Said<'a> {
    /// Something.
    Something(Record<'a>),
    /// Nothing that any verdict needs: a channel's streaming.
    Nothing(Option<Stamp>),
    /// Something that is not read here: the record without its body, and the text.
    Other(Record<'a>, Bare<'a>),
}

/// What stands before a line's words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    /// The time in Ruby's logger frame, if the line stands in one.
    pub(crate) stamp: Option<Stamp>,
    pub(crate) process: u64,
    pub(crate) severe: bool,
    /// The request id in the first tag, if that is a UUID.
    pub(crate) id: Option<RequestId>,
    /// What follows it.
    pub(crate) text: &'a [u8],
}

/// The times that were read last. Lines that follow each other are mostly of one second, which is worked out once.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// `2026-11-16T06:03:52.` and what it comes to.
    frame: ([u8; 20], i64),
    /// `2026-11-16 06:03:52 +0000` likewise.
    stated: ([u8; 25], Option<Stamp>),
    /// `2026-11-16T06:03:52` of a field likewise.
    field: ([u8; time::SECOND_LENGTH], Option<i64>),
}

impl Times {
    /// The time of a frame: see [`time::local_micros`].
    #[inline(always)]
    fn frame(&mut self, text: &[u8; 26]) -> Option<Stamp> {
        if let Some((second, micros)) = text.split_first_chunk()
            && *second == self.frame.0
        {
            let micro = micros.iter().try_fold(0_i64, |value, byte| {
                let digit = byte.wrapping_sub(b'0');
                (digit < 10).then(|| value * 10 + i64::from(digit))
            })?;
            return Some(Stamp::of(Stated { micros: self.frame.1 + micro, zoned: false, dated: true, coarse: false }));
        }
        let stamp = time::local_micros(text)?;
        if let Some(second) = text.first_chunk() {
            self.frame = (*second, stamp.micros() - stamp.micros().rem_euclid(time::SECOND));
        }
        Some(stamp)
    }

    /// The time that stands alone in a text: see [`time::iso`].
    pub(crate) fn stated(&mut self, text: &[u8]) -> Option<Stamp> {
        let Ok(whole) = text.try_into() else { return time::iso(text).map(|(stamp, _)| stamp) };
        if self.stated.0 != whole {
            self.stated = (whole, time::iso(text).map(|(stamp, _)| stamp));
        }
        self.stated.1
    }

    /// The time that a field's text begins with: see [`time::iso`].
    pub(crate) fn field(&mut self, text: &[u8]) -> Option<Stamp> {
        let (second, rest) = text.split_first_chunk()?;
        if self.field.0 != *second {
            self.field = (*second, time::iso_second(second));
        }
        Some(time::with_fraction(self.field.1?, rest).0)
    }
}

/// The head of a line without colours; `None` if it has neither a frame nor a tag and is none of lograge's.
// (What is handed over in memory costs more than to read it: hence `inline` here and below.)
#[inline(always)]
pub(crate) fn head<'a>(line: &'a [u8], times: &mut Times) -> Option<Head<'a>> {
    let (text, stamp, process, severe) = match line.first()? {
        b'[' | b'{' | b'm' => (line, None, 0, false),
        b'D' | b'I' | b'W' | b'E' | b'F' => framed(line, times)?,
        _ => return None,
    };
    let tag = text.get(..ID_TAG).filter(|tag| (tag[0], tag[37], tag[38]) == (b'[', b']', b' '));
    let id = tag.and_then(|tag| RequestId::uuid(&tag[1..37]));
    Some(Head { stamp, process, severe, id, text: if id.is_some() { &text[ID_TAG..] } else { text } })
}

/// Reads what follows a line's head, or leaves it to the others.
pub(crate) fn read(head: Head<'_>) -> Option<Quick<'_>> {
    let Head { stamp, process, severe, id, text } = head;
    let framed = stamp.is_some();
    let mut tags = Tags::default();
    let mut rest = text;
    if let Some(id) = id {
        tags = Tags { request: Some(id), any: true, ..tags };
        if rest.first() == Some(&b'[') {
            let (more, after) = take_tags(rest);
            if more.cable || more.request.is_some() {
                return None;
            }
            (tags, rest) = (Tags { request: tags.request, ..more }, after);
        }
    } else if text.starts_with(b"[ActionCable] ") {
        (tags, rest) = take_tags(text);
    } else if !framed {
        return None;
    }
    let body = body(rest, &tags);
    // An envelope may be inside; and a line without words is no app's.
    if body.is_none() && !(tags.any && rest.first()?.is_ascii_alphabetic()) {
        return None;
    }
    let record = Record {
        line: 0,
        stamp,
        near: None,
        request: tags.request,
        user: tags.user,
        address: tags.address,
        process,
        tagged: tags.any,
        severe,
        side: Side::Server,
        body: Body::Dull,
    };
    let said = match body {
        None => Said::Other(record, Bare { text: rest, tags, severe, framed }),
        Some(Body::Dull) => Said::Nothing(stamp),
        Some(body) => Said::Something(Record { body, ..record }),
    };
    let cable = matches!(said, Said::Nothing(_)) || is_cable(&said);
    Some(Quick { said, framed, cable })
}

/// Whether one of the user's own patterns may fit the line, or what is in its frame.
pub(crate) fn may_be_of(patterns: &[Pattern], line: &[u8]) -> bool {
    let inside = framed(line, &mut Times::default()).map(|(text, ..)| text);
    patterns.iter().any(|pattern| pattern.may_read(line) || inside.is_some_and(|text| pattern.may_read(text)))
}

fn is_cable(said: &Said<'_>) -> bool {
    let Said::Something(record) = said else { return false };
    matches!(record.body, Body::Upgraded | Body::Registered(_) | Body::Rejected | Body::Finished { .. })
}

fn body<'a>(text: &'a [u8], tags: &Tags<'a>) -> Option<Body<'a>> {
    match text.first()? {
        b'S' if text.starts_with(b"Successfully upgraded to WebSocket") => Some(Body::Upgraded),
        b'S' if tags.request.is_some() || text.starts_with(b"Started ") => rails::started(text),
        b'P' => Some(Body::Processing(first_word(text.strip_prefix(b"Processing by ")?))),
        b'C' if text.starts_with(b"Completed ") => rails::completed(text),
        b'F' if text.starts_with(b"Finished ") => match action_cable::finished(text)? {
            Body::Dull => None,
            body => Some(body),
        },
        b'F' => rails::halted(text),
        b'A' => text.starts_with(b"An unauthorized connection attempt was rejected").then_some(Body::Rejected),
        b'R' => action_cable::registered(text),
        b' ' => {
            let parameters = text.strip_prefix(b"  Parameters: ")?;
            (!tells(parameters)).then_some(Body::Parameters(Params::default()))
        }
        b'A'..=b'Z' if tags.cable => action_cable::channel(text).then_some(Body::Dull),
        _ => None,
    }
}

/// `I, [2026-11-16T06:03:52.068658 #7872]  INFO -- : text`: the text, the time, the process, whether it is an error.
#[inline(always)]
fn framed<'a>(line: &'a [u8], times: &mut Times) -> Option<(&'a [u8], Option<Stamp>, u64, bool)> {
    let head = line.get(..PROCESS_AT)?;
    if (head[1], head[2], head[3], head[23], head[30], head[31]) != (b',', b' ', b'[', b'.', b' ', b'#') {
        return None;
    }
    let stamp = times.frame(head[4..30].try_into().ok()?)?;
    let mut at = PROCESS_AT;
    let mut process = 0_u64;
    while let Some(digit) = line.get(at).map(|b| b.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        process = process.checked_mul(10)?.checked_add(u64::from(digit))?;
        at += 1;
    }
    let after = line.get(at..at + AFTER_PROCESS)?;
    if at == PROCESS_AT || at > PROCESS_AT + 10 || !after.starts_with(b"] ") || !after.ends_with(b" -- : ") {
        return None;
    }
    Some((&line[at + AFTER_PROCESS..], Some(stamp), process, matches!(head[0], b'E' | b'F')))
}

/// Whether parameters may say something of a session.
pub(crate) fn tells(parameters: &[u8]) -> bool {
    TELLING.is_match(parameters)
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
            "operationname",
            "operation_name",
        ])
        .expect("the words are few")
});
