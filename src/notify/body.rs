//! What is sent, in the receiver's own form.

use serde_json::{Value, json};

use super::{Format, Message, headline};
use crate::diagnosis::Impact;
use crate::watch::Stage;

impl Format {
    /// The body for a message. `secret` is PagerDuty's routing key.
    pub(super) fn body(self, message: &Message, secret: Option<&str>) -> Value {
        let event = &message.event;
        match self {
            Self::Json => {
                let mut body = serde_json::to_value(event).unwrap_or_default();
                body["dedup_key"] = json!(event.key);
                body["id"] = json!(message.id());
                body
            }
            Self::Slack => {
                let text = headline(event);
                // Two blocks: what, and what to do. Slack's own marks are taken out of what logs say.
                let plain = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                json!({
                    "text": plain(&text),
                    "blocks": [
                        {"type": "section", "text": {"type": "mrkdwn", "text": format!("*{}*", plain(&text))}},
                        {"type": "context", "elements": [{"type": "mrkdwn", "text": plain(&format!("{} — `{}`", event.incident.fix, event.key))}]},
                    ],
                })
            }
            Self::Pagerduty => json!({
                "routing_key": secret.unwrap_or_default(),
                "event_action": if event.event == Stage::Closed { "resolve" } else { "trigger" },
                "dedup_key": event.key,
                "payload": {
                    "summary": headline(event),
                    "source": "why401",
                    "severity": severity(event.incident.impact),
                    "timestamp": event.incident.start,
                    "class": event.incident.cause.to_string(),
                    "custom_details": event.incident,
                },
            }),
        }
    }
}

/// PagerDuty knows four: critical, error, warning, info.
fn severity(impact: Impact) -> &'static str {
    match impact {
        Impact::Dropped => "error",
        Impact::Degraded => "warning",
        Impact::Latent => "info",
    }
}
