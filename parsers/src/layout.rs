//! Objects whose fields stand in the order of an earlier line's.
//!
//! A program that writes JSON writes the same names in the same order, line after line. So what stood between the values of a line is kept
//! for its chunk, and where the same stands between those of another line, the names need not be looked at again: what each field means
//! is known. A line that differs in anything but its values, or has an escape in one of them, is read the long way, which says the same
//! of the others (a test holds both against each other).

use bumpalo::Bump;

use crate::bundle;
use crate::dialect::server::lograge_places::Places;
use crate::envelope;
use crate::json::{self, Object};

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
    keys: Vec<&'a [u8]>,
    /// What stands before each value, from `{"first":` on.
    marks: Vec<Mark<'a>>,
    places: Option<Places>,
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
    /// Where the fields of a request stand, and their values; `None` where that hangs on more than their places.
    pub(crate) fn request(&self) -> Option<(&Places, &[&'a [u8]])> {
        Some((self.layout.places.as_ref()?, self.values))
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
        let object = Object::read(text, arena)?;
        let fields = object.fields();
        let keys: Vec<_> = fields.iter().map(|(key, _)| *key).collect();
        // A frame, a document of many, logstasher's.
        let other =
            |key: &&[u8]| envelope::is_field(key) || bundle::is_kind(key) || matches!(*key, b"route" | b"@fields");
        if keys.len() > MOST_FIELDS || keys.iter().any(other) || !text.ends_with(b"}") {
            return None;
        }
        let mut from = 0;
        let mut marks = Vec::with_capacity(fields.len());
        for (_, value) in fields {
            let at = value.as_ptr() as usize - text.as_ptr() as usize;
            marks.push(Mark::new(&text[from..at]));
            from = at + value.len();
        }
        (&text[from..] == b"}").then(|| Self { places: Places::of(&keys), keys, marks })
    }

    /// Whether a line has this layout. If so, `values` are its values.
    #[inline(always)]
    fn fits(&self, text: &'a [u8], values: &mut Vec<&'a [u8]>) -> bool {
        values.clear();
        let (mut rest, mut nested) = (text, false);
        for mark in &self.marks {
            let Some(behind) = mark.taken_off(rest) else { return false };
            let Some(length) = value_length(behind) else { return false };
            let (value, after) = behind.split_at(length);
            nested |= matches!(value[0], b'{' | b'[');
            values.push(value);
            rest = after;
        }
        rest == b"}" && !(nested && bundle::entries(text).is_some())
    }
}

/// How long the value is that begins `text`; `None` where that needs a closer look.
#[inline(always)]
fn value_length(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'"' => {
            let length = quote(&text[1..])? + 2;
            // A word that a document of many begins with.
            (!bundle::is_kind(&text[1..length - 1])).then_some(length)
        }
        b'{' | b'[' => Some(json::value_end(text)),
        _ => {
            let length = text.iter().position(|b| matches!(b, b',' | b'}' | b']' | b'"') || b.is_ascii_whitespace())?;
            (length > 0 && text[length] != b'"').then_some(length)
        }
    }
}

/// Where the string ends whose inside begins `text`: at its first quote, if no backslash stands before it.
#[inline(always)]
fn quote(text: &[u8]) -> Option<usize> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    // The lowest byte that is marked is a zero; those above it may be marked for its sake.
    let zeros = |word: u64| word.wrapping_sub(EACH) & !word & HIGH;
    let (eights, rest) = text.as_chunks::<8>();
    for (number, eight) in eights.iter().enumerate() {
        let word = u64::from_le_bytes(*eight);
        let quotes = zeros(word ^ (u64::from(b'"') * EACH));
        let found = quotes | zeros(word ^ (u64::from(b'\\') * EACH));
        if found != 0 {
            let at = found.trailing_zeros();
            return (quotes.trailing_zeros() == at).then_some(number * 8 + at as usize / 8);
        }
    }
    let at = rest.iter().position(|b| matches!(b, b'"' | b'\\'))?;
    (rest[at] == b'"').then_some(eights.len() * 8 + at)
}

/// A text to be found again, and how.
#[derive(Clone, Copy, Debug)]
struct Mark<'a> {
    text: &'a [u8],
    /// Its first 16 bytes, and which bits of them count.
    head: u128,
    counts: u128,
}

impl<'a> Mark<'a> {
    fn new(text: &'a [u8]) -> Self {
        let mut head = [0; 16];
        let length = text.len().min(16);
        head[..length].copy_from_slice(&text[..length]);
        let counts = if length == 16 { u128::MAX } else { (1 << (8 * length)) - 1 };
        Self { text, head: u128::from_le_bytes(head), counts }
    }

    /// What follows it, if `text` begins with it.
    #[inline(always)]
    fn taken_off<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let Some(head) = text.first_chunk() else { return text.strip_prefix(self.text) };
        if (u128::from_le_bytes(*head) ^ self.head) & self.counts != 0 {
            return None;
        }
        if self.text.len() <= 16 { Some(&text[self.text.len()..]) } else { text.strip_prefix(self.text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_ends_at_its_quote_wherever_that_stands() {
        for length in 0..40 {
            let mut text = vec![b'x'; length + 20];
            text[length] = b'"';
            assert_eq!(quote(&text), Some(length));
            text[length + 1] = b'\\';
            assert_eq!(quote(&text), Some(length));
            text[length / 2] = b'\\';
            assert_eq!(quote(&text), None, "{length}");
            assert_eq!(quote(&text[..length]), None);
        }
        // What differs from a quote in its lowest bit, beside one.
        assert_eq!(quote(b"#\"######"), Some(1));
        assert_eq!(quote(b"]\"]]]]]]"), Some(1));
    }

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
        for line in
            [&br#"{"status":200,"message":"x"}"#[..], br#"{"events":[]}"#, br#"{"route":"a#b"}"#, br#"{"cut":"o"#]
        {
            assert!(Layout::of(line, &arena).is_none(), "{}", String::from_utf8_lossy(line));
        }
    }
}
