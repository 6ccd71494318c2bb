//! Words of the libraries behind a 401, where an app logs them in lines without a frame or tags: devise and warden, warden-jwt_auth,
//! devise_token_auth, doorkeeper, rodauth and the jwt gem. What they answer is mostly in the body only, which no log shows.
//!
//! Sources: heartcombo/devise `config/locales/en.yml`; waiting-for-dev/warden-jwt_auth `lib/warden/jwt_auth/errors.rb`;
//! lynndylanhurley/devise_token_auth `config/locales/en.yml`; doorkeeper-gem/doorkeeper `config/locales/en.yml`; jwt/ruby-jwt
//! `lib/jwt/error.rb`, `lib/jwt/claims`.

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Sense, Side};
use crate::text::contains;

/// See the module.
pub(crate) struct AuthLibrary;

impl Dialect for AuthLibrary {
    fn name(&self) -> &'static str {
        "auth-library"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: "JWT::ExpiredSignature: Signature has expired",
            shows: "why a credential was refused",
            hides: "whose it was; these libraries log nothing unless the app does",
            source: "devise, devise_token_auth and doorkeeper config/locales/en.yml; warden-jwt_auth errors.rb; ruby-jwt lib/jwt",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        if line.client || line.program || line.tags.any || line.text.len() > 400 {
            return None;
        }
        let known = WORDS.iter().find(|(words, _)| contains(line.text, words))?;
        // Frames and source excerpts quote them too.
        if contains(line.text, b".rb:") || line.text.starts_with(b"#") {
            return None;
        }
        Some(Body::Note { sense: known.1, user: None, text: line.text })
    }
}

const WORDS: &[(&[u8], Sense)] = &[
    (b"Signature has expired", Sense::EXPIRED),
    (b"JWT::ExpiredSignature", Sense::EXPIRED),
    (b"The access token expired", Sense::EXPIRED),
    (b"Your session expired", Sense::EXPIRED),
    (b"expired JWT access token", Sense::EXPIRED),
    (b"The access token was revoked", Sense::REVOKED),
    (b"Errors::RevokedToken", Sense::REVOKED),
    (b"Signature verification failed", Sense::UNKNOWN),
    (b"Signature verification raised", Sense::UNKNOWN),
    (b"JWT::VerificationError", Sense::UNKNOWN),
    (b"Not enough or too many segments", Sense::UNKNOWN),
    (b"Invalid segment encoding", Sense::UNKNOWN),
    (b"JWT::DecodeError", Sense::UNKNOWN),
    (b"The access token is invalid", Sense::UNKNOWN),
    (b"invalid JWT refresh token", Sense::UNKNOWN.with(Sense::REFRESH)),
    (b"Nil JSON web token", Sense::MISSING),
    (b"You need to sign in or sign up before continuing", Sense::MISSING),
    (b"Invalid login credentials", Sense::REFUSED),
    (b"Invalid Email or password", Sense::REFUSED),
    (b"HTTP Token: Access denied", Sense::REFUSED),
];
