//! Files that are there whole or not at all: written beside their place, brought to the disk, and renamed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Something could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {}; what was there before is untouched", .path.display(), in_words(.cause))]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub cause: io::Error,
}

fn in_words(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::StorageFull => "the disk is full; make room and run again".into(),
        io::ErrorKind::QuotaExceeded => "the disk quota is used up; make room and run again".into(),
        _ => cause.to_string(),
    }
}

/// Who may read what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// As the user's mask says.
    Usual,
    /// Its owner.
    Owner,
}

/// Puts a file in its place. Whoever reads it meanwhile sees the old one or the new one, also after a loss of power as far as
/// the file system keeps what `fsync` promises.
///
/// # Errors
/// What the system says; the old file is as it was.
pub(crate) fn replace(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), WriteError> {
    let beside = beside(path);
    let written =
        write(&beside, bytes, readers).and_then(|()| fs::rename(&beside, path)).and_then(|()| sync_folder(path));
    written.map_err(|cause| {
        // The first error is the one to tell.
        let _ = fs::remove_file(&beside);
        WriteError { path: path.to_owned(), cause }
    })
}

/// Removes what a run that was killed left beside a file. Whoever calls it holds the lock.
pub(crate) fn sweep(path: &Path) {
    let _ = fs::remove_file(beside(path));
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.why401-tmp"))
}

fn write(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Another's file of that name keeps its mode.
        let _ = fs::remove_file(path);
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The new name is on the disk only when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
