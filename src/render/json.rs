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
    out.write_all(SCHEMA.as_bytes())
}

/// Made of the types of [`Diagnosis`] and checked against them by a test: who only runs the program need not build what makes it.
const SCHEMA: &str = include_str!("schema.json");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_that_of_the_types() {
        let mut schema = serde_json::to_string_pretty(&schemars::schema_for!(Diagnosis)).unwrap();
        schema.push('\n');
        if std::env::var_os("WHY401_WRITE").is_some() {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/render/schema.json"), &schema).unwrap();
            return;
        }
        assert!(schema == SCHEMA, "the contract has changed: `just schema` writes src/render/schema.json");
    }
}
