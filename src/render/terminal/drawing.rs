//! Drawings of characters: 401s over the window as a line of bars, a case as lanes.

use chrono::DateTime;

use super::{BAD, DIM, GOOD, Page};
use crate::cause::case::span;
use crate::diagnosis::{Diagnosis, Moment};
use crate::render::words::{clock, clock_and_day, number};
use crate::session::SECOND;

const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_BARS: [char; 9] = [' ', '.', ':', '-', '=', '+', '*', '#', '@'];

/// Columns before a lane or a line of bars: its name.
const NAMES: usize = 18;
/// Room that the words of a time need.
const TICK: usize = 9;

impl Page {
    /// 401s, failed refreshes and refused sockets over the whole window.
    pub(super) fn window(&mut self, diagnosis: &Diagnosis) {
        let series = &diagnosis.series;
        let bins = series.requests.len();
        let Some(from) = series.from.as_deref().filter(|_| bins > 0) else { return };
        let lines = [
            ("401s", &series.unauthorized),
            ("refreshes failed", &series.refresh_failures),
            ("sockets refused", &series.cable_rejects),
        ];
        let lines: Vec<_> = lines.iter().filter(|(_, counts)| counts.iter().any(|count| *count > 0)).collect();
        if lines.is_empty() {
            return;
        }
        // The most in a bin stands behind the bars: ` most 12`.
        let room = self.look.width.saturating_sub(NAMES + 2 + 12).clamp(8, bins.max(8));
        let joined = bins.div_ceil(room);
        let columns = bins.div_ceil(joined);
        let length = series.bin_seconds * i64::try_from(joined).unwrap_or(1);
        self.out.push('\n');
        for (name, counts) in lines {
            let sums: Vec<u64> = counts.chunks(joined).map(|bins| bins.iter().sum()).collect();
            let most = sums.iter().copied().max().unwrap_or(0);
            let bars: String = sums.iter().map(|count| self.bar(*count, most)).collect();
            let bars = self.paint(BAD, &bars);
            self.line(&format!("  {name:<NAMES$}{bars} most {}", number(most)));
        }
        let until = DateTime::parse_from_rfc3339(from).ok().and_then(|from| {
            from.checked_add_signed(chrono::TimeDelta::seconds(length * i64::try_from(columns).unwrap_or(0)))
        });
        let until = until.map(|until| clock(&until.to_rfc3339())).unwrap_or_default();
        let axis =
            format!("  {:NAMES$}{} to {until}, {} each", "", clock_and_day(from), span(length.saturating_mul(SECOND)));
        let axis = self.paint(DIM, &axis);
        self.line(&axis);
    }

    fn bar(&self, count: u64, most: u64) -> char {
        let bars = if self.look.unicode { BARS } else { ASCII_BARS };
        let height = if count == 0 { 0 } else { (count * 8).div_ceil(most.max(1)).clamp(1, 8) };
        bars[usize::try_from(height).unwrap_or(8)]
    }

    /// The moments of a case as lanes: which credential each channel presents, and what came of it.
    pub(super) fn lanes(&mut self, moments: &[Moment]) {
        let room = self.look.width.saturating_sub(NAMES + 4);
        let used: Vec<&str> = ["http", "websocket", "app", "server"]
            .into_iter()
            .filter(|channel| moments.iter().any(|moment| moment.channel == *channel))
            .collect();
        if moments.len() < 2 || used.len() < 2 || room < 24 {
            return;
        }
        let step = (room / moments.len()).clamp(1, TICK);
        let shown = &moments[moments.len().saturating_sub(room / step)..];
        let rest = if self.look.unicode { '─' } else { '-' };
        for channel in used {
            let mut lane = format!("    {channel:<NAMES$}");
            for moment in shown {
                let here = moment.channel == channel;
                let sign = if here { self.sign(moment) } else { rest.to_string() };
                // The credential's number stands behind the sign.
                let held = moment.credential.as_ref().filter(|_| here && step > 2).map(|held| held.number.to_string());
                let held = held.unwrap_or_default();
                let gap = step.saturating_sub(1 + held.len());
                lane.push_str(&format!("{sign}{held}{}", rest.to_string().repeat(gap)));
            }
            self.line(&lane);
        }
        let every = TICK.div_ceil(step);
        let ticks: String = shown
            .iter()
            .step_by(every)
            .map(|moment| format!("{:<width$}", clock(&moment.time), width = every * step))
            .collect();
        let ticks = ticks.trim_end();
        let ticks = &ticks[..ticks.len().min(room)];
        let axis = self.paint(DIM, &format!("    {:NAMES$}{ticks}", ""));
        self.line(&axis);
        let (new, good, bad, other) =
            if self.look.unicode { ("◆", "●", "✗", "○") } else { ("N", "o", "x", ".") };
        let numbers = if step > 2 { "  (number: the credential's; 0: one from before)" } else { "" };
        let legend = format!("{new} new token  {good} works  {bad} refused or failed  {other} other{numbers}");
        for line in textwrap::wrap(&legend, self.look.width.saturating_sub(4)) {
            let line = self.paint(DIM, &format!("    {line}"));
            self.line(&line);
        }
    }

    fn sign(&self, moment: &Moment) -> String {
        let new = moment.text.starts_with("signed in") || moment.text.starts_with("refresh: new token");
        let (unicode, ascii, style) = match moment.tone.as_ref() {
            "bad" => ('✗', 'x', BAD),
            "good" if new => ('◆', 'N', GOOD),
            "good" => ('●', 'o', GOOD),
            _ => ('○', '.', DIM),
        };
        self.paint(style, &(if self.look.unicode { unicode } else { ascii }).to_string())
    }
}
