//! How news is put: the receivers' forms, and an incident on one line.

use clap::ValueEnum;

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

/// Whom an incident hit, in a word or two.
pub(crate) fn whom(incident: &Incident) -> String {
    let Some(actor) = &incident.actor else { return format!("{} people", incident.affected_actors) };
    actor
        .user
        .as_ref()
        .map(|user| format!("user {user}"))
        .or_else(|| actor.email.clone())
        .or_else(|| actor.ips.first().cloned())
        .unwrap_or_else(|| "somebody".into())
}
