//! What holds for any bytes: random mixtures and mutilations of corpus lines, cut anywhere.

mod common;

use std::sync::LazyLock;

use common::{Outcome, SECRET, cases, read_chunks};
use proptest::prelude::*;
use proptest::sample::Index;
use why401_parsers::detect::{Balance, MOST_TEMPLATES};
use why401_parsers::line::{Framing, MAX_LINE};

/// Every line of the corpus, without its line end.
static LINES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let lines = |bytes: &[u8]| Framing::Lines.entries(bytes).map(|entry| entry.bytes.to_vec()).collect::<Vec<_>>();
    cases().iter().flat_map(|case| lines(&case.bytes)).collect()
});

/// Every JSON object of the corpus that is printed over several lines.
static OBJECTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let objects = cases().into_iter().filter(|case| Framing::detect(&case.bytes) == Framing::JsonObjects);
    let bytes =
        |bytes: &[u8]| Framing::JsonObjects.entries(bytes).map(|entry| entry.bytes.to_vec()).collect::<Vec<_>>();
    objects.flat_map(|case| bytes(&case.bytes)).collect()
});

/// Every JSON document of the corpus that is printed over several lines and holds many entries.
static DOCUMENTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let documents = cases().into_iter().filter(|case| matches!(Framing::detect(&case.bytes), Framing::JsonElements(_)));
    documents.map(|case| case.bytes).collect()
});

/// How a line is spoilt.
#[derive(Clone, Debug)]
enum Spoil {
    Nothing,
    /// Cut off, as `print` on a phone does.
    Cut(Index),
    /// Some bytes somewhere in it: control characters, half characters, line ends, anything.
    Insert(Index, Vec<u8>),
    /// One byte is another one.
    Replace(Index, u8),
    /// A part of it is written twice.
    Double(Index, Index),
}

fn spoil() -> impl Strategy<Value = Spoil> {
    let odd = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..12),
        prop::sample::select(vec![
            &b"\r"[..],
            b"\0",
            b"\x1b[31m",
            b"\n",
            b"\r\n",
            b"\xef\xbb\xbf",
            b"[",
            b"\"",
            b"{\"",
            b"  "
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    prop_oneof![
        4 => Just(Spoil::Nothing),
        1 => any::<Index>().prop_map(Spoil::Cut),
        1 => (any::<Index>(), odd).prop_map(|(at, bytes)| Spoil::Insert(at, bytes)),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Spoil::Replace(at, byte)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Spoil::Double(from, to)),
    ]
}

fn spoilt(line: &[u8], spoil: &Spoil) -> Vec<u8> {
    let place = |index: &Index| index.index(line.len() + 1);
    let mut line = line.to_vec();
    match spoil {
        Spoil::Nothing => {}
        Spoil::Cut(at) => line.truncate(place(at)),
        Spoil::Insert(at, bytes) => {
            let at = place(at);
            line.splice(at..at, bytes.iter().copied());
        }
        Spoil::Replace(at, byte) => {
            let at = place(at);
            if let Some(old) = line.get_mut(at) {
                *old = *byte;
            }
        }
        Spoil::Double(from, to) => {
            let (from, to) = (place(from).min(place(to)), place(from).max(place(to)));
            let part = line[from..to].to_vec();
            line.splice(to..to, part);
        }
    }
    line
}

/// A log of corpus lines, some of them spoilt, with either line end, the last line's perhaps missing.
fn log() -> impl Strategy<Value = Vec<u8>> {
    let line = (any::<Index>(), spoil(), prop::bool::weighted(0.2));
    (prop::collection::vec(line, 0..60), any::<bool>()).prop_map(|(lines, ends)| {
        let mut out = Vec::new();
        for (index, spoil, carriage_return) in &lines {
            out.extend(spoilt(index.get::<Vec<u8>>(&LINES), spoil));
            out.extend_from_slice(if *carriage_return { b"\r\n" } else { b"\n" });
        }
        if !ends {
            out.pop();
        }
        out
    })
}

/// The bytes cut after some of their line ends.
fn cut<'a>(bytes: &'a [u8], framing: Framing, cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> =
        cuts.iter().filter_map(|at| framing.last_cut(&bytes[..at.index(bytes.len() + 1)])).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.dedup();
    places.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect()
}

fn is_accounted_for(framing: Framing, balance: &Balance, bytes: &[u8]) -> Result<(), TestCaseError> {
    let Balance { lines, bytes: read, recognised, unrecognised, capped, dialects, templates, .. } = balance;
    let ends = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    let unended = u64::from(framing != Framing::JsonObjects && bytes.last().is_some_and(|byte| *byte != b'\n'));
    prop_assert_eq!(*read, bytes.len() as u64);
    prop_assert_eq!(*lines, ends + unended);
    prop_assert_eq!(*lines, recognised + unrecognised + capped);
    prop_assert!(dialects.iter().sum::<u64>() <= *recognised);
    let shapes: u64 = templates.values().sum();
    prop_assert!(shapes == *unrecognised || (templates.len() == MOST_TEMPLATES && shapes < *unrecognised));
    Ok(())
}

/// Events name texts by number, so the names are looked through with them; and templates are printed as well.
fn texts(outcome: &Outcome) -> String {
    let templates: Vec<_> = outcome.balance.templates.keys().map(|shape| String::from_utf8_lossy(shape)).collect();
    format!("{:?} {:?} {templates:?}", outcome.assembled.events, outcome.names)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_in_any_mixture_are_accounted_for_and_read_alike_however_they_are_cut(
        bytes in log(),
        cuts in prop::collection::vec(any::<Index>(), 0..6),
    ) {
        let whole = read_chunks(Framing::Lines, [&bytes[..]]);
        is_accounted_for(Framing::Lines, &whole.balance, &bytes)?;
        let parts = read_chunks(Framing::Lines, cut(&bytes, Framing::Lines, &cuts));
        prop_assert_eq!(&parts.assembled.events, &whole.assembled.events);
        prop_assert_eq!(format!("{:?}", parts.names), format!("{:?}", whole.names));
        prop_assert_eq!(&parts.balance, &whole.balance);
    }

    #[test]
    fn random_bytes_are_accounted_for_in_either_framing(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        for framing in [Framing::Lines, Framing::JsonObjects, Framing::detect(&bytes)] {
            is_accounted_for(framing, &read_chunks(framing, [&bytes[..]]).balance, &bytes)?;
        }
    }

    #[test]
    fn objects_set_one_against_the_other_read_alike_however_they_are_cut(
        objects in prop::collection::vec((any::<Index>(), prop::sample::select(vec!["", "\n", "\r\n"])), 1..20),
        cuts in prop::collection::vec(any::<Index>(), 0..4),
    ) {
        let mut bytes = Vec::new();
        for (index, between) in &objects {
            bytes.extend_from_slice(index.get::<Vec<u8>>(&OBJECTS));
            bytes.extend_from_slice(between.as_bytes());
        }
        let framing = Framing::detect(&bytes);
        prop_assert_eq!(framing, Framing::JsonObjects);
        let whole = read_chunks(framing, [&bytes[..]]);
        prop_assert_eq!(whole.balance.recognised, whole.balance.lines);
        is_accounted_for(framing, &whole.balance, &bytes)?;
        let parts = read_chunks(framing, cut(&bytes, framing, &cuts));
        prop_assert_eq!(&parts.assembled.events, &whole.assembled.events);
        prop_assert_eq!(&parts.balance, &whole.balance);
    }

    #[test]
    fn documents_read_alike_however_they_are_cut(which in any::<Index>(), cuts in prop::collection::vec(any::<Index>(), 0..6)) {
        let bytes = which.get::<Vec<u8>>(&DOCUMENTS);
        let framing = Framing::detect(bytes);
        let whole = read_chunks(framing, [&bytes[..]]);
        is_accounted_for(framing, &whole.balance, bytes)?;
        prop_assert_eq!(whole.balance.unrecognised, 0);
        let parts = read_chunks(framing, cut(bytes, framing, &cuts));
        prop_assert_eq!(&parts.assembled.events, &whole.assembled.events);
        prop_assert_eq!(&parts.balance, &whole.balance);
    }

    #[test]
    fn elements_of_broken_documents_read_alike_however_they_are_cut(
        parts in prop::collection::vec(prop::sample::select(vec!["  }", "  {", "  },", "\n", "\r\n", "  ", "x", "[", "\""]), 0..60),
        cuts in prop::collection::vec(any::<Index>(), 0..4),
    ) {
        let bytes = parts.concat().into_bytes();
        let framing = Framing::JsonElements(2);
        let whole = read_chunks(framing, [&bytes[..]]);
        let parts = read_chunks(framing, cut(&bytes, framing, &cuts));
        is_accounted_for(framing, &whole.balance, &bytes)?;
        prop_assert_eq!(&parts.balance, &whole.balance);
    }

    #[test]
    fn parts_of_lines_read_alike_however_they_are_cut(
        lines in prop::collection::vec((any::<Index>(), 0..2_usize, prop::collection::vec(any::<Index>(), 0..4)), 1..30),
        order in prop::collection::vec(any::<bool>(), 120),
        ended in prop::bool::weighted(0.8),
        cuts in prop::collection::vec(any::<Index>(), 0..6),
        within in prop::sample::select(vec!["", "[pod/web-1/rails] ", "web-1  | ", "{"]),
    ) {
        let cri = |stream: usize, mark: char, text: &[u8]| {
            let stream = ["stdout", "stderr"][stream];
            if within == "{" {
                let text = serde_json::to_string(&String::from_utf8_lossy(text)).expect("a text is JSON");
                let date = "\"date\":1794809032.068658";
                return format!("{{{date},\"stream\":\"{stream}\",\"logtag\":\"{mark}\",\"log\":{text}}}\n").into_bytes();
            }
            let head = format!("{within}2026-11-16T06:03:52.068658123Z {stream} {mark} ");
            [head.as_bytes(), text, b"\n"].concat()
        };
        // Each stream's own lines, in parts; the streams take turns in any order.
        let (mut streams, mut whole) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for (index, stream, places) in &lines {
            let line = index.get::<Vec<u8>>(&LINES);
            whole[*stream].push(cri(*stream, 'F', line));
            let mut places: Vec<usize> = places.iter().map(|at| at.index(line.len() + 1)).collect();
            places.extend([0, line.len()]);
            places.sort_unstable();
            let last = places.len() - 2;
            for (place, ends) in places.windows(2).enumerate() {
                streams[*stream].push(cri(*stream, if place == last { 'F' } else { 'P' }, &line[ends[0]..ends[1]]));
            }
        }
        let [mut out, mut err] = streams.map(|lines| lines.into_iter().peekable());
        let (mut bytes, mut order) = (Vec::new(), order.into_iter().cycle());
        while out.peek().is_some() || err.peek().is_some() {
            let next = if order.next() == Some(true) { out.next().or_else(|| err.next()) } else { err.next().or_else(|| out.next()) };
            bytes.extend(next.unwrap_or_default());
        }
        if !ended {
            bytes.pop();
        }
        let framing = Framing::detect(&bytes);
        // An envelope around a first line without words may be any program's.
        prop_assert!(framing == Framing::Parts || !within.is_empty());
        let read = read_chunks(framing, [&bytes[..]]);
        is_accounted_for(framing, &read.balance, &bytes)?;
        let parts = read_chunks(framing, cut(&bytes, framing, &cuts));
        prop_assert_eq!(&parts.assembled.events, &read.assembled.events);
        prop_assert_eq!(&parts.balance, &read.balance);
        // Where characters are cut in two, JSON has others in their place.
        if framing == Framing::Parts && within != "{" && lines.iter().all(|(_, stream, _)| *stream == 0) {
            let whole = read_chunks(framing, [&whole.concat().concat()[..]]);
            prop_assert_eq!(read.balance.dialects.map(|count| count > 0), whole.balance.dialects.map(|count| count > 0));
            prop_assert_eq!(read.assembled.events.len(), whole.assembled.events.len());
        }
    }

    #[test]
    fn braces_in_any_order_read_alike_however_they_are_cut(
        parts in prop::collection::vec(prop::sample::select(vec!["}", "{", "\n", "\r\n", "  ", "x"]), 0..60),
        cuts in prop::collection::vec(any::<Index>(), 0..4),
    ) {
        let bytes = parts.concat().into_bytes();
        let whole = read_chunks(Framing::JsonObjects, [&bytes[..]]);
        let parts = read_chunks(Framing::JsonObjects, cut(&bytes, Framing::JsonObjects, &cuts));
        is_accounted_for(Framing::JsonObjects, &whole.balance, &bytes)?;
        prop_assert_eq!(&parts.balance, &whole.balance);
    }

    /// Lines are whole here or cut off at their end: with a `?` or a quote taken out of a line, no parser could tell what was
    /// secret.
    #[test]
    fn no_text_of_a_token_is_kept(
        lines in prop::collection::vec((any::<Index>(), prop::option::weighted(0.1, any::<Index>())), 1..60),
    ) {
        let mut bytes = Vec::new();
        for (index, end) in &lines {
            let line = index.get::<Vec<u8>>(&LINES);
            bytes.extend_from_slice(end.map_or(line, |end| &line[..end.index(line.len() + 1)]));
            bytes.push(b'\n');
        }
        let kept = texts(&read_chunks(Framing::Lines, [&bytes[..]]));
        prop_assert!(!kept.contains(SECRET), "{}", around(&kept));
    }
}

/// The text round the secret that was kept.
fn around(kept: &str) -> String {
    let at = kept.find(SECRET).unwrap_or(0);
    kept.chars().skip(kept[..at].chars().count().saturating_sub(100)).take(200).collect()
}

#[test]
fn no_case_keeps_the_text_of_its_token() {
    let mut shown = 0;
    for case in cases() {
        let kept = texts(&read_chunks(Framing::detect(&case.bytes), [&case.bytes[..]]));
        assert!(!kept.contains(SECRET), "{}/{}: {}", case.about, case.name, around(&kept));
        shown += usize::from(String::from_utf8_lossy(&case.bytes).contains(SECRET));
    }
    assert!(shown > 10, "the corpus must show its token in many places, or this says nothing: {shown}");
}

#[test]
fn a_line_about_as_long_as_the_cap_is_capped_beyond_it_only() {
    let start = b"Started GET \"/";
    let end = b"\" for 203.0.113.7 at 2026-11-16 06:03:52 +0000\n";
    for (over, capped) in [(-1_i64, 0), (0, 0), (1, 1), (70_000, 1)] {
        let length = usize::try_from(MAX_LINE as i64 + over).expect("positive");
        let mut bytes = start.to_vec();
        bytes.resize(length - end.len(), b'x');
        bytes.extend_from_slice(end);
        bytes.extend_from_slice(b"Completed 200 OK in 1ms");
        let outcome = read_chunks(Framing::Lines, [&bytes[..]]);
        assert_eq!((outcome.balance.lines, outcome.balance.capped), (2, capped), "{over}");
        is_accounted_for(Framing::Lines, &outcome.balance, &bytes).expect("every line has its place");
    }
}

#[test]
fn a_zone_that_changes_within_a_request_is_learnt_in_the_order_of_lines() {
    // Found by fuzzing `assemble`: a request that is put together in its chunk told its zone when it ended.
    let line = |time: &str, id: char, text: &str| {
        format!("I, [2026-11-16T{time}.100000 #14]  INFO -- : [3b1f0a52-6c1d-4f0e-9a51-1c7d2e4f8a0{id}] {text}\n")
    };
    let started = |at: &str| format!("Started GET \"/a\" for 203.0.113.7 at 2026-11-16 {at} +0000");
    let bytes = [
        line("13:04:50", '1', &started("13:04:50")),
        line("10:00:00", '2', &started("06:00:00")),
        line("13:04:51", '1', "Completed 200 OK in 10ms"),
        line("13:04:52", '3', &started("13:04:52")),
        line("13:04:53", '3', "Completed 401 Unauthorized in 10ms"),
    ]
    .concat()
    .into_bytes();
    let whole = read_chunks(Framing::Lines, [&bytes[..]]);
    for at in 0..bytes.len() {
        let Some(at) = Framing::Lines.last_cut(&bytes[..at]) else { continue };
        let parts = read_chunks(Framing::Lines, [&bytes[..at], &bytes[at..]]);
        assert_eq!(parts.assembled.events, whole.assembled.events, "cut at {at}");
    }
}

/// What fuzzing `assemble` found is kept as cases: a release that a server says in turns with another was said once too few.
#[test]
fn every_case_says_the_same_wherever_it_is_cut() {
    for case in cases() {
        let framing = Framing::detect(&case.bytes);
        let whole = read_chunks(framing, [&case.bytes[..]]);
        let mut end = case.bytes.len();
        while let Some(at) = end.checked_sub(1).and_then(|before| framing.last_cut(&case.bytes[..before])) {
            let parts = read_chunks(framing, [&case.bytes[..at], &case.bytes[at..]]);
            let same = parts.assembled.events == whole.assembled.events && parts.balance == whole.balance;
            assert!(same, "{}/{} cut at {at}", case.about, case.name);
            end = at;
        }
    }
}
