//! When a run counts as failed: `--fail-on 'dropped_actors>5'`, `'cause=refresh_failure'`.
//!
//! ```text
//! threshold = condition { ["and" | ","] condition }            all of them must hold
//! condition = count    ( ">" | ">=" | "<" | "<=" | "=" | "!=" ) number
//!           | share    ( ">" | ">=" | "<" | "<=" | "=" | "!=" ) number        0.8 or 80%
//!           | word     ( "=" | "!=" ) text
//! count     = "incidents" | "dropped_actors" | "affected_actors"  of the incidents that the other conditions choose
//!           | "requests" | "unauthorized" | "refreshes" | "refresh_failures" | "unexplained"   of the whole run
//! share     = "confidence"                                     chooses incidents
//! word      = "cause" | "kind" | "impact" | "scope" | "user"   chooses incidents; a cause may have its kind: cause=stale_token/http
//! ```
//!
//! Conditions on incidents choose those that fulfil all of them; without a count one such incident is enough. So
//! `confidence>0.8 cause=refresh_failure incidents>=3` holds where three refresh failures are surer than 0.8.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::cause::{CAUSES, Label};
use crate::diagnosis::{Diagnosis, Impact, Incident, Scope};

/// A condition under which a run counts as failed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Threshold {
    text: String,
    choices: Vec<Choice>,
    limits: Vec<Limit>,
}

/// `[batch.thresholds]` as it is written.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// Conditions as `--fail-on` takes them; each decides alone.
    pub fail_on: Vec<Threshold>,
}

impl Thresholds {
    /// What each threshold that holds saw, in words.
    #[must_use]
    pub fn held(&self, diagnosis: &Diagnosis) -> Vec<String> {
        self.fail_on.iter().filter_map(|threshold| threshold.held(diagnosis)).collect()
    }
}

/// Which incidents are meant.
#[derive(Clone, Debug, PartialEq)]
enum Choice {
    Confidence(Order, f64),
    Cause { is: bool, label: String, kind: Option<String> },
    Kind { is: bool, kind: String },
    Impact { is: bool, impact: String },
    Scope { is: bool, scope: String },
    User { is: bool, user: String },
}

/// How much of something is too much.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Limit {
    count: Count,
    order: Order,
    number: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    Incidents,
    DroppedActors,
    AffectedActors,
    Requests,
    Unauthorized,
    Refreshes,
    RefreshFailures,
    Unexplained,
}

const COUNTS: &[(&str, Count)] = &[
    ("incidents", Count::Incidents),
    ("dropped_actors", Count::DroppedActors),
    ("affected_actors", Count::AffectedActors),
    ("requests", Count::Requests),
    ("unauthorized", Count::Unauthorized),
    ("refreshes", Count::Refreshes),
    ("refresh_failures", Count::RefreshFailures),
    ("unexplained", Count::Unexplained),
];

const WORDS: &[&str] = &["cause", "kind", "impact", "scope", "user"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Above,
    AtLeast,
    Below,
    AtMost,
    Is,
    IsNot,
}

/// Longer ones first: `>` begins `>=`.
const ORDERS: &[(&str, Order)] = &[
    (">=", Order::AtLeast),
    ("<=", Order::AtMost),
    ("!=", Order::IsNot),
    ("==", Order::Is),
    (">", Order::Above),
    ("<", Order::Below),
    ("=", Order::Is),
];

impl Order {
    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Above => value > limit,
            Self::AtLeast => value >= limit,
            Self::Below => value < limit,
            Self::AtMost => value <= limit,
            Self::Is => (value - limit).abs() < 1e-9,
            Self::IsNot => (value - limit).abs() >= 1e-9,
        }
    }
}

/// A threshold that cannot be read: what is wrong with which part of it, and what could stand there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the threshold '{text}' cannot be used: {wrong}")]
pub struct ThresholdError {
    text: String,
    wrong: String,
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        Self::read(text).map_err(|wrong| ThresholdError { text: text.to_owned(), wrong })
    }
}

impl TryFrom<String> for Threshold {
    type Error = ThresholdError;

    fn try_from(text: String) -> Result<Self, ThresholdError> {
        text.parse()
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Threshold {
    /// What it saw, in words, if it holds.
    #[must_use]
    pub fn held(&self, diagnosis: &Diagnosis) -> Option<String> {
        let chosen: Vec<&Incident> = diagnosis
            .incidents
            .iter()
            .filter(|incident| self.choices.iter().all(|choice| choice.takes(incident)))
            .collect();
        if self.limits.is_empty() {
            let first = chosen.first()?;
            return Some(format!("{} holds: {} incidents, first {}", self.text, chosen.len(), first.id));
        }
        let seen: Vec<(Limit, f64)> =
            self.limits.iter().map(|limit| (*limit, limit.count.of(diagnosis, &chosen))).collect();
        if !seen.iter().all(|(limit, value)| limit.order.holds(*value, limit.number)) {
            return None;
        }
        let values: Vec<String> = seen.iter().map(|(limit, value)| format!("{} is {value}", limit.count)).collect();
        Some(format!("{} holds: {}", self.text, values.join(", ")))
    }

    fn read(text: &str) -> Result<Self, String> {
        let (mut choices, mut limits) = (Vec::new(), Vec::new());
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err("it is empty; say for example dropped_actors>5 or cause=refresh_failure".into());
        }
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name == "and" {
                rest = after.trim_start();
                continue;
            }
            let after = after.trim_start();
            let Some((sign, order)) = ORDERS.iter().find(|(sign, _)| after.starts_with(sign)) else {
                let place = if name.is_empty() { rest } else { name };
                return Err(format!("after '{place}' one of > >= < <= = != must stand; {}", known()));
            };
            let after = after[sign.len()..].trim_start();
            let end = after.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(after.len());
            let (value, after) = after.split_at(end);
            if let Some((_, count)) = COUNTS.iter().find(|(known, _)| *known == name) {
                limits.push(Limit { count: *count, order: *order, number: number(name, value)? });
            } else {
                choices.push(Choice::read(name, *order, value)?);
            }
            rest = after.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        }
        if let Some(limit) = limits.iter().find(|limit| !choices.is_empty() && limit.count.of_run()) {
            return Err(format!(
                "{} counts the whole run and goes with no condition on incidents; incidents, dropped_actors and \
                 affected_actors do",
                limit.count
            ));
        }
        Ok(Self { text: text.trim().to_owned(), choices, limits })
    }
}

impl Choice {
    fn read(name: &str, order: Order, value: &str) -> Result<Self, String> {
        if name == "confidence" {
            return Ok(Self::Confidence(order, number(name, value)?));
        }
        if !WORDS.contains(&name) {
            return Err(format!("'{name}' is nothing to measure; {}", known()));
        }
        let is = match order {
            Order::Is => true,
            Order::IsNot => false,
            _ => return Err(format!("{name} is a word and goes with = or != only")),
        };
        let one_of = |allowed: &[&str]| {
            if allowed.contains(&value) {
                Ok(value.to_owned())
            } else {
                Err(format!("'{value}' is no {name}; known: {}", allowed.join(", ")))
            }
        };
        Ok(match name {
            "cause" => {
                let (label, kind) =
                    value.split_once('/').map_or((value, None), |(label, kind)| (label, Some(kind.to_owned())));
                let known = CAUSES.iter().find(|cause| cause.label().as_str() == label);
                if known.is_none() && label != Label::Inconclusive.as_str() {
                    let labels: Vec<&str> = CAUSES.iter().map(|cause| cause.label().as_str()).collect();
                    return Err(format!("'{label}' is no cause; known: {}, inconclusive", labels.join(", ")));
                }
                if let Some(kind) = &kind {
                    let kinds: Vec<&str> = known.iter().flat_map(|cause| cause.doc().kinds).map(|(k, _)| *k).collect();
                    if !kinds.contains(&kind.as_str()) {
                        return Err(format!("'{kind}' is no kind of {label}; known: {}", kinds.join(", ")));
                    }
                }
                Self::Cause { is, label: label.to_owned(), kind }
            }
            "kind" => {
                let kinds: Vec<&str> =
                    CAUSES.iter().flat_map(|cause| cause.doc().kinds).map(|(kind, _)| *kind).collect();
                Self::Kind { is, kind: one_of(&kinds)? }
            }
            "impact" => Self::Impact { is, impact: one_of(&["dropped", "degraded", "latent"])? },
            "scope" => Self::Scope { is, scope: one_of(&["actor", "service"])? },
            _ => Self::User { is, user: value.to_owned() },
        })
    }

    fn takes(&self, incident: &Incident) -> bool {
        match self {
            Self::Confidence(order, limit) => order.holds(incident.confidence, *limit),
            Self::Cause { is, label, kind } => {
                let same = incident.cause.as_str() == label && kind.as_ref().is_none_or(|kind| incident.kind == *kind);
                same == *is
            }
            Self::Kind { is, kind } => (incident.kind == *kind) == *is,
            Self::Impact { is, impact } => {
                let own = match incident.impact {
                    Impact::Dropped => "dropped",
                    Impact::Degraded => "degraded",
                    Impact::Latent => "latent",
                };
                (own == impact) == *is
            }
            Self::Scope { is, scope } => {
                let own = if incident.scope == Scope::Actor { "actor" } else { "service" };
                (own == scope) == *is
            }
            Self::User { is, user } => {
                let own = incident.actor.as_ref();
                own.is_some_and(|own| own.user.as_ref() == Some(user) || own.email.as_ref() == Some(user)) == *is
            }
        }
    }
}

impl Count {
    /// It is counted over the whole run, whatever incidents are chosen.
    const fn of_run(self) -> bool {
        !matches!(self, Self::Incidents | Self::DroppedActors | Self::AffectedActors)
    }

    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn of(self, diagnosis: &Diagnosis, chosen: &[&Incident]) -> f64 {
        let summary = &diagnosis.summary;
        let people = |incidents: &mut dyn Iterator<Item = &&Incident>| {
            let people: BTreeSet<_> = incidents
                .filter_map(|incident| incident.actor.as_ref())
                .map(|actor| (&actor.user, &actor.email, &actor.ips))
                .collect();
            people.len() as u64
        };
        let of_actors = || chosen.iter().filter(|incident| incident.scope == Scope::Actor);
        let value = match self {
            Self::Incidents => chosen.len() as u64,
            Self::DroppedActors => people(&mut of_actors().filter(|incident| incident.impact == Impact::Dropped)),
            Self::AffectedActors => {
                let service = chosen.iter().filter(|incident| incident.scope == Scope::Service);
                people(&mut of_actors()) + service.map(|incident| incident.affected_actors).sum::<u64>()
            }
            Self::Requests => summary.requests,
            Self::Unauthorized => summary.unauthorized,
            Self::Refreshes => summary.refreshes,
            Self::RefreshFailures => summary.refresh_failures,
            Self::Unexplained => summary.unauthorized_by.unexplained,
        };
        value as f64
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(COUNTS.iter().find(|(_, count)| count == self).map_or("", |(name, _)| name))
    }
}

fn number(name: &str, value: &str) -> Result<f64, String> {
    let (digits, factor) = value.strip_suffix('%').map_or((value, 1.0), |digits| (digits, 0.01));
    let parsed = digits.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    parsed
        .map(|number| number * factor)
        .ok_or_else(|| format!("'{value}' is no number that {name} can be held against"))
}

fn known() -> String {
    let counts: Vec<&str> = COUNTS.iter().map(|(name, _)| *name).collect();
    format!("known: {}, confidence, {}", counts.join(", "), WORDS.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Reading, diagnose};

    fn sample() -> Diagnosis {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/refresh_failure-server_error");
        let mut reading = Reading::new(Config::default(), [3; 16]);
        reading.read_bytes("server.log", &std::fs::read(folder.join("server.log")).expect("the sample"));
        diagnose(reading)
    }

    fn held(diagnosis: &Diagnosis, text: &str) -> bool {
        text.parse::<Threshold>().unwrap_or_else(|error| panic!("{error}")).held(diagnosis).is_some()
    }

    #[test]
    fn counts_and_choices_hold_as_the_diagnosis_says() {
        let diagnosis = sample();
        let dropped = diagnosis.summary.dropped_actors;
        assert!(dropped > 0);
        for (text, expected) in [
            (format!("dropped_actors>{}", dropped - 1), true),
            (format!("dropped_actors > {dropped}"), false),
            (format!("dropped_actors={dropped}"), true),
            ("incidents>=1".into(), true),
            ("cause=refresh_failure".into(), true),
            ("cause=refresh_failure/server_error and impact=dropped".into(), true),
            ("cause=stale_token".into(), false),
            ("confidence>0.5, cause=refresh_failure incidents>=1".into(), true),
            ("confidence>50% cause=refresh_failure incidents>100".into(), false),
            ("confidence>1 cause=refresh_failure".into(), false),
            ("refresh_failures>=1".into(), true),
            ("unexplained>0".into(), false),
            ("user!=nobody".into(), true),
        ] {
            assert_eq!(held(&diagnosis, &text), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_with_what_could_stand_there() {
        for (text, says) in [
            ("", "it is empty"),
            ("drops>5", "'drops' is nothing to measure; known: incidents, dropped_actors"),
            ("dropped_actors", "after 'dropped_actors' one of > >="),
            ("dropped_actors>many", "'many' is no number"),
            ("incidents>-1", "'-1' is no number"),
            ("cause>stale_token", "goes with = or !="),
            ("cause=stale_tokens", "'stale_tokens' is no cause; known: stale_token"),
            ("cause=stale_token/expired", "known: websocket"),
            ("impact=bad", "known: dropped, degraded, latent"),
            ("requests>5 cause=logout", "counts the whole run"),
            ("incidents>5; cause=logout", "'5;' is no number"),
        ] {
            let error = text.parse::<Threshold>().expect_err(text).to_string();
            assert!(error.contains(says) && error.contains(&format!("'{text}'")), "{text}: {error}");
        }
    }

    #[test]
    fn a_configuration_can_hold_thresholds() {
        let read = toml::from_str::<Thresholds>("fail_on = [\"dropped_actors>0\", \"cause=logout\"]");
        let held = read.expect("it can be read").held(&sample());
        assert_eq!(held.len(), 1);
        assert!(held[0].starts_with("dropped_actors>0 holds: dropped_actors is "), "{held:?}");
        assert!(toml::from_str::<Thresholds>("fail_on = [\"drops>0\"]").is_err());
    }
}
