//! From a source to a stream of text: compression by magic bytes, UTF-16 by its byte order mark, no binary data.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::bufread::MultiGzDecoder;

use super::error::SourceError;
use super::expand::Source;
use super::frames::Frames;

/// A source that is open.
pub(crate) struct Opened {
    /// Its text.
    pub(crate) text: Box<dyn Read + Send>,
    /// What it is compressed with.
    pub(crate) compressed: Option<&'static str>,
}

/// How much is looked at to tell text from binary data.
const SNIFF: usize = 64 * 1024;

/// Formats that a log may come in by mistake: magic bytes, what it is, what to do.
const FOREIGN: &[(&[u8], &str, &str)] = &[
    (b"PK\x03\x04", "a zip archive", "unpack it first: unzip -p FILE | why401"),
    (b"\xfd7zXZ\0", "xz data", "unpack it first: xz -dc FILE | why401"),
    (b"BZh", "bzip2 data", "unpack it first: bzip2 -dc FILE | why401"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first: 7z x -so FILE | why401"),
    (b"\x04\x22\x4d\x18", "lz4 data", "unpack it first: lz4 -dc FILE | why401"),
    (b"%PDF-", "a PDF", "export the log as text"),
];

/// Opens a source. `counted` is told how many bytes of it were taken from the disk.
pub(super) fn open(source: &Source, counted: &Arc<AtomicU64>) -> Result<Opened, SourceError> {
    match &source.path {
        None => {
            widen();
            text_of(&source.name, io::stdin(), counted)
        }
        Some(path) => {
            let file = File::open(path).map_err(|cause| SourceError::of(&source.name, 0, cause))?;
            text_of(&source.name, file, counted)
        }
    }
}

/// A pipe holds 64 KiB unless it is told to hold more. With room for a chunk, who writes it waits less often.
#[cfg(target_os = "linux")]
fn widen() {
    use nix::fcntl::{FcntlArg, fcntl};
    /// What Linux gives to anybody (`/proc/sys/fs/pipe-max-size`).
    const ROOM: i32 = 1 << 20;
    // What is no pipe, or may not grow, is read as it is.
    let _ = fcntl(io::stdin(), FcntlArg::F_SETPIPE_SZ(ROOM));
}

/// See the one for Linux.
#[cfg(not(target_os = "linux"))]
const fn widen() {}

/// The text in what a file or a pipe gives.
pub(crate) fn text_of(
    name: &str,
    raw: impl Read + Send + 'static,
    counted: &Arc<AtomicU64>,
) -> Result<Opened, SourceError> {
    let broken = |cause: io::Error| SourceError::of(name, 0, cause);
    let mut raw = BufReader::with_capacity(SNIFF, Counted { inner: raw, counted: Arc::clone(counted) });
    let (head, ended) = fill(&mut raw).map_err(broken)?;
    if head.is_empty() && ended {
        return Err(SourceError::Empty { name: name.to_owned() });
    }
    if head.starts_with(GZIP) {
        return checked(name, MultiGzDecoder::new(raw), Some("gzip"));
    }
    if head.starts_with(ZSTD) {
        return checked(name, Frames::new(raw), Some("zstd"));
    }
    checked(name, raw, None)
}

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Byte order marks of UTF-16.
const WIDE: [&[u8]; 2] = [&[0xff, 0xfe], &[0xfe, 0xff]];

/// Whether a file that begins so is not its text as it stands: compressed, or in UTF-16.
pub(crate) fn is_coded(head: &[u8]) -> bool {
    head.starts_with(GZIP) || head.starts_with(ZSTD) || WIDE.iter().any(|mark| head.starts_with(mark))
}

/// Looks at the beginning of the text and puts it back.
fn checked(
    name: &str,
    mut text: impl Read + Send + 'static,
    compressed: Option<&'static str>,
) -> Result<Opened, SourceError> {
    let mut head = Vec::new();
    let failed = (&mut text).take(SNIFF as u64).read_to_end(&mut head).err();
    if let Some((_, what, hint)) = FOREIGN.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Err(SourceError::Foreign { name: name.to_owned(), what, hint });
    }
    if head.get(257..262) == Some(b"ustar") {
        let hint = "unpack it first: tar -xOf FILE | why401";
        return Err(SourceError::Foreign { name: name.to_owned(), what: "a tar archive", hint });
    }
    let wide = WIDE.iter().any(|mark| head.starts_with(mark));
    if !wide && is_binary(&head) {
        return Err(SourceError::Binary { name: name.to_owned() });
    }
    // An error met here comes again when reading on, after what was read before it.
    let rest: Box<dyn Read + Send> = match failed {
        Some(error) => Box::new(Failed(Some(error))),
        None => Box::new(text),
    };
    let text = io::Cursor::new(head).chain(rest);
    // PowerShell redirects in UTF-16. (Bytes of any other kind go through as they are.)
    let text: Box<dyn Read + Send> = if wide {
        Box::new(DecodeReaderBytesBuilder::new().utf8_passthru(true).strip_bom(true).build(text))
    } else {
        Box::new(text)
    };
    Ok(Opened { text, compressed })
}

/// Whether bytes are no text. NULs alone do not make them so: a log that is truncated while it is written begins with many.
fn is_binary(head: &[u8]) -> bool {
    let odd = head.iter().filter(|b| matches!(b, 1..=8 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f)).count();
    let text = head.iter().filter(|b| **b != 0).count();
    text == 0 && !head.is_empty() || odd * 20 > text
}

/// Waits until the buffer holds enough to see magic bytes, or the end.
fn fill(raw: &mut BufReader<impl Read>) -> io::Result<(Vec<u8>, bool)> {
    let head = raw.fill_buf()?;
    Ok((head[..head.len().min(8)].to_vec(), head.is_empty()))
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    counted: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.counted.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Gives an error once, then the end.
pub(super) struct Failed(pub(super) Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
