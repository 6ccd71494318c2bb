//! What is to be read of a stream: files, or the rest of files, in their order.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;

use serde::{Deserialize, Serialize};
use why401_parsers::writer::Manner;

use super::mark::{Edges, Mark};
use crate::source::error::SourceError;
use crate::source::open::{Opened, text_of};
use crate::source::parallel::{EDGE, Part, PartRead, push_edge};

/// A place in a file.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) id: Identity,
    pub(super) mark: Mark,
}

/// What tells one file from another, and whether it changed. Inodes are used again (at once on ext4) and copying keeps none, so
/// where it matters the text decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) size: u64,
    /// Seconds and nanoseconds since 1970.
    pub(super) modified: (i64, i64),
}

impl Identity {
    pub(super) fn of(about: &Metadata) -> Self {
        let modified = (about.mtime(), about.mtime_nsec());
        Self { device: about.dev(), inode: about.ino(), size: about.len(), modified }
    }
}

/// What is to be read of a stream now.
pub(crate) struct Plan {
    /// In this order.
    pub(crate) steps: Vec<Step>,
    /// What its user should know.
    pub(crate) warnings: Vec<String>,
    /// The year in which the stream was last written.
    pub(crate) year: Option<i32>,
    /// Files that are read already.
    pub(super) done: Vec<Place>,
    /// The file read last is as it was; so many steps are of older files.
    pub(super) still: Option<(usize, Place)>,
}

/// A file, or the rest of one, to be read.
pub(crate) struct Step {
    pub(super) name: String,
    pub(super) file: File,
    pub(super) id: Identity,
    pub(super) coded: bool,
    pub(super) from: u64,
    /// What stands around `from`.
    pub(super) edges: Edges,
    /// The stream goes on in a newer file, so that a last line without its end will not get one.
    pub(super) closed: bool,
}

impl Plan {
    /// So much is to be read, on the disk.
    pub(crate) fn size(&self) -> u64 {
        self.steps.iter().map(Step::size).sum()
    }

    /// Whether there is something to take note of, though nothing may be read: a file was renamed or compressed.
    pub(crate) fn has_changed(&self) -> bool {
        !self.steps.is_empty() || self.still.is_none()
    }

    /// Whether the files still hold what stood before the places where reading began, and all that was to be read.
    pub(crate) fn is_sound(&self) -> bool {
        self.steps.iter().filter(|step| !step.coded).all(|step| {
            let whole = step.file.metadata().is_ok_and(|about| about.len() >= step.id.size);
            whole && (step.from == 0 || matches!(step.edges.mark(step.from).find_in(&step.file), Ok(Some(_))))
        })
    }
}

impl Step {
    /// So much of it is still to be read, on the disk.
    pub(crate) fn size(&self) -> u64 {
        self.id.size.saturating_sub(if self.coded { 0 } else { self.from })
    }

    /// What is read is what was there when the files were looked at: what comes later may be of a newer file's time.
    pub(super) fn part(&self, manner: Option<Manner>) -> io::Result<Part> {
        let (name, from, coded, size) = (self.name.clone(), self.from, self.coded, self.id.size);
        let mut file = self.file.try_clone()?;
        let manner = manner.filter(|_| from > 0);
        let open_end = !self.closed && !coded;
        Ok(Part {
            name: name.clone(),
            manner,
            open_end,
            open: Box::new(move |counted| {
                let broken = |cause| SourceError::of(&name, 0, cause);
                file.seek(SeekFrom::Start(if coded { 0 } else { from })).map_err(broken)?;
                if coded {
                    let mut opened = text_of(&name, file, counted)?;
                    io::copy(&mut opened.text.as_mut().take(from), &mut io::sink()).map_err(broken)?;
                    return Ok(opened);
                }
                let rest = file.take(size.saturating_sub(from));
                if from == 0 {
                    text_of(&name, rest, counted)
                } else {
                    Ok(Opened { text: Box::new(rest), compressed: None })
                }
            }),
        })
    }

    /// Where reading ended.
    pub(super) fn after(&self, read: PartRead) -> Place {
        let Edges { mut head, mut tail } = self.edges.clone();
        if head.len() as u64 == self.from {
            head.extend_from_slice(&read.head);
            head.truncate(EDGE);
        }
        if read.tail.len() as u64 == read.taken {
            push_edge(&mut tail, &read.tail);
        } else {
            tail = read.tail;
        }
        Place { id: self.id, mark: Edges { head, tail }.mark(self.from + read.taken) }
    }
}
