//! What is kept between runs: everything that was read so far, and how far each stream was read, in one file that is replaced as a
//! whole. So a run that is killed, wherever, has not happened.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use flate2::Crc;
use serde::{Deserialize, Serialize};
use why401_parsers::dialect::DIALECTS;
use why401_parsers::envelope::ENVELOPES;

use crate::Reading;
use crate::atomic::{Readers, WriteError, replace};
use crate::follow::Bookmark;

/// What is kept.
#[derive(Debug, Serialize, Deserialize)]
pub struct State {
    /// What was read.
    pub reading: Reading,
    /// How far, by the streams' names.
    pub bookmarks: BTreeMap<String, Bookmark>,
}

/// How the file begins.
const MAGIC: &[u8; 8] = b"why401\0s";

/// The version of the format. To be raised with every change of what is written; older files are then built anew.
const VERSION: u32 = 7;

/// Magic, version, catalogue, length and checksum of what follows.
const HEAD: usize = 8 + 4 + 4 + 8 + 4;

/// Why a state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// Nothing in it.
    #[error("it is empty")]
    Empty,
    /// Not one of ours.
    #[error("it is no state of why401")]
    Foreign,
    /// Of another version.
    #[error("it was written by {} version of why401 (format {of}, this one reads {VERSION})", if *.of < VERSION { "an older" } else { "a newer" })]
    Version {
        /// The format's version.
        of: u32,
    },
    /// Written by a program that knows other formats of logs: its counts by format mean something else.
    #[error("it was written by a why401 that reads other formats")]
    Catalogue,
    /// Shorter than it says.
    #[error("it is cut off ({0} of {1} bytes)")]
    Truncated(u64, u64),
    /// Longer than it says, or changed.
    #[error("it is damaged (its checksum does not fit)")]
    Damaged,
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
}

impl State {
    /// Reads a state; `None` if there is none yet.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn load(path: &Path) -> Result<Option<Self>, Unusable> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Self::from_bytes(&bytes).map(Some)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Unusable> {
        if bytes.is_empty() {
            return Err(Unusable::Empty);
        }
        if !bytes.starts_with(&MAGIC[..bytes.len().min(MAGIC.len())]) {
            return Err(Unusable::Foreign);
        }
        let Some((head, body)) = bytes.split_at_checked(HEAD) else {
            return Err(Unusable::Truncated(bytes.len() as u64, HEAD as u64));
        };
        let number = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        if number(8) != VERSION {
            return Err(Unusable::Version { of: number(8) });
        }
        if number(12) != catalogue() {
            return Err(Unusable::Catalogue);
        }
        let length = u64::from(number(16)) | u64::from(number(20)) << 32;
        if (body.len() as u64) < length {
            return Err(Unusable::Truncated(bytes.len() as u64, length + HEAD as u64));
        }
        if body.len() as u64 > length || number(24) != checksum(body) {
            return Err(Unusable::Damaged);
        }
        postcard::from_bytes(body).map_err(|_| Unusable::Damaged)
    }

    /// As it is written.
    ///
    /// # Errors
    /// None that is known: what is kept can be written down.
    pub fn to_bytes(&self) -> Result<Vec<u8>, postcard::Error> {
        let body = postcard::to_stdvec(self)?;
        let mut bytes = Vec::with_capacity(HEAD + body.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&catalogue().to_le_bytes());
        bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&checksum(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }
}

/// Writes a state, for its owner only: the key of its fingerprints tells whether somebody's token was in the log.
///
/// # Errors
/// What stands in the way; the old state is untouched.
pub fn save(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    replace(path, bytes, Readers::Owner)
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Stands for the formats that this program reads, by place.
fn catalogue() -> u32 {
    let names = ENVELOPES.iter().map(|envelope| envelope.name()).chain(DIALECTS.iter().map(|dialect| dialect.name()));
    let mut crc = Crc::new();
    for name in names {
        crc.update(name.as_bytes());
        crc.update(b"\n");
    }
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    fn state() -> State {
        let mut reading = Reading::new(Config::default(), [7; 16]);
        reading.read_bytes("production.log", include_bytes!("../samples/healthy/server.log"));
        State { reading, bookmarks: BTreeMap::from([("production.log".into(), Bookmark::default())]) }
    }

    #[test]
    fn what_was_written_gives_the_same_diagnosis() {
        let state = state();
        let bytes = state.to_bytes().unwrap();
        let again = State::from_bytes(&bytes).unwrap();
        assert_eq!(again.bookmarks.len(), 1);
        let json = |reading| serde_json::to_string(&crate::diagnose(reading)).unwrap();
        assert_eq!(json(again.reading), json(state.reading));
    }

    #[test]
    fn whatever_is_wrong_with_a_state_is_said() {
        let bytes = state().to_bytes().unwrap();
        let why = |bytes: &[u8]| State::from_bytes(bytes).unwrap_err().to_string();
        assert_eq!(why(b""), "it is empty");
        assert_eq!(why(b"{\"offset\": 12}"), "it is no state of why401");
        for cut in [1, 8, 20, HEAD, HEAD + 1, bytes.len() / 2, bytes.len() - 1] {
            assert!(why(&bytes[..cut]).starts_with("it is cut off"), "{cut}: {}", why(&bytes[..cut]));
        }
        let changed = |at: usize, to: u8| {
            let mut bytes = bytes.clone();
            bytes[at] = to;
            bytes
        };
        assert!(why(&changed(8, 0)).contains("an older version"));
        assert!(why(&changed(8, 9)).contains("a newer version"));
        assert!(why(&changed(12, !bytes[12])).contains("other formats"));
        for at in [HEAD, bytes.len() / 3, bytes.len() - 1] {
            assert!(why(&changed(at, !bytes[at])).starts_with("it is damaged"));
        }
        assert!(why(&[bytes.as_slice(), b"x"].concat()).starts_with("it is damaged"));
    }
}
