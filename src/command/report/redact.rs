//! Pseudonyms for what leaves the machine. Tokens go in any case: a saved diagnosis may come from elsewhere.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use anyhow::{Context as _, Result};
use regex::{Captures, Regex, RegexBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::diagnosis::Diagnosis;
use crate::render::clean;

/// Fields whose words are the tool's own or times: an id that happens to read like one must not change them.
const OWN_WORDS: &[&str] = &[
    "cause",
    "kind",
    "id",
    "start",
    "end",
    "time",
    "first",
    "last",
    "channel",
    "tone",
    "trigger",
    "scope",
    "impact",
    "verdict",
    "platform",
    "day",
    "since",
    "known_by",
    "role",
    "method",
    "incidents",
    "name",
    "version",
    "envelope",
    "dialect",
    "refreshing",
    // Four numbers of a version are no address.
    "release",
    "deploy",
];

/// A shorter id also stands for other things in a text (`103`, `admin`), unless a word before it says that it is an id.
const TELLING_LENGTH: usize = 6;

/// Room for the ids of a very large report in one expression.
const MOST_EXPRESSION: usize = 256 << 20;

/// The diagnosis without tokens, and with `people` under stable pseudonyms.
///
/// Every text goes through here, also that of fields which are yet to come, so it is walked as JSON. As JSON a diagnosis takes many
/// times its room: one incident and one actor is in that form at a time.
pub(crate) fn redacted(mut diagnosis: Diagnosis, people: bool) -> Result<Diagnosis> {
    let mut names = Names::of(&diagnosis)?;
    let mut incidents = std::mem::take(&mut diagnosis.incidents);
    for incident in &mut incidents {
        names.rewrite(incident, people)?;
    }
    let mut actors = std::mem::take(&mut diagnosis.actors);
    for actor in &mut actors {
        names.rewrite(actor, people)?;
    }
    names.rewrite(&mut diagnosis, people)?;
    Ok(Diagnosis { incidents, actors, ..diagnosis })
}

struct Names {
    people: HashMap<String, String>,
    addresses: HashMap<String, String>,
    devices: HashMap<String, String>,
    /// Ids that are more than one word: `auth0|5f7c`.
    odd: Option<Rc<Regex>>,
    /// What stands before the `@` of e-mails, in lower case, with whose it is; the longest first.
    locals: Vec<(String, String)>,
    person_count: usize,
    /// Shared rather than cloned: a clone of an expression begins with no memory of what it has matched, which is most of its speed.
    patterns: Rc<Patterns>,
}

struct Patterns {
    token: Regex,
    email: Regex,
    v4: Regex,
    v6: Regex,
    word: Regex,
    part: Regex,
    hinted: Regex,
}

impl Patterns {
    fn new() -> Result<Self> {
        Ok(Self {
            token: Regex::new(r"eyJ[\w-]{8,}(?:\.[\w-]*){0,4}|(?i:bearer)[ +:]+[\w.~+/=-]{8,}")?,
            email: Regex::new(r"[\w.%+'-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")?,
            v4: Regex::new(r"\d{1,3}(?:\.\d{1,3}){3}")?,
            v6: Regex::new(r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}")?,
            word: Regex::new(r"[\w-]+")?,
            part: Regex::new("[A-Za-z0-9]+")?,
            hinted: Regex::new(r#"(?i)(?:\b|_)(?:users?|accounts?|uid|ids?|sub|owner|member|customer)[^\w]{1,3}$"#)?,
        })
    }
}

impl Names {
    /// Numbers people, addresses and devices in the order of the report.
    fn of(diagnosis: &Diagnosis) -> Result<Self> {
        let mut names = Self {
            people: HashMap::new(),
            addresses: HashMap::new(),
            devices: HashMap::new(),
            odd: None,
            locals: Vec::new(),
            person_count: 0,
            patterns: Rc::new(Patterns::new()?),
        };
        for actor in diagnosis.incidents.iter().filter_map(|incident| incident.actor.as_ref()) {
            names.person(actor.user.as_deref(), actor.email.as_deref());
            for address in &actor.ips {
                names.address(address);
            }
            for device in &actor.devices {
                names.device(device);
            }
        }
        for actor in &diagnosis.actors {
            names.person(actor.user.as_deref(), None);
            for address in &actor.ips {
                names.address(address);
            }
        }
        let local =
            |(email, name): (&String, &String)| Some((email.split_once('@')?.0.to_ascii_lowercase(), name.clone()));
        names.locals = names.people.iter().filter_map(local).filter(|(local, _)| local.len() > 2).collect();
        names.locals.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then(a.cmp(b)));
        let is_odd = |id: &&String| !id.is_empty() && !id.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
        let mut odd: Vec<&String> = names.people.keys().chain(names.devices.keys()).filter(is_odd).collect();
        // The longest first: one id may be the beginning of another.
        odd.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        if !odd.is_empty() {
            let any = odd.iter().map(|id| regex::escape(id)).collect::<Vec<_>>().join("|");
            names.odd = Some(Rc::new(RegexBuilder::new(&any).size_limit(MOST_EXPRESSION).build()?));
        }
        Ok(names)
    }

    fn person(&mut self, user: Option<&str>, email: Option<&str>) -> String {
        let keys: Vec<String> =
            user.map(clean).into_iter().chain(email.map(|email| clean(email).to_lowercase())).collect();
        let known = keys.iter().find_map(|key| self.people.get(key).cloned());
        let name = known.unwrap_or_else(|| {
            self.person_count += 1;
            format!("person-{}", self.person_count)
        });
        for key in keys {
            self.people.entry(key).or_insert_with(|| name.clone());
        }
        name
    }

    fn address(&mut self, address: &str) -> String {
        // The machine's own address names nobody, and notes speak of it.
        if matches!(address, "127.0.0.1" | "::1" | "0.0.0.0" | "::") {
            return address.to_owned();
        }
        let next = self.addresses.len() + 1;
        self.addresses.entry(clean(address).to_lowercase()).or_insert_with(|| format!("address-{next}")).clone()
    }

    fn device(&mut self, device: &str) -> String {
        let next = self.devices.len() + 1;
        self.devices.entry(clean(device)).or_insert_with(|| format!("device-{next}")).clone()
    }

    fn rewrite<T: Serialize + DeserializeOwned>(&mut self, part: &mut T, people: bool) -> Result<()> {
        let mut value = serde_json::to_value(&*part)?;
        self.walk(&mut value, "", people);
        *part = serde_json::from_value(value).context("a redacted diagnosis is one")?;
        Ok(())
    }

    fn walk(&mut self, value: &mut Value, key: &str, people: bool) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields.iter_mut() {
                    self.walk(value, key, people);
                }
            }
            Value::Array(values) => {
                for value in values {
                    self.walk(value, key, people);
                }
            }
            Value::String(text) => {
                // A saved diagnosis may hold what no log brings in.
                let seen = clean(text);
                let without = self.patterns.token.replace_all(&seen, "(token removed)").into_owned();
                *text = match key {
                    _ if !people => without,
                    "user" => self.person(Some(text.as_str()), None),
                    "email" => self.person(None, Some(text.as_str())),
                    "ips" => self.address(text),
                    "devices" => self.device(text),
                    own if OWN_WORDS.contains(&own) => without,
                    "source" => {
                        let text = self.text(&without);
                        self.file(&text)
                    }
                    _ => self.text(&without),
                };
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Free text: whatever is known, and whatever looks like an e-mail or an address.
    fn text(&mut self, text: &str) -> String {
        let mut text = Cow::Borrowed(text);
        if let Some(odd) = self.odd.clone() {
            text = Cow::Owned(odd.replace_all(&text, |found: &Captures<'_>| self.known(&found[0])).into_owned());
        }
        let patterns = Rc::clone(&self.patterns);
        let text = patterns
            .email
            .replace_all(&text, |found: &Captures<'_>| self.person(None, Some(&found[0].replace("%40", "@"))));
        let text = patterns.v4.replace_all(&text, |found: &Captures<'_>| {
            let address = &found[0];
            if address.parse::<Ipv4Addr>().is_ok() { self.address(address) } else { address.to_owned() }
        });
        let after_v4 = text;
        let text = patterns.v6.replace_all(&after_v4, |found: &Captures<'_>| {
            let address = &found[0];
            // `V1::Auth` holds what reads like an address, and is a part of a longer word.
            let alone = found.get(0).is_some_and(|whole| stands_alone(&after_v4, whole.start(), whole.end()));
            let is_one = alone && address.bytes().any(|b| b.is_ascii_digit()) && address.parse::<Ipv6Addr>().is_ok();
            if is_one { self.address(address) } else { address.to_owned() }
        });
        let (word, hinted) = (&patterns.word, &patterns.hinted);
        let replaced = word.replace_all(&text, |found: &Captures<'_>| {
            let Some(whole) = found.get(0) else { return String::new() };
            let id = whole.as_str();
            // A hint is at most some bytes long; a bound keeps a long text linear.
            let mut from = whole.start().saturating_sub(24);
            while !text.is_char_boundary(from) {
                from += 1;
            }
            let sure = id.len() >= TELLING_LENGTH || hinted.is_match(&text[from..whole.start()]);
            if sure { self.known(id) } else { id.to_owned() }
        });
        replaced.into_owned()
    }

    /// A file's name: traces are named after whom they are of (`client-u101.log`, `jo.doe.log`), however short the id.
    fn file(&self, name: &str) -> String {
        let mut name = Cow::Borrowed(name);
        for (person, pseudonym) in &self.locals {
            // A byte for a byte: lower case of another alphabet may be longer.
            let Some(at) = name.to_ascii_lowercase().find(person.as_str()) else { continue };
            if stands_alone(&name, at, at + person.len()) {
                name = Cow::Owned(format!("{}{pseudonym}{}", &name[..at], &name[at + person.len()..]));
            }
        }
        let replaced = self.patterns.part.replace_all(&name, |found: &Captures<'_>| {
            let Some(whole) = found.get(0) else { return String::new() };
            let word = whole.as_str();
            let id = word.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
            // `production.log.1` is a rotation, not the first user's.
            let rotation = name[..whole.start()].ends_with('.') && word.bytes().all(|byte| byte.is_ascii_digit());
            let named = [word, id].into_iter().find(|id| !id.is_empty() && self.known(id) != *id);
            named.filter(|_| !rotation).map_or_else(|| word.to_owned(), |id| self.known(id))
        });
        replaced.into_owned()
    }

    fn known(&self, id: &str) -> String {
        self.people
            .get(id)
            .or_else(|| self.people.get(&id.to_lowercase()))
            .or_else(|| self.devices.get(id))
            .map_or_else(|| id.to_owned(), Clone::clone)
    }
}

/// Whether no letter or digit touches this part of a text.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let touches = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    !touches(text[..start].chars().next_back()) && !touches(text[end..].chars().next())
}
