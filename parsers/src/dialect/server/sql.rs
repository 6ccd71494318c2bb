//! SQL that ActiveRecord logs at debug level: dull, but for the rows that name the user of a request.
//!
//! Source: rails/rails `activerecord/lib/active_record/log_subscriber.rb`:
//! `  User Load (28.0ms)  SELECT … LIMIT ?  [["id", 113], ["LIMIT", 1]]`. Colours are off by then.

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Side};
use crate::text::{contains, first_word, is_user_id, split_at_first, split_at_last, unquoted};

/// See the module.
pub(crate) struct Sql;

impl Dialect for Sql {
    fn name(&self) -> &'static str {
        "active-record"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: r#"  User Load (0.4ms)  SELECT "users".* FROM "users" WHERE "users"."id" = ? LIMIT ?  [["id", 42], ["LIMIT", 1]]"#,
            shows: "which user a request loaded",
            hides: "anything else of a verdict",
            source: "rails/rails activerecord/lib/active_record/log_subscriber.rb",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        if !line.text.starts_with(b" ") && !line.text.starts_with(b"D") {
            return None;
        }
        let text = line.text.trim_ascii_start();
        let (name, rest) = split_at_first(text, b" (").or_else(|| Some((&text[..0], text.strip_prefix(b"(")?)))?;
        let (duration, statement) = split_at_first(rest, b"ms)")?;
        if name.len() > 80 || !duration.iter().all(|b| b.is_ascii_digit() || *b == b'.') {
            return None;
        }
        Some(user_row(name, statement).unwrap_or(Body::Dull))
    }
}

/// Models that hold people, by usual name.
const PEOPLE: &[&[u8]] = &[b"User", b"Account", b"Member", b"Customer", b"Person", b"Profile", b"Admin"];

fn user_row<'a>(name: &[u8], statement: &'a [u8]) -> Option<Body<'a>> {
    let (model, verb) = split_at_last(name, b" ")?;
    if verb == b"Load"
        && PEOPLE.contains(&model)
        && let Some(id) = literal_id(statement)
    {
        return Some(Body::UserRow { id, credential: false });
    }
    let (before, binds) = split_at_last(statement, b"  [[").or_else(|| split_at_last(statement, b" [["))?;
    if verb == b"Load" && PEOPLE.contains(&model) {
        let by_id = contains(before, b".\"id\" = ") || contains(before, b".`id` = ");
        return by_id.then(|| bind(binds, b"id")).flatten().map(|id| Body::UserRow { id, credential: false });
    }
    let credential = [&b"Token"[..], b"Session", b"Credential"].iter().any(|word| contains(model, word));
    if verb == b"Create" && credential {
        return bind(binds, b"user_id").map(|id| Body::UserRow { id, credential: true });
    }
    None
}

/// The id in the statement itself, as MySQL's adapter and `prepared_statements: false` write it.
fn literal_id(statement: &[u8]) -> Option<&[u8]> {
    let (_, rest) = split_at_first(statement, b".\"id\" = ").or_else(|| split_at_first(statement, b".`id` = "))?;
    let id = unquoted(first_word(rest));
    is_user_id(id).then_some(id)
}

/// The value of a bind: `"id", 113], ["LIMIT", 1]]`.
fn bind<'a>(binds: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    binds.split(|b| *b == b']').find_map(|pair| {
        let pair = pair.strip_prefix(b", [").unwrap_or(pair);
        let (key, value) = split_at_first(pair, b", ")?;
        let value = unquoted(value);
        (unquoted(key) == name && is_user_id(value)).then_some(value)
    })
}
