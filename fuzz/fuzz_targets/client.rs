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
        for framed in [false, true] {
            let mut line = Line::bare(entry.bytes, &arena);
            (line.program, line.severe, line.client, line.trace) = (framed, framed, framed, framed);
            for dialect in of_side() {
                let _ = dialect.read(&line, &context);
            }
        }
    }
});
