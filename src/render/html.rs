//! The page for an incident review: one file, no network.
//!
//! The page is whole without scripts. Its policy allows one, by the hash of its text, which adds filters and the like: what a log
//! smuggles in has nothing to run on.

mod ages;
mod incidents;
mod lanes;
mod view;
mod what_if;
mod when;
mod window;

use std::io::{self, Write};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use why401_parsers::event::is_hidden;

use super::words::clean;
use crate::diagnosis::Diagnosis;
pub(super) use view::View;

/// A larger diagnosis is not embedded: it is better kept as a `.json` file beside the page.
const MOST_EMBEDDED: usize = 1 << 20;

/// What the page adds where scripts run.
const SCRIPT: &str = include_str!("html/page.js");

/// Its hash, as the policy names it. A test says the right one when the script was changed.
const SCRIPT_HASH: &str = "sha256-s/tS339+V1y99lZwu7x1hyU88ma1yK7bowxwWrYl1Q0=";

/// Draws the page.
///
/// # Errors
/// What the template engine gives.
pub fn page(diagnosis: &Diagnosis) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_syntax(tidy_blocks(false)?);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    // Cleaned here, on the way out, so that no place of the template can forget to.
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() => minijinja::escape_formatter(out, state, &Value::from(clean(text))),
        _ => minijinja::escape_formatter(out, state, value),
    });
    environment.add_template("page.html", include_str!("html/page.html"))?;
    let embedded = embedded(diagnosis).map(Value::from_safe_string);
    let style = Value::from_safe_string(include_str!("html/page.css").to_owned());
    let script = Value::from_safe_string(SCRIPT.to_owned());
    let script_hash = Value::from_safe_string(SCRIPT_HASH.to_owned());
    let view = Value::from(Serde(View::of(diagnosis)));
    environment.get_template("page.html")?.render(context! { view, embedded, style, script, script_hash })
}

/// Lines that hold only a tag of the template leave nothing behind.
pub(super) fn tidy_blocks(keep_trailing_newline: bool) -> Result<SyntaxConfig, minijinja::Error> {
    SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(keep_trailing_newline).build()
}

/// The diagnosis as JSON that no HTML parser ends early; `None` if it is large.
fn embedded(diagnosis: &Diagnosis) -> Option<String> {
    let mut json = AtMost(Vec::new());
    serde_json::to_writer(&mut json, diagnosis).ok()?;
    let json = String::from_utf8(json.0).ok()?;
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        if matches!(letter, '<' | '>' | '&') || is_hidden(letter) {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(letter);
        }
    }
    Some(out)
}

/// Takes what may be embedded and refuses the rest, so that a large diagnosis is never written out to be measured.
struct AtMost(Vec<u8>);

impl Write for AtMost {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_EMBEDDED {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
