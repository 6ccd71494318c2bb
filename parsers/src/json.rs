//! A JSON object's own fields, found by one pass over its text: no tree, no copy, and what was cut off costs only itself.

use bumpalo::Bump;
use bumpalo::collections::Vec;
use memchr::memchr2;

/// How many fields of an object are looked at; log lines have some dozens.
const MOST_FIELDS: usize = 256;

/// Room for the fields of a usual line.
const USUAL_FIELDS: usize = 16;

/// The fields of one object, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Object<'a> {
    fields: Vec<'a, (&'a [u8], &'a [u8])>,
    /// A bit for each name, so that most of what is asked for in vain costs no look at the fields.
    names: u64,
    arena: &'a Bump,
}

/// The bit of a name: names that differ mostly have different ones.
fn bit(name: &[u8]) -> u64 {
    let ends = name.first().zip(name.last()).map_or(0, |(first, last)| first.wrapping_mul(5).wrapping_add(*last));
    1 << (usize::from(ends).wrapping_add(name.len()) & 63)
}

impl<'a> Object<'a> {
    /// Reads `{…}`. A text that ends early gives the fields up to there; one that goes on after the object is none.
    pub(crate) fn read(text: &'a [u8], arena: &'a Bump) -> Option<Self> {
        let mut rest = text.trim_ascii_start().strip_prefix(b"{")?;
        let mut fields = Vec::with_capacity_in(USUAL_FIELDS, arena);
        let mut names = 0;
        while fields.len() < MOST_FIELDS {
            rest = rest.trim_ascii_start();
            match rest.first() {
                None => break,
                Some(b'}') if rest[1..].trim_ascii().is_empty() => break,
                Some(b',') => rest = &rest[1..],
                Some(b'"') => {
                    let Some(end) = string_end(rest) else { break };
                    let (key, after) = (&rest[1..end - 1], rest[end..].trim_ascii_start());
                    let value = after.strip_prefix(b":")?.trim_ascii_start();
                    let length = value_end(value);
                    fields.push((key, &value[..length]));
                    names |= bit(key);
                    rest = &value[length..];
                }
                Some(_) => return None,
            }
        }
        (!fields.is_empty()).then_some(Self { fields, names, arena })
    }

    /// What a line begins: read once, and shared by whoever looks at the line.
    pub(crate) fn of_line(text: &'a [u8], arena: &'a Bump) -> Option<&'a Self> {
        let object = (text.first() == Some(&b'{')).then(|| Self::read(text, arena)).flatten()?;
        Some(arena.alloc(object))
    }

    /// An object of these fields.
    pub(crate) fn of_fields(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>, arena: &'a Bump) -> &'a Self {
        let mut names = 0;
        let mut list = Vec::with_capacity_in(fields.size_hint().0, arena);
        list.extend(fields.inspect(|(key, _)| names |= bit(key)));
        arena.alloc(Self { fields: list, names, arena })
    }

    /// The fields with their values as they stand, in their order.
    pub(crate) fn fields(&self) -> &[(&'a [u8], &'a [u8])] {
        &self.fields
    }

    /// A field's value as it stands.
    pub(crate) fn raw(&self, key: &str) -> Option<&'a [u8]> {
        let key = key.as_bytes();
        if self.names & bit(key) == 0 {
            return None;
        }
        self.fields.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    /// A field's text: a string unescaped, anything else as it stands, nothing for `null`, nothing where it was cut off.
    pub(crate) fn text(&self, key: &str) -> Option<&'a [u8]> {
        text_of(self.raw(key)?, self.arena)
    }

    /// Where the field of that name stands.
    pub(crate) fn place(&self, key: &str) -> Option<usize> {
        let key = key.as_bytes();
        if self.names & bit(key) == 0 {
            return None;
        }
        self.fields.iter().position(|(name, _)| *name == key)
    }

    /// The text of the field at a place.
    pub(crate) fn text_at(&self, place: usize) -> Option<&'a [u8]> {
        text_of(self.fields.get(place)?.1, self.arena)
    }

    /// The first of these fields that has a text. `a.b` is the field of that name, or `b` inside `a`.
    pub(crate) fn first(&self, keys: &[&str]) -> Option<&'a [u8]> {
        keys.iter().find_map(|key| self.at(key))
    }

    /// The text of the field of that name, or at that path.
    pub(crate) fn at(&self, path: &str) -> Option<&'a [u8]> {
        if let Some(text) = self.text(path) {
            return Some(text);
        }
        let (head, tail) = path.split_once('.')?;
        self.object(head)?.at(tail)
    }

    /// An object inside.
    pub(crate) fn object(&self, key: &str) -> Option<Self> {
        Self::read(self.raw(key)?, self.arena)
    }

    /// Whether any of these fields is there.
    pub(crate) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.raw(key).is_some())
    }

    /// Whether all of these fields are there.
    pub(crate) fn has(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| self.raw(key).is_some())
    }
}

/// The text of a value: a string unescaped, anything else as it stands, nothing for `null` or a string without an end.
pub(crate) fn text_of<'a>(raw: &'a [u8], arena: &'a Bump) -> Option<&'a [u8]> {
    match raw {
        [] | b"null" => None,
        [b'"', inner @ ..] => {
            let inner = inner.strip_suffix(b"\"").filter(|_| string_end(raw) == Some(raw.len()))?;
            Some(if memchr::memchr(b'\\', inner).is_none() { inner } else { unescaped(inner, arena) })
        }
        _ => Some(raw),
    }
}

/// The text of a field of the object that a value is, if there is no escape in it.
pub(crate) fn inside<'a>(object: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let mut rest = object.strip_prefix(b"{")?;
    loop {
        rest = rest.trim_ascii_start();
        rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
        let end = rest.starts_with(b"\"").then(|| string_end(rest)).flatten()?;
        let value = rest[end..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let (value, after) = value.split_at(value_end(value));
        if &rest[1..end - 1] == key.as_bytes() {
            return match value {
                b"" | b"null" => None,
                [b'"', text @ .., b'"'] => (memchr::memchr(b'\\', text).is_none()).then_some(text),
                text => Some(text),
            };
        }
        rest = after;
    }
}

/// The elements of `[…]`, as they stand. A text that ends early gives the whole ones up to there.
pub(crate) fn elements(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text.trim_ascii_start().strip_prefix(b"[").unwrap_or_default();
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
        let length = match rest.first()? {
            b']' => return None,
            _ => value_end(rest),
        };
        let (element, after) = rest.split_at(length);
        rest = after;
        let closed = match element.first()? {
            b'{' => element.len() > 1 && element.ends_with(b"}"),
            b'[' => element.len() > 1 && element.ends_with(b"]"),
            _ => true,
        };
        closed.then_some(element)
    })
}

/// Just behind the string that begins `text`.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Just behind the value that begins `text`, or the text's end where the value was cut off.
pub(crate) fn value_end(text: &[u8]) -> usize {
    match text.first() {
        Some(b'"') => string_end(text).unwrap_or(text.len()),
        Some(b'{' | b'[') => {
            let (mut at, mut depth) = (0, 0_usize);
            while at < text.len() {
                match text[at] {
                    b'"' => {
                        let Some(length) = string_end(&text[at..]) else { return text.len() };
                        at += length;
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            return at + 1;
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
            text.len()
        }
        // At least one byte, so that whoever walks along always gets on.
        _ => text
            .iter()
            .position(|b| matches!(b, b',' | b'}' | b']') || b.is_ascii_whitespace())
            .unwrap_or(text.len())
            .max(usize::from(!text.is_empty())),
    }
}

fn unescaped<'a>(text: &[u8], arena: &'a Bump) -> &'a [u8] {
    let mut out = Vec::with_capacity_in(text.len(), arena);
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let escape = rest.get(at + 1).copied();
        rest = rest.get(at + 2..).unwrap_or_default();
        match escape {
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(b'r') => out.push(b'\r'),
            Some(b'b') => out.push(8),
            Some(b'f') => out.push(12),
            Some(b'u') => {
                let (character, length) = code_point(rest);
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = &rest[length..];
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out.extend_from_slice(rest);
    out.into_bump_slice()
}

/// The character of `XXXX` or `XXXX\uXXXX` (a surrogate pair), and how many bytes it took.
fn code_point(text: &[u8]) -> (char, usize) {
    let hex =
        |at: usize| -> Option<u32> { u32::from_str_radix(std::str::from_utf8(text.get(at..at + 4)?).ok()?, 16).ok() };
    let Some(first) = hex(0) else { return (char::REPLACEMENT_CHARACTER, 0) };
    if (0xd800..0xdc00).contains(&first)
        && text.get(4..6) == Some(b"\\u")
        && let Some(second) = hex(6).filter(|second| (0xdc00..0xe000).contains(second))
    {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 10);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name_and_path() {
        let arena = Bump::new();
        let object = Object::read(
            br#" {"a": "x\n\u00e9\ud83d\ude00\"", "b": {"c": [1, {"d": "}"}], "e": 7}, "b.c": "dotted", "n": null} "#,
            &arena,
        )
        .unwrap();
        assert_eq!(object.text("a").unwrap(), "x\né😀\"".as_bytes());
        assert_eq!((object.at("b.e"), object.at("b.c"), object.at("n")), (Some(&b"7"[..]), Some(&b"dotted"[..]), None));
        assert_eq!(object.object("b").unwrap().raw("c"), Some(&br#"[1, {"d": "}"}]"#[..]));
    }

    #[test]
    fn what_was_cut_off_costs_only_itself() {
        let arena = Bump::new();
        let object = Object::read(br#"{"status":401,"token":"abcdef"#, &arena).unwrap();
        assert_eq!((object.text("status"), object.text("token")), (Some(&b"401"[..]), None));
        assert!(Object::read(br#"{"a":1} and more"#, &arena).is_none());
        assert!(Object::read(b"{a: 1}", &arena).is_none());
        assert_eq!(elements(br#"[{"a":1}, [2], "x", {"cut"#).count(), 3);
    }
}
