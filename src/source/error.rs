//! What can be wrong with an input, in words for someone at 3 a.m.: which file, what, what to do.

use std::io;

/// Something about an input that its user should know.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no such file.
    #[error("{name}: no such file or folder; check the path")]
    Missing {
        /// As given.
        name: String,
    },
    /// Nothing matches a pattern.
    #[error("{name}: no file matches this pattern")]
    NoMatch {
        /// As given.
        name: String,
    },
    /// A pattern that is none.
    #[error("{name}: not a valid pattern ({why})")]
    Pattern {
        /// As given.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A folder without logs.
    #[error(
        "{name}: no log in this folder (read are *.log, *.txt, *.out, *.jsonl, *.ndjson, their rotated and .gz/.zst forms); name other files one by one"
    )]
    NoLogs {
        /// As given.
        name: String,
    },
    /// It may not be read.
    #[error("{name}: permission denied; run as a user who may read it, or copy it to where you may")]
    Permission {
        /// As given.
        name: String,
    },
    /// It could not be opened or read (to its end).
    #[error("{name}: cannot be read{at}: {cause}; what came before was diagnosed", at = after(.bytes))]
    Broken {
        /// As given.
        name: String,
        /// How far reading got.
        bytes: u64,
        /// What the system said.
        cause: io::Error,
    },
    /// Compressed data that ends too early or is damaged.
    #[error(
        "{name}: the {format} data is cut off or damaged after {bytes} bytes of text; what came before was diagnosed, fetch the file again for the rest"
    )]
    Damaged {
        /// As given.
        name: String,
        /// `gzip` or `zstd`.
        format: &'static str,
        /// How much text could be read.
        bytes: u64,
    },
    /// A format that is not read.
    #[error("{name}: this is {what}, not a log; {hint}")]
    Foreign {
        /// As given.
        name: String,
        /// What it is.
        what: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// No text.
    #[error("{name}: this is binary data, not a log; skipped")]
    Binary {
        /// As given.
        name: String,
    },
    /// Nothing in it.
    #[error("{name}: empty; was the right file or time span chosen?")]
    Empty {
        /// As given.
        name: String,
    },
}

fn after(bytes: &u64) -> String {
    if *bytes == 0 { String::new() } else { format!(" after {bytes} bytes") }
}

impl SourceError {
    /// Whether something was lost by it. An empty file is worth a word, and nothing is missing.
    #[must_use]
    pub const fn is_loss(&self) -> bool {
        !matches!(self, Self::Empty { .. })
    }

    /// From what the system said of a file.
    pub(crate) fn of(name: &str, bytes: u64, cause: io::Error) -> Self {
        let name = name.to_owned();
        match cause.kind() {
            io::ErrorKind::NotFound => Self::Missing { name },
            io::ErrorKind::PermissionDenied => Self::Permission { name },
            _ => Self::Broken { name, bytes, cause },
        }
    }
}
