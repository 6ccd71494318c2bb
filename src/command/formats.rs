//! `why401 formats`: what is read, with an example of each; and with `--test`, what was detected on which lines of a file, and why.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use bumpalo::Bump;
use clap::ValueEnum;
use indexmap::IndexMap;
use serde::Serialize;
use why401_parsers::about::About;
use why401_parsers::detect::{Balance, Parser};
use why401_parsers::dialect::DIALECTS;
use why401_parsers::envelope::ENVELOPES;
use why401_parsers::line::Framing;
use why401_parsers::pattern::Pattern;
use why401_parsers::record::Side;
use why401_parsers::secret::FingerprintKey;
use why401_parsers::writer::Manner;

use super::{Exit, settings::config_file};
use crate::source::whole_text;

/// How the list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// To read.
    Terminal,
    /// `{"envelopes":[…],"dialects":[…]}`.
    Json,
    /// The tables of `docs/formats.md`.
    Markdown,
}

/// What `formats` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Say what is detected on which lines of this file, and why; may be repeated
    #[arg(long, value_name = "FILE")]
    pub test: Vec<PathBuf>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    pub format: Format,
    /// Configuration with `[[pattern]]`s; `why401.toml` in the current folder is read without being named
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// The list.
#[derive(Serialize)]
struct Formats {
    envelopes: Vec<Entry>,
    dialects: Vec<Entry>,
}

/// One format in words.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    example: &'static str,
    can_show: &'static str,
    cannot_show: &'static str,
    source: &'static str,
}

impl Entry {
    fn of(name: &'static str, side: Option<Side>, about: About) -> Self {
        let About { example, shows, hides, source } = about;
        let side = side.map(|side| if side == Side::Server { "server" } else { "client" });
        Self { name, side, example, can_show: shows, cannot_show: hides, source }
    }
}

impl Formats {
    fn all() -> Self {
        let envelopes = ENVELOPES.iter().map(|envelope| Entry::of(envelope.name(), None, envelope.about()));
        let dialects = DIALECTS.iter().map(|dialect| Entry::of(dialect.name(), Some(dialect.side()), dialect.about()));
        Self { envelopes: envelopes.collect(), dialects: dialects.collect() }
    }
}

/// Lists, or tests files.
///
/// # Errors
/// A configuration or file that cannot be used, or what writing gives.
pub fn run(args: &Args, width: usize, out: &mut impl Write) -> Result<Exit> {
    if args.test.is_empty() {
        list(args.format, width, out)?;
        return Ok(Exit::Clean);
    }
    let patterns = config_file(args.config.as_deref())?.patterns().map_err(anyhow::Error::msg)?;
    let mut tests = Vec::new();
    for input in &args.test {
        let (name, text) = whole_text(input)?;
        tests.push(Test::of(name, &text, &patterns));
    }
    if args.format == Format::Json {
        serde_json::to_writer_pretty(&mut *out, &serde_json::json!({ "sources": tests }))?;
        writeln!(out)?;
    } else {
        for test in &tests {
            test.write(width, out)?;
        }
    }
    Ok(Exit::Clean)
}

fn list(format: Format, width: usize, out: &mut impl Write) -> Result<()> {
    let formats = Formats::all();
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &formats)?;
            writeln!(out)?;
        }
        Format::Markdown => markdown(&formats, out)?,
        Format::Terminal => {
            for (title, entries) in [("Envelopes", &formats.envelopes), ("Dialects", &formats.dialects)] {
                writeln!(out, "{title} ({})\n", entries.len())?;
                for entry in entries {
                    let side = entry.side.map_or(String::new(), |side| format!(" ({side})"));
                    writeln!(out, "{}{side}", entry.name)?;
                    writeln!(out, "  {}", entry.example)?;
                    wrapped(out, "  shows   ", entry.can_show, width)?;
                    wrapped(out, "  hides   ", entry.cannot_show, width)?;
                    wrapped(out, "  source  ", entry.source, width)?;
                    writeln!(out)?;
                }
            }
        }
    }
    Ok(())
}

fn wrapped(out: &mut impl Write, label: &str, text: &str, width: usize) -> Result<()> {
    let options = textwrap::Options::new(width.max(40)).initial_indent(label).subsequent_indent("          ");
    Ok(writeln!(out, "{}", textwrap::fill(text, options))?)
}

/// The tables of `docs/formats.md`.
fn markdown(formats: &Formats, out: &mut impl Write) -> Result<()> {
    let cell = |text: &str| text.replace('|', "\\|").replace('\t', "⇥");
    for (title, entries) in [("Envelopes", &formats.envelopes), ("Dialects", &formats.dialects)] {
        writeln!(
            out,
            "## {title}\n\n| name | example | can show | cannot show | source |\n| --- | --- | --- | --- | --- |"
        )?;
        for Entry { name, side, example, can_show, cannot_show, source } in entries {
            let side = side.map_or(String::new(), |side| format!(" ({side})"));
            writeln!(
                out,
                "| {name}{side} | `` {} `` | {} | {} | {} |",
                cell(example),
                cell(can_show),
                cell(cannot_show),
                cell(source)
            )?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// What was detected in a file.
#[derive(Serialize)]
struct Test {
    source: String,
    framing: &'static str,
    lines: u64,
    detected: Vec<Detected>,
}

/// Lines that were read alike.
#[derive(Default, Serialize)]
struct Detected {
    envelopes: Vec<&'static str>,
    dialect: Option<String>,
    lines: u64,
    /// The first runs of such lines, from and to.
    ranges: Vec<(u64, u64)>,
    why: Vec<String>,
}

/// How many runs of lines are shown of one kind.
const MOST_RANGES: usize = 8;

impl Test {
    fn of(source: String, text: &[u8], patterns: &[Pattern]) -> Self {
        let manner = Manner::detect(text);
        let framing = manner.framing;
        let key = FingerprintKey::new([0; 16]); // nothing is joined here
        let mut kinds: IndexMap<(Vec<&'static str>, Option<String>), Detected> = IndexMap::new();
        let mut lines = 0;
        for entry in framing.entries(text) {
            let arena = Bump::new();
            // The parsers keep nothing between lines, so a line by itself is read as it is in its file.
            let parsed = Parser::new(key, patterns).parse(entry.bytes, manner, &arena);
            let (envelopes, dialect) = how(&parsed.balance, patterns);
            let (first, count) = (u64::from(entry.line) + 1, u64::from(entry.lines));
            lines += count;
            let detected = kinds.entry((envelopes, dialect)).or_default();
            detected.lines += count;
            let last = first + count.saturating_sub(1);
            let room = detected.ranges.len() < MOST_RANGES;
            match detected.ranges.last_mut() {
                Some(range) if range.1 + 1 == first => range.1 = last,
                _ if room => detected.ranges.push((first, last)),
                _ => {}
            }
        }
        let detected = kinds.into_iter().map(|((envelopes, dialect), detected)| {
            let why = why(&envelopes, dialect.as_deref());
            Detected { envelopes, dialect, why, ..detected }
        });
        let mut detected: Vec<Detected> = detected.collect();
        detected.sort_by_key(|detected| std::cmp::Reverse(detected.lines));
        let framing = match framing {
            Framing::Lines if manner.writer.is_client() => "lines of a client",
            Framing::Lines => "lines",
            Framing::Parts => "lines, those joined that a container runtime wrote in parts",
            Framing::JsonObjects => "JSON objects printed over several lines",
            Framing::JsonElements(_) => "a JSON document printed over several lines, one entry for each of its records",
        };
        Self { source, framing, lines, detected }
    }

    fn write(&self, width: usize, out: &mut impl Write) -> Result<()> {
        writeln!(out, "{}: {} lines, read as {}\n", self.source, self.lines, self.framing)?;
        for detected in &self.detected {
            let mut chain = detected.envelopes.join(" > ");
            if !chain.is_empty() {
                chain.push_str(" > ");
            }
            chain.push_str(detected.dialect.as_deref().unwrap_or("not recognised"));
            writeln!(out, "{:>8}  {chain}", detected.lines)?;
            let ranges: Vec<String> = detected
                .ranges
                .iter()
                .map(|(from, to)| if from == to { from.to_string() } else { format!("{from}-{to}") })
                .collect();
            let more = if detected.ranges.len() == MOST_RANGES { ", …" } else { "" };
            wrapped(out, "          ", &format!("lines {}{more}", ranges.join(", ")), width)?;
            for why in &detected.why {
                wrapped(out, "          ", why, width)?;
            }
        }
        Ok(writeln!(out)?)
    }
}

/// The envelopes around a line, and what understood it: a dialect, a pattern, or nothing but blanks.
fn how(balance: &Balance, patterns: &[Pattern]) -> (Vec<&'static str>, Option<String>) {
    let envelopes = ENVELOPES.iter().zip(balance.envelopes).filter(|(_, count)| *count > 0);
    let dialects = DIALECTS.iter().map(|dialect| dialect.name()).chain(patterns.iter().map(Pattern::name));
    let dialect = dialects.zip(balance.dialects).find(|(_, count)| *count > 0).map(|(name, _)| name.to_owned());
    let blank = (balance.recognised > 0).then(|| "nothing inside".to_owned());
    (envelopes.map(|(envelope, _)| envelope.name()).collect(), dialect.or(blank))
}

/// Why lines were taken for what they were: the shape they have.
fn why(envelopes: &[&str], dialect: Option<&str>) -> Vec<String> {
    let shape = |name: &str, about: About| format!("{name}: has the shape of `{}`", about.example);
    let mut why: Vec<String> = ENVELOPES
        .iter()
        .filter(|envelope| envelopes.contains(&envelope.name()))
        .map(|envelope| shape(envelope.name(), envelope.about()))
        .collect();
    let dialect = dialect.and_then(|name| DIALECTS.iter().find(|dialect| dialect.name() == name));
    why.extend(dialect.map(|dialect| shape(dialect.name(), dialect.about())));
    why
}
