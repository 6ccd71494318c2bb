//! What a run cost, for `--stats`: bytes, lines, speed, processor time, peak memory, and how long each stage took.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// A stop-watch over the stages of a run.
#[derive(Debug)]
pub struct Stages {
    begun: Instant,
    last: Instant,
    stages: Vec<(&'static str, Duration)>,
}

impl Default for Stages {
    fn default() -> Self {
        let now = Instant::now();
        Self { begun: now, last: now, stages: Vec::new() }
    }
}

impl Stages {
    /// The stage that was under way is over.
    pub fn done(&mut self, name: &'static str) {
        let now = Instant::now();
        self.stages.push((name, now - self.last));
        self.last = now;
    }

    /// The figures, a line each.
    #[must_use]
    pub fn report(&self, bytes: u64, lines: u64) -> String {
        let total = self.begun.elapsed().as_secs_f64().max(1e-9);
        let mut out = String::new();
        #[allow(clippy::cast_precision_loss, reason = "figures for a reader")]
        let (megabytes, lines_a_second) = (bytes as f64 / 1e6, lines as f64 / total);
        let _ = writeln!(
            out,
            "stats: {megabytes:.1} MB, {lines} lines in {total:.3} s: {:.0} MB/s, {:.2} M lines/s",
            megabytes / total,
            lines_a_second / 1e6
        );
        for (name, time) in &self.stages {
            let _ = writeln!(out, "stats: {name:<9} {:>8.3} s", time.as_secs_f64());
        }
        if let Some((processor, peak)) = used() {
            let _ =
                writeln!(out, "stats: processor {processor:>8.3} s on {} cores; peak memory {:.1} MiB", cores(), peak);
        }
        out
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Processor time of this process in seconds, and the most memory it held in MiB.
#[cfg(unix)]
#[allow(clippy::cast_precision_loss, reason = "figures for a reader")]
fn used() -> Option<(f64, f64)> {
    // Linux and the BSDs count in KiB, macOS in bytes.
    const UNIT: f64 = if cfg!(target_os = "macos") { 1048576.0 } else { 1024.0 };
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).ok()?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Some((seconds(usage.user_time()) + seconds(usage.system_time()), usage.max_rss() as f64 / UNIT))
}

/// See the one for Unix.
#[cfg(not(unix))]
const fn used() -> Option<(f64, f64)> {
    None
}
