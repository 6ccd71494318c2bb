//! One actor's incident, written down.

use super::credentials::Credentials;
use super::{Findings, Judged, moments, rfc3339};
use crate::cause::case::span;
use crate::cause::{Label, Opinion, fix};
use crate::config::Filter;
use crate::diagnosis::{Evidence, Incident, RunnerUp, Scope, micros};
use crate::session::{Kind, Refresh, Timeline};

pub(super) fn written(findings: &Findings<'_>, judged: &Judged) -> Incident {
    let timeline = &findings.timelines[&judged.key];
    let opinion = &judged.verdict.opinion;
    let incident = &judged.incident;
    let recovered = incident.recovery.map(|place| timeline.items[place].time).filter(|time| *time >= incident.start);
    let credentials = Credentials::of(timeline, incident, (opinion.label, opinion.kind), judged.lifetime);
    Incident {
        id: String::new(),
        scope: Scope::Actor,
        actor: Some(findings.actor_ref(judged.key)),
        affected_actors: 1,
        impact: judged.impact,
        start: rfc3339(incident.start),
        end: rfc3339(recovered.unwrap_or(incident.end).max(incident.start)),
        trigger: serde_json::to_value(incident.trigger)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default(),
        cause: opinion.label,
        kind: opinion.kind.to_owned(),
        confidence: rounded(judged.verdict.confidence),
        runner_up: judged
            .verdict
            .runner_up
            .map(|(cause, confidence)| RunnerUp { cause, confidence: rounded(confidence) }),
        evidence: evidence(findings, timeline, opinion),
        missing: opinion.missing.clone(),
        contributing: judged.contributing.clone(),
        fix: fix::step(&found(findings, judged)).title,
        timeline: moments::around(findings, timeline, incident, &credentials),
        release: findings.release(judged.key, incident.start).map(str::to_owned),
        deploy: findings.deploy(incident.start).map(str::to_owned),
    }
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn evidence(findings: &Findings<'_>, timeline: &Timeline, opinion: &Opinion) -> Vec<Evidence> {
    let mut reasons: Vec<&crate::cause::Reason> = opinion.reasons.iter().collect();
    reasons.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    reasons
        .into_iter()
        .map(|reason| {
            let item = reason.item.map(|place| &timeline.items[place]);
            Evidence {
                speaks_for: reason.weight > 0.0,
                weight: rounded(reason.weight),
                text: reason.text.clone(),
                source: item.and_then(|item| findings.source(item.source)),
                line: item.map(|item| item.line),
                time: item.map(|item| rfc3339(item.time)),
            }
        })
        .collect()
}

/// Where a finding's defect is, as far as the log shows it.
pub(super) fn found(findings: &Findings<'_>, judged: &Judged) -> fix::Found {
    let timeline = &findings.timelines[&judged.key];
    let opinion = &judged.verdict.opinion;
    let refresh = |place: &usize| {
        let item = &timeline.items[*place];
        let request = item.event.and_then(|event| findings.identified.events[event].request());
        matches!(item.kind, Kind::Refresh(_)).then_some((item, request))
    };
    let shown = judged.incident.signs.iter().find_map(refresh);
    let fault = judged.incident.signs.iter().find_map(|place| match &timeline.items[*place].kind {
        Kind::Refresh(Refresh::Fault(_, Some(fault)) | Refresh::Swallowed(fault)) => Some(fault),
        _ => None,
    });
    let place = fault.map(|fault| {
        let what = match fault.class {
            Some(class) => format!("{}: {}", findings.text(class), findings.text(fault.message)),
            None => findings.text(fault.message),
        };
        match fault.frames.first() {
            Some((place, method)) => {
                format!(
                    "{}{} at {}; {what}",
                    class_of(findings.names.text(*place)),
                    method_of(findings.names.text(*method)),
                    findings.text(*place)
                )
            }
            None => what,
        }
    });
    let endpoint = shown.and_then(|(_, request)| request).map(|request| {
        let action = request.action.map(|action| format!(" ({})", findings.text(action))).unwrap_or_default();
        format!("{} {}{action}", findings.text(request.method), findings.text(request.path))
    });
    fix::Found {
        label: opinion.label,
        kind: opinion.kind.to_owned(),
        affected: 1,
        place,
        endpoint: endpoint.filter(|_| opinion.label == Label::RefreshFailure),
        lifetime: judged.lifetime.map(span),
    }
}

/// `TokenRefreshService` from `app/services/token_refresh_service.rb:64`: Rails' own rule of names.
fn class_of(place: &str) -> String {
    let file = place.rsplit('/').next().unwrap_or(place);
    let stem = file.split('.').next().unwrap_or(file);
    stem.split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        })
        .collect()
}

/// `#google_token_valid?`; from Ruby 3.4 on the method already has its class.
fn method_of(method: &str) -> String {
    match method.rsplit_once(['#', '.']) {
        Some((_, method)) => format!("#{method}"),
        None => format!("#{method}"),
    }
}

pub(super) fn kept(filter: &Filter, incident: &Incident) -> bool {
    let actor = incident.actor.as_ref();
    let user = filter.user.as_ref().is_none_or(|wanted| {
        actor.is_some_and(|actor| actor.user.as_ref() == Some(wanted) || actor.email.as_ref() == Some(wanted))
    });
    let address = filter.address.as_ref().is_none_or(|wanted| actor.is_some_and(|actor| actor.ips.contains(wanted)));
    let micros = |time: &str| micros(time).unwrap_or(0);
    let since = filter.since.is_none_or(|since| micros(&incident.end) >= since);
    let until = filter.until.is_none_or(|until| micros(&incident.start) <= until);
    let cause = filter.causes.is_empty()
        || filter.causes.iter().any(|wanted| {
            *wanted == incident.cause.as_str() || *wanted == format!("{}/{}", incident.cause, incident.kind)
        });
    user && address && since && until && cause
}

pub(super) fn actor_order(incident: &Incident) -> (Option<&str>, &[String]) {
    incident.actor.as_ref().map_or((None, &[]), |actor| (actor.user.as_deref(), &actor.ips))
}
