//! The conformance suite: every case of the corpus, as records and as events, against the snapshot beside it.
//!
//! A case is a file of log lines, `corpus/<envelope or dialect>/<case>.log`; adding one needs no Rust. The folder's name is
//! the one that `why401 formats` prints, and the case must hold lines of it. Look at a new or changed `<case>.snap` as at code: what
//! stands there is what the tool will believe.

mod common;

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use bumpalo::Bump;
use common::{Case, KEY, Outcome, cases, read_chunks};
use regex::Regex;
use why401_parsers::detect::{Balance, parse_chunk};
use why401_parsers::dialect::DIALECTS;
use why401_parsers::envelope::ENVELOPES;
use why401_parsers::event::{AuthState, Event, Fault, Name, Names, Request, Socket, What};
use why401_parsers::record::{Record, Sense};
use why401_parsers::time::{Stamp, Stated};
use why401_parsers::writer::Manner;

#[test]
fn every_case_reads_as_its_snapshot_says() {
    let differs = |case: &Case| {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(&case.folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        // One that differs must not hide the ones after it.
        let check = || settings.bind(|| insta::assert_snapshot!(case.name.as_str(), rendered(case)));
        catch_unwind(AssertUnwindSafe(check)).is_err()
    };
    let changed: Vec<String> =
        cases().iter().filter(|case| differs(case)).map(|case| format!("{}/{}", case.about, case.name)).collect();
    assert!(changed.is_empty(), "these read otherwise than their snapshots say: {changed:?}");
}

#[test]
fn every_envelope_and_dialect_has_a_case_that_holds_its_lines() {
    let cases = cases();
    let seen = |name: &str| {
        let mut about = cases.iter().filter(|case| case.about == name).peekable();
        about.peek().is_some() && about.all(|case| counts(&balance_of(case)).any(|(known, _)| known == name))
    };
    let envelopes = ENVELOPES.iter().map(|envelope| envelope.name());
    let names: Vec<&str> = envelopes.chain(DIALECTS.iter().map(|dialect| dialect.name())).collect();
    let unseen: Vec<&&str> = names.iter().filter(|name| !seen(name)).collect();
    assert!(unseen.is_empty(), "no case in parsers/corpus, or one without a line of it: {unseen:?}");
    let strange: Vec<&str> =
        cases.iter().map(|case| case.about.as_str()).filter(|about| !names.contains(about)).collect();
    assert!(strange.is_empty(), "folders of parsers/corpus that no envelope or dialect is named after: {strange:?}");
}

fn balance_of(case: &Case) -> Balance {
    parse_chunk(&case.bytes, Manner::detect(&case.bytes), KEY, &Bump::new()).balance
}

/// Envelopes and dialects that were seen, with how often.
fn counts(balance: &Balance) -> impl Iterator<Item = (&'static str, u64)> {
    let envelopes = ENVELOPES.iter().map(|envelope| envelope.name()).zip(balance.envelopes);
    let dialects = DIALECTS.iter().map(|dialect| dialect.name()).zip(balance.dialects);
    envelopes.chain(dialects).filter(|(_, count)| *count > 0)
}

/// The whole snapshot: lines, balance, events.
fn rendered(case: &Case) -> String {
    let manner = Manner::detect(&case.bytes);
    let framing = manner.framing;
    let mut out = String::new();
    for entry in framing.entries(&case.bytes) {
        let arena = Bump::new();
        // A line says the same by itself as in its file: the parsers keep nothing between lines.
        let parsed = parse_chunk(entry.bytes, manner, KEY, &arena);
        let _ = writeln!(out, "{:>3}  {}", entry.line + 1, shown(entry.bytes));
        let how: Vec<&str> = counts(&parsed.balance).map(|(name, _)| name).collect();
        let what = match (parsed.records.first(), parsed.balance.unrecognised) {
            (Some(record), _) => line_of(record),
            (None, 0) if parsed.answered() > 0 => "a request, answered well".to_owned(),
            (None, 0) => String::new(),
            (None, _) => "UNRECOGNISED".to_owned(),
        };
        let _ = writeln!(out, "{}", format!("     = {} | {what}", how.join(" > ")).trim_end());
    }
    let outcome = read_chunks(framing, [&case.bytes[..]]);
    let Balance { lines, bytes, recognised, unrecognised, capped, templates, .. } = &outcome.balance;
    let _ = writeln!(
        out,
        "\n{lines} lines, {bytes} bytes: {recognised} recognised, {unrecognised} unrecognised, {capped} capped"
    );
    for (template, count) in templates {
        let _ = writeln!(out, "  {count} x {}", String::from_utf8_lossy(template));
    }
    let clock = outcome.assembled.clock;
    let _ = writeln!(out, "{:?}, {clock:?}\n", outcome.assembled.side);
    for event in &outcome.assembled.events {
        let _ = writeln!(out, "{}", event_of(event, &outcome));
    }
    out
}

/// A line as far as one looks at it.
fn shown(bytes: &[u8]) -> String {
    const WIDTH: usize = 150;
    let text: String = String::from_utf8_lossy(bytes).chars().take(WIDTH).collect();
    text.escape_debug().collect::<String>().replace("\\\"", "\"").replace("\\'", "'")
}

fn line_of(record: &Record<'_>) -> String {
    let Record { line: _, stamp, near: _, request, user, address, process, tagged, severe, side, body } = *record;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let parts = [
        Some(format!("{side:?}")),
        stamp.map(time_of),
        request.map(|_| "request id".to_owned()),
        user.map(|user| format!("user {}", text(user))),
        address.map(|address| format!("address {}", text(address))),
        (process != 0).then(|| format!("#{process}")),
        tagged.then(|| "tagged".to_owned()),
        severe.then(|| "severe".to_owned()),
        Some(readable(&format!("{body:?}"))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `Debug` with bytes as text, meanings by their names and times as one reads them.
fn readable(debug: &str) -> String {
    static BYTES: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\[(\d+(?:, \d+)*)?\]").expect("valid"));
    static SENSE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"Sense\((\d+)\)").expect("valid"));
    static STAMP: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"Stamp \{ micros: (-?\d+), zoned: (\w+), dated: (\w+), coarse: (\w+) \}").expect("valid")
    });
    let text = BYTES.replace_all(debug, |found: &regex::Captures<'_>| {
        let numbers = found.get(1).map_or("", |numbers| numbers.as_str());
        let bytes: Vec<u8> = numbers.split(", ").filter_map(|number| number.parse().ok()).collect();
        format!("{:?}", String::from_utf8_lossy(&bytes))
    });
    let text = SENSE.replace_all(&text, |found: &regex::Captures<'_>| {
        found[1].parse().map_or_else(|_| found[0].to_owned(), |bits| sense_of(Sense(bits)))
    });
    let text = STAMP.replace_all(&text, |found: &regex::Captures<'_>| {
        let is = |group: usize| &found[group] == "true";
        let stamp =
            Stamp::of(Stated { micros: found[1].parse().unwrap_or(0), zoned: is(2), dated: is(3), coarse: is(4) });
        time_of(stamp)
    });
    text.into_owned()
}

fn time_of(stamp: Stamp) -> String {
    let whole = instant(stamp.micros());
    let whole = if stamp.dated() { &whole } else { &whole[5..] };
    format!(
        "{}{}",
        whole.strip_suffix(".000000").filter(|_| stamp.coarse()).unwrap_or(whole),
        if stamp.zoned() { "Z" } else { "" }
    )
}

fn instant(micros: i64) -> String {
    let time = chrono::DateTime::from_timestamp_micros(micros);
    time.map_or_else(|| micros.to_string(), |time| time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string())
}

fn sense_of(sense: Sense) -> String {
    const NAMES: &[(Sense, &str)] = &[
        (Sense::EXPIRED, "expired"),
        (Sense::REVOKED, "revoked"),
        (Sense::UNKNOWN, "unknown"),
        (Sense::REUSED, "reused"),
        (Sense::MISSING, "missing"),
        (Sense::REFUSED, "refused"),
        (Sense::FAULT, "fault"),
        (Sense::PASSWORD, "password"),
        (Sense::SIGN_OUT, "sign-out"),
        (Sense::NO_SESSION, "no-session"),
        (Sense::SOCKET, "socket"),
        (Sense::REFRESH, "refresh"),
    ];
    let words: Vec<&str> = NAMES.iter().filter(|(known, _)| sense.has(*known)).map(|(_, word)| *word).collect();
    format!("<{}>", words.join(" "))
}

fn event_of(event: &Event, outcome: &Outcome) -> String {
    let Event { source: _, line, time, timed, user, email, address, device, process, ended, request_id, what } = event;
    let names = &outcome.names;
    let named = |label: &str, name: &Option<Name>| name.map(|name| format!("{label} {}", names.text(name)));
    let parts = [
        named("user", user),
        named("email", email),
        named("address", address),
        named("device", device),
        (*process != 0).then(|| format!("#{process}")),
        Some(what_of(what, (ended.map(i64::from), request_id.is_some()), names)),
    ];
    let parts = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    format!("{line:>3}  {} by {timed:?}: {parts}", instant(*time))
}

fn what_of(what: &What, (ended, has_id): (Option<i64>, bool), names: &Names) -> String {
    match what {
        What::Request(request) => request_of(request, (ended, has_id), names),
        What::Socket(Socket::Accepted(gid)) => format!("Socket(Accepted({}))", names.text(*gid)),
        What::Socket(Socket::Removing(gid)) => format!("Socket(Removing({}))", names.text(*gid)),
        What::State { to, from, event, state, asked, sense } => {
            let from = from.map_or("-", |from| if from == AuthState::SignedIn { "SignedIn" } else { "SignedOut" });
            let asked = if *asked { ", asked" } else { "" };
            let (event, state) = (names.text(*event), names.text(*state));
            format!("State {from} -> {to:?} by {event:?} to {state:?}{asked} {}", sense_of(*sense))
        }
        What::Release { of_app, name } => {
            format!("Release {} of the {}", names.text(*name), if *of_app { "app" } else { "server" })
        }
        What::Note { sense, text, severe } => {
            format!("Note{} {} {:?}", if *severe { " severe" } else { "" }, sense_of(*sense), names.text(*text))
        }
        other => format!("{other:?}"),
    }
}

fn request_of(request: &Request, (ended, has_id): (Option<i64>, bool), names: &Names) -> String {
    let Request {
        side,
        proxied,
        method,
        path,
        action,
        status,
        answered,
        failure,
        password,
        new_password,
        refresh_token,
        sent,
        issued,
        expires_in,
        halted,
        upgraded,
        sense,
        fault,
        server_date,
        grouped_by,
    } = request;
    let flag = |set: bool, name: &str| set.then(|| name.to_owned());
    let parts = [
        Some(format!("{side:?} {} {}", names.text(*method), names.text(*path))),
        action.map(|action| names.text(action).to_owned()),
        status.map(|status| format!("status {status}")),
        flag(*proxied, "seen by a proxy"),
        flag(*answered, "answered"),
        failure.map(|failure| format!("failed {failure:?}")),
        ended.map(|ended| format!("until {}", &instant(ended)[11..])),
        flag(has_id, "id"),
        flag(*password, "password"),
        flag(*new_password, "new password"),
        flag(*refresh_token, "refresh token"),
        sent.map(|token| format!("sent {token:?}")),
        issued.map(|token| format!("issued {token:?}")),
        expires_in.map(|seconds| format!("for {seconds} s")),
        halted.map(|filter| format!("halted by {}", names.text(filter))),
        flag(*upgraded, "upgraded"),
        (!sense.is_empty()).then(|| sense_of(*sense)),
        fault.as_deref().map(|fault| fault_of(fault, names)),
        server_date.map(|seconds| format!("server date {}", instant(seconds * 1_000_000))),
        Some(format!("by {grouped_by:?}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn fault_of(fault: &Fault, names: &Names) -> String {
    let Fault { class, message, frames, line, rescued } = fault;
    let class = class.map_or("-", |class| names.text(class));
    let frames: Vec<String> =
        frames.iter().map(|(place, method)| format!("{} in {}", names.text(*place), names.text(*method))).collect();
    let rescued = if *rescued { ", rescued" } else { "" };
    format!("fault {class} {:?} at {frames:?} (line {line}{rescued})", names.text(*message))
}
