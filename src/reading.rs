//! Sources on their way to events: each has an assembler that takes parsed chunks in order.

use std::collections::HashSet;
use std::sync::Arc;

use bumpalo::Bump;
use serde::{Deserialize, Serialize};
use why401_parsers::assemble::{Assembler, Known};
use why401_parsers::detect::{Balance, Parsed, Parser};
use why401_parsers::event::Names;
use why401_parsers::newest_first::{is_newest_first, turned};
use why401_parsers::secret::FingerprintKey;
use why401_parsers::writer::{HEAD, Manner};

use crate::config::{Config, Keep};
use crate::report::section::{Budget, Scope, Whole};
use crate::report::turned::Turned;
use crate::spread::Crew;

/// All sources read so far. Written down it is without its configuration, which may change between runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reading {
    #[serde(skip)]
    pub(crate) config: Config,
    pub(crate) names: Names,
    pub(crate) key: FingerprintKey,
    pub(crate) sources: Vec<ReadSource>,
    /// The source that is being read.
    current: usize,
    /// How many requests that were answered well are kept of each source; as many as usual if not said.
    room: Option<usize>,
    /// How many threads diagnose it.
    #[serde(skip, default = "Crew::all")]
    pub(crate) crew: Crew,
    /// How much may be held at once; all that is read, if not said.
    #[serde(skip)]
    pub(crate) budget: Option<Budget>,
    /// What of it counts.
    #[serde(skip)]
    pub(crate) scope: Scope,
    /// What was diagnosed already, of a log that is read in sections.
    #[serde(skip)]
    pub(crate) whole: Option<Box<Whole>>,
}

/// One source that was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReadSource {
    pub(crate) name: String,
    pub(crate) assembler: Assembler,
    pub(crate) balance: Balance,
    /// The year in which the file was last written, for times without one.
    pub(crate) year: Option<i32>,
    /// It was turned round, for its newest line came first of so many: see [`crate::report::turned`].
    #[serde(skip)]
    pub(crate) turned: Option<u64>,
}

impl Reading {
    /// Nothing read yet. `key` joins tokens within the run; take it at random.
    #[must_use]
    pub fn new(config: Config, key: [u8; 16]) -> Self {
        Self {
            config,
            names: Names::default(),
            key: FingerprintKey::new(key),
            sources: Vec::new(),
            current: 0,
            room: None,
            crew: Crew::all(),
            budget: None,
            scope: Scope::default(),
            whole: None,
        }
    }

    /// The run's key, for parsing chunks elsewhere.
    #[must_use]
    pub const fn key(&self) -> FingerprintKey {
        self.key
    }

    /// The same, to be diagnosed under this configuration.
    #[must_use]
    pub fn with_config(self, config: Config) -> Self {
        Self { config, ..self }
    }

    /// The same, to be diagnosed again and again while it grows: of requests that were answered well it keeps fewer.
    #[must_use]
    pub(crate) fn watched(self) -> Self {
        /// Three seconds' worth at 20,000 lines a second, and what is near to something else in any case.
        const ROOM: usize = 1 << 14;
        self.with_room(ROOM)
    }

    /// The same with room for so many requests of each source that were answered well and say nothing else. Where there are more, those far
    /// from anything else are counted and let go: verdicts stay, and evidence speaks of fewer accepted calls.
    #[must_use]
    pub fn with_room(self, room: usize) -> Self {
        Self { room: Some(room), ..self }
    }

    /// The same, of which no more is held at once than fits: what is older is diagnosed, and let go.
    #[must_use]
    pub(crate) fn within(self, budget: Option<Budget>) -> Self {
        /// Some 400 KB that are looked through at a time.
        const ROOM: usize = 1 << 12;
        Self { budget, room: budget.map(|_| ROOM).or(self.room), ..self }
    }

    /// How much memory what is held takes, in bytes, as far as it grows with the log.
    pub(crate) fn held(&self) -> usize {
        self.names.held() + self.sources.iter().map(|source| source.assembler.held()).sum::<usize>()
    }

    /// The source that is being read.
    pub(crate) fn current(&self) -> Option<&ReadSource> {
        self.sources.get(self.current)
    }

    /// Begins a source. Sources must come in the order of their names, which makes the outcome independent of the order in
    /// which they were given. `year` is the year in which the source was last written, for times that state none.
    pub fn begin(&mut self, name: &str, year: Option<i32>) {
        let number = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        let assembler = self.room.map_or_else(|| Assembler::new(number), |room| Assembler::with_room(number, room));
        let balance = Balance::default();
        self.current = self.sources.len();
        self.sources.push(ReadSource { name: name.to_owned(), assembler, balance, year, turned: None });
    }

    /// The source that is being read was turned round: its newest line came first, of so many.
    pub(crate) fn turned(&mut self, lines: u64) {
        if let Some(source) = self.sources.get_mut(self.current) {
            source.turned = Some(lines);
        }
    }

    /// Those of its sources that were turned round.
    pub(crate) fn turned_sources(&self) -> Turned {
        Turned(self.sources.iter().filter_map(|source| Some((source.name.clone(), source.turned?))).collect())
    }

    /// Goes on with the source of this name; begins it if there is none.
    pub fn resume(&mut self, name: &str, year: Option<i32>) {
        match self.sources.iter().position(|source| source.name == name) {
            Some(place) => {
                self.current = place;
                self.sources[place].year = year.or(self.sources[place].year);
            }
            None => self.begin(name, year),
        }
    }

    /// Puts the sources into the order of their names, as if they had been begun so.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.sources.sort_by(|one, other| one.name.cmp(&other.name));
        for (number, source) in (0..).zip(&mut self.sources) {
            source.assembler.renumber(number);
        }
        self
    }

    /// Lets go of what is older than is looked at, by each source's own latest time, but for what a line to come may be about.
    /// `slack` (microseconds) is for local times, whose zone is settled in the end.
    pub fn forget(&mut self, keep: Keep, slack: i64) {
        for source in &mut self.sources {
            if let Some(latest) = source.assembler.latest() {
                let before = keep.since(latest) - slack;
                source.assembler.forget(before, before, &HashSet::new());
            }
        }
        self.forget_names(&mut []);
    }

    /// Lets go of the names that nothing has any more; `known` are parsers' that go on.
    pub(crate) fn forget_names(&mut self, known: &mut [Known]) {
        let old = std::mem::take(&mut self.names);
        for source in &mut self.sources {
            source.assembler.rename(&old, &mut self.names);
        }
        known.iter_mut().for_each(Known::forget_names);
    }

    /// Reads whole entries that follow what was read of a source.
    pub(crate) fn read_more(&mut self, name: &str, manner: Manner, bytes: &[u8]) {
        self.resume(name, None);
        let arena = Bump::new();
        let patterns = Arc::clone(&self.config.patterns);
        let parsed = Parser::new(self.key, &patterns).parse(bytes, manner, &arena);
        self.take(&parsed, &mut Known::default());
    }

    /// So many lines were read of each source, and so many of them came late.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.sources.iter().map(|source| (source.name.as_str(), source.balance.lines, source.assembler.late()))
    }

    /// Takes the next parsed chunk of the source that is being read. `known` is what was taken from its parser before.
    pub fn take(&mut self, parsed: &Parsed<'_>, known: &mut Known) {
        let Some(source) = self.sources.get_mut(self.current) else { return };
        // Line numbers begin at 1.
        let first_line = source.balance.lines + 1;
        source.balance.merge(&parsed.balance);
        source.assembler.take(parsed, first_line, known, &mut self.names);
    }

    /// So many bytes of the source that is being read were dropped because a line had no end.
    pub fn dropped(&mut self, bytes: u64) {
        if let Some(source) = self.sources.get_mut(self.current) {
            source.balance.bytes += bytes;
        }
    }

    /// How many bytes were read in all.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.sources.iter().map(|source| source.balance.bytes).sum()
    }

    /// Reads a whole source that is in memory.
    pub fn read_bytes(&mut self, name: &str, bytes: &[u8]) {
        self.begin(name, None);
        let turned = is_newest_first(&bytes[..bytes.len().min(HEAD)]).then(|| turned(bytes));
        if let Some((_, lines)) = &turned {
            self.turned(*lines);
        }
        let bytes = turned.as_ref().map_or(bytes, |(bytes, _)| bytes);
        let arena = Bump::new();
        let patterns = Arc::clone(&self.config.patterns);
        let parsed = Parser::new(self.key, &patterns).parse(bytes, Manner::detect(bytes), &arena);
        self.take(&parsed, &mut Known::default());
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, Reading};

    /// How much is held of an app that calls one endpoint all the time, which now and then is refused first, with room for few.
    fn held(method: &str) -> usize {
        let mut log = String::new();
        for call in 0..60_000_i64 {
            let at = chrono::DateTime::from_timestamp_millis(1_700_000_000_000 + call * 200).unwrap();
            let (at, ip) = (at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true), call % 20);
            let (method, path, status) =
                if call % 3000 < 20 { ("GET", "/feed", 401) } else { (method, "/graphql", 200) };
            log += &format!(
                "{at} method={method} path={path} format=json status={status} duration=1.00 ip=203.0.113.{ip}\n"
            );
        }
        let mut reading = Reading::new(Config::default(), [3; 16]).with_room(1 << 9);
        reading.read_bytes("server.log", log.as_bytes());
        reading.held()
    }

    #[test]
    fn an_app_that_writes_to_one_endpoint_is_thinned_as_any_other() {
        let (written, read) = (held("POST"), held("GET"));
        assert!(written <= read / 10 * 11, "{written}, not {read}");
    }
}
