//! `why401 report`: one file to share with people who were not there.

pub(super) mod redact;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::saved::saved;
use super::{Exit, diagnose};
use crate::atomic::{Readers, replace};
use crate::render::{html, json, markdown};

/// What `report` takes: what `diagnose` takes, and where to write.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(
    mut_arg("format", |arg| arg.default_value("json").hide(true)),
    mut_arg("top", |arg| arg.hide(true)),
    mut_arg("color", |arg| arg.hide(true)),
    mut_arg("hyperlinks", |arg| arg.hide(true)),
    mut_arg("width", |arg| arg.hide(true)),
    mut_arg("pager", |arg| arg.hide(true)),
    mut_arg("explain_identity", |arg| arg.hide(true))
)]
pub struct Args {
    /// File to write; its ending says how: `.html`, `.md` or `.json`
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Keep e-mails, user ids, addresses and devices as logged; tokens never appear either way
    #[arg(long)]
    pub no_redact: bool,
    /// Inputs and how to read them. A saved JSON diagnosis may be the only input.
    #[command(flatten)]
    pub diagnose: diagnose::Args,
}

#[derive(Clone, Copy)]
enum Kind {
    Html,
    Markdown,
    Json,
}

/// Diagnoses, hides who people are, writes the file.
///
/// # Errors
/// An ending that says no format, input that is no diagnosis, or a file that cannot be written.
pub fn run(args: &Args, out: &mut impl Write) -> Result<Exit> {
    let kind = kind(&args.output)?;
    if args.diagnose.format != diagnose::Format::Json {
        bail!("the ending of -o says how a report is written: leave --format out");
    }
    let saved = match args.diagnose.inputs.as_slice() {
        [only] => saved(only)?,
        _ => None,
    };
    let (diagnosis, exit) = match saved {
        Some(diagnosis) => {
            let exit = diagnose::ending(&args.diagnose, &diagnosis, false);
            (diagnosis, exit)
        }
        None => {
            let Some(outcome) = diagnose::read(&args.diagnose)? else { return Ok(Exit::Usage) };
            let partial = outcome.partial();
            let diagnosis = crate::diagnose_with_policy(outcome.reading);
            let exit = diagnose::ending(&args.diagnose, &diagnosis, partial);
            (diagnosis, exit)
        }
    };
    let diagnosis = redact::redacted(diagnosis, !args.no_redact)?;
    let text = match kind {
        Kind::Html => html::page(&diagnosis)?.into_bytes(),
        Kind::Markdown => markdown::draft(&diagnosis)?.into_bytes(),
        Kind::Json => {
            let mut text = Vec::new();
            json::whole(&diagnosis, &mut text)?;
            text
        }
    };
    replace(&args.output, &text, Readers::Usual)?;
    let how = if args.no_redact { "names as logged" } else { "people, addresses and devices under pseudonyms" };
    writeln!(out, "{}: {} bytes, {how}", args.output.display(), text.len())?;
    Ok(exit)
}

fn kind(path: &Path) -> Result<Kind> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    Ok(match ending.as_deref() {
        Some("html" | "htm") => Kind::Html,
        Some("md" | "markdown") => Kind::Markdown,
        Some("json") => Kind::Json,
        _ => bail!("{} says no format: end it with .html, .md or .json", path.display()),
    })
}
