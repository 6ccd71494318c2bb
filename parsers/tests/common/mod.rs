//! The corpus: `corpus/<envelope or dialect>/<case>.log`, example lines of everything that is read.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::path::{Path, PathBuf};

use bumpalo::Bump;
use why401_parsers::assemble::{Assembled, Assembler, Known};
use why401_parsers::detect::{Balance, Parser};
use why401_parsers::event::Names;
use why401_parsers::line::Framing;
use why401_parsers::secret::FingerprintKey;
use why401_parsers::writer::Manner;

/// Fingerprints in snapshots must be the same in every run.
pub(crate) const KEY: FingerprintKey = FingerprintKey::new(*b"the corpus's key");

/// The one token that corpus lines show in clear.
pub(crate) const SECRET: &str = "s3cr3tTOKENabcdef0123456789";

/// One file of the corpus.
pub(crate) struct Case {
    /// The envelope or dialect that it is about: its folder.
    pub(crate) about: String,
    /// Its name.
    pub(crate) name: String,
    /// Where its snapshot lies: beside it.
    pub(crate) folder: PathBuf,
    /// Its lines.
    pub(crate) bytes: Vec<u8>,
}

/// All cases, in the order of their names.
pub(crate) fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut cases: Vec<Case> = entries(&root).into_iter().flat_map(|folder| cases_in(&folder)).collect();
    cases.sort_by(|a, b| (&a.about, &a.name).cmp(&(&b.about, &b.name)));
    cases
}

fn cases_in(folder: &Path) -> Vec<Case> {
    let about = folder.file_name().expect("a folder has a name").to_string_lossy().into_owned();
    let logs = entries(folder).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.map(|path| Case {
        about: about.clone(),
        name: path.file_stem().expect("a file has a name").to_string_lossy().into_owned(),
        folder: folder.to_owned(),
        bytes: fs::read(&path).expect("a case can be read"),
    })
    .collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    read.map(|entry| entry.expect("an entry can be read").path()).collect()
}

/// What a source comes to: its events with their names, and the balance of its lines.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) assembled: Assembled,
    pub(crate) names: Names,
    pub(crate) balance: Balance,
}

/// Reads a source that comes in these chunks.
pub(crate) fn read_chunks<'a>(framing: Framing, chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let chunks: Vec<&[u8]> = chunks.into_iter().collect();
    let manner = Manner::from(framing).after(&chunks.concat());
    let (mut assembler, mut names, mut balance) = (Assembler::new(0), Names::default(), Balance::default());
    let (mut parser, mut known) = (Parser::new(KEY, &[]), Known::default());
    for chunk in chunks {
        let arena = Bump::new();
        let parsed = parser.parse(chunk, manner, &arena);
        assembler.take(&parsed, balance.lines + 1, &mut known, &mut names);
        balance.merge(&parsed.balance);
    }
    let mut assembled = assembler.finish(None, None, &mut names);
    let (names, renaming) = names.sorted();
    renaming.apply(assembled.events.iter_mut());
    Outcome { assembled, names, balance }
}
