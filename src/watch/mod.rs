//! Logs as they are written: what is new is read at once, the last hour or so is diagnosed again and again, and what changed in the
//! verdicts is said.

mod change;
mod ledger;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use change::{Change, Event, Stage};
pub use ledger::{Ledger, Seen};

use crate::config::Keep;
use crate::diagnosis::{Incident, Summary, micros};
use crate::follow::Followed;
use crate::source::error::SourceError;
use crate::source::{How, run_key};
use crate::{Config, Diagnosis, Reading};

/// How to watch.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How much log time is looked at, in microseconds.
    pub kept: i64,
    /// A source that says nothing for so long is said to be silent.
    pub silent_after: Duration,
    /// Say also what was over before the watch began.
    pub backlog: bool,
    /// How often files are looked at.
    pub every: Duration,
}

/// Between two diagnoses at least: sooner tells nobody more, and a verdict is to come within a second.
const REST: Duration = Duration::from_millis(300);

/// How often what is too old is let go.
const LET_GO_EVERY: Duration = Duration::from_secs(20);

/// How long ago a file was last written that has something of the log time that is looked at: a log that is replayed, or one whose
/// clock is an hour off, is no reason to miss something.
fn written_within(kept: i64) -> Duration {
    Duration::from_micros(kept.unsigned_abs()) + Duration::from_secs(3600)
}

/// A watch.
pub struct Watch {
    followed: Followed,
    reading: Reading,
    ledger: Ledger,
    options: Options,
    how: How,
    /// Something was read since the last diagnosis.
    stirred: bool,
    diagnosed: Instant,
    /// How long the last diagnosis took: no more than half of the time is spent on it.
    took: Duration,
    let_go: Instant,
    /// When each source spoke last, its lines then, and whether it is said to be silent.
    spoke: HashMap<String, (Instant, u64, bool)>,
    /// What was said of inputs: what is wrong stays so for many looks.
    said: HashSet<String>,
    /// Counts and the latest time of the last diagnosis.
    window: Option<(Summary, Option<i64>)>,
}

/// How things stand.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    /// Incidents that were told of and are not over: who lost the session first, then whose last sign is the latest.
    pub open: Vec<&'a Incident>,
    /// Sums since the watch began.
    pub totals: Totals,
    /// Sources that fell silent, and for how long they have been.
    pub silent: Vec<(&'a str, Duration)>,
    /// Counts of the log time that is looked at; nothing was read yet without.
    pub window: Option<&'a Summary>,
    /// How much log time that is, in microseconds.
    pub kept: i64,
    /// The latest time of all sources.
    pub latest: Option<i64>,
}

impl Standing<'_> {
    /// How much log time has gone by since the last sign of an incident, in microseconds.
    #[must_use]
    pub fn since_last_sign(&self, incident: &Incident) -> Option<i64> {
        Some((self.latest? - micros(&incident.end)?).max(0))
    }
}

/// What it comes to in the end.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Totals {
    /// Lines read, by source.
    pub lines: Vec<(String, u64)>,
    /// Of these, such with a time older than what was read before.
    pub late: u64,
    /// Incidents that were said.
    pub incidents: u64,
    /// Incidents that are not over.
    pub open: u64,
    /// What may be incidents, and was not sure enough to be said.
    pub undecided: u64,
}

impl Watch {
    /// Reads what is there already, and begins.
    #[must_use]
    pub fn begin(
        inputs: &[PathBuf],
        config: Config,
        ledger: Ledger,
        options: Options,
        how: How,
    ) -> (Self, Vec<SourceError>) {
        let config = Config { keep: Some(Keep::from_now(options.kept)), ..config };
        let mut reading = Reading::new(config, run_key()).watched();
        let (followed, errors) = Followed::begin(inputs, &mut reading, written_within(options.kept), how);
        let now = Instant::now();
        let mut watch = Self {
            followed,
            reading,
            ledger,
            options,
            how: How { progress: false, threads: Some(1), ..how },
            stirred: false,
            diagnosed: now,
            took: Duration::ZERO,
            let_go: now,
            spoke: HashMap::new(),
            said: errors.iter().map(ToString::to_string).collect(),
            window: None,
        };
        if watch.reading.bytes() > 0 {
            watch.reading.forget(Keep::from_now(options.kept), 0);
            let diagnosis = watch.diagnose();
            if !options.backlog {
                watch.ledger.pass_over(&diagnosis);
            }
            watch.stirred = true;
        }
        (watch, errors)
    }

    /// Whether there is nothing that could be watched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.followed.is_empty()
    }

    /// Waits a little, reads what is new, and says what changed. `None` when no more can come.
    pub fn step(&mut self) -> Option<Vec<Change>> {
        let mut changes = Vec::new();
        // What was read is diagnosed as soon as there was rest, whether more comes or not.
        let rest = REST.max(self.took).saturating_sub(self.diagnosed.elapsed());
        let patience = if self.stirred { rest.min(self.options.every) } else { self.options.every };
        let news = self.followed.poll(&mut self.reading, self.how, patience);
        self.stirred |= news.bytes > 0;
        changes.extend(news.warnings.into_iter().map(Change::Message));
        let wrong = news.errors.iter().filter(|error| error.is_loss()).map(ToString::to_string);
        changes.extend(wrong.filter(|text| self.said.insert(text.clone())).map(Change::Message));
        self.hear(&mut changes);
        let over = self.followed.is_over();
        if over {
            self.followed.finish(&mut self.reading);
        }
        if over || (self.stirred && self.diagnosed.elapsed() >= REST.max(self.took)) {
            if self.let_go.elapsed() >= LET_GO_EVERY {
                self.reading.forget(Keep::from_now(self.options.kept), 0);
                self.let_go = Instant::now();
            }
            let diagnosis = self.diagnose();
            changes.extend(self.ledger.changes(&diagnosis, self.options.kept, over));
        }
        (!over || !changes.is_empty()).then_some(changes)
    }

    fn diagnose(&mut self) -> Diagnosis {
        let begun = Instant::now();
        let (diagnosis, refresh) = crate::report::diagnose_and_keep(self.reading.clone().in_order());
        // What showed it may be let go, and the verdicts would change.
        self.reading.scope.refresh = refresh;
        self.took = begun.elapsed();
        self.diagnosed = Instant::now();
        self.stirred = false;
        self.window = Some((diagnosis.summary.clone(), ledger::latest(&diagnosis)));
        diagnosis
    }

    /// Notes who speaks and who has fallen silent.
    fn hear(&mut self, changes: &mut Vec<Change>) {
        for (source, lines, _) in self.reading.lines() {
            let (since, known, silent) = self.spoke.entry(source.to_owned()).or_insert((Instant::now(), lines, false));
            if *known != lines {
                if *silent {
                    changes.push(Change::Speaking { source: source.to_owned() });
                }
                (*since, *known, *silent) = (Instant::now(), lines, false);
            } else if !*silent && since.elapsed() >= self.options.silent_after {
                *silent = true;
                changes.push(Change::Silent { source: source.to_owned(), for_seconds: since.elapsed().as_secs() });
            }
        }
    }

    /// How things stand.
    #[must_use]
    pub fn standing(&self) -> Standing<'_> {
        let silent = self.spoke.iter().filter(|(_, (.., silent))| *silent);
        let mut silent: Vec<_> = silent.map(|(source, (since, ..))| (source.as_str(), since.elapsed())).collect();
        silent.sort_unstable();
        Standing {
            open: self.ledger.open(),
            totals: self.totals(),
            silent,
            window: self.window.as_ref().map(|(summary, _)| summary),
            kept: self.options.kept,
            latest: self.window.as_ref().and_then(|(_, latest)| *latest),
        }
    }

    /// What it came to.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let (incidents, open, undecided) = self.ledger.counts();
        Totals {
            lines: self.reading.lines().map(|(source, lines, _)| (source.to_owned(), lines)).collect(),
            late: self.reading.lines().map(|(.., late)| late).sum(),
            incidents,
            open,
            undecided,
        }
    }

    /// What was said so far, to go on from in another watch.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}
