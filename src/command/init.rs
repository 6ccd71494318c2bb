//! `why401 init`: a commented configuration for what is found around it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Exit;
use super::settings::CONFIG_FILE;

/// What `init` takes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  why401 init             writes why401.toml here\n  why401 init --stdout    prints it"
)]
pub struct Args {
    /// Print the configuration instead of writing why401.toml
    #[arg(long)]
    pub stdout: bool,
}

/// Where logs of a Rails or Flutter project lie.
const FOLDERS: &[&str] = &[".", "log", "logs"];

/// Looks around and writes. A file that is there stays as it is.
///
/// # Errors
/// A file that is there already, or what writing gives.
pub fn run(args: &Args, out: &mut impl Write) -> Result<Exit> {
    let logs = logs(Path::new("."));
    let text = configuration(&logs);
    if args.stdout {
        out.write_all(text.as_bytes())?;
        return Ok(Exit::Clean);
    }
    match OpenOptions::new().write(true).create_new(true).open(CONFIG_FILE) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            eprintln!(
                "why401: {CONFIG_FILE} is there already and stays as it is; --stdout shows what would be written"
            );
            return Ok(Exit::Usage);
        }
        opened => {
            let mut file = opened.with_context(|| format!("cannot write {CONFIG_FILE}"))?;
            file.write_all(text.as_bytes()).with_context(|| format!("cannot write {CONFIG_FILE}"))?;
        }
    }
    writeln!(out, "{CONFIG_FILE}: {}", if logs.is_empty() { "no logs found here".into() } else { found(&logs) })?;
    writeln!(out, "Next: why401 config show --origin, why401 {}", inputs(&logs))?;
    Ok(Exit::Clean)
}

/// Logs around `folder`, rotated and compressed ones too, as paths without a leading `./`.
fn logs(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = FOLDERS
        .iter()
        .filter_map(|name| fs::read_dir(folder.join(name)).ok())
        .flatten()
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| is_log(&name.to_string_lossy())))
        .map(|path| path.components().filter(|part| *part != std::path::Component::CurDir).collect())
        .collect();
    found.sort();
    found
}

/// `production.log`, `production.log.1`, `production.log.2.gz`, `production.log-20261101.zst`
fn is_log(name: &str) -> bool {
    name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name).split_once(".log").is_some_and(
        |(stem, rest)| {
            !stem.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
        },
    )
}

/// One pattern for each log and its rotations.
fn patterns(logs: &[PathBuf]) -> Vec<String> {
    let mut patterns: Vec<String> = logs
        .iter()
        .filter_map(|path| path.to_str())
        .filter_map(|path| path.split_once(".log").map(|(stem, _)| format!("{stem}.log*")))
        .collect();
    patterns.dedup();
    patterns
}

fn found(logs: &[PathBuf]) -> String {
    let count = logs.len();
    format!("{count} log{} found: {}", if count == 1 { "" } else { "s" }, patterns(logs).join(", "))
}

fn inputs(logs: &[PathBuf]) -> String {
    if logs.is_empty() { "FILE…".into() } else { patterns(logs).join(" ") }
}

/// The text: everything is said in a comment, so that the file changes nothing until somebody takes a `#` away.
fn configuration(logs: &[PathBuf]) -> String {
    // JSON's quotes and escapes are TOML's too, and keep on one line.
    let quoted = |text: &String| serde_json::Value::String(text.clone()).to_string();
    let sources = match patterns(logs).iter().map(quoted).collect::<Vec<_>>() {
        none if none.is_empty() => "\"log/production.log*\"".to_owned(),
        some => some.join(", "),
    };
    let seen = if logs.is_empty() { "no logs found in this folder, ./log or ./logs".into() } else { found(logs) };
    // What was found may hold a line end; a comment must not end there.
    let seen: String = seen.chars().filter(|letter| !letter.is_control()).collect();
    format!(
        r#"# Configuration of why401, written by `why401 init`: {seen}.
# Nothing here is needed: take the first # of a line away to use it. `why401 config show --origin` says what holds.
# A flag beats WHY401_… in the environment, which beats this file, which beats ~/.config/why401/config.toml.

# Minutes without a refusal that end an incident.
#window_minutes = 10

[clock]
# Zones and years of times that state none: for all sources, or "PART-OF-SOURCE-NAME=…".
#tz = ["UTC", "phone=Europe/Berlin"]
#year = ["2026"]

[lifetimes]
# What the server is configured to, in seconds. It is inferred from the logs where this is not said.
#access_seconds = 3600
#refresh_seconds = 7776000

[endpoints]
# Paths that are not recognised by themselves; one ending in * holds for all that begin so. `why401 formats` and the JSON's
# `endpoints` show what was recognised (`by_behaviour`: by what it does alone, for want of any path of `refresh` here).
#sign_in = ["/api/v1/auth/sign_in"]
#refresh = ["/api/v1/auth/refresh"]
#sign_out = ["/api/v1/auth/sign_out"]
#revoke = ["/api/v1/account/password"]
#socket = ["/cable"]

# A format of your own. The names of groups are listed by `why401 formats --help`.
#[[pattern]]
#name = "audit"
#regex = '^(?<time>\S+ \S+) user=(?<user>\d+) (?<method>[A-Z]+) (?<path>\S+) -> (?<status>\d+)$'
#example = "2026-11-16 06:00:00 user=42 GET /api/feed -> 200"

# Scheduled runs: `why401 batch why401.toml`, see docs/scheduling.md.
#[batch]
#sources = [{sources}]
#state = "tmp/why401"
#report = ["tmp/why401/report.json", "tmp/why401/report.html", "tmp/why401/why401.prom"]
#keep = "35d"
#history = "tmp/why401/history"
#history_days = 400

#[batch.thresholds]
#fail_on = ["dropped_actors>5", "cause=refresh_failure"]
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ConfigFile;

    #[test]
    fn what_is_written_can_be_read_with_and_without_its_comments() {
        let text = configuration(&["log/production.log".into(), "log/production.log.1".into(), "odd\"\n.log".into()]);
        toml::from_str::<ConfigFile>(&text).expect("as it is written");
        let used: String = text
            .lines()
            .map(|line| line.strip_prefix('#').filter(|line| line.starts_with(|c: char| c != ' ')).unwrap_or(line))
            .map(|line| format!("{line}\n"))
            .collect();
        let file = toml::from_str::<ConfigFile>(&used).unwrap_or_else(|error| panic!("{error}\n{used}"));
        assert_eq!(file.window_minutes, Some(10));
        file.patterns().expect("the example fits the pattern");
        let batch = file.batch.expect("it has a part for scheduled runs");
        assert_eq!(batch.sources[0], "log/production.log*");
        assert_eq!((batch.sources.len(), batch.thresholds.fail_on.len()), (2, 2));
    }

    #[test]
    fn logs_are_told_by_their_names() {
        for name in ["production.log", "production.log.1", "production.log.2.gz", "a.log-20261101.zst"] {
            assert!(is_log(name), "{name}");
        }
        for name in ["production.logo", "log", ".log", "x.log.bak", "x.txt"] {
            assert!(!is_log(name), "{name}");
        }
    }
}
