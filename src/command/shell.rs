//! What shells and `man` want to know of the command line: `why401 completions SHELL`, `why401 man`.

use std::io::{self, Write};

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Exit};

/// What `completions` takes.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Args {
    /// The shell that completes
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Writes a script that completes commands and flags.
///
/// # Errors
/// What writing gives.
pub fn completions(args: Args, out: &mut impl Write) -> io::Result<Exit> {
    // The generator panics where it cannot write, so it writes into memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "why401", &mut script);
    out.write_all(&script)?;
    Ok(Exit::Clean)
}

/// Writes the manual page.
///
/// # Errors
/// What writing gives.
pub fn man(out: &mut impl Write) -> io::Result<Exit> {
    clap_mangen::Man::new(Cli::command()).render(out)?;
    Ok(Exit::Clean)
}
