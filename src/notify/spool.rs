//! Messages on the disk, one a file, from before they are sent until they are taken.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Message;
use crate::atomic::{Readers, WriteError, replace};

/// A folder of messages.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: PathBuf,
}

impl Spool {
    /// Opens a spool, and gives what an earlier watch left in it, the oldest first.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn open(folder: &Path) -> Result<(Self, Vec<Message>), WriteError> {
        let broken = |cause| WriteError { path: folder.to_owned(), cause };
        fs::create_dir_all(folder.join("refused")).map_err(broken)?;
        let mut left: Vec<Message> = fs::read_dir(folder)
            .map_err(broken)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
            // Whole or not there: a file that cannot be read is none of ours.
            .filter_map(|path| serde_json::from_slice(&fs::read(path).ok()?).ok())
            .collect();
        left.sort_by_key(|message: &Message| message.number);
        Ok((Self { folder: folder.to_owned() }, left))
    }

    pub(super) fn keep(&self, message: &Message) -> Result<(), WriteError> {
        let path = self.path(message);
        let bytes = serde_json::to_vec(message)
            .map_err(|error| WriteError { path: path.clone(), cause: io::Error::other(error) })?;
        replace(&path, &bytes, Readers::Owner)
    }

    pub(super) fn taken(&self, message: &Message) {
        // One that stays is sent again by the next watch, and known there by its id.
        let _ = fs::remove_file(self.path(message));
    }

    /// Puts a message aside that the receiver will never take.
    pub(super) fn refused(&self, message: &Message) {
        let path = self.path(message);
        let _ = fs::rename(&path, self.folder.join("refused").join(path.file_name().unwrap_or_default()));
    }

    fn path(&self, message: &Message) -> PathBuf {
        self.folder.join(format!("{:012}.json", message.number))
    }
}
