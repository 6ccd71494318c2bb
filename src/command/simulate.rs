//! `why401 simulate`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::{Exit, span};
use crate::simulate::{Dialect, Envelope, Ids, Level, Options, Platform, Withheld, simulate};

/// What `simulate` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to write server.log, client-*.log and truth.json into
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The same seed gives the same logs
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// People
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub users: u32,
    /// Hours that the log covers
    #[arg(long, default_value_t = 3.0)]
    pub hours: f64,
    /// `mixed`, `rare` (the rarer kinds), `healthy`, a cause or a kind; several with commas
    #[arg(long, default_value = "mixed", value_delimiter = ',')]
    pub mix: Vec<String>,
    /// How the server logs
    #[arg(long, value_enum, default_value_t = Dialect::Rails)]
    pub dialect: Dialect,
    /// What the logs do not tell; several with commas
    #[arg(long, value_enum, value_delimiter = ',')]
    pub withhold: Vec<Withheld>,
    /// How users are identified
    #[arg(long, value_enum, default_value_t = Ids::Int)]
    pub ids: Ids,
    /// Go on until the server's log has this size: `500MB`, `2GB`
    #[arg(long, value_name = "SIZE", value_parser = super::size)]
    pub size: Option<u64>,
    /// Life of an access token: `15m`, `1h`, `24h`
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = span)]
    pub access: i64,
    /// So many people share one address
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub nat: u32,
    /// What the platform wraps around each line of the server's log
    #[arg(long, value_enum, default_value_t = Envelope::None)]
    pub envelope: Envelope,
    /// So many of a hundred people have a second device, with which nothing is wrong
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub second_devices: u8,
    /// So many of a hundred people's phones change between two networks
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub roaming: u8,
    /// From which level on the server logs
    #[arg(long, value_enum, default_value_t = Level::Info)]
    pub level: Level,
    /// What devices run, as their traces show it; several with commas
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Platform::Android, Platform::Ios])]
    pub platforms: Vec<Platform>,
}

/// Writes the logs and says what was written.
///
/// # Errors
/// A mix that is none, a folder that cannot be written.
pub fn run(args: &Args, out: &mut impl Write) -> Result<Exit> {
    let options = Options {
        seed: args.seed,
        users: args.users as usize,
        hours: args.hours,
        mix: args.mix.clone(),
        dialect: args.dialect,
        withhold: args.withhold.clone(),
        ids: args.ids,
        size: args.size,
        access_seconds: args.access.max(60),
        nat: args.nat as usize,
        envelope: args.envelope,
        second_devices: args.second_devices.into(),
        roaming: args.roaming.into(),
        level: args.level,
        platforms: args.platforms.clone(),
    }
    .checked()?;
    let written = simulate(&options, &args.out).with_context(|| format!("cannot write into {}", args.out.display()))?;
    writeln!(
        out,
        "{}: server.log ({} bytes), {} client traces, truth.json",
        args.out.display(),
        written.bytes,
        written.traces
    )?;
    Ok(Exit::Clean)
}
