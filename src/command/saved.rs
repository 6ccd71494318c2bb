//! Diagnoses that were saved as JSON, and logs that have to be diagnosed first.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::config::Config;
use crate::diagnosis::{Diagnosis, SCHEMA_VERSION};
use crate::source::{How, read_inputs};

/// What tells a diagnosis from a log in JSON.
#[derive(serde::Deserialize)]
struct Head {
    schema_version: u32,
}

/// A saved diagnosis, if the file is one. Of a log in JSON the first entry is looked at, which says of no version of ours.
pub(super) fn saved(path: &Path) -> Result<Option<Diagnosis>> {
    // What cannot be opened is reported where logs are read.
    let Some(file) = path.is_file().then(|| File::open(path).ok()).flatten() else { return Ok(None) };
    let head = serde_json::Deserializer::from_reader(io::BufReader::new(file)).into_iter::<Head>().next();
    let Some(Ok(head)) = head else { return Ok(None) };
    // Before the rest is looked at: a newer version may have another shape.
    if head.schema_version > SCHEMA_VERSION {
        bail!(
            "{} has version {} of the contract, newer than this why401, which knows {SCHEMA_VERSION}: read it with the why401 that wrote it",
            path.display(),
            head.schema_version
        );
    }
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let diagnosis: Diagnosis = serde_json::from_slice(&text)
        .with_context(|| format!("{} looks like a saved diagnosis and is none", path.display()))?;
    Ok(Some(diagnosis))
}

/// A saved diagnosis, or that of a file or folder of logs, and whether some of it could not be read.
pub(super) fn diagnosed(path: &Path, config: Config) -> Result<(Diagnosis, bool)> {
    if let Some(saved) = saved(path)? {
        return Ok((saved, false));
    }
    let inputs: [PathBuf; 1] = [path.to_owned()];
    let outcome = read_inputs(&inputs, config, How { progress: true, ..How::default() });
    for error in &outcome.errors {
        eprintln!("why401: {error}");
    }
    if outcome.nothing_read() {
        bail!("nothing to read in {}", path.display());
    }
    let partial = outcome.partial();
    Ok((crate::diagnose(outcome.reading), partial))
}
