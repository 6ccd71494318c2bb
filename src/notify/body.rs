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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::{Diagnosis, Incident};
    use crate::watch::Event;

    /// The first incident of a sample, as a message.
    fn message(stage: Stage) -> Message {
        let mut reading = crate::Reading::new(crate::Config::default(), [7; 16]);
        reading.read_bytes("server.log", include_bytes!("../../samples/refresh_failure-server_error/server.log"));
        let Diagnosis { incidents, .. } = crate::diagnose(reading);
        let incident = Incident { fix: "say <!channel> & mend".into(), ..incidents[0].clone() };
        let (key, at) = ("why401-1".into(), "2026-11-17T13:04:55.000Z".into());
        Message { number: 1, event: Event { event: stage, key, at, reason: None, incident } }
    }

    #[test]
    fn each_receiver_gets_its_own_form_with_the_incidents_key() {
        let opened = message(Stage::Opened);
        let json = Format::Json.body(&opened, None);
        assert_eq!((&json["dedup_key"], &json["event"]), (&json!("why401-1"), &json!("opened")));
        let pagerduty = Format::Pagerduty.body(&message(Stage::Closed), Some("KEY"));
        let is = |field: &str, value: &str| assert_eq!(pagerduty[field], value);
        is("event_action", "resolve");
        is("dedup_key", "why401-1");
        is("routing_key", "KEY");
        assert_eq!(pagerduty["payload"]["severity"], "error");
        let slack = Format::Slack.body(&opened, None).to_string();
        assert!(slack.contains("refresh_failure/server_error") && !slack.contains("<!channel>"), "{slack}");
    }
}
