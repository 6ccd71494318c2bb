//! A progress bar on standard error: only when somebody watches, and only when there is something to wait for.

use std::cell::RefCell;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Shorter waits (most runs) show nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far reading is.
pub(crate) struct Progress {
    wanted: bool,
    total: u64,
    begun: Instant,
    bar: RefCell<Option<ProgressBar>>,
}

impl Progress {
    /// `total`: the bytes of all files, 0 if unknown (a pipe).
    pub(crate) fn new(wanted: bool, total: u64) -> Self {
        let wanted = wanted && std::io::stderr().is_terminal();
        Self { wanted, total, begun: Instant::now(), bar: RefCell::new(None) }
    }

    /// So many bytes were read.
    pub(crate) fn at(&self, bytes: u64) {
        if !self.wanted || self.begun.elapsed() < PATIENCE {
            return;
        }
        let mut bar = self.bar.borrow_mut();
        let bar = bar.get_or_insert_with(|| {
            let (bar, template) = if self.total > 0 {
                (ProgressBar::new(self.total), "reading {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}")
            } else {
                (ProgressBar::new_spinner(), "reading {spinner} {bytes} {binary_bytes_per_sec}")
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        bar.set_position(bytes);
    }

    /// All is read: leaves no trace on the screen.
    pub(crate) fn finish(&self) {
        if let Some(bar) = self.bar.borrow_mut().take() {
            bar.finish_and_clear();
        }
    }
}
