//! Reads a chunk: every entry through envelopes and dialects to a record, and the balance of lines.
//!
//! Nothing is carried from one line to the next but [who writes the source](crate::writer), so a chunk may begin and end anywhere and a
//! source may change its formatter in mid-file; what belongs together is put together in [`crate::assemble`].

mod short_cuts;
mod twice;

use bumpalo::Bump;
use memchr::memchr;
use serde::{Deserialize, Serialize};

use crate::bundle;
use crate::dialect::client::{flutter_tool, har};
use crate::dialect::server::{take_tags, take_tags_by};
use crate::dialect::{Context, DIALECTS, Dialect, Fields, Line, Tags};
use crate::envelope::{self, Unwrapped};
use crate::gather::{Answered, Gather, NewTexts, SaidAgain, Texts};
use crate::json::Object;
use crate::layout::Layouts;
use crate::line::{Entry, Framing};
use crate::parts;
use crate::pattern::{Found, MOST_PATTERNS, Pattern};
use crate::quick::{self, ACTION_CABLE, LOGRAGE_JSON, LOGRAGE_KEY_VALUE, RAILS, Said, Times};
use crate::record::{Block, Body, Completed, Exchange, Params, Record, Release, Side, Upgrade};
use crate::secret::{FingerprintKey, RequestId};
use crate::shape::Shapes;
use crate::text::{contains, without_ansi};
use crate::time::{self, Stamp};
use crate::writer::{self, Manner};
pub(crate) use twice::Twice;

use short_cuts::{Quickly, lograge_of, meaning_of, meant, of_component, of_server, place_of, read_laid_out};

/// How many different templates of unrecognised lines are kept for a source.
pub const MOST_TEMPLATES: usize = 256;

/// Room for counts by envelope; as many as a word has bits.
pub const MOST_ENVELOPES: usize = 64;

/// Room for counts by dialect.
pub const MOST_DIALECTS: usize = 64;

const _: () = assert!(envelope::ENVELOPES.len() <= MOST_ENVELOPES && DIALECTS.len() + MOST_PATTERNS <= MOST_DIALECTS);

/// What became of the lines of a chunk or a source. `read = recognised + unrecognised + capped`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Lines read.
    pub lines: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Lines that a dialect understood (blank ones are understood).
    pub recognised: u64,
    /// Lines that none did.
    pub unrecognised: u64,
    /// Lines longer than [`crate::line::MAX_LINE`].
    pub capped: u64,
    /// How often each envelope was seen, by its place in [`envelope::ENVELOPES`].
    #[serde(with = "counts")]
    pub envelopes: [u64; MOST_ENVELOPES],
    /// How many lines each dialect understood, by its place in [`DIALECTS`].
    #[serde(with = "counts")]
    pub dialects: [u64; MOST_DIALECTS],
    /// The shapes of unrecognised lines, with counts, in order of first sight.
    pub templates: indexmap::IndexMap<Box<[u8]>, u64>,
}

impl Default for Balance {
    fn default() -> Self {
        Self {
            lines: 0,
            bytes: 0,
            recognised: 0,
            unrecognised: 0,
            capped: 0,
            envelopes: [0; MOST_ENVELOPES],
            dialects: [0; MOST_DIALECTS],
            templates: indexmap::IndexMap::new(),
        }
    }
}

impl Balance {
    /// Adds the balance of the part that follows.
    pub fn merge(&mut self, next: &Self) {
        self.lines += next.lines;
        self.bytes += next.bytes;
        self.recognised += next.recognised;
        self.unrecognised += next.unrecognised;
        self.capped += next.capped;
        for (mine, other) in self.envelopes.iter_mut().zip(next.envelopes) {
            *mine += other;
        }
        for (mine, other) in self.dialects.iter_mut().zip(next.dialects) {
            *mine += other;
        }
        for (template, count) in &next.templates {
            if let Some(known) = self.templates.get_mut(template) {
                *known += count;
            } else if self.templates.len() < MOST_TEMPLATES {
                self.templates.insert(template.clone(), *count);
            }
        }
    }
}

/// Counts by place, written down as a list: serde knows arrays up to 32 places.
mod counts {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer, const N: usize>(counts: &[u64; N], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(counts)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(from: D) -> Result<[u64; N], D::Error> {
        let counts = Vec::deserialize(from)?;
        counts.try_into().map_err(|_| D::Error::custom("counts for another number of places"))
    }
}

/// The records of a chunk, and its balance.
#[derive(Debug, Default)]
pub struct Parsed<'a> {
    /// What the lines say, in their order, but for requests that were answered well within the chunk.
    pub records: Vec<Record<'a>>,
    /// Requests that were answered well, with nothing else to say of them, in the order in which they ended.
    pub(crate) answered: Vec<Answered>,
    /// The app's words that such a request says again.
    pub(crate) said_again: Vec<SaidAgain>,
    /// The texts of both.
    pub(crate) texts: NewTexts<'a>,
    /// A client's lines that are written twice.
    pub(crate) twice: Twice,
    /// The time of the last line that has one.
    pub(crate) last: Option<Stamp>,
    /// What became of each line.
    pub balance: Balance,
}

impl Parsed<'_> {
    /// How many requests were answered well and stand among no records.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.answered.len()
    }
}

/// Reads the whole entries of a chunk. `arena` holds what is not in the chunk as it stands and lives as long as it.
#[must_use]
pub fn parse_chunk<'a>(bytes: &'a [u8], manner: impl Into<Manner>, key: FingerprintKey, arena: &'a Bump) -> Parsed<'a> {
    Parser::new(key, &[]).parse(bytes, manner, arena)
}

/// Reads chunk after chunk. What it keeps between them (what lines of a shape mean, the numbers of texts that come again and again) changes
/// nothing of what is read; the numbers are only to be had in the order of the chunks: see [`crate::assemble::Known`].
#[derive(Debug)]
pub struct Parser<'p> {
    key: FingerprintKey,
    patterns: &'p [Pattern],
    kept: Kept,
}

/// What a [`Parser`] keeps from chunk to chunk.
#[derive(Debug, Default)]
struct Kept {
    texts: Texts,
    shapes: Shapes,
}

impl<'p> Parser<'p> {
    /// For chunks with these patterns of the user's own. They come first; their lines are counted behind those of [`DIALECTS`].
    #[must_use]
    pub fn new(key: FingerprintKey, patterns: &'p [Pattern]) -> Self {
        Self { key, patterns, kept: Kept::default() }
    }

    /// Reads the whole entries of the next chunk. `arena` holds what is not in the chunk as it stands and lives as long as it.
    #[must_use]
    pub fn parse<'a>(&mut self, bytes: &'a [u8], manner: impl Into<Manner>, arena: &'a Bump) -> Parsed<'a> {
        let manner = manner.into();
        let context = Context { arena, key: self.key, id_tag: manner.tagging.id() };
        parse_chunk_with(bytes, manner, &context, self.patterns, &mut self.kept)
    }
}

fn parse_chunk_with<'a>(
    bytes: &'a [u8],
    manner: Manner,
    context: &Context<'a>,
    patterns: &[Pattern],
    Kept { texts, shapes }: &mut Kept,
) -> Parsed<'a> {
    let framing = manner.framing;
    let arena = context.arena;
    let mut balance = Balance { bytes: bytes.len() as u64, ..Balance::default() };
    let mut gather = Gather::new(texts);
    let mut last: Option<Stamp> = None;
    let coloured = memchr(0x1b, bytes).is_some();
    let mut quickly = Quickly::default();
    let (mut times, mut layouts) = (Times::default(), Layouts::default());
    let (mut slow, mut twice) = (Vec::new(), Twice::default());
    let usual = !manner.writer.is_client() && context.id_tag.is_none();
    for entry in framing.entries(bytes) {
        let plain = entry.lines == 1 && !entry.capped;
        // Patterns of the user's own come before all, and a client's lines have no short cuts, nor have ids of an app's own.
        let common = plain && usual && (patterns.is_empty() || !quick::may_be_of(patterns, entry.bytes));
        let head = (common && (!coloured || memchr(0x1b, entry.bytes).is_none()))
            .then(|| quick::head(entry.bytes, &mut times))
            .flatten();
        let lograge = head.as_ref().filter(|_| !matches!(framing, Framing::JsonElements(_))).and_then(lograge_of);
        let laid_out = lograge.and_then(|text| layouts.read(text));
        if let (Some(head), Some(laid_out)) = (&head, &laid_out)
            && lograge.is_some_and(|text| text.len() == head.text.len())
            && let Some(said) = laid_out.places().and_then(|places| places.well(laid_out, &mut times))
            && let Some(stamp) = gather.well(head, entry.line, &said, arena)
        {
            quickly.count(place_of(laid_out.notation()), head.stamp.is_some());
            last = Some(stamp);
            continue;
        }
        let of_new_layout = lograge.filter(|_| laid_out.is_none());
        if let Some(head) = &head
            && let Some((dialect, stamp)) = gather.dull(head, (entry.line, last), &mut times, shapes)
        {
            quickly.count(dialect, head.stamp.is_some());
            last = stamp.or(last);
            continue;
        }
        if common
            && entry.bytes.first() == Some(&b'[')
            && let Some((dialect, meaning, text)) = shapes.of_component(entry.bytes)
        {
            quickly.count(dialect, false);
            if let Some(body) = meant(text, meaning) {
                gather.words(Record { line: entry.line, near: last, ..of_server(body) });
            }
            continue;
        }
        // A line whose meaning is to be found out, with its shape; without one it is a component's.
        let mut unknown = None;
        if let Some(found) = head.and_then(quick::read) {
            let read = match found.said {
                Said::Something(record) => Some((RAILS + usize::from(found.cable), Some(record), None)),
                Said::Nothing(stamp) => Some((ACTION_CABLE, None, stamp)),
                Said::Other(record, line) => {
                    let shape = shapes.of(&line);
                    let known = shape.and_then(|shape| shapes.get(shape, &line));
                    unknown = shape.map(|shape| (Some(shape), line));
                    known.map(|(dialect, meaning)| {
                        (dialect, meant(line.text, meaning).map(|body| Record { body, ..record }), record.stamp)
                    })
                }
            };
            if let Some((dialect, record, stamp)) = read {
                quickly.count(dialect, found.framed);
                let before = last;
                last = record.as_ref().map_or(stamp, stated).or(last);
                if let Some(record) = record {
                    gather.push(Record { line: entry.line, near: before, ..record });
                }
                continue;
            }
        } else if common {
            unknown = of_component(entry.bytes).map(|line| (None, line));
        }
        slow.clear();
        let outcome = if framing == Framing::Parts && entry.lines > 1 {
            let mut whole = Outcome::default();
            for line in parts::joined(&entry, arena) {
                let outcome = read_slowly(&line, manner, context, patterns, &mut slow, &mut balance);
                whole.stamp = outcome.stamp.or(whole.stamp);
            }
            whole
        } else if let (Some(head), Some(laid_out)) = (head, laid_out)
            && let Some(outcome) = read_laid_out(&head, &laid_out, entry.line, context, &mut times, &mut slow)
        {
            balance.lines += 1;
            count(&outcome, &entry, &mut balance);
            outcome
        } else {
            read_slowly(&entry, manner, context, patterns, &mut slow, &mut balance)
        };
        if let (Some((shape, line)), Some(Some(dialect)), [] | [_]) = (&unknown, outcome.dialect, &slow[..])
            && let Some(meaning) = meaning_of(slow.first(), line)
        {
            match shape {
                Some(shape) => shapes.learn(*shape, line, dialect, meaning),
                None => shapes.learn_component(entry.bytes, entry.bytes.len() - line.text.len(), dialect, meaning),
            }
        }
        if let (Some(text), Some(Some(LOGRAGE_KEY_VALUE | LOGRAGE_JSON))) = (of_new_layout, outcome.dialect) {
            layouts.learn(text, arena);
        }
        if framing == Framing::Lines && !entry.capped && slow.iter().any(|record| record.side == Side::Client) {
            twice.note(bytes, &entry, context.key);
        }
        let silent = !slow.iter().any(|record| stated(record).is_some());
        for record in slow.drain(..) {
            let before = last;
            last = stated(&record).or(last);
            gather.push(Record { near: before, ..record });
        }
        if silent {
            last = outcome.stamp.or(last);
        }
    }
    quickly.add_to(&mut balance);
    gather.finish();
    let Gather { records, answered, said_again, new_texts: texts, .. } = gather;
    Parsed { records, answered, said_again, texts, twice, last, balance }
}

/// The time that a record's line states: its frame's or, where that has none, its own.
pub(crate) fn stated(record: &Record<'_>) -> Option<Stamp> {
    record.stamp.or(match record.body {
        Body::Started { at, .. } | Body::Finished { at, .. } => at,
        _ => None,
    })
}

/// Reads an entry through all envelopes and dialects, and takes it into the balance.
fn read_slowly<'a>(
    entry: &Entry<'a>,
    manner: Manner,
    context: &Context<'a>,
    patterns: &[Pattern],
    records: &mut Vec<Record<'a>>,
    balance: &mut Balance,
) -> Outcome {
    balance.lines += u64::from(entry.lines);
    let outcome = read_whole(entry, manner, context, patterns, records);
    count(&outcome, entry, balance);
    outcome
}

/// Takes what became of an entry into the balance.
fn count(outcome: &Outcome, entry: &Entry<'_>, balance: &mut Balance) {
    for place in set_bits(outcome.envelopes) {
        balance.envelopes[place] += 1;
    }
    if entry.capped {
        balance.capped += u64::from(entry.lines);
    } else if let Some(dialect) = outcome.dialect {
        balance.recognised += u64::from(entry.lines);
        if let Some(place) = dialect {
            // The rest of a line that was counted already is counted no second time.
            balance.dialects[place] += u64::from(entry.lines > 0);
        }
    } else {
        balance.unrecognised += u64::from(entry.lines);
        let template = template_of(entry.bytes);
        // A chunk keeps all of its templates, a source the first ones: so the outcome does not depend on the cuts.
        *balance.templates.entry(template.into()).or_default() += u64::from(entry.lines);
    }
}

fn set_bits(bits: u64) -> impl Iterator<Item = usize> {
    (0..64).filter(move |place| bits & (1 << place) != 0)
}

/// What became of an entry.
#[derive(Default)]
struct Outcome {
    /// `None`: unrecognised. `Some(None)`: a blank line. `Some(Some(place))`: understood by that dialect.
    dialect: Option<Option<usize>>,
    envelopes: u64,
    /// They are a client's.
    client: bool,
    /// The time that they state.
    stamp: Option<Stamp>,
}

/// Reads an entry, which may be a document of many.
fn read_whole<'a>(
    entry: &Entry<'a>,
    manner: Manner,
    context: &Context<'a>,
    patterns: &[Pattern],
    records: &mut Vec<Record<'a>>,
) -> Outcome {
    let bytes = entry.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(entry.bytes);
    let bytes = without_colours(manner.framing.element(bytes), context.arena);
    let of_client = manner.writer.is_client();
    let Some(entries) = bundle::entries(bytes) else {
        return read_with_messages(bytes, (entry.line, of_client), context, patterns, records);
    };
    let (first, user) = (records.len(), bundle::user(bytes, context.arena));
    let releases = bundle::Releases::of(bytes, context.arena);
    let mut whole = Outcome::default();
    // Pretty-printed documents spread over lines: an entry of one stands where its text does.
    let (mut line, mut at) = (entry.line, 0);
    for (place, element) in entries {
        let ends = memchr::memchr_iter(b'\n', &bytes[at..place]).count();
        line = line.saturating_add(u32::try_from(ends).unwrap_or(u32::MAX));
        at = place;
        let own = records.len();
        let outcome = read_with_messages(element, (line, of_client), context, patterns, records);
        if let (Some(release), Some(record)) = (releases.of_entry(place), records.get(own).copied()) {
            let of_app = record.side == Side::Client;
            records.insert(own, Record { body: Body::Release(Release { of_app, ..release }), ..record });
        }
        whole.dialect = whole.dialect.or(outcome.dialect);
        whole.envelopes |= outcome.envelopes;
        whole.stamp = outcome.stamp.or(whole.stamp);
    }
    for record in &mut records[first..] {
        record.user = record.user.or(user);
    }
    whole
}

/// Reads an entry, and what a recording keeps of its socket.
fn read_with_messages<'a>(
    bytes: &'a [u8],
    place: (u32, bool),
    context: &Context<'a>,
    patterns: &[Pattern],
    records: &mut Vec<Record<'a>>,
) -> Outcome {
    let outcome = read_entry(bytes, place, context, patterns, records);
    let of_har = outcome.dialect.flatten().and_then(|place| DIALECTS.get(place)).is_some_and(|d| d.name() == har::NAME);
    if of_har {
        for message in har::messages(bytes, context) {
            read_entry(message, place, context, patterns, records);
        }
    }
    outcome
}

/// Takes the envelopes off a text without colours and reads what is inside: a line, or several where a platform took a message of several in one piece.
/// The text stands on this line, in a client's source or not.
fn read_entry<'a>(
    bytes: &'a [u8],
    (line, of_client): (u32, bool),
    context: &Context<'a>,
    patterns: &[Pattern],
    records: &mut Vec<Record<'a>>,
) -> Outcome {
    let wrapped = envelope::unwrap_of(bytes, of_client, context.arena);
    let text = without_colours(wrapped.text, context.arena);
    let mut whole =
        Outcome { dialect: None, envelopes: wrapped.envelopes, client: wrapped.client, stamp: wrapped.stamp };
    let first = records.len();
    let own = patterns.iter().zip(DIALECTS.len()..).find_map(|(pattern, place)| {
        // A pattern is written for the line as one sees it, or for what is in the frames that are known.
        let (found, inside) = pattern
            .read(bytes, context.arena)
            .map(|found| (found, false))
            .or_else(|| Some((pattern.read(text, context.arena)?, true)))?;
        Some((found, if inside { wrapped.envelopes } else { 0 }, place, pattern.side()))
    });
    if let Some((found, envelopes, place, side)) = own {
        read_own(&found, &wrapped, side, context, records);
        whole = Outcome { dialect: Some(Some(place)), envelopes, ..whole };
    } else if wrapped.envelopes == 0 || memchr::memchr(b'\n', text).is_none() {
        whole.dialect = read_text(text, &wrapped, context, records);
    } else {
        for part in text.split(|b| *b == b'\n') {
            let part = part.strip_suffix(b"\r").unwrap_or(part);
            whole.dialect = whole.dialect.or(read_text(part, &wrapped, context, records));
        }
    }
    for record in &mut records[first..] {
        record.line = line;
    }
    whole
}

/// Takes what a pattern of the user's own found: a request, or a message that is read like a line.
fn read_own<'a>(
    found: &Found<'a>,
    wrapped: &Unwrapped<'a>,
    side: Side,
    context: &Context<'a>,
    records: &mut Vec<Record<'a>>,
) {
    let severe = found.level.is_some_and(envelope::is_severe);
    let message = found.message.unwrap_or_default();
    let framed = Unwrapped {
        text: message,
        object: Object::of_line(message, context.arena),
        stamp: found.stamp.or(wrapped.stamp),
        process: if found.process == 0 { wrapped.process } else { found.process },
        severe: wrapped.severe || severe,
        client: wrapped.client || side == Side::Client,
        program: true,
        request: found.request.or(wrapped.request),
        user: found.user.or(wrapped.user),
        address: found.address.or(wrapped.address),
        ..*wrapped
    };
    let Some((method, path)) = found.method.zip(found.path) else {
        read_text(framed.text, &framed, context, records);
        return;
    };
    let Found { status, duration, .. } = *found;
    let body = match (side, status) {
        (Side::Server, None) => {
            let address = found.address.unwrap_or_default();
            Body::Started { method, path, upgrade: Upgrade::None, address, at: found.stamp }
        }
        (Side::Server, _) => {
            Body::Request { method, path, end: Completed { status, duration, action: None, exception: None } }
        }
        (Side::Client, None) => Body::Call { block: Block::Request, method: Some(method), uri: Some(path), status },
        (Side::Client, _) => Body::Exchange(Exchange {
            method,
            uri: path,
            status,
            duration,
            id: found.request,
            bearer: None,
            params: Params::default(),
        }),
    };
    records.push(record_of(&framed, &Line::default(), side, body));
}

/// Reads a line without its envelopes: which dialect understood it, as in [`Outcome`].
fn read_text<'a>(
    text: &'a [u8],
    wrapped: &Unwrapped<'a>,
    context: &Context<'a>,
    records: &mut Vec<Record<'a>>,
) -> Option<Option<usize>> {
    let behind = if wrapped.is_trace() { behind_name(text, wrapped.may_be_named()) } else { None };
    if behind.unwrap_or(text).trim_ascii().is_empty() {
        if wrapped.program || wrapped.of_client {
            // An empty line ends a block of a client's trace.
            records.push(record_of(wrapped, &Line::default(), Side::Client, Body::BlockEnd));
        }
        return Some(None);
    }
    let (tags, after_tags) = take_tags_by(text, context.id_tag);
    let known = std::ptr::eq(after_tags, wrapped.text);
    let object = if known { wrapped.object } else { Object::of_line(after_tags, context.arena) };
    let line = Line {
        text: after_tags,
        whole: text,
        tags,
        object,
        program: wrapped.program,
        client: wrapped.client,
        trace: wrapped.is_trace(),
        severe: wrapped.severe,
    };
    let found = read_named(&line, behind, context);
    // What looks like words may be a prefix of an app's own making, with a line of Rails' behind it.
    let words = found.as_ref().is_none_or(|(_, (place, _))| *place >= WORDS);
    let of_server = !line.client && !wrapped.of_client && line.tags.request.is_none();
    let rails = (words && of_server).then(|| behind_prefix(text, after_tags)).flatten();
    let rails = rails.and_then(|(tags, inner, stamp)| {
        let line = Line { text: inner, tags: tags.unwrap_or(line.tags), object: None, trace: false, ..line };
        let found = read_line(&line, context).filter(|(place, _)| DIALECTS[*place].side() == Side::Server)?;
        Some(((line, found), wrapped.stamp.or(stamp)))
    });
    let ((line, (place, body)), stamp) = match rails {
        Some(rails) => rails,
        None => (found?, wrapped.stamp),
    };
    let wrapped = &Unwrapped { stamp, ..*wrapped };
    let dialect = DIALECTS[place];
    say(wrapped, &line, dialect.side(), body, || dialect.fields(&line, context), records);
    Some(Some(place))
}

/// Adds what a dialect read in a line, and what the line's fields say besides, to the records.
fn say<'a>(
    wrapped: &Unwrapped<'a>,
    line: &Line<'a>,
    side: Side,
    body: Body<'a>,
    fields: impl FnOnce() -> Fields<'a>,
    records: &mut Vec<Record<'a>>,
) {
    match body {
        Body::Dull => {}
        Body::Request { .. }
        | Body::Proxied { .. }
        | Body::Exchange(_)
        | Body::Connection { .. }
        | Body::Channel(_)
        | Body::ClientSocket(_) => {
            let fields = fields();
            let record = record_of(wrapped, line, side, body);
            let record = Record {
                request: fields.request.or(record.request),
                user: fields.user.or(record.user),
                address: fields.address.or(record.address),
                stamp: fields.stamp.or(record.stamp),
                ..record
            };
            let released = |release| Record { body: Body::Release(release), ..record };
            records.extend(fields.releases.into_iter().flatten().map(released));
            records.push(record);
        }
        body => records.push(record_of(wrapped, line, side, body)),
    }
}

/// What a line tells of those who write its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clue {
    /// A client writes it.
    Client,
    /// A server does.
    Server,
}

/// What a line of a source, of which nothing is known yet, tells.
pub(crate) fn clue_of(entry: &Entry<'_>) -> Option<Clue> {
    let (arena, mut records) = (Bump::new(), Vec::new());
    let context = Context { arena: &arena, key: FingerprintKey::new([0; 16]), id_tag: None }; // nothing is joined here
    let outcome = read_whole(entry, Framing::Lines.into(), &context, &[], &mut records);
    let dialect = outcome.dialect.flatten().map(|place| DIALECTS[place]);
    // What builds print may stand in anybody's log.
    let of_client = |dialect: &&dyn Dialect| dialect.side() == Side::Client && dialect.name() != flutter_tool::NAME;
    if outcome.client || dialect.is_some_and(|dialect| of_client(&dialect)) {
        return Some(Clue::Client);
    }
    let of_server = |record: &Record<'_>| record.side == Side::Server && is_certain(&record.body);
    if outcome.envelopes & !envelope::of_anybody() != 0 || records.iter().any(of_server) {
        return Some(Clue::Server);
    }
    let text = envelope::unwrap(entry.bytes, &arena).text;
    writer::is_of_clients(text).then_some(Clue::Client)
}

/// Whether only a server says so. (Exceptions and words are anybody's.)
fn is_certain(body: &Body<'_>) -> bool {
    !matches!(
        body,
        Body::Dull
            | Body::Note { .. }
            | Body::Release(_)
            | Body::Exception { .. }
            | Body::Frame { .. }
            | Body::UserRow { .. }
    )
}

fn without_colours<'a>(bytes: &'a [u8], arena: &'a Bump) -> &'a [u8] {
    match without_ansi(bytes) {
        std::borrow::Cow::Borrowed(bytes) => bytes,
        std::borrow::Cow::Owned(bytes) => arena.alloc_slice_copy(&bytes),
    }
}

/// Reads a line that may begin with the name of a client's logger or app, with the line as it was read. Dialects that know their lines
/// by their beginning need it off; to the others such a name may be a part of the app, which says what a line is about.
fn read_named<'a>(
    line: &Line<'a>,
    behind: Option<&'a [u8]>,
    context: &Context<'a>,
) -> Option<(Line<'a>, (usize, Body<'a>))> {
    let Some(behind) = behind else { return Some((*line, read_line(line, context)?)) };
    let inner = Line { text: behind, whole: behind, object: None, ..*line };
    if let Some(found) = read_line(&inner, context).filter(|(place, _)| DIALECTS[*place].by_beginning()) {
        // A failure that no block shows belongs to the part that names it.
        let whole = if matches!(found.1, Body::Failed(_)) { read_line(line, context) } else { None };
        let whole = whole.filter(|(_, body)| !matches!(body, Body::NetworkDown));
        return Some(whole.map_or((inner, found), |whole| (*line, whole)));
    }
    Some((*line, read_line(line, context)?))
}

/// What stands behind the name of a client's logger or app: `[MyApp] text`; `MyApp: text`, where a time or a level stood before it.
fn behind_name(text: &[u8], named: bool) -> Option<&[u8]> {
    /// Names of apps are shorter.
    const LONGEST: usize = 40;
    let inside = text.strip_prefix(b"[");
    let name = inside.unwrap_or(text);
    let letters = |b: &u8| b.is_ascii_alphanumeric() || b"._-# ".contains(b) && (inside.is_some() || *b != b' ');
    let end = name.iter().take(LONGEST).position(|b| !letters(b)).filter(|_| name[0].is_ascii_alphabetic())?;
    let rest = &name[end..];
    match inside {
        Some(_) => rest.strip_prefix(b"] ").or_else(|| rest.strip_prefix(b"]").filter(|rest| rest.is_empty())),
        None if named => rest.strip_prefix(b": "),
        None => None,
    }
}

fn read_line<'a>(line: &Line<'a>, context: &Context<'a>) -> Option<(usize, Body<'a>)> {
    // A client's `Redirected to /login` is not Rails'.
    let speaks = |dialect: &dyn Dialect| !line.client || dialect.side() == Side::Client;
    let mut dialects = DIALECTS.iter().enumerate().filter(|(_, dialect)| speaks(**dialect));
    dialects.find_map(|(place, dialect)| Some((place, dialect.read(line, context)?)))
}

fn record_of<'a>(wrapped: &Unwrapped<'a>, line: &Line<'a>, side: Side, body: Body<'a>) -> Record<'a> {
    Record {
        line: 0,
        stamp: wrapped.stamp,
        near: None,
        request: line.tags.request.or(wrapped.request),
        user: line.tags.user.or(wrapped.user),
        address: line.tags.address.or(wrapped.address),
        process: wrapped.process,
        tagged: line.tags.any || wrapped.request.is_some(),
        severe: wrapped.severe,
        side,
        body,
    }
}

/// Lines that are worth finding behind any prefix, because every count of requests and refusals rests on them.
const ANCHORS: &[&[u8]] = &[
    b"Started ",
    b"Completed ",
    b"Processing by ",
    b"Filter chain halted as ",
    b"Successfully upgraded to WebSocket",
    b"Failed to upgrade to WebSocket",
    b"An unauthorized connection attempt was rejected",
    b"Registered connection",
    b"Finished \"",
];

/// How many brackets of an unknown prefix are looked at for tags.
const MOST_BRACKETS: usize = 8;

/// How far into a line an unknown prefix may reach.
const LONGEST_PREFIX: usize = 160;

/// From this place among [`DIALECTS`] on, words decide (a test holds it to it).
const WORDS: usize = 33;

/// A line of Rails' behind a prefix that nobody here knows, from a well-known beginning or a request's id on: the tags, the text, and the
/// time that stands in the prefix: `INFO 7 --- [5e908487-…] Started GET …`, `app[web.1] 2026-11-16 06:03:52 [5e908487-…] member=42`.
/// `after_tags` is the text behind what were taken for tags.
fn behind_prefix<'a>(text: &'a [u8], after_tags: &'a [u8]) -> Option<(Option<Tags<'a>>, &'a [u8], Option<Stamp>)> {
    let (tags, inner) = anchor(text).or_else(|| tagged(after_tags))?;
    let prefix = &text[..text.len() - inner.len()];
    let begins = |at: &usize| prefix[*at..].starts_with(b"20") && !prefix[..*at].ends_with(b"[");
    let stamp = memchr::memchr_iter(b'2', prefix).filter(begins).find_map(|at| time::iso(&prefix[at..]));
    Some((tags, inner, stamp.map(|(stamp, _)| stamp)))
}

/// The text behind an id of a request, which stands in brackets, as Rails' tags do.
fn tagged(text: &[u8]) -> Option<(Option<Tags<'_>>, &[u8])> {
    let head = &text[..text.len().min(LONGEST_PREFIX)];
    let is_id =
        |open: &usize| text.get(open + RequestId::TAG) == Some(&b' ') && RequestId::tag(&text[*open..]).is_some();
    let open = memchr::memchr_iter(b'[', head).take(MOST_BRACKETS).find(is_id)?;
    let (tags, inner) = take_tags(&text[open..]);
    Some((Some(tags), inner))
}

/// The text from a well-known beginning on, and the tags right before it.
fn anchor(text: &[u8]) -> Option<(Option<Tags<'_>>, &[u8])> {
    let head = &text[..text.len().min(LONGEST_PREFIX + 40)];
    if !contains(head, b"ed ") && !contains(head, b"ing by ") {
        return None;
    }
    let at = ANCHORS.iter().filter_map(|anchor| memchr::memmem::find(head, anchor)).min()?;
    if !(1..=LONGEST_PREFIX).contains(&at) {
        return None;
    }
    let inner = &text[at..];
    let tags = memchr::memchr_iter(b'[', &text[..at]).take(MOST_BRACKETS).find_map(|open| {
        let (tags, rest) = take_tags(&text[open..]);
        (tags.any && rest.len() == inner.len()).then_some(tags)
    });
    Some((tags, inner))
}

/// The shape of a line that nothing understood: numbers as `N`, long words as `…`, no values behind secret-sounding names.
fn template_of(bytes: &[u8]) -> Vec<u8> {
    const LONGEST: usize = 120;
    let mut out = Vec::with_capacity(LONGEST);
    for word in bytes[..bytes.len().min(4 * LONGEST)].split(|b| *b == b' ') {
        if out.len() >= LONGEST {
            break;
        }
        if !out.is_empty() {
            out.push(b' ');
        }
        let plain =
            word.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b':' | b',' | b'.' | b'-' | b'(' | b')'));
        if word.len() > 24 || word.contains(&b'@') || word.iter().any(|b| *b < b' ' || *b >= 0x7f) {
            out.extend_from_slice("…".as_bytes());
        } else if plain {
            out.extend_from_slice(word);
        } else {
            let mut number = false;
            for byte in word {
                if byte.is_ascii_digit() {
                    if !number {
                        out.push(b'N');
                    }
                    number = true;
                } else {
                    number = false;
                    out.push(*byte);
                }
            }
        }
        if contains(&word.to_ascii_lowercase(), b"token") || contains(&word.to_ascii_lowercase(), b"passw") {
            out.extend_from_slice(" …".as_bytes());
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quick::RUBY_LOGGER;

    #[test]
    fn lines_read_by_position_say_what_the_slow_way_says() {
        let id_tag = "[5e908487-aaaa-4bbb-8ccc-0123456789ab] ";
        let texts = [
            "Started GET \"/api/feed?x=1\" for 203.0.113.7 at 2026-11-16 06:03:52 +0000",
            "Started GET \"/cable\" [WebSocket] for 2001:db8::1 at 2026-11-16 06:03:52 +0900",
            "Started PATCH \"/a \" for b\" for 203.0.113.7 at 2026-11-16 06:03:52 +0000",
            "Started GET \"/\" for at 2026-11-16 06:03:52 +0000",
            "Started GET \"/\" for (a proxy) at 2026-11-16 06:03:52 UTC",
            "Started GET \"/\"",
            "Processing by Api::V1::FeedController#index as JSON",
            "  Parameters: {\"id\"=>\"4\"}",
            "  Parameters: {\"Password\"=>\"[FILTERED]\"}",
            "Completed 200 OK in 12ms (Views: 0.1ms | ActiveRecord: 0.2ms)",
            "Completed 401 Unauthorized in 1ms",
            "Completed  in 3ms",
            "Completed",
            "Filter chain halted as :authenticate! rendered or redirected",
            "Successfully upgraded to WebSocket (REQUEST_METHOD: GET, HTTP_CONNECTION: Upgrade)",
            "Registered connection (Z2lkOi8vYS9Vc2VyLzE)",
            "An unauthorized connection attempt was rejected",
            "Finished \"/cable\" [WebSocket] for 203.0.113.7 at 2026-11-16 06:03:52 +0000",
            "Finished \"/cable\"[non-WebSocket] for 203.0.113.7 at 2026-11-16 06:03:52 +0000",
            "ChatChannel is streaming from chat",
            "Feed::NewsChannel stopped streaming from news",
            "Some other words of a channel",
        ];
        let tags = ["", "[user:42] ", "[10.0.0.1] [user:-] ", "[ActionCable] [7] ", "[Auth] "];
        let frames =
            ["", "I, [2026-11-16T06:03:52.068658 #72]  INFO -- : ", "F, [2026-11-16T06:03:52.068658 #1] FATAL -- : "];
        let (arena, key) = (Bump::new(), FingerprintKey::new([1; 16]));
        let mut seen = 0;
        for (frame, tag) in frames.iter().flat_map(|frame| tags.iter().map(move |tag| (frame, tag))) {
            for text in texts {
                for id in ["", id_tag] {
                    let line = format!("{frame}{id}{tag}{text}");
                    let head = quick::head(line.as_bytes(), &mut Times::default());
                    let Some(found) = head.and_then(quick::read) else { continue };
                    seen += 1;
                    let mut slow = Vec::new();
                    let context = Context { arena: &arena, key, id_tag: None };
                    let outcome = read_entry(line.as_bytes(), (0, false), &context, &[], &mut slow);
                    assert!(slow.len() <= 1, "{line}");
                    let slow = slow.first().copied();
                    match found.said {
                        Said::Other(..) => continue,
                        Said::Something(record) => assert_eq!(slow, Some(record), "{line}"),
                        Said::Nothing(stamp) => assert_eq!((slow, outcome.stamp), (None, stamp), "{line}"),
                    }
                    assert_eq!(outcome.dialect, Some(Some(if found.cable { ACTION_CABLE } else { RAILS })), "{line}");
                    assert_eq!(outcome.envelopes, u64::from(found.framed) << RUBY_LOGGER, "{line}");
                }
            }
        }
        assert!(seen >= 100, "only {seen} lines were read by position");
    }

    #[test]
    fn words_come_last() {
        let place = |name| DIALECTS.iter().position(|dialect| dialect.name() == name).expect("it is among them");
        assert_eq!(place("lifecycle"), WORDS);
        assert!(["rails", "exception", "dio", "bloc"].map(place).into_iter().all(|place| place < WORDS));
        assert!(["client-app", "app"].map(place).into_iter().all(|place| place > WORDS));
    }

    #[test]
    fn objects_are_read_by_position() {
        let names = [LOGRAGE_KEY_VALUE, LOGRAGE_JSON].map(|place| DIALECTS[place].name());
        assert_eq!(names, ["lograge-key-value", "lograge-json"]);
        let line = |path: &str, user: &str| {
            let fields = format!(r#""path":"{path}","controller":"A","action":"b","status":200,"user_id":{user}"#);
            let id = "3b1f0a52-6c1d-4f0e-9a51-1c7d2e4f8a01";
            format!(r#"{{"method":"GET",{fields},"request_id":"{id}","time":"2026-11-16T11:01:50.158Z"}}"#)
        };
        let (first, second) = (line("/a", "42"), line("/b?c", "null"));
        let (arena, key) = (Bump::new(), FingerprintKey::new([1; 16]));
        let context = Context { arena: &arena, key, id_tag: None };
        let mut layouts = Layouts::default();
        layouts.learn(first.as_bytes(), &arena);
        let head = quick::head(second.as_bytes(), &mut Times::default()).expect("an object has a head");
        let laid_out = layouts.read(second.as_bytes()).expect("it has the layout of the first");
        let places = laid_out.places().expect("its fields have one meaning");
        let said = places.well(&laid_out, &mut Times::default()).expect("it was answered well");
        assert_eq!((said.path, said.whose.user, said.status), (&b"/b?c"[..], None, 200));
        let (mut quick, mut slow) = (Vec::new(), Vec::new());
        read_laid_out(&head, &laid_out, 0, &context, &mut Times::default(), &mut quick)
            .expect("it is a line of lograge's");
        read_entry(second.as_bytes(), (0, false), &context, &[], &mut slow);
        assert_eq!(quick, slow);
    }

    #[test]
    fn lines_of_one_shape_say_what_each_says_by_itself() {
        let frame = "W, [2026-11-16T06:03:52.068658 #72]  WARN -- : [5e908487-aaaa-4bbb-8ccc-0123456789ab] ";
        let texts = [
            "member=7711",
            "member=7712",
            "member=0",
            "member=00",
            "member=9",
            "401 for member=77",
            "403 for member=78",
            "[Auth] refresh token 12 expired for user 5",
            "[Auth] refresh token 99 expired for user 7",
            "[Pay] refresh token 99 expired for user 7",
            "took 12 ms",
            "took 47 ms",
            "user 9f0c2c1e-0000-4000-8000-000000000000 signed out",
            "user 9f0c2c1e-0000-4000-8000-000000000001 signed out",
        ];
        let twice = || texts.iter().chain(&texts);
        let component = |text: &&str| format!("[gatekeeper] {text}\n");
        let lines = twice().map(|text| format!("{frame}{text}\n")).chain(twice().map(component)).collect::<Vec<_>>();
        let (arena, key) = (Bump::new(), FingerprintKey::new([1; 16]));
        let chunk = lines.concat();
        let together = parse_chunk(chunk.as_bytes(), Framing::Lines, key, &arena);
        let bodies =
            |parsed: &Parsed<'_>| parsed.records.iter().map(|r| format!("{:?} {:?}", r.user, r.body)).collect();
        let apart: Vec<String> = lines
            .iter()
            .flat_map(|line| -> Vec<String> { bodies(&parse_chunk(line.as_bytes(), Framing::Lines, key, &arena)) })
            .collect();
        let whole: Vec<String> = bodies(&together);
        assert_eq!(whole, apart);
        assert_eq!((together.balance.lines, together.balance.recognised), (56, 56));
    }
}
