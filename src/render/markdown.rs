//! A post-mortem draft: what the logs prove is written, what only people know is left to them.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};

use super::html::{View, tidy_blocks};
use super::words::clean;
use crate::diagnosis::Diagnosis;

/// Draws the draft.
///
/// # Errors
/// What the template engine gives.
pub fn draft(diagnosis: &Diagnosis) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_syntax(tidy_blocks(true)?);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    // Escaped here, on the way out, so that no place of the template can forget to.
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) => out.write_str(&escaped(text)).map_err(minijinja::Error::from),
        None => minijinja::escape_formatter(out, state, value),
    });
    environment.add_template("draft.md", include_str!("html/draft.md"))?;
    environment.get_template("draft.md")?.render(Serde(View::of(diagnosis)))
}

/// Text that Markdown takes as text, in a table too.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for letter in clean(text).chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A colon after a scheme is what makes renderers link bare addresses; the entity reads the same.
            ':' if out.ends_with("http") || out.ends_with("https") || out.ends_with("ftp") => out.push_str("&#58;"),
            '@' => out.push_str("&#64;"),
            '\\' | '|' | '`' | '[' | ']' | '*' | '_' | '~' | '!' | '#' | '$' => {
                out.push('\\');
                out.push(letter);
            }
            _ => out.push(letter),
        }
    }
    // `www.` alone is linked as well.
    out.replace("www.", "www&#46;")
}
