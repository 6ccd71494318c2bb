//! What a watch writes to standard output: lines, or JSON, and on a terminal how it goes.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Format;
use crate::notify::headline;
use crate::watch::{Change, Totals, Watch};

/// What is written to standard output.
pub(super) struct View {
    pub(super) format: Format,
    /// A line at the bottom says how it goes.
    pub(super) live: bool,
    pub(super) shown: Option<Instant>,
}

/// How often the line at the bottom is written.
const BLINK: Duration = Duration::from_millis(500);

impl View {
    pub(super) fn show(&mut self, change: &Change, out: &mut impl Write) -> Result<()> {
        if let Change::Message(text) = change {
            eprintln!("why401: {text}");
            return Ok(());
        }
        if self.live {
            write!(out, "\r\x1b[2K")?;
        }
        match (self.format, change) {
            (Format::Ndjson, Change::Incident(event)) => {
                serde_json::to_writer(&mut *out, event)?;
                writeln!(out)?;
            }
            (Format::Ndjson, Change::Silent { source, for_seconds }) => {
                writeln!(
                    out,
                    "{}",
                    serde_json::json!({"event": "silent", "source": source, "for_seconds": for_seconds})
                )?;
            }
            (Format::Ndjson, Change::Speaking { source }) => {
                writeln!(out, "{}", serde_json::json!({"event": "speaking", "source": source}))?;
            }
            (Format::Plain, Change::Incident(event)) => writeln!(out, "{} {}", event.at, headline(event))?,
            (Format::Plain, Change::Silent { source, for_seconds }) => {
                writeln!(out, "{source} has been silent for {for_seconds} s")?;
            }
            (Format::Plain, Change::Speaking { source }) => writeln!(out, "{source} speaks again")?,
            (_, Change::Message(_)) => {}
        }
        out.flush()?;
        Ok(())
    }

    pub(super) fn status(&mut self, watch: &Watch, out: &mut impl Write) -> Result<()> {
        if !self.live || self.shown.is_some_and(|shown| shown.elapsed() < BLINK) {
            return Ok(());
        }
        self.shown = Some(Instant::now());
        let totals = watch.totals();
        let lines: u64 = totals.lines.iter().map(|(_, lines)| lines).sum();
        write!(
            out,
            "\r\x1b[2K{} open · {} in all · {lines} lines of {} sources",
            totals.open,
            totals.incidents,
            totals.lines.len()
        )?;
        out.flush()?;
        Ok(())
    }

    pub(super) fn summary(&self, totals: &Totals, out: &mut impl Write) -> Result<()> {
        match self.format {
            Format::Ndjson => writeln!(out, "{}", serde_json::json!({"event": "summary", "totals": totals}))?,
            Format::Plain => {
                if self.live {
                    write!(out, "\r\x1b[2K")?;
                }
                let Totals { lines, late, incidents, open, undecided } = totals;
                for (source, lines) in lines {
                    writeln!(out, "{source}: {lines} lines")?;
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
