//! Restarts and attacks, written down.

use super::{Findings, rfc3339};
use crate::actor::Key;
use crate::cause::{Cause as _, Label, fix};
use crate::diagnosis::{ActorRef, Evidence, Impact, Incident, Scope};
use crate::incident::service::{Attack, Restart};

/// How many lines of an attack are shown; the rest is in the count.
const MOST_LINES: usize = 3;

fn blank(findings: &Findings<'_>, label: Label, kind: &str, start: i64, end: i64) -> Incident {
    let found = fix::Found { label, kind: kind.to_owned(), affected: 0, place: None, endpoint: None, lifetime: None };
    Incident {
        id: String::new(),
        scope: Scope::Service,
        actor: None,
        affected_actors: 0,
        impact: Impact::Degraded,
        start: rfc3339(start),
        end: rfc3339(end),
        trigger: String::new(),
        cause: label,
        kind: kind.to_owned(),
        confidence: 0.95,
        runner_up: None,
        evidence: Vec::new(),
        missing: Vec::new(),
        contributing: Vec::new(),
        fix: fix::step(&found).title,
        timeline: Vec::new(),
        release: None,
        deploy: findings.deploy(start).map(str::to_owned),
    }
}

pub(super) fn restarts(findings: &Findings<'_>, restarts: &[&Restart]) -> Vec<(Option<Key>, Incident)> {
    let label = crate::cause::server_restart::ServerRestart.label();
    let events = &findings.identified.events;
    restarts
        .iter()
        .map(|restart| {
            let kind = if restart.orderly { "deploy" } else { "crash" };
            let mut incident = blank(findings, label, kind, restart.start, restart.end);
            incident.trigger = "boot".into();
            incident.affected_actors = restart.cut.len() as u64;
            let mut show = |place: usize, text: String, weight: f64| {
                let event = &events[place];
                incident.evidence.push(Evidence {
                    speaks_for: true,
                    weight,
                    text,
                    source: findings.source(event.source),
                    line: Some(event.line),
                    time: Some(rfc3339(event.time)),
                });
            };
            if let Some(stop) = restart.stop {
                show(stop, "the server was told to stop".into(), 1.0);
            }
            show(restart.boot, "the server started while it had been serving before".into(), 2.0);
            if !restart.cut.is_empty() {
                let text = format!(
                    "{} people had a socket open that ended with it, with no line to say so",
                    restart.cut.len()
                );
                show(restart.boot, text, 1.0);
            }
            (None, incident)
        })
        .collect()
}

pub(super) fn attacks(findings: &Findings<'_>, attacks: &[&Attack]) -> Vec<(Option<Key>, Incident)> {
    let label = crate::cause::credential_attack::CredentialAttack.label();
    attacks
        .iter()
        .map(|attack| {
            let tokens = attack.tokens.len() + attack.sockets;
            let kind = if attack.sign_ins.len() >= tokens { "guessing" } else { "foreign_token" };
            let mut incident = blank(findings, label, kind, attack.start, attack.end);
            incident.trigger = "failures".into();
            let address = findings.names.text(attack.address).to_owned();
            incident.actor = Some(ActorRef { ips: vec![address], ..ActorRef::default() });
            let text = match kind {
                "guessing" => format!("{} sign-ins failed and none worked from this address", attack.sign_ins.len()),
                _ => format!(
                    "{} calls and {} sockets were refused and nothing was ever accepted from this address",
                    attack.tokens.len(),
                    attack.sockets
                ),
            };
            for (place, (source, line, time)) in attack.lines.iter().take(MOST_LINES).enumerate() {
                incident.evidence.push(Evidence {
                    speaks_for: true,
                    weight: if place == 0 { 3.0 } else { 0.0 },
                    text: if place == 0 { text.clone() } else { "the next one".into() },
                    source: findings.source(*source),
                    line: Some(*line),
                    time: Some(rfc3339(*time)),
                });
            }
            (None, incident)
        })
        .collect()
}
