//! Envelopes: whatever is peeled off, what is left is no longer than the line, or than its JSON was.

#![no_main]

use bumpalo::Bump;
use libfuzzer_sys::fuzz_target;
use why401_parsers::envelope::{ENVELOPES, unwrap};
use why401_parsers::line::Framing;

fuzz_target!(|bytes: &[u8]| {
    let arena = Bump::new();
    for entry in Framing::detect(bytes).entries(bytes) {
        for envelope in ENVELOPES {
            if let Some(peeled) = envelope.peel(entry.bytes, &arena) {
                assert!(peeled.inner.len() < entry.bytes.len(), "{} took nothing off", envelope.name());
            }
        }
        assert!(unwrap(entry.bytes, &arena).text.len() <= entry.bytes.len());
    }
});
