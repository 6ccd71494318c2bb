//! Sources whose newest line comes first are turned round before they are cut: see [`why401_parsers::newest_first`].

use std::io::{Cursor, Read};

use why401_parsers::newest_first::{is_newest_first, turned};
use why401_parsers::writer::HEAD;

use super::open::Failed;

/// Longer ones are read as they stand: all of such a text is held, twice for a moment. Exports of log viewers end at some hundred thousand
/// lines. Where memory is limited, so much of the limit may be used for it.
const MOST: usize = 512 * 1024 * 1024;
const OF_LIMIT: usize = 8;

/// The text, the oldest line first; how many lines it has if it was turned round for that. `limit` is how much memory there is, in bytes.
pub(super) fn oldest_first(
    mut text: Box<dyn Read + Send>,
    limit: Option<usize>,
) -> (Box<dyn Read + Send>, Option<u64>) {
    let most = limit.map_or(MOST, |limit| limit / OF_LIMIT).clamp(HEAD, MOST);
    let mut head = Vec::new();
    let mut read = |most: usize, head: &mut Vec<u8>| (&mut text).take(most as u64).read_to_end(head).err();
    let mut failed = read(HEAD, &mut head);
    if failed.is_none() && is_newest_first(&head) {
        failed = read(most - HEAD, &mut head);
        if failed.is_none() && head.len() < most {
            let (text, lines) = turned(&head);
            return (Box::new(Cursor::new(text)), Some(lines));
        }
    }
    // An error met here comes again where it was, after what was read before it.
    let rest: Box<dyn Read + Send> = match failed {
        Some(error) => Box::new(Failed(Some(error))),
        None => text,
    };
    (Box::new(Cursor::new(head).chain(rest)), None)
}
