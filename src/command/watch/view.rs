//! What a watch writes to standard output: lines, or JSON, and on a terminal how it goes.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;
use textwrap::core::display_width;

use super::Format;
use super::panel::{self, Rate, Screen, clean};
use crate::command::diagnose::{Color, colored};
use crate::notify::headline;
use crate::watch::{Change, Totals, Watch};

/// What is written to standard output.
pub(super) struct View {
    format: Format,
    /// The panel, on a terminal.
    live: Option<Live>,
}

/// A panel at the bottom of a terminal, below the news. The cursor stands behind its last line; nothing else of the terminal is
/// changed, so that whatever ends the watch leaves it as it was.
struct Live {
    lines: Vec<String>,
    drawn: Option<Instant>,
    /// Times with the lines read until then.
    read: VecDeque<(Instant, u64)>,
    color: bool,
}

/// How often the panel is drawn anew.
const BLINK: Duration = Duration::from_millis(500);

/// Over how long the rate of lines is taken.
const RATE_OVER: Duration = Duration::from_secs(10);

/// Erases from the cursor to the end of the screen.
const ERASE: &str = "\r\x1b[J";

impl View {
    pub(super) fn new(format: Format, terminal: bool) -> Self {
        let color = colored(Color::Auto);
        let live = (terminal && format == Format::Plain).then(|| Live {
            lines: Vec::new(),
            drawn: None,
            read: VecDeque::new(),
            color,
        });
        Self { format, live }
    }

    pub(super) fn show(&mut self, change: &Change, out: &mut impl Write) -> Result<()> {
        let line = match (self.format, change) {
            // What is wrong goes to standard error, unless the panel stands where it would be written.
            (_, Change::Message(text)) if self.live.is_some() => format!("why401: {}", clean(text)),
            (_, Change::Message(text)) => {
                eprintln!("why401: {text}");
                return Ok(());
            }
            (Format::Ndjson, Change::Incident(event)) => serde_json::to_string(event)?,
            (Format::Ndjson, Change::Silent { source, for_seconds }) => {
                serde_json::json!({"event": "silent", "source": source, "for_seconds": for_seconds}).to_string()
            }
            (Format::Ndjson, Change::Speaking { source }) => {
                serde_json::json!({"event": "speaking", "source": source}).to_string()
            }
            (Format::Plain, Change::Incident(event)) => format!("{} {}", event.at, headline(event)),
            (Format::Plain, Change::Silent { source, for_seconds }) => {
                format!("{} has been silent for {for_seconds} s", clean(source))
            }
            (Format::Plain, Change::Speaking { source }) => format!("{} speaks again", clean(source)),
        };
        match &self.live {
            Some(live) => out.write_all(live.redrawn(&line, &live.lines, size().width).as_bytes())?,
            None => writeln!(out, "{line}")?,
        }
        out.flush()?;
        Ok(())
    }

    pub(super) fn status(&mut self, watch: &Watch, out: &mut impl Write) -> Result<()> {
        let Some(live) = &mut self.live else { return Ok(()) };
        if live.drawn.is_some_and(|drawn| drawn.elapsed() < BLINK) {
            return Ok(());
        }
        let now = Instant::now();
        live.drawn = Some(now);
        let standing = watch.standing();
        let rate = live.rate(now, standing.totals.lines.iter().map(|(_, lines)| lines).sum());
        let screen = Screen { color: live.color, ..size() };
        let lines = panel::lines(&standing, rate, screen);
        // In one piece, or the terminal shows it half erased.
        out.write_all(live.redrawn("", &lines, screen.width).as_bytes())?;
        out.flush()?;
        live.lines = lines;
        Ok(())
    }

    pub(super) fn summary(&self, totals: &Totals, out: &mut impl Write) -> Result<()> {
        match self.format {
            Format::Ndjson => writeln!(out, "{}", serde_json::json!({"event": "summary", "totals": totals}))?,
            Format::Plain => {
                if let Some(live) = &self.live {
                    write!(out, "{}", live.redrawn("", &[], size().width))?;
                }
                let Totals { lines, late, incidents, open, undecided } = totals;
                for (source, lines) in lines {
                    writeln!(out, "{}: {lines} lines", clean(source))?;
                }
                writeln!(
                    out,
                    "{incidents} incidents, {open} of them not over; {undecided} not sure enough to tell; {late} lines came late"
                )?;
            }
        }
        out.flush()?;
        Ok(())
    }
}

impl Live {
    /// What takes the panel off, writes a line of news above it if there is one, and draws it with these lines.
    fn redrawn(&self, news: &str, lines: &[String], width: usize) -> String {
        let mut out = String::new();
        // A terminal that has become narrower has wrapped what was drawn.
        let rows: usize = self.lines.iter().map(|line| display_width(line).div_ceil(width.max(1)).max(1)).sum();
        if rows > 1 {
            let _ = write!(out, "\x1b[{}A", rows - 1);
        }
        out.push_str(ERASE);
        if !news.is_empty() {
            // With its own end of line: a terminal in raw mode needs the return.
            let _ = write!(out, "{news}\r\n");
        }
        out.push_str(&lines.join("\r\n"));
        out
    }

    /// Lines a second, as of late.
    fn rate(&mut self, now: Instant, lines: u64) -> Rate {
        self.read.push_back((now, lines));
        while self.read.len() > 2 && self.read.front().is_some_and(|(then, _)| now - *then > RATE_OVER) {
            self.read.pop_front();
        }
        let (then, before) = self.read.front()?;
        let seconds = (now - *then).as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "lines of ten seconds")]
        (seconds > 0.0).then(|| (lines - before) as f64 / seconds)
    }
}

/// The terminal's size as it is now.
fn size() -> Screen {
    let (width, height) = terminal_size::terminal_size().map_or((80, 24), |(width, height)| (width.0, height.0));
    Screen { width: width.into(), height: height.into(), color: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_is_taken_off_whole_also_when_the_terminal_has_become_narrower() {
        let lines = vec!["a".repeat(70), "b".repeat(10)];
        let live = Live { lines, drawn: None, read: VecDeque::new(), color: false };
        assert_eq!(live.redrawn("news", &["c".into()], 80), "\x1b[1A\r\x1b[Jnews\r\nc");
        assert_eq!(live.redrawn("", &[], 40), "\x1b[2A\r\x1b[J");
        let nothing = Live { lines: Vec::new(), drawn: None, read: VecDeque::new(), color: false };
        assert_eq!(nothing.redrawn("", &["c".into(), "d".into()], 80), "\r\x1b[Jc\r\nd");
    }

    #[test]
    fn the_rate_is_of_the_last_seconds() {
        let mut live = Live { lines: Vec::new(), drawn: None, read: VecDeque::new(), color: false };
        let begun = Instant::now();
        assert_eq!(live.rate(begun, 0), None);
        for second in 1..=30 {
            let lines = if second > 15 { 1500 + (second - 15) * 10 } else { second * 100 };
            let rate = live.rate(begun + Duration::from_secs(second), lines).map(f64::round);
            let wanted = if second <= 15 { 100.0 } else { 10.0 };
            assert!(rate == Some(wanted) || (16..26).contains(&second), "{second}: {rate:?}");
        }
    }
}
