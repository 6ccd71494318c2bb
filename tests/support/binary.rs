//! The real binary, run.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a run gave.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

/// Where the binary is.
pub fn path() -> PathBuf {
    assert_cmd::cargo::cargo_bin!("why401").to_path_buf()
}

/// The binary, in a folder without a configuration, with no terminal and no say from the environment.
pub fn why401() -> Command {
    let mut command = Command::new(path());
    command.current_dir(std::env::temp_dir()).env_remove("NO_COLOR").env_remove("PAGER").env_remove("XDG_CONFIG_HOME");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WHY401_")) {
        command.env_remove(name);
    }
    command
}

/// Runs a command without standard input.
pub fn run(command: &mut Command) -> Ran {
    run_with_stdin(command, b"")
}

/// Runs a command with this on standard input.
pub fn run_with_stdin(command: &mut Command, input: &[u8]) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let mut stdin = child.stdin.take().expect("it is piped");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // Whoever does not read to the end has no need of the rest.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("the writer ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}
