//! JUnit XML for CI: one test case a cause, which fails where it hit somebody.
//!
//! Written to the schema of Apache Ant's reports (windyroad/JUnit-Schema, `JUnit.xsd`), which Jenkins, GitLab and GitHub's reporters
//! read. What is nobody's fault (a sign-out, a lost network, a restart) passes and is told in `system-out`.

use std::io::{self, Write};

use chrono::DateTime;
use why401_parsers::event::is_hidden;

use crate::cause::{CAUSES, Label};
use crate::diagnosis::{Diagnosis, Incident};

use super::group::{Group, groups};
use super::words;

/// So many incidents are told in a failure; the rest is counted.
const MOST_TOLD: usize = 20;

/// Writes the suite.
///
/// # Errors
/// What writing to `out` gives.
pub fn suite(diagnosis: &Diagnosis, out: &mut impl Write) -> io::Result<()> {
    let groups = groups(diagnosis);
    let labels: Vec<Label> = CAUSES.iter().map(|cause| cause.label()).chain([Label::Inconclusive]).collect();
    let of = |label: Label| groups.iter().filter(move |group| group.label == label).collect::<Vec<&Group<'_>>>();
    let fails = |groups: &[&Group<'_>]| groups.iter().any(|group| !group.harmless());
    let failures = labels.iter().filter(|label| fails(&of(**label))).count();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites>")?;
    writeln!(
        out,
        "  <testsuite name=\"why401\" package=\"why401\" id=\"0\" timestamp=\"{}\" hostname=\"localhost\" tests=\"{}\" \
         failures=\"{failures}\" errors=\"0\" time=\"0\">",
        last(diagnosis),
        labels.len()
    )?;
    let summary = &diagnosis.summary;
    writeln!(out, "    <properties>")?;
    for (name, value) in [
        ("version", diagnosis.tool.version.clone()),
        ("actors", summary.actors.to_string()),
        ("dropped_actors", summary.dropped_actors.to_string()),
        ("incidents", summary.incidents.to_string()),
        ("requests", summary.requests.to_string()),
        ("unauthorized", summary.unauthorized.to_string()),
    ] {
        writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", attribute(&value))?;
    }
    writeln!(out, "    </properties>")?;
    for label in &labels {
        let groups = of(*label);
        let open = format!("    <testcase name=\"{label}\" classname=\"why401\" time=\"0\"");
        if fails(&groups) {
            let said: Vec<String> = groups.iter().map(|group| group_in_words(group)).collect();
            writeln!(out, "{open}>")?;
            write!(out, "      <failure type=\"{label}\" message=\"{}\">", attribute(&said.join("; ")))?;
            write!(out, "{}", text(&evidence(&groups)))?;
            writeln!(out, "</failure>\n    </testcase>")?;
        } else {
            writeln!(out, "{open}/>")?;
        }
    }
    let harmless: Vec<String> = groups.iter().filter(|group| group.harmless()).map(group_in_words).collect();
    writeln!(out, "    <system-out>{}</system-out>", text(&harmless.join("\n")))?;
    writeln!(out, "    <system-err></system-err>\n  </testsuite>\n</testsuites>")
}

fn group_in_words(group: &Group<'_>) -> String {
    let (incidents, people) = (words::incidents(group.incidents.len()), words::persons(group.people()));
    format!("{}: {incidents}, {people}, {}", group.name(), words::impact(group.worst()))
}

fn evidence(groups: &[&Group<'_>]) -> String {
    let incidents: Vec<&Incident> = groups.iter().flat_map(|group| group.incidents.iter().copied()).collect();
    let mut told = String::new();
    for incident in incidents.iter().take(MOST_TOLD) {
        told.push_str(&format!(
            "\n{} {}: {} from {} to {}, {}\n",
            incident.id,
            words::whose(incident),
            words::with_kind(incident.cause, &incident.kind),
            incident.start,
            incident.end,
            words::how_sure(incident)
        ));
        for evidence in &incident.evidence {
            let sign = if evidence.speaks_for { '+' } else { '-' };
            let place = match (&evidence.source, evidence.line) {
                (Some(source), Some(line)) => format!(" ({source}:{line})"),
                _ => String::new(),
            };
            told.push_str(&format!("  {sign} {}{place}\n", evidence.text));
        }
        told.push_str(&format!("  fix: {}\n", incident.fix));
    }
    if incidents.len() > MOST_TOLD {
        told.push_str(&format!("\nand {}\n", words::incidents(incidents.len() - MOST_TOLD)));
    }
    told
}

/// The last time in the logs, which makes the same logs the same file. The schema wants whole seconds and no zone.
fn last(diagnosis: &Diagnosis) -> String {
    let times = diagnosis.inputs.iter().filter_map(|input| DateTime::parse_from_rfc3339(input.last.as_ref()?).ok());
    times.max().map(|time| time.to_utc()).unwrap_or_default().format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Text between tags.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            // `]]>` may not stand in text.
            '>' => out.push_str("&gt;"),
            '\n' | '\t' => out.push(letter),
            // XML 1.0 has no way to write control characters and these two; what hides itself is shown as well.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            hidden if is_hidden(hidden) => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

/// Text within quotes.
fn attribute(value: &str) -> String {
    text(value).replace('"', "&quot;").replace('\n', "&#10;").replace('\t', "&#9;")
}
