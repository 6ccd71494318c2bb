//! The client's dialects: each reads any line, with and without a frame around it.

#![no_main]

use bumpalo::Bump;
use libfuzzer_sys::fuzz_target;
use why401_parsers::dialect::{Context, DIALECTS, Line};
use why401_parsers::line::Framing;
use why401_parsers::record::Side;
use why401_parsers::secret::FingerprintKey;

fuzz_target!(|bytes: &[u8]| {
    let arena = Bump::new();
    let context = Context { arena: &arena, key: FingerprintKey::new([4; 16]) };
    let of_side = || DIALECTS.iter().filter(|dialect| dialect.side() == Side::Client);
    for entry in Framing::Lines.entries(bytes) {
        let text = entry.bytes;
        for framed in [false, true] {
            let client = framed && Side::Client == Side::Client;
            let line =
                Line { text, whole: text, program: framed, client, trace: client, severe: framed, ..Line::default() };
            for dialect in of_side() {
                let _ = dialect.read(&line, &context);
            }
        }
    }
});
