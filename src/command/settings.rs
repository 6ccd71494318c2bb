//! The settings of a run, gathered from flags, environment and files; `why401 config show`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use toml::{Table, Value};

use super::Exit;
use crate::config::layers::{Effective, Origin, user_file};
use crate::config::{Config, ConfigFile, Filter};

/// The configuration file that is read without being named.
pub(super) const CONFIG_FILE: &str = "why401.toml";

/// What `config` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do with the configuration
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with the configuration.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the settings that hold here: flags over WHY401_… variables over why401.toml over the user's file over defaults
    #[command(
        after_help = "Example:\n  WHY401_WINDOW_MINUTES=5 why401 config show --origin\n\nA setting `clock.tz` is WHY401_CLOCK_TZ in the environment, with commas between several values; WHY401_CONFIG names the project file. The user's file is $XDG_CONFIG_HOME/why401/config.toml or ~/.config/why401/config.toml."
    )]
    Show(Show),
}

/// What `config show` takes.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// Say where each value comes from
    #[arg(long)]
    pub origin: bool,
    /// Settings by flag, as `diagnose` takes them
    #[command(flatten)]
    pub flags: Flags,
}

/// Settings that can be given as flags.
#[derive(Debug, Default, clap::Args)]
pub struct Flags {
    /// Zone of times that state none: `Asia/Seoul`, or `PART-OF-SOURCE-NAME=Asia/Seoul`; may be repeated
    #[arg(long, value_name = "ZONE")]
    pub tz: Vec<String>,
    /// Year of times that state none: `2026`, or `PART-OF-SOURCE-NAME=2026`; may be repeated
    #[arg(long, value_name = "YEAR")]
    pub year: Vec<String>,
    /// Minutes without a refusal that end an incident
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub window: Option<u32>,
    /// Configuration; `why401.toml` in the current folder is read without being named
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl Flags {
    /// What holds under these flags.
    fn effective(&self) -> Result<Effective> {
        let variable = |name: &str| std::env::var(name).ok();
        let mut all = Effective::default();
        all.flags(&self.table());
        all.environment(variable).map_err(anyhow::Error::msg)?;
        let named = self.config.clone().or_else(|| variable("WHY401_CONFIG").map(PathBuf::from));
        let project = named.or_else(|| Path::new(CONFIG_FILE).is_file().then(|| CONFIG_FILE.into()));
        let user = user_file(variable).filter(|path| path.is_file());
        for origin in [project.map(Origin::Project), user.map(Origin::User)].into_iter().flatten() {
            let (Origin::Project(path) | Origin::User(path)) = &origin else { continue };
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the configuration {}", path.display()))?;
            all.file(&text, &origin).with_context(|| format!("the configuration {} cannot be used", path.display()))?;
        }
        Ok(all)
    }

    fn table(&self) -> Table {
        let list = |texts: &[String]| Value::Array(texts.iter().cloned().map(Value::String).collect());
        let mut clock = Table::new();
        clock.insert("tz".into(), list(&self.tz));
        clock.insert("year".into(), list(&self.year));
        let mut table = Table::new();
        table.insert("clock".into(), Value::Table(clock));
        if let Some(minutes) = self.window {
            table.insert("window_minutes".into(), Value::Integer(minutes.into()));
        }
        table
    }

    /// The configuration that holds, as one file.
    pub(super) fn file(&self) -> Result<ConfigFile> {
        self.effective()?.merged().context("the configuration cannot be used")
    }

    /// The configuration of a run.
    pub(super) fn config(&self, filter: Filter) -> Result<Config> {
        self.file()?.config(filter).map_err(anyhow::Error::msg)
    }
}

/// The configuration that holds with no flag but perhaps `--config`.
pub(super) fn config_file(named: Option<&Path>) -> Result<ConfigFile> {
    Flags { config: named.map(Path::to_owned), ..Flags::default() }.file()
}

/// Prints the settings.
///
/// # Errors
/// A configuration that cannot be used, or what writing gives.
pub fn run(args: &Args, out: &mut impl Write) -> Result<Exit> {
    let Command::Show(show) = &args.command;
    let settings = show.flags.effective()?.settings();
    // A value that cannot be used is said here as in a run.
    show.flags.config(Filter::default())?;
    for setting in &settings {
        let line = match &setting.value {
            Some(value) => format!("{} = {value}", setting.path),
            None => format!("# {} is not set", setting.path),
        };
        match show.origin {
            true if setting.value.is_some() => writeln!(out, "{line}  # {}", setting.origin)?,
            true => writeln!(out, "{line} ({})", setting.origin)?,
            false => writeln!(out, "{line}")?,
        }
    }
    Ok(Exit::Clean)
}
