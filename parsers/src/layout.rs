//! Lines of lograge's, as JSON or as `key=value`, whose fields stand in the order of an earlier line's.
//!
//! A program writes the same names in the same order, line after line. So what stood between the values of a line is kept for its chunk, and
//! where the same stands between those of another line, the names need not be looked at again: what each field means is known. A line
//! that differs in anything but its values, or has an escape in one of them, is read the long way, which says the same of the others (a
//! test holds both against each other).

mod scan;

use bumpalo::Bump;

use crate::bundle;
use crate::dialect::server::keys;
use crate::dialect::server::lograge::KeyValues;
use crate::dialect::server::lograge_places::Places;
use crate::envelope;
use crate::json::Object;
use crate::text::{contains, unquoted};
use scan::Mark;

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    /// `{"method":"GET",…}`
    Object,
    /// `method=GET …`
    Pairs,
}

impl Notation {
    /// The notation of a text that may be lograge's.
    pub(crate) fn of(text: &[u8]) -> Option<Self> {
        match text.first()? {
            b'{' => Some(Self::Object),
            b'm' if text.starts_with(b"method=") => Some(Self::Pairs),
            _ => None,
        }
    }

    /// What stands behind the last value.
    const fn end(self) -> &'static [u8] {
        match self {
            Self::Object => b"}",
            Self::Pairs => b"",
        }
    }
}

/// The layouts of a chunk's lines.
#[derive(Debug, Default)]
pub(crate) struct Layouts<'a> {
    /// The one that was seen last comes first.
    known: Vec<Layout<'a>>,
    learnt: usize,
    /// The values of the line that is read: kept here so that their room is used again.
    values: Vec<&'a [u8]>,
}

/// So many are told apart: a request, one without a user, one that failed, a socket, a channel.
const MOST: usize = 8;

/// So many are learnt in a chunk: where each line has a layout of its own, it is not worth it.
const MOST_LEARNT: usize = 64;

/// Objects of more fields are not kept.
const MOST_FIELDS: usize = 64;

/// What the lines of one layout have in common.
#[derive(Debug)]
struct Layout<'a> {
    notation: Notation,
    keys: Vec<&'a [u8]>,
    /// What stands before each value, from the line's beginning on.
    marks: Vec<Mark<'a>>,
    places: Option<Places>,
    whose: keys::Places,
}

/// A line of a known layout: the values as they stand, and what they mean.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LaidOut<'l, 'a> {
    layout: &'l Layout<'a>,
    values: &'l [&'a [u8]],
}

impl<'a> Layouts<'a> {
    /// The line, if it has a known layout.
    pub(crate) fn read(&mut self, text: &'a [u8]) -> Option<LaidOut<'_, 'a>> {
        let values = &mut self.values;
        let place = self.known.iter().position(|layout| layout.fits(text, values))?;
        self.known[..=place].rotate_right(1);
        Some(LaidOut { layout: &self.known[0], values: &self.values })
    }

    /// Keeps the layout of a line of lograge's.
    pub(crate) fn learn(&mut self, text: &'a [u8], arena: &'a Bump) {
        if self.learnt == MOST_LEARNT {
            return;
        }
        if let Some(layout) = Layout::of(text, arena) {
            self.learnt += 1;
            self.known.truncate(MOST - 1);
            self.known.insert(0, layout);
        }
    }
}

impl<'a> LaidOut<'_, 'a> {
    /// How it is written.
    pub(crate) fn notation(&self) -> Notation {
        self.layout.notation
    }

    /// Where the fields of a request stand; `None` where that hangs on more than their places.
    pub(crate) fn places(&self) -> Option<&Places> {
        self.layout.places.as_ref()
    }

    /// Where the fields stand that say whose it is.
    pub(crate) fn whose(&self) -> &keys::Places {
        &self.layout.whose
    }

    /// The text at a place, as the dialect reads it: where it stands, for there is no escape in it.
    #[inline(always)]
    pub(crate) fn at(&self, place: usize) -> Option<&'a [u8]> {
        let value = *self.values.get(place)?;
        match (self.layout.notation, value) {
            (Notation::Pairs, _) => Some(unquoted(value)),
            (Notation::Object, b"null") => None,
            (Notation::Object, [b'"', inside @ .., _]) => Some(inside),
            (Notation::Object, _) => Some(value),
        }
    }

    /// The text of the field of that name.
    pub(crate) fn text(&self, name: &str) -> Option<&'a [u8]> {
        self.at(self.layout.keys.iter().position(|key| *key == name.as_bytes())?)
    }

    /// The same as the object that it is.
    pub(crate) fn object(&self, arena: &'a Bump) -> &'a Object<'a> {
        let fields = self.layout.keys.iter().copied().zip(self.values.iter().copied());
        Object::of_fields(fields, arena)
    }
}

impl<'a> Layout<'a> {
    /// A line's layout; `None` where other lines of it may be more, or something else, than a line of lograge's.
    fn of(text: &'a [u8], arena: &'a Bump) -> Option<Self> {
        let notation = Notation::of(text)?;
        let fields = match notation {
            Notation::Object => Object::read(text, arena)?.fields().to_vec(),
            Notation::Pairs => KeyValues::new(text).raw().collect(),
        };
        let keys: Vec<_> = fields.iter().map(|(key, _)| *key).collect();
        // A document of many, logstasher's, a frame.
        let other = |key: &&[u8]| bundle::is_kind(key) || matches!(*key, b"route" | b"@fields");
        let bare = || !keys.iter().any(other) && envelope::is_bare(&keys);
        if keys.len() > MOST_FIELDS || notation == Notation::Object && !bare() {
            return None;
        }
        let mut from = 0;
        let mut marks = Vec::with_capacity(fields.len());
        for (key, value) in fields {
            let at = value.as_ptr() as usize - text.as_ptr() as usize;
            let mark = &text[from..at];
            if notation == Notation::Pairs && mark.trim_ascii_start().strip_suffix(b"=") != Some(key) {
                return None; // a word between them that is no pair
            }
            marks.push(Mark::new(mark));
            from = at + value.len();
        }
        // By this the dialect knows its lines.
        if notation == Notation::Pairs && !marks.iter().any(|mark| mark.text() == b" status=") {
            return None;
        }
        (&text[from..] == notation.end()).then(|| {
            let whose = keys::Places::of(|name| keys.iter().position(|key| *key == name.as_bytes()));
            Self { notation, places: Places::of(&keys), whose, keys, marks }
        })
    }

    /// Whether a line has this layout. If so, `values` are its values.
    #[inline(always)]
    fn fits(&self, text: &'a [u8], values: &mut Vec<&'a [u8]>) -> bool {
        values.clear();
        let (mut rest, mut nested) = (text, false);
        for mark in &self.marks {
            let Some(behind) = mark.taken_off(rest) else { return false };
            let length = match self.notation {
                Notation::Object => scan::of_object(behind),
                Notation::Pairs => scan::of_pair(behind),
            };
            let Some(length) = length else { return false };
            let (value, after) = behind.split_at(length);
            nested |= matches!(value.first(), Some(b'{' | b'['));
            values.push(value);
            rest = after;
        }
        rest == self.notation.end()
            && match self.notation {
                Notation::Object => !nested || !contains(text, envelope::MARK) && bundle::entries(text).is_none(),
                Notation::Pairs => values.first().is_some_and(|method| is_method(method)),
            }
    }
}

/// Whether it is a method, or none: a line that begins with another word may be in a frame.
fn is_method(word: &[u8]) -> bool {
    word.iter().all(|b| b.is_ascii_uppercase() || *b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_known_layout_has_the_fields_that_are_read_in_it() {
        let arena = Bump::new();
        let mut layouts = Layouts::default();
        let first = br#"{"status":200, "a" : "x","b":{"c":[1,"}"]},"a_name_of_many_letters":null}"#;
        layouts.learn(first, &arena);
        for (line, fits) in [
            (&first[..], true),
            (br#"{"status":-1e3, "a" : "","b":[],"a_name_of_many_letters":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"}"#, true),
            (br#"{"status":200, "a" : "x\n","b":{"c":1},"a_name_of_many_letters":null}"#, false),
            (br#"{"status":200,"a":"x","b":1,"a_name_of_many_letters":null}"#, false),
            (br#"{"status":200, "a" : "x","b":1,"a_name_of_many_lettert":null}"#, false),
            (br#"{"status":200, "a" : "x","b":,"a_name_of_many_letters":null}"#, false),
            (br#"{"status":200, "a" : "x","b":{"c":1,"a_name_of_many_letters":null}"#, false),
            (br#"{"status":200, "a" : "x","b":1,"a_name_of_many_letters":null} "#, false),
            (br#"{"status":200, "a" : "x","b":1,"a_name_of_many_letters":nul"#, false),
            (br#"{"status":200, "a" : "resultType","b":1,"a_name_of_many_letters":null}"#, false),
        ] {
            let found = layouts.read(line).map(|laid_out| laid_out.object(&arena));
            assert_eq!(found.is_some(), fits, "{}", String::from_utf8_lossy(line));
            if let Some(found) = found {
                assert_eq!(found.fields(), Object::read(line, &arena).expect("it is an object").fields());
            }
        }
    }

    #[test]
    fn what_may_be_a_frame_or_a_document_is_not_kept() {
        let arena = Bump::new();
        for (line, kept) in [
            (&br#"{"status":200,"controller":"A","action":"b","message":"x"}"#[..], true),
            (br#"{"status":200,"controller":"A","action":"b","message":"x","type":"log"}"#, false),
            (br#"{"status":200,"message":"x"}"#, false),
            (br#"{"events":[]}"#, false),
            (br#"{"route":"a#b"}"#, false),
            (br#"{"cut":"o"#, false),
            (b"method=GET status=200", true),
            (b"method=GET status=200 and words", false),
            (b"method=GET status=200 and words=1", false),
            (b"method=GET state=200", false),
        ] {
            assert_eq!(Layout::of(line, &arena).is_some(), kept, "{}", String::from_utf8_lossy(line));
        }
    }
}
