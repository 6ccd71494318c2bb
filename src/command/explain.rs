//! `why401 explain CAUSE[/KIND]`.

use std::io::{self, Write};

use crate::cause::CAUSES;
use crate::command::Exit;

/// What `explain` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A cause, or `cause/kind`; without one, all causes are listed
    #[arg(value_name = "CAUSE[/KIND]")]
    pub cause: Option<String>,
}

/// Explains a cause.
///
/// # Errors
/// What writing gives.
pub fn run(args: &Args, width: usize, out: &mut impl Write) -> io::Result<Exit> {
    let Some(wanted) = &args.cause else {
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
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
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
