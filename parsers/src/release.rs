//! Which release runs: the app's on somebody's device, or the server's. Logs say it in few places and under many names.
//!
//! Sources: develop.sentry.dev, "Event Payloads" (`release` is `package@version+build`); Datadog manual, RUM Data Collected (`version`) and
//! Unified Service Tagging (`dd.version`); OpenTelemetry semantic conventions (`service.version`); Heroku Dev Center, "Releases"; usual
//! names of headers and of fields that apps add to lograge.

use crate::record::Release;
use crate::text::contains;

/// Fields of a server's line for the release of the app that called.
const OF_APP: &[&str] = &["app_version", "client_version", "x_app_version", "http_x_app_version", "app_release"];
/// Fields for the whole header.
const USER_AGENT: &[&str] = &["user_agent", "http_user_agent", "ua"];
/// Fields for the server's own release.
const OF_SERVER: &[&str] =
    &["release", "dd.version", "service.version", "git_sha", "git_commit", "revision", "version"];
/// Headers by which an app says its release.
const HEADERS: &[&[u8]] =
    &[b"x-app-version", b"app-version", b"x-client-version", b"client-version", b"x-app-release", b"x-mobile-version"];
/// What a header of an app on a phone names besides the app itself. (Without one it may be anybody's: a monitor, a script.)
const OF_PHONES: &[&[u8]] =
    &[b"Dart", b"Flutter", b"Android", b"iOS", b"iPhone", b"iPad", b"CFNetwork", b"okhttp", b"Alamofire"];
/// Products that stand first in a header and are no app.
const LIBRARIES: &[&[u8]] = &[b"Mozilla", b"Dart", b"okhttp", b"Dalvik", b"CFNetwork", b"Opera", b"Alamofire"];

/// Longer is no release.
const LONGEST: usize = 64;

/// Whether it can be a release: a word with a digit in it.
fn is_release(text: &[u8]) -> bool {
    text.len() <= LONGEST && text.iter().all(u8::is_ascii_graphic) && text.iter().any(u8::is_ascii_digit)
}

/// An app's release, as its header, its monitor or a span has it: without the package (`com.example.app@2.3.1+45`).
pub(crate) fn of_app(text: &[u8]) -> Option<Release<'_>> {
    let name = memchr::memrchr(b'@', text).map_or(text, |at| &text[at + 1..]);
    is_release(name).then_some(Release { of_app: true, name })
}

/// A server's release.
pub(crate) fn of_server(text: &[u8]) -> Option<Release<'_>> {
    of_app(text).map(|release| Release { of_app: false, ..release })
}

/// An app's release in a header of its request.
pub(crate) fn of_header<'a>(name: &[u8], value: &'a [u8]) -> Option<Release<'a>> {
    if name.eq_ignore_ascii_case(b"user-agent") {
        return of_user_agent(value);
    }
    HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known)).then(|| of_app(value)).flatten()
}

/// `Example/2.3.1 (com.example.app; build:45; iOS 17.1.0)`
pub(crate) fn of_user_agent(text: &[u8]) -> Option<Release<'_>> {
    let (product, rest) = text.split_at(memchr::memchr(b' ', text)?);
    let slash = memchr::memchr(b'/', product)?;
    let (name, version) = (&product[..slash], &product[slash + 1..]);
    let is_app = !LIBRARIES.contains(&name) && OF_PHONES.iter().any(|word| contains(rest, word));
    (is_app && version.first().is_some_and(u8::is_ascii_digit)).then(|| of_app(version)).flatten()
}

/// Whether it is a field that may name a release, or one inside which it may.
pub(crate) fn is_field(key: &[u8]) -> bool {
    let fields = OF_APP.iter().chain(USER_AGENT).chain(OF_SERVER);
    fields.map(|field| field.as_bytes()).any(|field| field == key || field.split(|b| *b == b'.').next() == Some(key))
}

/// The releases that fields of a server's line name: the caller's, the server's own.
pub(crate) fn of_fields<'a>(get: impl Fn(&str) -> Option<&'a [u8]>) -> [Option<Release<'a>>; 2] {
    let first = |keys: &[&str]| keys.iter().find_map(|key| get(key));
    let own = OF_SERVER.iter().find_map(|key| {
        // `version` may be an API's (`v1`, `2`) as well.
        get(key).filter(|text| *key != "version" || text.len() > 6 || memchr::memchr(b'.', text).is_some())
    });
    let callers = first(OF_APP).and_then(of_app).or_else(|| first(USER_AGENT).and_then(of_user_agent));
    [callers, own.and_then(of_server)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(release: Option<Release<'_>>) -> Option<String> {
        release.map(|release| String::from_utf8_lossy(release.name).into_owned())
    }

    #[test]
    fn a_header_names_the_app_of_a_phone_and_nobody_elses() {
        for (agent, version) in [
            ("Example/2.3.1 (com.example.app; build:45; iOS 17.1.0) Alamofire/5.8.0", Some("2.3.1")),
            ("Example/45 CFNetwork/1404.0.5 Darwin/22.3.0", Some("45")),
            ("Example/2.3.1+45 Dart/3.5 (dart:io)", Some("2.3.1+45")),
            ("Dart/3.5 (dart:io)", None),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X)", None),
            ("okhttp/4.9.0 Android", None),
            ("Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", None),
            ("curl/8.5.0", None),
            ("StatusCake/1.2 (monitor)", None),
        ] {
            assert_eq!(name(of_user_agent(agent.as_bytes())).as_deref(), version, "{agent}");
        }
        assert_eq!(name(of_header(b"X-App-Version", b"2.3.1")).as_deref(), Some("2.3.1"));
        assert_eq!(name(of_header(b"Accept-Version", b"2.3.1")), None);
    }

    #[test]
    fn a_release_is_a_word_with_a_digit_and_an_apis_version_is_none() {
        assert_eq!(name(of_app(b"com.example.app@2.3.1+45")).as_deref(), Some("2.3.1+45"));
        for text in [&b""[..], b"staging", b"two words 2", &[b'1'; 65]] {
            assert_eq!(name(of_app(text)), None);
        }
        let fields = |pairs: &'static [(&'static str, &'static str)]| {
            of_fields(|key| pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_bytes()))
        };
        assert_eq!(fields(&[("version", "v1")]), [None; 2]);
        let release = |of_app, name| Some(Release { of_app, name });
        assert_eq!(fields(&[("version", "1f3c9ab")]), [None, release(false, b"1f3c9ab")]);
        let both = fields(&[("release", "v42"), ("app_version", "2.3.1")]);
        assert_eq!(both, [release(true, b"2.3.1"), release(false, b"v42")]);
    }
}
