//! What stands last: lifetimes, the plan, and the balance of what was read.

use super::{DIM, Page};
use crate::cause::case::span;
use crate::diagnosis::Diagnosis;
use crate::render::balance::{read_as, refusals};
use crate::render::words::{known_by, number, persons, platform};
use crate::session::SECOND;

impl Page {
    pub(super) fn lifetimes(&mut self, diagnosis: &Diagnosis) {
        if diagnosis.lifetimes.is_empty() {
            return;
        }
        self.head("Lifetimes of tokens");
        for lifetime in &diagnosis.lifetimes {
            let seconds = |seconds: i64| span(seconds * SECOND);
            let verdict = match lifetime.verdict.as_str() {
                "long" => "long for",
                "short" => "short for",
                _ => "within",
            };
            let text = format!(
                "{}: {} ({}); {verdict} practice for {}: {} to {}",
                lifetime.credential,
                seconds(lifetime.access_seconds),
                known_by(lifetime),
                platform(lifetime),
                seconds(lifetime.recommended.0),
                seconds(lifetime.recommended.1)
            );
            self.text("  ", "  ", &text);
        }
    }

    pub(super) fn plan(&mut self, diagnosis: &Diagnosis) {
        if diagnosis.fix_plan.is_empty() {
            return;
        }
        self.head("What to change, in this order");
        for step in &diagnosis.fix_plan {
            let people = if step.affected_actors > 0 {
                format!(" — {}", persons(step.affected_actors))
            } else {
                String::new()
            };
            self.text(&format!("{:>3}. ", step.order), "     ", &format!("{}{people}", step.title));
            let before = self.out.len();
            self.text("     ", "     ", &step.why);
            let why = self.out.split_off(before);
            for line in why.lines() {
                let line = self.paint(DIM, line);
                self.line(&line);
            }
        }
    }

    pub(super) fn balance(&mut self, diagnosis: &Diagnosis) {
        let summary = &diagnosis.summary;
        self.head("Balance");
        let parts: Vec<String> = refusals(diagnosis).iter().map(|(count, what)| format!("{count} {what}")).collect();
        let why = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        self.text(
            "  ",
            "  ",
            &format!("{} requests, {} answered 401{why}", number(summary.requests), number(summary.unauthorized)),
        );
        self.text(
            "  ",
            "  ",
            &format!(
                "{} refreshes, {} failed; sockets: {} connected, {} refused, {} ended; {} actors, {} healthy",
                number(summary.refreshes),
                number(summary.refresh_failures),
                number(summary.cable_connects),
                number(summary.cable_rejects),
                number(summary.cable_disconnects),
                number(summary.actors),
                number(summary.healthy_actors)
            ),
        );
        let endpoints: Vec<String> = diagnosis
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.role != "socket" || diagnosis.endpoints.len() < 8)
            .map(|endpoint| format!("{} {} = {}", endpoint.method, endpoint.path, endpoint.role.replace('_', "-")))
            .collect();
        if !endpoints.is_empty() {
            self.text("  endpoints: ", "    ", &format!("{} (why401.toml sets others)", endpoints.join(", ")));
        }
        if !self.folder.is_empty() {
            let folder = self.folder.clone();
            self.text("  in ", "    ", &format!("{folder}:"));
        }
        for input in &diagnosis.inputs {
            let what = read_as(input);
            let capped = if input.capped > 0 { format!(", {} too long", number(input.capped)) } else { String::new() };
            let lines = format!(
                "{}: {} lines = {} recognised + {} not{capped}; {what}; {}",
                input.source.strip_prefix(self.folder.as_str()).unwrap_or(&input.source),
                number(input.lines),
                number(input.recognised),
                number(input.unrecognised),
                input.clock
            );
            self.text("  ", "    ", &lines);
        }
        for note in &diagnosis.notes {
            self.text("  note: ", "    ", note);
        }
    }
}
