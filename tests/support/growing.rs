//! A log that grows, rotates and is compressed, as a server and logrotate make it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Random numbers that come again with the seed (xorshift).
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most as u64).unwrap()
    }
}

/// The log, and what is still to be written to it.
#[derive(Debug)]
pub(crate) struct Growing {
    pub(crate) log: PathBuf,
    text: Vec<u8>,
    written: usize,
    dice: Dice,
}

impl Growing {
    pub(crate) fn new(log: &Path, text: Vec<u8>, seed: u64) -> Self {
        Self { log: log.to_owned(), text, written: 0, dice: Dice::new(seed) }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.written == self.text.len()
    }

    /// Appends some bytes; mostly the last line is cut somewhere.
    pub(crate) fn grow(&mut self, most: usize) {
        let count = self.dice.below(most).min(self.text.len() - self.written);
        self.append(count);
    }

    /// Appends the rest.
    pub(crate) fn finish(&mut self) {
        self.append(self.text.len() - self.written);
    }

    fn append(&mut self, count: usize) {
        let mut file = File::options().append(true).create(true).open(&self.log).unwrap();
        file.write_all(&self.text[self.written..self.written + count]).unwrap();
        self.written += count;
    }

    /// One rotation, of a random kind. The line that is being written is finished first: a writer knows nothing of rotation, and
    /// one whose line is cut by it writes the rest to the new file, which nobody can mend.
    pub(crate) fn rotate(&mut self) {
        let rest = memchr_line(&self.text[self.written..]);
        self.append(rest);
        let kept: Vec<PathBuf> = self.rotations();
        for (number, path) in kept.iter().enumerate().rev() {
            let ending = path.extension().filter(|ending| *ending == "gz" || *ending == "zst");
            let ending = ending.map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
            fs::rename(path, self.numbered(number + 2, &ending)).unwrap();
        }
        match self.dice.below(4) {
            // `create`: renamed, a new file in its place; or it comes with the next line.
            0 => {
                fs::rename(&self.log, self.numbered(1, "")).unwrap();
                File::create(&self.log).unwrap();
            }
            1 => fs::rename(&self.log, self.numbered(1, "")).unwrap(),
            // `copytruncate`
            2 => {
                fs::copy(&self.log, self.numbered(1, "")).unwrap();
                File::create(&self.log).unwrap();
            }
            // `compress` without `delaycompress`
            _ => {
                let text = fs::read(&self.log).unwrap();
                fs::remove_file(&self.log).unwrap();
                self.compress(1, &text);
            }
        }
        // `delaycompress`
        let older = self.numbered(2, "");
        if self.dice.below(2) == 0 && older.exists() {
            let text = fs::read(&older).unwrap();
            self.compress(2, &text);
            fs::remove_file(older).unwrap();
        }
    }

    fn compress(&mut self, number: usize, text: &[u8]) {
        if self.dice.below(2) == 0 {
            let file = File::create(self.numbered(number, ".gz")).unwrap();
            let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap();
        } else {
            fs::write(self.numbered(number, ".zst"), zstd::encode_all(text, 1).unwrap()).unwrap();
        }
    }

    /// Rotated files, the newest first.
    fn rotations(&self) -> Vec<PathBuf> {
        let found = |number| ["", ".gz", ".zst"].iter().map(move |ending| (number, *ending));
        (1..)
            .map(|number| {
                found(number).map(|(number, ending)| self.numbered(number, ending)).find(|path| path.exists())
            })
            .take_while(Option::is_some)
            .flatten()
            .collect()
    }

    fn numbered(&self, number: usize, ending: &str) -> PathBuf {
        let name = self.log.file_name().unwrap().to_string_lossy();
        self.log.with_file_name(format!("{name}.{number}{ending}"))
    }
}

fn memchr_line(text: &[u8]) -> usize {
    text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| end + 1)
}
