//! Framing: entries cover the bytes once and in order, and a cut falls between two of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use why401_parsers::line::{Framing, MAX_LINE};

fuzz_target!(|bytes: &[u8]| {
    for framing in [Framing::Lines, Framing::Parts, Framing::JsonObjects, Framing::JsonElements(2), Framing::JsonElements(8)] {
        let entries: Vec<_> = framing.entries(bytes).collect();
        assert!(entries.iter().all(|entry| framing == Framing::Parts || entry.bytes.len() <= MAX_LINE));
        assert!(entries.windows(2).all(|pair| pair[0].line + pair[0].lines == pair[1].line));
        let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
        let unended = framing != Framing::JsonObjects && bytes.last().is_some_and(|byte| *byte != b'\n');
        assert_eq!(entries.iter().map(|entry| entry.lines as usize).sum::<usize>(), ends + usize::from(unended));

        if let Some(cut) = framing.last_cut(bytes) {
            let (head, tail) = bytes.split_at(cut);
            let parts = framing.entries(head).chain(framing.entries(tail)).map(|entry| entry.bytes);
            assert!(parts.eq(entries.iter().map(|entry| entry.bytes)), "{framing:?} was cut inside an entry");
        }
    }
});
