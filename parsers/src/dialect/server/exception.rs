//! Exception blocks of `ActionDispatch::DebugExceptions` and backtraces that an app logs itself.
//!
//! Source: rails/rails `actionpack/lib/action_dispatch/middleware/debug_exceptions.rb`. The first line of a block has the
//! frame and two blanks; the rest has tags but no frame. Ruby up to 3.3 quotes methods `like this', from 3.4 on 'like this'.

use memchr::memchr;

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Side};
use crate::text::{contains, leading_number, split_at_first};

/// See the module.
pub(crate) struct Exception;

impl Dialect for Exception {
    fn name(&self) -> &'static str {
        "exception"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: "NoMethodError (undefined method `tokens' for an instance of User):",
            shows: "class, message (masked) and frames in the app's own code",
            hides: "whether the app rescued it",
            source: "rails/rails actionpack/lib/action_dispatch/middleware/debug_exceptions.rb",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        if line.client {
            return None;
        }
        let text = line.text;
        if text.trim_ascii().is_empty() {
            return Some(Body::Dull);
        }
        frame(text).or_else(|| head(text))
    }
}

/// `NoMethodError (undefined method `tokens' for an instance of User):`, or the same without the colon, or
/// `Caused by: Class (message)`, or `Information for: …` (8.1).
fn head(text: &[u8]) -> Option<Body<'_>> {
    if text.starts_with(b"Caused by: ") || text.starts_with(b"Information for") {
        return Some(Body::Dull);
    }
    let (class, rest) = split_at_first(text, b" (")?;
    let is_class = class.first().is_some_and(u8::is_ascii_uppercase)
        && class.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_'));
    if !is_class || class.len() > 120 {
        return None;
    }
    let whole = rest.strip_suffix(b"):");
    // A message may go on in the next lines ("Did you mean?", SQL), which end with the bracket then.
    let message = whole.or_else(|| rest.strip_suffix(b")")).unwrap_or(rest);
    let is_error =
        [&b"Error"[..], b"Exception", b"NotFound", b"Invalid", b"Expired", b"Denied", b"Unauthorized", b"Missing"]
            .iter()
            .any(|word| contains(class, word));
    (is_error || (whole.is_some() && contains(class, b"::"))).then_some(Body::Exception { class, message })
}

/// `app/services/token_refresh_service.rb:64:in `google_token_valid?'`, relative or absolute, or a gem's
/// `railties (8.1.3) lib/rails/engine.rb:10:in …`.
fn frame(text: &[u8]) -> Option<Body<'_>> {
    let text = text.trim_ascii_start();
    let (place, rest) = split_at_first(text, b":in ")?;
    let at = memchr::memrchr(b':', place)?;
    let (_, digits) = leading_number(&place[at + 1..])?;
    let file = &place[..at];
    if at + 1 + digits != place.len() || file.len() > 400 || memchr(b'"', file).is_some() {
        return None;
    }
    let is_file = file.ends_with(b".rb") || file.ends_with(b".erb") || file.ends_with(b".rake") || file.ends_with(b">");
    let method = rest.trim_ascii().trim_ascii_end();
    let method = method.strip_prefix(b"`").or_else(|| method.strip_prefix(b"'")).unwrap_or(method);
    let method = memchr(b'\'', method).map_or(method, |end| &method[..end]);
    (is_file || contains(file, b"/")).then_some(Body::Frame { place, method })
}
