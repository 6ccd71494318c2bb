//! `why401 explain CAUSE[/KIND]`.

use std::io::{self, Write};

use clap::ValueEnum;

use crate::cause::{CAUSES, Cause};
use crate::command::Exit;

/// What `explain` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A cause, or `cause/kind`; without one, all causes are listed
    #[arg(value_name = "CAUSE[/KIND]")]
    pub cause: Option<String>,
    /// How to write it; Markdown is what `docs/causes/` holds
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How an explanation is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal.
    Text,
    /// For a page.
    Markdown,
}

/// Explains a cause.
///
/// # Errors
/// What writing gives.
pub fn run(args: &Args, width: usize, out: &mut impl Write) -> io::Result<Exit> {
    let Some(wanted) = &args.cause else {
        if args.format == Format::Markdown {
            return index(out);
        }
        for cause in CAUSES {
            let text = format!("{:<18} {}", cause.label().as_str(), cause.doc().what);
            writeln!(
                out,
                "{}",
                textwrap::fill(&text, textwrap::Options::new(width).subsequent_indent(&" ".repeat(19)))
            )?;
        }
        return Ok(Exit::Clean);
    };
    let (label, kind) = wanted.split_once('/').map_or((wanted.as_str(), None), |(label, kind)| (label, Some(kind)));
    let Some(cause) = CAUSES.iter().find(|cause| cause.label().as_str() == label) else {
        let known: Vec<&str> = CAUSES.iter().map(|cause| cause.label().as_str()).collect();
        eprintln!("why401: no cause is called '{label}'. Known: {}", known.join(", "));
        return Ok(Exit::Usage);
    };
    let doc = cause.doc();
    if let Some(kind) = kind.filter(|kind| !doc.kinds.iter().any(|(known, _)| known == kind)) {
        let known: Vec<&str> = doc.kinds.iter().map(|(kind, _)| *kind).collect();
        eprintln!("why401: {label} has no kind '{kind}'. Known: {}", known.join(", "));
        return Ok(Exit::Usage);
    }
    if args.format == Format::Markdown {
        return page(*cause, kind, out);
    }
    let mut section = |head: &str, text: &str| {
        let options = textwrap::Options::new(width).initial_indent("  ").subsequent_indent("  ");
        writeln!(out, "{head}\n{}\n", textwrap::fill(&squeezed(text), options))
    };
    section(&format!("{} ({})", cause.label().title(), cause.label()), doc.what)?;
    let kinds: Vec<&(&str, &str)> =
        doc.kinds.iter().filter(|(known, _)| kind.is_none_or(|kind| kind == *known)).collect();
    writeln!(out, "kinds")?;
    for (kind, text) in kinds {
        let first = format!("  {kind:<22} ");
        let options =
            textwrap::Options::new(width).initial_indent(&first).subsequent_indent("                         ");
        writeln!(out, "{}", textwrap::fill(text, options))?;
    }
    writeln!(out)?;
    let mut section = |head: &str, text: &str| {
        let options = textwrap::Options::new(width).initial_indent("  ").subsequent_indent("  ");
        writeln!(out, "{head}\n{}\n", textwrap::fill(&squeezed(text), options))
    };
    section("recognised by", doc.seen)?;
    section("what speaks against it", doc.against)?;
    section("how to fix it", doc.fix)?;
    section("sources", &doc.sources.join("; "))?;
    Ok(Exit::Clean)
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The causes with a link to the page of each.
fn index(out: &mut impl Write) -> io::Result<Exit> {
    writeln!(out, "# Causes\n\nWritten by `why401 explain --format markdown` (`just docs`).\n")?;
    for cause in CAUSES {
        let name = cause.label().as_str();
        writeln!(out, "* [`{name}`]({name}.md): {}", escaped(&squeezed(cause.doc().what)))?;
    }
    Ok(Exit::Clean)
}

/// The page of a cause, or of one kind of it.
fn page(cause: &dyn Cause, kind: Option<&str>, out: &mut impl Write) -> io::Result<Exit> {
    let (doc, name) = (cause.doc(), cause.label().as_str());
    let title = cause.label().title();
    let (first, rest) = title.split_at(1);
    writeln!(out, "# {}{rest} (`{name}`)\n", first.to_uppercase())?;
    writeln!(out, "{}\n\n## Kinds\n", escaped(&squeezed(doc.what)))?;
    writeln!(out, "| kind | what it is |\n| --- | --- |")?;
    for (known, text) in doc.kinds.iter().filter(|(known, _)| kind.is_none_or(|kind| kind == *known)) {
        writeln!(out, "| `{known}` | {} |", escaped(&squeezed(text)).replace('|', "\\|"))?;
    }
    for (head, text) in
        [("Recognised by", doc.seen), ("What speaks against it", doc.against), ("How to fix it", doc.fix)]
    {
        writeln!(out, "\n## {head}\n\n{}", escaped(&squeezed(text)))?;
    }
    writeln!(out, "\n## Sources\n")?;
    for source in doc.sources {
        writeln!(out, "* {}", escaped(&squeezed(source)))?;
    }
    writeln!(out, "\nThe same on a terminal: `why401 explain {name}`. [All causes](README.md)")?;
    Ok(Exit::Clean)
}

/// Text whose angle brackets are no HTML and whose underscores and stars stand for themselves.
fn escaped(text: &str) -> String {
    text.split('`')
        .enumerate()
        .map(|(place, part)| {
            // Between backticks everything stands for itself already.
            if place % 2 == 1 {
                part.to_owned()
            } else {
                part.replace('<', "&lt;").replace('_', "\\_").replace('*', "\\*")
            }
        })
        .collect::<Vec<_>>()
        .join("`")
}
