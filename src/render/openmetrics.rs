//! OpenMetrics text, for node_exporter's textfile collector: `why401 … --format openmetrics > why401.prom`.
//!
//! Everything is a gauge: what one run saw goes down again when the next looks at a shorter log, and a gauge is written the same way in
//! OpenMetrics and in the older Prometheus text that the textfile collector still reads. Values carry no timestamps, which that
//! collector refuses; the age of the file is `node_textfile_mtime_seconds`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use chrono::DateTime;
use why401_parsers::event::is_hidden;

use crate::diagnosis::Diagnosis;

use super::words;

/// Labels and values of one metric.
type Samples = Vec<(Vec<(&'static str, String)>, f64)>;

/// Writes all metrics.
///
/// # Errors
/// What writing to `out` gives.
pub fn metrics(diagnosis: &Diagnosis, out: &mut impl Write) -> io::Result<()> {
    for (name, help, samples) in all(diagnosis) {
        if samples.is_empty() {
            continue;
        }
        writeln!(out, "# HELP why401_{name} {help}")?;
        writeln!(out, "# TYPE why401_{name} gauge")?;
        if let Some(unit) = ["seconds", "bytes"].iter().find(|unit| name.ends_with(*unit)) {
            writeln!(out, "# UNIT why401_{name} {unit}")?;
        }
        for (labels, value) in samples {
            let labels: Vec<String> =
                labels.iter().map(|(label, text)| format!("{label}=\"{}\"", escaped(text))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            writeln!(out, "why401_{name}{labels} {value}")?;
        }
    }
    writeln!(out, "# EOF")
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn all(diagnosis: &Diagnosis) -> Vec<(&'static str, &'static str, Samples)> {
    let summary = &diagnosis.summary;
    let one = |value: u64| vec![(Vec::new(), value as f64)];
    let by = &summary.unauthorized_by;
    let classes = [
        ("incident", by.incident),
        ("failed_login", by.failed_login),
        ("never_signed_in", by.never_signed_in),
        ("in_flight", by.in_flight),
        ("after_logout", by.after_logout),
        ("attack", by.attack),
        ("unexplained", by.unexplained),
    ];
    let mut incidents: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
    for incident in &diagnosis.incidents {
        *incidents.entry((incident.cause.as_str(), &incident.kind, words::impact(incident.impact))).or_default() += 1;
    }
    let lines = |state: &'static str, count: u64, source: &str| {
        (vec![("source", source.to_owned()), ("state", state.to_owned())], count as f64)
    };
    let seconds =
        |time: &String| DateTime::parse_from_rfc3339(time).ok().map(|time| time.timestamp_millis() as f64 / 1000.0);
    let times = || diagnosis.inputs.iter().flat_map(|input| [&input.first, &input.last]).flatten().filter_map(seconds);
    let edge = |time: Option<f64>| time.map(|time| (Vec::new(), time)).into_iter().collect();
    vec![
        (
            "build_info",
            "Version of the why401 that wrote this.",
            vec![(vec![("version", diagnosis.tool.version.clone())], 1.0)],
        ),
        ("actors", "People seen: users, and addresses whose user no log names.", one(summary.actors)),
        ("healthy_actors", "People with nothing wrong of their own.", one(summary.healthy_actors)),
        ("dropped_actors", "People who were signed out or cut off.", one(summary.dropped_actors)),
        (
            "active_seconds",
            "Hours of the clock in which each person was seen, added up; drops are rated per this.",
            one(summary.active_hours * 3600),
        ),
        (
            "incidents",
            "Incidents by cause, kind and impact.",
            incidents
                .into_iter()
                .map(|((cause, kind, impact), count)| {
                    let labels = vec![("cause", cause.to_owned()), ("kind", kind.to_owned())];
                    ([labels, vec![("impact", impact.to_owned())]].concat(), count as f64)
                })
                .collect(),
        ),
        ("requests", "HTTP requests begun.", one(summary.requests)),
        (
            "unauthorized_responses",
            "Answers with status 401, by what they belong to.",
            classes.iter().map(|(class, count)| (vec![("class", (*class).to_owned())], *count as f64)).collect(),
        ),
        ("refreshes", "Token refreshes tried.", one(summary.refreshes)),
        ("refresh_failures", "Token refreshes that gave no credential.", one(summary.refresh_failures)),
        ("cable_connects", "WebSocket upgrades that succeeded.", one(summary.cable_connects)),
        ("cable_rejects", "WebSockets that the app refused.", one(summary.cable_rejects)),
        (
            "cable_failed_upgrades",
            "WebSocket upgrades refused by protocol or origin.",
            one(summary.cable_failed_upgrades),
        ),
        ("cable_disconnects", "WebSockets that ended.", one(summary.cable_disconnects)),
        (
            "access_token_lifetime_seconds",
            "Inferred life of access tokens.",
            diagnosis
                .lifetimes
                .iter()
                .find(|life| life.credential == "access")
                .map(|life| (vec![("platform", life.platform.clone())], life.access_seconds as f64))
                .into_iter()
                .collect(),
        ),
        (
            "input_lines",
            "Lines read of each source, by whether they were understood.",
            diagnosis
                .inputs
                .iter()
                .flat_map(|input| {
                    [
                        lines("recognised", input.recognised, &input.source),
                        lines("unrecognised", input.unrecognised, &input.source),
                        lines("capped", input.capped, &input.source),
                    ]
                })
                .collect(),
        ),
        (
            "input_bytes",
            "Bytes read of each source, after decompression.",
            diagnosis.inputs.iter().map(|input| (vec![("source", input.source.clone())], input.bytes as f64)).collect(),
        ),
        ("log_first_timestamp_seconds", "First time in the logs.", edge(times().min_by(f64::total_cmp))),
        ("log_last_timestamp_seconds", "Last time in the logs.", edge(times().max_by(f64::total_cmp))),
    ]
}

/// A label's text: backslash, quote and line feed are escaped; other control characters are not allowed to be there, and what hides itself is shown.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            hidden if is_hidden(hidden) => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
