//! A URL that messages are posted to.

use std::time::Duration;

use ureq::Agent;

use super::{Failure, Format, Message, Receiver};

/// A receiver at a URL.
pub struct Http {
    agent: Agent,
    url: String,
    format: Format,
    secret: Option<String>,
    name: String,
}

impl Http {
    /// Posts to a URL, and gives up one try after `patience`. `secret` is PagerDuty's routing key, or a bearer token for `json`.
    #[must_use]
    pub fn new(url: &str, format: Format, secret: Option<String>, patience: Duration) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(patience))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("why401/", env!("CARGO_PKG_VERSION")))
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
        let answer = request.send_json(&body).map_err(|error| Failure::Later(error.to_string()))?;
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            // Too early, too many, asked too slowly: try again. The rest of the 400s will not change their mind.
            status @ (408 | 425 | 429 | 500..=599) => Err(Failure::Later(format!("it answered {status}"))),
            status => Err(Failure::Never(format!("it answered {status}"))),
        }
    }

    fn name(&self) -> &str {
        &self.name
    }
}
