//! Zstandard's frames, one after the other as one text: `zstd --long`, `cat a.zst b.zst` and parallel compressors write several
//! (RFC 8878, section 3).

use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// `zstd --ultra --long=31` asks for a window of 2 GiB, `--long` for 128 MiB, which is what the `zstd` program takes unless told otherwise.
const LARGEST_WINDOW: u64 = 1 << 27;

/// Reads the text of all frames.
pub(super) struct Frames<R> {
    raw: R,
    decoder: FrameDecoder,
    /// Within a frame.
    open: bool,
}

impl<R: BufRead> Frames<R> {
    /// Of what begins with a frame.
    pub(super) fn new(raw: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(LARGEST_WINDOW);
        Self { raw, decoder, open: false }
    }

    /// Begins the next frame; false at the end.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.raw.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.raw) {
                Ok(()) => return Ok(true),
                // Others' notes between frames.
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut (&mut self.raw).take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }

    /// The frame is read; what it says of its text has to be true.
    fn end(&mut self) -> io::Result<()> {
        self.open = false;
        let (stated, found) = (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum());
        match stated {
            Some(stated) if found != Some(stated) => Err(io::Error::other("the checksum of a frame does not fit")),
            _ => Ok(()),
        }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.open {
                let count = self.decoder.read(to)?;
                if count > 0 || to.is_empty() {
                    return Ok(count);
                }
                if self.decoder.is_finished() {
                    self.end()?;
                } else {
                    let some = BlockDecodingStrategy::UptoBytes(to.len());
                    self.decoder.decode_blocks(&mut self.raw, some).map_err(io::Error::other)?;
                }
            } else if self.begin()? {
                self.open = true;
            } else {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        Frames::new(bytes).read_to_string(&mut text).map(|_| text)
    }

    fn frame(text: &str) -> Vec<u8> {
        let mut frame = zstd::Encoder::new(Vec::new(), 3).unwrap();
        frame.include_checksum(true).unwrap();
        io::Write::write_all(&mut frame, text.as_bytes()).unwrap();
        frame.finish().unwrap()
    }

    #[test]
    fn frames_follow_each_other_with_notes_between() {
        let long = "a line of a log\n".repeat(100_000);
        let note = [&[0x52, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"any"].concat();
        let whole = [frame("one\n"), note.clone(), frame(""), frame(&long), note].concat();
        assert_eq!(read(&whole).unwrap(), format!("one\n{long}"));
    }

    #[test]
    fn what_is_cut_or_changed_is_no_text() {
        let whole = frame(&(0..5000).map(|n| format!("line {n}\n")).collect::<String>());
        assert!(read(&whole).is_ok());
        for cut in [5, whole.len() / 2, whole.len() - 5, whole.len() - 1] {
            assert!(read(&whole[..cut]).is_err(), "cut at {cut} of {}", whole.len());
        }
        for place in [whole.len() / 3, whole.len() / 2, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[place] ^= 0x10;
            assert!(read(&changed).is_err(), "changed at {place} of {}", whole.len());
        }
        assert!(read(&[whole, b"no frame".to_vec()].concat()).is_err());
    }
}
