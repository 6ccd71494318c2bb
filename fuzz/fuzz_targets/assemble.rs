//! The whole way from bytes to events: every line has its place, and a cut between two lines changes nothing.

#![no_main]

use bumpalo::Bump;
use libfuzzer_sys::fuzz_target;
use why401_parsers::assemble::{Assembled, Assembler, Known};
use why401_parsers::detect::{Balance, Parser};
use why401_parsers::event::Names;
use why401_parsers::line::Framing;
use why401_parsers::secret::FingerprintKey;

fuzz_target!(|bytes: &[u8]| {
    let framing = Framing::detect(bytes);
    let (whole, balance) = read(framing, &[bytes]);
    assert_eq!(balance.lines, balance.recognised + balance.unrecognised + balance.capped);

    let middle = framing.last_cut(&bytes[..bytes.len() / 2]).unwrap_or(0);
    let (head, tail) = bytes.split_at(middle);
    let (parts, balance_of_parts) = read(framing, &[head, tail]);
    assert_eq!(parts.events, whole.events);
    assert_eq!(balance_of_parts, balance);
});

fn read(framing: Framing, chunks: &[&[u8]]) -> (Assembled, Balance) {
    let key = FingerprintKey::new([4; 16]);
    let (mut assembler, mut names, mut balance) = (Assembler::new(0), Names::default(), Balance::default());
    let (mut parser, mut known) = (Parser::new(key, &[]), Known::default());
    for chunk in chunks {
        let arena = Bump::new();
        let parsed = parser.parse(chunk, framing, &arena);
        assembler.take(&parsed, balance.lines + 1, &mut known, &mut names);
        balance.merge(&parsed.balance);
    }
    let mut assembled = assembler.finish(None, None, &mut names);
    let (_, renaming) = names.sorted();
    renaming.apply(assembled.events.iter_mut());
    (assembled, balance)
}
