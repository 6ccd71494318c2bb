//! The kernel's word that something was written, where it gives one (inotify, FSEvents, kqueue). It only makes a look come sooner:
//! looking goes on by the clock, so a network's file system, a limit that is reached (`fs.inotify.max_user_watches`) or a folder that
//! was replaced costs some milliseconds and no line.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crossbeam_channel::{Receiver, bounded, never};
use file_events::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _, recommended_watcher};

/// Hints for some folders.
pub(super) struct Wake {
    watcher: Option<RecommendedWatcher>,
    folders: HashSet<PathBuf>,
    hints: Receiver<()>,
}

impl Wake {
    pub(super) fn new() -> Self {
        let (sender, hints) = bounded(1);
        let watcher = recommended_watcher(move |event: file_events::Result<file_events::Event>| {
            // Reading is an event as well: our own looks must not wake us.
            if event.is_ok_and(|event| !matches!(event.kind, EventKind::Access(_))) {
                // One hint that waits says as much as many.
                let _ = sender.try_send(());
            }
        });
        match watcher {
            Ok(watcher) => Self { watcher: Some(watcher), folders: HashSet::new(), hints },
            Err(_) => Self { watcher: None, folders: HashSet::new(), hints: never() },
        }
    }

    /// Hints for what is written in a folder from now on, if they are to be had.
    pub(super) fn add(&mut self, folder: &Path) {
        let Some(watcher) = &mut self.watcher else { return };
        if !self.folders.contains(folder) && watcher.watch(folder, RecursiveMode::NonRecursive).is_ok() {
            self.folders.insert(folder.to_owned());
        }
    }

    /// Where hints come from; nothing ever comes once they have ended.
    pub(super) const fn hints(&self) -> &Receiver<()> {
        &self.hints
    }

    /// There will be no more hints.
    pub(super) fn end(&mut self) {
        self.hints = never();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    #[test]
    fn writing_wakes_and_reading_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("production.log");
        fs::write(&log, "one\n").unwrap();
        let mut wake = Wake::new();
        wake.add(folder.path());
        wake.add(&folder.path().join("not there"));
        if wake.folders.is_empty() {
            eprintln!("skipped: this system gives no hints here");
            return;
        }
        let hint = |patience| wake.hints().recv_timeout(Duration::from_millis(patience)).is_ok();
        fs::read(&log).unwrap();
        assert!(!hint(300), "reading");
        fs::write(&log, "two\n").unwrap();
        assert!(hint(5000), "writing");
    }
}
