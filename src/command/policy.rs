//! `why401 policy`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use comfy_table::{Table, presets};

use super::{Exit, span};
use crate::cause::case::span as in_words;
use crate::config::Config;
use crate::policy::{Policy, Terms, policy};
use crate::session::SECOND;
use crate::source::{How, read_inputs};

/// What `policy` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, folders, globs; `-` is standard input
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// Life of an access token: `1h`. Without any term, what practice offers is compared
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub access: Option<i64>,
    /// Life of a refresh token: `90d`
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub refresh: Option<i64>,
    /// How long before its end clients replace an access token: `8m`; 0 is only after a 401
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub lead: Option<i64>,
    /// How long a rotated refresh token is still accepted: `30s`
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub grace: Option<i64>,
    /// Sockets are opened anew after each refresh
    #[arg(long)]
    pub reconnect: bool,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

impl Args {
    /// The terms asked for; what is not said is what practice says.
    fn terms(&self) -> Option<Terms> {
        let any = [self.access, self.refresh, self.lead, self.grace].iter().any(Option::is_some) || self.reconnect;
        any.then(|| Terms {
            access: self.access.unwrap_or(3600).max(60),
            refresh: self.refresh.unwrap_or(90 * 86_400),
            lead: self.lead.unwrap_or(480),
            grace: self.grace.unwrap_or(30),
            reconnect: self.reconnect,
        })
    }
}

/// Replays and writes.
///
/// # Errors
/// What writing gives.
pub fn run(args: &Args, out: &mut impl Write) -> Result<Exit> {
    let outcome = read_inputs(&args.inputs, Config::default(), How { progress: true, ..How::default() });
    for error in &outcome.errors {
        eprintln!("why401: {error}");
    }
    if outcome.nothing_read() {
        eprintln!("why401: nothing to replay");
        return Ok(Exit::Usage);
    }
    let partial = outcome.partial();
    let policy = policy(outcome.reading, args.terms());
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &policy)?;
        writeln!(out)?;
    } else {
        write(&policy, out)?;
    }
    Ok(if partial { Exit::Partial } else { Exit::Clean })
}

fn write(policy: &Policy, out: &mut impl Write) -> Result<()> {
    let time = |seconds: i64| if seconds == 0 { "none".to_owned() } else { in_words(seconds * SECOND) };
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["access", "refresh", "lead", "leeway", "socket", "gone", "staying", "refreshes/person/day"]);
    for replay in &policy.replays {
        let terms = replay.terms;
        table.add_row([
            time(terms.access),
            time(terms.refresh),
            time(terms.lead),
            time(terms.grace),
            (if terms.reconnect { "reopened" } else { "as it is" }).to_owned(),
            replay.gone.to_string(),
            replay.staying.to_string(),
            format!("{:.1}", replay.refreshes_per_day),
        ]);
    }
    writeln!(out, "What if\n{table}")?;
    if let [replay] = &policy.replays[..] {
        writeln!(out)?;
        for fate in &replay.fates {
            writeln!(
                out,
                "  {}: {} of {} gone ({} people); {}",
                fate.what, fate.gone, fate.cases, fate.people, fate.why
            )?;
        }
    }
    writeln!(out)?;
    if policy.suggestions.is_empty() {
        writeln!(out, "Nothing to change: no drop in these logs is a matter of lifetimes.")?;
    }
    for suggestion in &policy.suggestions {
        let terms = suggestion.terms;
        writeln!(
            out,
            "Suggestion ({}): access {}, refresh {}, lead {}, leeway {}; reopen sockets after a refresh.\n  {}",
            suggestion.platform,
            time(terms.access),
            time(terms.refresh),
            time(terms.lead),
            time(terms.grace),
            suggestion.why
        )?;
    }
    Ok(())
}
