//! foreman: `06:03:52 web.1  | text`. The date is not written, so neither is a time that could be placed.
//!
//! Source: ddollar/foreman `lib/foreman/engine/cli.rb`.

use bumpalo::Bump;

use super::compose::name_and_bar;
use super::{Envelope, Peeled};
use crate::about::About;

/// See the module.
pub(super) struct Foreman;

impl Envelope for Foreman {
    fn name(&self) -> &'static str {
        "foreman"
    }

    fn about(&self) -> About {
        About {
            example: "06:03:52 web.1  | Started GET …",
            shows: "which process of the Procfile wrote it",
            hides: "the date, and so any time of its own",
            source: "ddollar/foreman lib/foreman/engine/cli.rb",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_digit()
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let [_, _, b':', _, _, b':', _, _, b' ', rest @ ..] = line else { return None };
        let (name, inner) = name_and_bar(rest)?;
        Some(Peeled { inner, instance: Some(name), ..Peeled::default() })
    }
}
