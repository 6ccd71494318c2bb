//! What the short cuts of a chunk need: lines counted without the long way, what their shapes and layouts mean.

use memchr::memchr;

use super::{Balance, MOST_DIALECTS, Outcome, record_of, say};
use crate::dialect::server::{lograge_places, take_tags};
use crate::dialect::{Context, Line, Tags};
use crate::envelope::Unwrapped;
use crate::layout::{LaidOut, Notation};
use crate::quick::{Head, LOGRAGE_JSON, LOGRAGE_KEY_VALUE, RUBY_LOGGER, Times};
use crate::record::{Body, Record, Side};
use crate::shape::{Bare, Meaning};
use crate::text::is_user_id;

/// Lines that a dialect read without the long way, to be taken into the balance when the chunk is over.
pub(super) struct Quickly {
    /// By the place of the dialect.
    lines: [u64; MOST_DIALECTS],
    /// How many stand in Ruby's logger frame.
    framed: u64,
}

impl Default for Quickly {
    fn default() -> Self {
        Self { lines: [0; MOST_DIALECTS], framed: 0 }
    }
}

impl Quickly {
    #[inline(always)]
    pub(super) fn count(&mut self, dialect: usize, framed: bool) {
        self.lines[dialect] += 1;
        self.framed += u64::from(framed);
    }

    pub(super) fn add_to(&self, balance: &mut Balance) {
        for (all, lines) in balance.dialects.iter_mut().zip(self.lines) {
            *all += lines;
            balance.lines += lines;
            balance.recognised += lines;
        }
        balance.envelopes[RUBY_LOGGER] += self.framed;
    }
}

/// `[gatekeeper] member=7711`: words of a part of the app, without frame or request id. Where there are no marks of paths, objects or
/// quotes, no number in it decides which dialect reads it.
pub(super) fn of_component(line: &[u8]) -> Option<Bare<'_>> {
    let inside = line.strip_prefix(b"[")?;
    let end = memchr(b']', &inside[..inside.len().min(LONGEST_COMPONENT)])?;
    let (tags, text) = take_tags(line);
    let one = end > 1 && line[1..=end].iter().all(u8::is_ascii_alphabetic) && text.len() + end + 3 == line.len();
    let plain =
        text.first().is_some_and(u8::is_ascii_alphabetic) && !text.iter().any(|b| b"/{}[]()\"'<>\x1b".contains(b));
    if !one || !plain || tags.other.is_none() {
        return None;
    }
    Some(Bare { text, tags, severe: false, framed: false })
}

/// What an app calls a part of itself is shorter.
const LONGEST_COMPONENT: usize = 32;

/// A line of a known shape, read.
pub(super) fn meant<'a>(text: &'a [u8], meaning: &Meaning) -> Option<Body<'a>> {
    let Meaning::Note { sense, user } = meaning else { return None };
    // Zero is a number that means nobody.
    let user = user.clone().and_then(|range| text.get(range)).filter(|user| is_user_id(user));
    if sense.is_empty() && user.is_none() {
        return None;
    }
    Some(Body::Note { sense: *sense, user, text })
}

/// What a component of the server says without frame, request id or address.
pub(super) fn of_server(body: Body<'_>) -> Record<'_> {
    let tags = Tags { any: true, ..Tags::default() };
    record_of(&Unwrapped::default(), &Line { tags, ..Line::default() }, Side::Server, body)
}

/// What was found out about a line, if it holds for all lines of its shape.
pub(super) fn meaning_of(record: Option<&Record<'_>>, line: &Bare<'_>) -> Option<Meaning> {
    // What names nobody because its number is zero says nothing of other numbers.
    if line.text.split(|b| !b.is_ascii_digit()).any(|number| number == b"0") {
        return None;
    }
    let Some(record) = record else { return Some(Meaning::Dull) };
    let Body::Note { sense, user, text } = record.body else { return None };
    if record.side != Side::Server || text.as_ptr_range() != line.text.as_ptr_range() {
        return None;
    }
    let range = |user: &[u8]| {
        let from = (user.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
        text.get(from..from + user.len()).map(|_| from..from + user.len())
    };
    match user {
        None => Some(Meaning::Note { sense, user: None }),
        Some(user) => Some(Meaning::Note { sense, user: Some(range(user)?) }),
    }
}

/// The text, behind all tags, of what may be a line of lograge's.
#[inline(always)]
pub(super) fn lograge_of<'a>(head: &Head<'a>) -> Option<&'a [u8]> {
    let text = if head.text.first() == Some(&b'[') { tags_of(head).1 } else { head.text };
    Notation::of(text).map(|_| text)
}

/// The tags of such a line, and its text.
fn tags_of<'a>(head: &Head<'a>) -> (Tags<'a>, &'a [u8]) {
    if head.id.is_none() && head.text.starts_with(b"[ActionCable] ") {
        return take_tags(head.text);
    }
    (Tags { request: head.id, any: head.id.is_some(), ..Tags::default() }, head.text)
}

/// Which dialect writes so.
pub(super) const fn place_of(notation: Notation) -> usize {
    match notation {
        Notation::Object => LOGRAGE_JSON,
        Notation::Pairs => LOGRAGE_KEY_VALUE,
    }
}

/// Reads a line of lograge's whose fields are known by their places.
pub(super) fn read_laid_out<'a>(
    head: &Head<'a>,
    laid_out: &LaidOut<'_, 'a>,
    number: u32,
    context: &Context<'a>,
    times: &mut Times,
    records: &mut Vec<Record<'a>>,
) -> Option<Outcome> {
    let Head { stamp, process, severe, .. } = *head;
    let body = lograge_places::read(laid_out, context)?;
    let (tags, text) = tags_of(head);
    let envelopes = u64::from(stamp.is_some()) << RUBY_LOGGER;
    let wrapped = Unwrapped { text, stamp, process, severe, envelopes, ..Unwrapped::default() };
    let line = Line { text, tags, ..Line::default() };
    let first = records.len();
    say(&wrapped, &line, Side::Server, body, || lograge_places::fields(laid_out, context, times), records);
    for record in &mut records[first..] {
        record.line = number;
    }
    Some(Outcome { dialect: Some(Some(place_of(laid_out.notation()))), envelopes, client: false, stamp })
}
