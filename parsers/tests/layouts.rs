//! Lines that are read by the places of their fields, for a line of the same layout came before, against the same lines each by itself.

mod common;

use common::read_chunks;
use proptest::prelude::*;
use why401_parsers::line::Framing;

/// Lines of one program that writes lograge's JSON, or pairs: a few layouts, with any values in them.
fn objects() -> impl Strategy<Value = Vec<String>> {
    let text = |words: &'static [&'static str]| prop::sample::select(words);
    let usual = (
        text(&[r#""GET""#, r#""GET""#, r#""POST""#, "null", r#""""#, "7", r#""a.js:12""#, r#""get""#, r#""M-SEARCH""#]),
        text(&[
            r#""/feed""#,
            r#""/a?b=c""#,
            r#""https://a.example/b#c""#,
            r#""?""#,
            r#""/a\/b""#,
            "null",
            r#""a\tb\tc""#,
            r#""web-1  | x""#,
            r#""/renew""#,
            "[]",
        ]),
        text(&[
            r#""FeedController""#,
            r#""A::B""#,
            r#""ApplicationCable::Connection""#,
            r#""DoorChannel""#,
            r#""""#,
            "null",
        ]),
        text(&[
            r#""show""#,
            r#""index""#,
            r#""connect""#,
            r#""subscribe""#,
            r#""log""#,
            r#""""#,
            "null",
            r#""edit\n""#,
        ]),
        text(&["200", "200", "302", "401", "500", "0", "2000", r#""200""#, r#"" 200""#, "-1", "null", "2e2"]),
        text(&[
            "0.9",
            "12",
            "49.33",
            "-0.0",
            "1e3",
            "nul",
            r#""7.5""#,
            "5.",
            ".5",
            "9999999999.5",
            "null",
            "0.1ms",
            "{}",
        ]),
        text(&[
            r#""3b1f0a52-6c1d-4f0e-9a51-1c7d2e4f8a01""#,
            r#""3b1f0a52-6c1d-4f0e-9a51-1c7d2e4f8a02""#,
            r#""short""#,
            "null",
            "1234567890",
        ]),
        text(&[
            "42",
            "42",
            "7",
            "0",
            "-3",
            "null",
            r#""a@b.example""#,
            r#""-""#,
            "4.2",
            "1e5",
            r#""x y""#,
            "true",
            r#""User#42""#,
            r#""gid://app/User/42""#,
            r#"{"id":42}"#,
            r#"{"name":"a\"b","id":"42"}"#,
            r#"{"id":"4\u0032"}"#,
            "{}",
        ]),
        text(&[r#""203.0.113.7""#, r#""203.0.113.7, 10.0.0.1""#, r#""::1""#, r#""none""#, "null", r#""""#]),
        text(&[
            r#""2026-11-16T11:01:50.158Z""#,
            r#""2026-11-16T11:01:51Z""#,
            r#""2026-11-16 11:01:52 +0900""#,
            r#""2026-11-16T11:01:50.1""#,
            r#""2026-11-16T25:01:50Z""#,
            r#""today""#,
            "1794809032",
            "null",
        ]),
        text(&["null", "null", r#""""#, r#""NoMethodError: x""#, r#"["A","b"]"#]),
    );
    let other = text(&[
        "7",
        r#""x""#,
        r#""log""#,
        r#""source_type""#,
        r#""@message""#,
        r#"{"message":"source_type"}"#,
        r#"{"source_type":1}"#,
        r#"["labels","line"]"#,
    ]);
    let order = prop::sample::select(vec![
        "{M,P,C,A,S,D,I,U,H,T}",
        "{M,P,C,A,S,D,I,U,H,T}",
        "{M,P,C,A,S,D,I,U,H,T}",
        r#"{M,P,C,A,S,D,I,U,H,T,"exception":X,"exception_object":null}"#,
        r#"{T,M,P,"params":{"token":"s3cr3tTOKENabcdef0123456789","a":["}"]},C,A,S,D}"#,
        r#"{ "method" : GET, P, C ,A,S,  D,T,H,U}"#,
        r#"{M,P,C,A,S,D,I,U,"user":U2,H,T}"#,
        r#"{M,M,P,C,A,S,S,D,I,U,H,T}"#,
        r#"{M,P,C,A,S,D,I,"user":U2,"client":H2,T2}"#,
        r#"{M,P,C,A,S,D,"rid":V,"account":V,"context":U2,H,"at":V,T}"#,
        r#"{M,P,C,A,S,D,"usr.id":U2,"ip_address":H2,"x_forwarded_for":V,T2}"#,
        r#"{M,P,C,A,S,D,"entries":[{M,P,C,A,S}],I,U,H,T}"#,
        r#"{M,P,C,A,S,D,I,U,H,T,"app_version":"2.3.1"}"#,
        r#"{M,P,C,A,S,D,I,U,H,T,"dd":{"version":"1f3c9ab"}}"#,
        r#"{M,P,C,A,S,D,I,U,H,T,"message":"[200] GET /a","@version":"1"}"#,
        r#"{M,P,C,A,S,D,I,U,H,T,"message":"[200] GET /a","@version":"1"}"#,
        r#"{M,P,C,A,S,D,I,U,H,T,"message":"[200] GET /a","@version":"2","note":V}"#,
        r#"{M,P,C,A,S,D,I,U,H,T,"message":"{}","timestamp":"1763273032068","note":V}"#,
        r#"{M,P,C,A,S,D,I,U,H,T,"message":"{}","timestamp":1763273032068,"id":V}"#,
        r#"{M,P,C,A,S,D,I,U,H,T,"message":"{}","type":V,"attributes":V}"#,
        r#"{M,P,C,A,S,D,I,U,H,T,"message":"{}","resource":V,"type":V,"timestamp":"2026-11-16T11:01:50Z"}"#,
        r#"{M,P,C,A,S,D,I,U,H,T,"route":"a#b","@timestamp":"2026-11-16T11:01:50.158Z"}"#,
        "{M,P,C,A,S,D,I,U,H,T",
        "{M,P,C,A,S,D,I,U,H,T} ",
        "{M,P,C,A,S,D,I,U,H,T}}",
        "{M,P,A,S,D,I,U,H,T}",
        "{M P,C,A,S,D,I,U,H,T}",
        "M P C A S D I U H T",
        "M P C A S D I U H T",
        "M P C A S D I U H T",
        "M P C A S D",
        "M P C A S D I U H T exception=X",
        "M P C A S D I usr=42 client=203.0.113.7 t=1794809032",
        "M P C A S D I account=7 U H T2 T",
        "M P params={\"token\"=>\"s3cr3tTOKENabcdef0123456789\"} C A S D",
        "M P params={\"a\"=>\"b c\", \"d\"=>{} C A S D",
        "M P C A S D error='NoMethodError: it's x=1' U",
        "M P C A S D note=\"a b\" U",
        "M P C A S D U app_version=2.3.1",
        "M P C A S D U words between H",
        "M P C A S D\tU",
        "M P  C A S D U ",
        "M P C A D U",
        "M M P C A S S D U",
        "words: member=42",
        "words: member=7",
        "[auth] member=42",
        "[auth] member=7",
    ]);
    let frame = prop::sample::select(vec![
        "",
        "",
        "",
        "I, [2026-11-16T11:01:50.158000 #7]  INFO -- : ",
        "E, [2026-11-16T11:01:51.000000 #7] ERROR -- : [3b1f0a52-6c1d-4f0e-9a51-1c7d2e4f8a03] ",
        "[3b1f0a52-6c1d-4f0e-9a51-1c7d2e4f8a02] ",
        "[3b1f0a52-6c1d-4f0e-9a51-1c7d2e4f8a02] [user:42] ",
        "I, [2026-11-16T11:01:50.158000 #7]  INFO -- : [ActionCable] [7] ",
        "[ActionCable] [a@b.example] ",
        "2026-11-16T06:03:52.068658123Z stdout F ",
        "\u{feff}",
        "\u{1b}[31m",
    ]);
    let line = (usual, other, order, frame).prop_map(|((m, p, c, a, s, d, i, u, h, t, x), v, order, frame)| {
        let pairs = order.starts_with("M P") || order.starts_with("M M");
        let field = |name: &str, value: &str| match (pairs, value) {
            (false, _) => format!("\"{name}\":{value}"),
            (true, "null") => format!("{name}="),
            (true, _) => format!("{name}={}", value.trim_matches('"')),
        };
        let fields = [
            ("GET", "\"GET\"".to_owned()),
            ("U2", u.to_owned()),
            ("H2", h.to_owned()),
            ("T2", field("ts", t)),
            ("M", field("method", m)),
            ("P", field("path", p)),
            ("C", field("controller", c)),
            ("A", field("action", a)),
            ("S", field("status", s)),
            ("D", field("duration", d)),
            ("I", field("request_id", i)),
            ("U", field("user_id", u)),
            ("H", field("ip", h)),
            ("T", field("time", t)),
            ("X", x.to_owned()),
            ("V", v.to_owned()),
        ];
        let words = order.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
        let filled = words.map(|word| {
            let (name, end) = word.split_at(word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).len());
            let known = fields.iter().find(|(known, _)| *known == name);
            format!("{}{end}", known.map_or(name, |(_, text)| text))
        });
        format!("{frame}{}\n", filled.collect::<String>())
    });
    prop::collection::vec(line, 2..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn objects_of_a_known_layout_say_what_each_says_by_itself(lines in objects()) {
        let whole = read_chunks(Framing::Lines, [lines.concat().as_bytes()]);
        let apart = read_chunks(Framing::Lines, lines.iter().map(String::as_bytes));
        prop_assert_eq!(&apart.assembled.events, &whole.assembled.events);
        prop_assert_eq!(format!("{:?}", apart.names), format!("{:?}", whole.names));
        prop_assert_eq!(&apart.balance, &whole.balance);
    }
}
