//! What is sent, in the receiver's own form.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::Message;
use crate::diagnosis::{Impact, Incident};
use crate::watch::{Event, Stage};

/// The receiver's form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The event as it is printed as NDJSON, with `dedup_key` and `id`.
    #[default]
    Json,
    /// A Slack incoming webhook.
    Slack,
    /// PagerDuty Events v2: opened and updated trigger, closed resolves.
    Pagerduty,
}

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

/// An incident's news on one line.
#[must_use]
pub fn headline(event: &Event) -> String {
    let Event { event: stage, reason, incident, .. } = event;
    let stage = match stage {
        Stage::Opened => "opened",
        Stage::Updated => "updated",
        Stage::Closed => "closed",
    };
    let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let kind = if incident.kind.is_empty() { String::new() } else { format!("/{}", incident.kind) };
    let impact = match incident.impact {
        Impact::Dropped => "dropped",
        Impact::Degraded => "degraded",
        Impact::Latent => "latent",
    };
    format!(
        "{stage}{reason}: {impact}, {} since {} — {}{kind} {:.2}",
        whom(incident),
        incident.start,
        incident.cause,
        incident.confidence
    )
}

fn whom(incident: &Incident) -> String {
    let Some(actor) = &incident.actor else { return format!("{} people", incident.affected_actors) };
    actor
        .user
        .as_ref()
        .map(|user| format!("user {user}"))
        .or_else(|| actor.email.clone())
        .or_else(|| actor.ips.first().cloned())
        .unwrap_or_else(|| "somebody".into())
}
