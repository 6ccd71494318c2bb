//! `--explain-identity`: which keys were joined to a user, by which line, and which joins were refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use why401_parsers::event::{Event, Name};

use super::{Placed, place};
use crate::actor::clock::SetBy;
use crate::actor::{Actor, Key};
use crate::reading::Reading;
use crate::stats::Stages;

/// The keys of a user (id, e-mail or address, as logged) in words; `None` if nobody of that name was seen.
#[must_use]
pub fn identity(reading: Reading, wanted: &str) -> Option<String> {
    let placed = place(reading, &mut Stages::default());
    let (key, actor) = placed.identified.actors.iter().find(|(key, actor)| is(&placed, **key, actor, wanted))?;
    let mut out = String::new();
    let _ = writeln!(out, "{}: {} events", name(&placed, *key), actor.events.len());
    joined(&placed, actor, &mut out);
    traces(&placed, actor, &mut out);
    refused(&placed, *key, actor, &mut out);
    Some(out)
}

fn is(placed: &Placed, key: Key, actor: &Actor, wanted: &str) -> bool {
    let text = |name: Name| placed.names.text(name);
    match key {
        Key::User(name) | Key::Email(name) | Key::Address(name) if text(name) == wanted => true,
        _ => actor.emails.iter().any(|email| text(*email) == wanted),
    }
}

fn name(placed: &Placed, key: Key) -> String {
    match key {
        Key::User(name) => format!("user {}", placed.names.text(name)),
        Key::Email(name) => format!("e-mail {}", placed.names.text(name)),
        Key::Address(name) => format!("address {}", placed.names.text(name)),
        Key::Trace(number) => placed.sources.get(number as usize).cloned().unwrap_or_default(),
    }
}

fn at(placed: &Placed, event: &Event) -> String {
    place_of(placed, event.source, event.line)
}

/// A line by its source and number.
fn place_of(placed: &Placed, source: u32, line: u64) -> String {
    let source = placed.sources.get(source as usize).map_or("?", String::as_str);
    format!("{source}:{}", placed.turned.line(source, line))
}

/// How an event came to its actor, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Id,
    Email,
    OwnAddress,
    SharedAddress,
    Trace,
}

impl By {
    const fn words(self) -> &'static str {
        match self {
            Self::Id => "lines that name the user",
            Self::Email => "the e-mail on them",
            Self::OwnAddress => "an address that only this user was seen on",
            Self::SharedAddress => "a shared address, where only this user stood out at that time (a guess)",
            Self::Trace => "a trace that names the user nearby",
        }
    }
}

/// The key of one kind on an event.
type KeyOf = fn(&Event) -> Option<Name>;

fn joined(placed: &Placed, actor: &Actor, out: &mut String) {
    let identified = &placed.identified;
    let how = |event: &Event| match (event.user, event.email, event.address) {
        (Some(_), ..) => By::Id,
        (None, Some(_), _) => By::Email,
        (None, None, Some(address)) if identified.shared_addresses.contains(&address) => By::SharedAddress,
        (None, None, Some(_)) => By::OwnAddress,
        _ => By::Trace,
    };
    let mut ways: BTreeMap<By, (usize, usize)> = BTreeMap::new();
    for place in &actor.events {
        ways.entry(how(&identified.events[*place])).or_insert((0, *place)).0 += 1;
    }
    out.push_str("joined by\n");
    for (way, (count, first)) in ways {
        let _ = writeln!(out, "  {}: {count}, first at {}", way.words(), at(placed, &identified.events[first]));
    }
    let kinds: [(&str, &[Name], KeyOf); 3] = [
        ("address", &actor.addresses, |event| event.address),
        ("e-mail", &actor.emails, |event| event.email),
        ("device", &actor.devices, |event| event.device),
    ];
    for (what, values, of) in kinds {
        for value in values {
            let with = |place: &&usize| of(&identified.events[**place]) == Some(*value);
            // The line that ties the two is the one that names both; without one, the first that has the key.
            let tying = actor.events.iter().filter(with).find(|place| identified.events[**place].user.is_some());
            let Some(place) = tying.or_else(|| actor.events.iter().find(with)) else { continue };
            let event = &identified.events[*place];
            let both = if event.user.is_some() { "names both" } else { "first seen" };
            let _ = writeln!(out, "  {what} {}: {both} at {}", placed.names.text(*value), at(placed, event));
        }
    }
    if let Some(first) = actor.sockets.first() {
        let place = place_of(placed, first.source, first.line);
        let _ = writeln!(out, "  sockets: {}, first at {place}", actor.sockets.len());
    }
}

fn traces(placed: &Placed, actor: &Actor, out: &mut String) {
    for trace in &actor.traces {
        let source = placed.sources.get(*trace as usize).map_or("?", String::as_str);
        let of_trace = |place: &&usize| placed.identified.events[**place].source == *trace;
        let twins =
            actor.events.iter().filter(of_trace).filter(|place| placed.identified.twins.contains_key(place)).count();
        let by = placed.identified.clocks.get(trace).map_or("nothing", |clock| match clock.set_by {
            SetBy::RequestIds => "request ids",
            SetBy::DateHeaders => "date headers",
            SetBy::Sequence => "the sequence of requests",
            SetBy::Nothing => "nothing",
        });
        let _ = writeln!(out, "  trace {source}: {twins} requests found on the server too; clock set by {by}");
    }
}

fn refused(placed: &Placed, key: Key, actor: &Actor, out: &mut String) {
    let identified = &placed.identified;
    let mut lines = String::new();
    for address in actor.addresses.iter().filter(|address| identified.shared_addresses.contains(address)) {
        let text = placed.names.text(*address);
        let others =
            identified.actors.iter().filter(|(other, seen)| **other != key && seen.addresses.contains(address));
        let others = others.filter(|(other, _)| matches!(other, Key::User(_) | Key::Email(_))).count();
        let nameless = identified.actors.get(&Key::Address(*address)).map_or(0, |left| left.events.len());
        let why = if identified.proxies.contains(address) { "a proxy's or the machine's own" } else { "shared" };
        let _ = writeln!(
            lines,
            "  address {text}: {why}, {others} others were seen on it; {nameless} events there that name nobody were left with the address"
        );
    }
    if lines.is_empty() {
        lines.push_str("  nothing\n");
    }
    let _ = write!(out, "refused\n{lines}");
}
