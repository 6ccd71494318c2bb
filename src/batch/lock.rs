//! One run at a time: a lock that the system lets go of with the process, and that says who holds it.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use chrono::{SecondsFormat, Utc};

/// The lock, held as long as this lives.
#[derive(Debug)]
pub struct Held(#[allow(dead_code, reason = "open is locked")] File);

/// Why the lock could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody has it.
    #[error("another run is at work: {holder} (lock {}); this one leaves it to that one", .path.display())]
    Held {
        /// The lock.
        path: PathBuf,
        /// Who, in words.
        holder: String,
    },
    /// There is no lock to be had.
    #[error("cannot lock {}: {cause}", .path.display())]
    Broken {
        /// The lock.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

impl Held {
    /// Takes the lock of a folder, or says at once who has it.
    ///
    /// # Errors
    /// Somebody has it, or the folder cannot be written to.
    pub fn take(folder: &Path) -> Result<Self, LockError> {
        let path = folder.join("lock");
        let broken = |cause| LockError::Broken { path: path.clone(), cause };
        // The file stays: were it removed, two could hold locks on two files of its name.
        let mut options = File::options();
        let mut file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(broken)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                let holder = if holder.is_empty() { "it does not say who it is" } else { holder };
                return Err(LockError::Held { path, holder: holder.to_owned() });
            }
            Err(TryLockError::Error(cause)) => return Err(broken(cause)),
        }
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        let holder = format!("process {} on {}, since {now}\n", std::process::id(), host());
        let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes()));
        // On a full disk the lock holds all the same; only its holder's name is missing.
        let _ = written;
        Ok(Self(file))
    }
}

fn host() -> String {
    nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_else(|| "this machine".into())
}
