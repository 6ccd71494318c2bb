//! A URL that messages are posted to.

use std::time::Duration;

use chrono::{DateTime, Utc};
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use why401_parsers::time::http_date;

use super::{Failure, Format, Message, Receiver};

/// Certificates of authorities that may vouch for a receiver.
pub struct Authority(RootCerts);

impl Authority {
    /// Reads certificates in PEM; `None` where there is none.
    ///
    /// # Errors
    /// What is wrong with a certificate.
    pub fn from_pem(pem: &[u8]) -> Result<Option<Self>, ureq::Error> {
        let mut roots: Vec<Certificate<'static>> = Vec::new();
        for item in parse_pem(pem) {
            if let PemItem::Certificate(certificate) = item? {
                roots.push(certificate);
            }
        }
        Ok((!roots.is_empty()).then(|| Self(RootCerts::new_with_certs(&roots))))
    }
}

/// For how long a receiver wants to be left alone: seconds, or a date of HTTP (RFC 9110, 10.2.3).
fn retry_after(told: &str, now: DateTime<Utc>) -> Option<Duration> {
    let told = told.trim();
    if let Ok(seconds) = told.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::from_timestamp_micros(http_date(told.as_bytes())?.micros())?;
    // What is over need not be waited for.
    Some((until - now).to_std().unwrap_or_default())
}

/// A receiver at a URL.
pub struct Http {
    agent: Agent,
    url: String,
    format: Format,
    secret: Option<String>,
    name: String,
}

impl Http {
    /// Posts to a URL, and gives up one try after `patience`. `secret` is PagerDuty's routing key, or a bearer token for `json`. An
    /// `authority` vouches for the receiver instead of the usual ones.
    #[must_use]
    pub fn new(
        url: &str,
        format: Format,
        secret: Option<String>,
        authority: Option<Authority>,
        patience: Duration,
    ) -> Self {
        let roots = authority.map_or(RootCerts::WebPki, |Authority(roots)| roots);
        let agent = Agent::config_builder()
            .timeout_global(Some(patience))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("why401/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build()
            .into();
        // The path of a webhook is its secret.
        let host =
            url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?', '@']).next().unwrap_or_default();
        Self { agent, url: url.to_owned(), format, secret, name: format!("--notify {host}") }
    }
}

impl Receiver for Http {
    fn take(&self, message: &Message) -> Result<(), Failure> {
        let body = self.format.body(message, self.secret.as_deref());
        let mut request = self.agent.post(&self.url).header("idempotency-key", message.id());
        if let (Format::Json, Some(secret)) = (self.format, &self.secret) {
            request = request.header("authorization", format!("Bearer {secret}"));
        }
        let answer = request.send_json(&body).map_err(Failure::later)?;
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            // Too early, too many, asked too slowly: try again. The rest of the 400s will not change their mind.
            status @ (408 | 425 | 429 | 500..=599) => {
                let told = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
                let not_before = told.and_then(|told| retry_after(told, Utc::now()));
                Err(Failure::Later { why: format!("it answered {status}"), not_before })
            }
            status => Err(Failure::Never(format!("it answered {status}"))),
        }
    }

    fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_says_in_seconds_or_by_date_when_it_takes_more() {
        let now = DateTime::parse_from_rfc3339("2026-11-17T13:04:55Z").unwrap().to_utc();
        let after = |told: &str| retry_after(told, now).map(|told| told.as_secs());
        assert_eq!(after("120"), Some(120));
        assert_eq!(after(" 0 "), Some(0));
        assert_eq!(after("Tue, 17 Nov 2026 13:06:05 GMT"), Some(70));
        assert_eq!(after("Tue, 17 Nov 2026 13:00:00 GMT"), Some(0), "it is over");
        assert_eq!((after("soon"), after("-5"), after("")), (None, None, None));
    }
}
