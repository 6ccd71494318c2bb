//! Patterns of a user's own: whatever a configuration says is used or refused, and whatever a line is, it is read.

#![no_main]

use bumpalo::Bump;
use libfuzzer_sys::fuzz_target;
use why401_parsers::detect::Parser;
use why401_parsers::line::Framing;
use why401_parsers::pattern::{Pattern, Written};
use why401_parsers::record::Side;
use why401_parsers::secret::FingerprintKey;

fuzz_target!(|input: (&str, &str, &str, bool)| {
    let (rule, example, text, json) = input;
    let written = Written {
        name: "fuzzed",
        regex: (!json).then_some(rule),
        json: if json { vec![("message", rule)] } else { Vec::new() },
        time_format: None,
        example,
        side: if text.len() % 2 == 0 { Side::Server } else { Side::Client },
    };
    let Ok(pattern) = Pattern::new(&written) else { return };
    let arena = Bump::new();
    for text in [example, text] {
        let patterns = [pattern.clone()];
        let parsed = Parser::new(FingerprintKey::new([4; 16]), &patterns).parse(text.as_bytes(), Framing::Lines, &arena);
        let balance = parsed.balance;
        assert_eq!(balance.lines, balance.recognised + balance.unrecognised + balance.capped);
    }
});
