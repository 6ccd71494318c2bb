//! The clearest case of each kind: what speaks for and against it, and how it went.

use std::fmt::Write as _;

use super::{BAD, BOLD, DIM, GOOD, Page, align_right};
use crate::diagnosis::{Diagnosis, Evidence, Incident, Moment};
use crate::render::group::groups;
use crate::render::words::{
    clean, clock, clock_and_day, cut_to, how_sure, impact, incidents, percent, sureness, whose, with_kind,
};
use anstyle::Style;

/// How many pieces of evidence of a case are shown.
const MOST_EVIDENCE: usize = 6;
/// How many moments of a case are shown.
const MOST_MOMENTS: usize = 14;

impl Page {
    pub(super) fn cases(&mut self, diagnosis: &Diagnosis) {
        for (number, group) in groups(diagnosis).iter().enumerate() {
            if let Some(incident) = group.clearest() {
                // One drawing: the first case is that of the worst cause.
                self.case(&group.name(), incident, group.incidents.len(), number == 0);
            }
        }
    }

    fn case(&mut self, name: &str, incident: &Incident, count: usize, drawn: bool) {
        let whose = whose(incident);
        self.head(&format!("{}{name}", incident.id.to_uppercase() + "  "));
        let more = if count > 1 { format!("; the clearest of {count}") } else { String::new() };
        let sure = how_sure(incident);
        let runner = incident
            .runner_up
            .as_ref()
            .map(|runner| format!("; else {} ({})", runner.cause.title(), percent(runner.confidence)))
            .unwrap_or_default();
        let head = format!(
            "{whose}, {} to {} UTC, {sure}{runner}{more}",
            clock_and_day(&incident.start),
            clock(&incident.end)
        );
        self.text("  ", "  ", &head);
        for evidence in incident.evidence.iter().take(MOST_EVIDENCE) {
            self.evidence(evidence);
        }
        for contribution in &incident.contributing {
            self.text("  ~ ", "    ", &format!("contributing: {} ({})", contribution.text, contribution.cause.title()));
        }
        for missing in &incident.missing {
            self.text("  ? ", "    ", &format!("missing: {missing}"));
        }
        self.moments(&incident.timeline);
        if drawn {
            self.lanes(&incident.timeline);
        }
        let fix = self.paint(BOLD, "fix");
        let before = self.out.len();
        self.text("  fix: ", "       ", &incident.fix);
        let written = self.out.split_off(before).replacen("fix", &fix, 1);
        self.out.push_str(&written);
    }

    fn evidence(&mut self, evidence: &Evidence) {
        let (mark, style) = if evidence.speaks_for { ("+", GOOD) } else { ("-", BAD) };
        let place = match (&evidence.source, evidence.line) {
            (Some(source), Some(line)) => format!(" [{}]", self.place(source, line)),
            _ => String::new(),
        };
        let before = self.out.len();
        self.text(&format!("  {mark} "), "    ", &format!("{}{place}", evidence.text));
        let mark_painted = self.paint(style, mark);
        let shown = self.paint(DIM, place.trim_start());
        let place_painted = match (&evidence.source, evidence.line) {
            (Some(source), Some(line)) => self.linked(&shown, source, line),
            _ => shown,
        };
        let mut written = self.out.split_off(before);
        if !place.is_empty() && written.contains(place.trim_start()) {
            written = written.replacen(place.trim_start(), &place_painted, 1);
        }
        written = written.replacen(mark, &mark_painted, 1);
        self.out.push_str(&written);
    }

    fn moments(&mut self, moments: &[Moment]) {
        let cut = moments.len().saturating_sub(MOST_MOMENTS);
        let (head, tail) = if cut > 0 {
            (&moments[..MOST_MOMENTS / 2], &moments[moments.len() - MOST_MOMENTS / 2..])
        } else {
            (moments, &moments[..0])
        };
        for moment in head {
            self.moment(moment);
        }
        if cut > 0 {
            let text = self.paint(DIM, &format!("      … {cut} more"));
            self.line(&text);
        }
        for moment in tail {
            self.moment(moment);
        }
    }

    fn moment(&mut self, moment: &Moment) {
        let style = match moment.tone.as_ref() {
            "good" => GOOD,
            "bad" => BAD,
            _ => Style::new(),
        };
        let times = if moment.count > 1 { format!(" ×{}", moment.count) } else { String::new() };
        let place = self.place(&moment.source, moment.line);
        let text = format!("{}{times}", clean(&moment.text));
        let channel = match moment.channel.as_ref() {
            "websocket" => "ws".to_owned(),
            other => clean(other),
        };
        let left = format!("      {} {channel:<5}", clock(&moment.time));
        let room = self.look.width.saturating_sub(textwrap::core::display_width(&left) + 2);
        let text = cut_to(&text, room);
        let gap = room.saturating_sub(textwrap::core::display_width(&text) + textwrap::core::display_width(&place) + 1);
        let mut line = format!("{left} {}", self.paint(style, &text));
        if gap > 0 && textwrap::core::display_width(&text) + textwrap::core::display_width(&place) < room {
            let _ = write!(
                line,
                "{}{}",
                " ".repeat(gap),
                self.linked(&self.paint(DIM, &place), &moment.source, moment.line)
            );
        }
        self.line(&line);
    }

    pub(super) fn listing(&mut self, diagnosis: &Diagnosis) {
        let Some(top) = self.look.top else { return };
        let shown: Vec<&Incident> = diagnosis.incidents.iter().take(top).collect();
        if shown.is_empty() {
            return;
        }
        self.head(&format!("The first {} of {}", shown.len(), incidents(diagnosis.incidents.len())));
        let mut table = self.table(&["id", "who", "cause/kind", "from", "to", "impact", "sure"]);
        for incident in shown {
            table.add_row([
                clean(&incident.id),
                whose(incident),
                with_kind(incident.cause, &incident.kind),
                clock(&incident.start),
                clock(&incident.end),
                impact(incident.impact).to_owned(),
                sureness(incident.cause, incident.confidence),
            ]);
        }
        align_right(&mut table, &[6]);
        for line in table.to_string().lines() {
            self.line(line);
        }
    }
}
