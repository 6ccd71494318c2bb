//! What `history` and `export` say in a build without the feature `tables`.

use std::ffi::OsString;

use anyhow::{Result, bail};

use super::Exit;

/// Whatever was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Not in this build
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub rest: Vec<OsString>,
}

/// Says how to get it.
///
/// # Errors
/// Always.
pub fn run(command: &str) -> Result<Exit> {
    bail!(
        "this build has no tables, so no `why401 {command}`: build it with `cargo install --path . --features tables`"
    )
}
