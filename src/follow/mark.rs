//! How a place in a file is known again: by how the file begins and by what stands before the place.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;

use flate2::Crc;
use serde::{Deserialize, Serialize};

use crate::source::parallel::{EDGE, push_edge};

/// A checksum of some bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Print {
    length: u16,
    sum: u32,
}

impl Print {
    fn of(bytes: &[u8]) -> Self {
        // Bytes of logs are not kept: they may hold what nobody may see.
        let mut crc = Crc::new();
        crc.update(bytes);
        Self { length: u16::try_from(bytes.len()).unwrap_or(u16::MAX), sum: crc.sum() }
    }

    fn length(self) -> usize {
        usize::from(self.length)
    }
}

/// A place in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// So many bytes of text stand before it.
    pub(super) offset: u64,
    head: Print,
    tail: Print,
}

/// The bytes that a [`Mark`] is made of: those at the beginning, and those before the place.
#[derive(Clone, Debug, Default)]
pub(super) struct Edges {
    pub(super) head: Vec<u8>,
    pub(super) tail: Vec<u8>,
}

impl Edges {
    /// What is around a place in a file; `None` if the file is shorter.
    fn around(file: &File, offset: u64) -> io::Result<Option<Self>> {
        if file.metadata()?.len() < offset {
            return Ok(None);
        }
        let length = EDGE.min(usize::try_from(offset).unwrap_or(EDGE));
        let mut edges = Self { head: vec![0; length], tail: vec![0; length] };
        let read = file
            .read_exact_at(&mut edges.head, 0)
            .and_then(|()| file.read_exact_at(&mut edges.tail, offset - length as u64));
        match read {
            Ok(()) => Ok(Some(edges)),
            // Truncated while we looked.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The place `offset` bytes into the text.
    pub(super) fn mark(&self, offset: u64) -> Mark {
        Mark { offset, head: Print::of(&self.head), tail: Print::of(&self.tail) }
    }
}

impl Mark {
    /// The place so many bytes into a file that is its text as it stands, if it has so many.
    pub(super) fn at(file: &File, offset: u64) -> io::Result<Option<Self>> {
        Ok(Edges::around(file, offset)?.map(|edges| edges.mark(offset)))
    }

    /// Looks for the place in a file that is its text as it stands; gives what is around it if it is there.
    pub(super) fn find_in(&self, file: &File) -> io::Result<Option<Edges>> {
        Ok(Edges::around(file, self.offset)?.filter(|edges| self.fits(edges)))
    }

    /// Looks for the place in a text that can only be read from its beginning, and stands there if it is found.
    pub(super) fn find_by_reading(&self, text: &mut dyn Read) -> io::Result<Option<Edges>> {
        let mut edges = Edges::default();
        let mut left = self.offset;
        let mut buffer = vec![0; 64 * 1024];
        while left > 0 {
            let wanted = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let count = text.read(&mut buffer[..wanted])?;
            if count == 0 {
                return Ok(None);
            }
            let room = EDGE - edges.head.len();
            edges.head.extend_from_slice(&buffer[..count.min(room)]);
            push_edge(&mut edges.tail, &buffer[..count]);
            left -= count as u64;
            if edges.head.len() >= self.head.length() && Print::of(&edges.head[..self.head.length()]) != self.head {
                return Ok(None);
            }
        }
        Ok(self.fits(&edges).then_some(edges))
    }

    fn fits(&self, edges: &Edges) -> bool {
        let (head, tail) = (self.head.length(), self.tail.length());
        edges.head.len() >= head
            && edges.tail.len() >= tail
            && Print::of(&edges.head[..head]) == self.head
            && Print::of(&edges.tail[edges.tail.len() - tail..]) == self.tail
    }
}
