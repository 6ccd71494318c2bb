//! JSON after the contract of [`crate::diagnosis`]: whole, or one incident a line.

use std::io::{self, Write};

use crate::diagnosis::Diagnosis;

/// The whole diagnosis, indented.
///
/// # Errors
/// What writing to `out` gives.
pub fn whole(diagnosis: &Diagnosis, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, diagnosis).map_err(io::Error::from)?;
    writeln!(out)
}

/// One incident a line.
///
/// # Errors
/// What writing to `out` gives.
pub fn lines(diagnosis: &Diagnosis, out: &mut impl Write) -> io::Result<()> {
    for incident in &diagnosis.incidents {
        serde_json::to_writer(&mut *out, incident).map_err(io::Error::from)?;
        writeln!(out)?;
    }
    Ok(())
}

/// The JSON Schema of the whole diagnosis.
///
/// # Errors
/// What writing to `out` gives.
pub fn schema(out: &mut impl Write) -> io::Result<()> {
    let schema = schemars::schema_for!(Diagnosis);
    serde_json::to_writer_pretty(&mut *out, &schema).map_err(io::Error::from)?;
    writeln!(out)
}
