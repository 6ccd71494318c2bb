//! What stands first: the verdict, and the table of causes.

use super::{BAD, BOLD, GOOD, NOTE, Page, align_right};
use crate::cause::Label;
use crate::diagnosis::{Diagnosis, Scope};
use crate::render::group::groups;
use crate::render::verdict::Verdict;
use crate::render::words::{clock, clock_and_day, persons, sureness, with_kind};

impl Page {
    pub(super) fn verdict(&mut self, diagnosis: &Diagnosis) {
        let verdict = Verdict::of(diagnosis);
        let since = verdict.since.as_deref().map(|since| format!(" Since {} UTC.", clock_and_day(since)));
        let title = format!("{}{}", verdict.headline, since.unwrap_or_default());
        let title = self.paint(if verdict.bad { BAD.bold() } else { GOOD.bold() }, &title);
        self.line(&title);
        for (number, cause) in verdict.causes.iter().enumerate() {
            let first = format!("{:>2}. ", number + 1);
            self.text(&first, "    ", &format!("{} — {}: {}", cause.title, persons(cause.people), cause.kinds));
        }
        if let Some(step) = &verdict.first_fix {
            let first = self.paint(BOLD, "Change first: ");
            let before = self.out.len();
            self.text("Change first: ", "    ", step);
            let written = self.out.split_off(before).replacen("Change first: ", &first, 1);
            self.out.push_str(&written);
        }
        if let Some(unclear) = &verdict.unclear {
            let text = self.paint(NOTE, unclear);
            self.line(&text);
        }
    }

    pub(super) fn causes(&mut self, diagnosis: &Diagnosis) {
        if diagnosis.incidents.is_empty() {
            return;
        }
        self.head("Incidents");
        let mut table = self.table(&["cause/kind", "people", "cases", "first", "last", "sure"]);
        for group in groups(diagnosis) {
            let first = group.incidents.iter().map(|incident| incident.start.as_str()).min().unwrap_or_default();
            let last = group.incidents.iter().map(|incident| incident.end.as_str()).max().unwrap_or_default();
            table.add_row([
                with_kind(group.label, group.kind),
                group.people().to_string(),
                group.incidents.len().to_string(),
                clock(first),
                clock(last),
                sureness(group.label, group.sureness()),
            ]);
        }
        align_right(&mut table, &[1, 2, 5]);
        let drawn = table.to_string();
        for line in drawn.lines() {
            self.line(line);
        }
        if diagnosis
            .incidents
            .iter()
            .any(|incident| incident.cause == Label::ServerRestart && incident.scope == Scope::Service)
        {
            self.text("", "", "(people of a restart: those whose socket it cut)");
        }
    }
}
