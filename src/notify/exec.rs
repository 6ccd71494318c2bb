//! A command that is run for each message, with the event as JSON on its standard input.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Failure, Message, Receiver};

/// A command, run by the shell.
#[derive(Clone, Debug)]
pub struct Exec {
    /// As given.
    pub command: String,
    /// It is ended when it takes longer.
    pub patience: Duration,
}

/// How often is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

impl Receiver for Exec {
    fn take(&self, message: &Message) -> Result<(), Failure> {
        let later = |error: std::io::Error| Failure::later(error);
        let body = serde_json::to_vec(&message.event).map_err(|error| Failure::Never(error.to_string()))?;
        let mut command = Command::new("sh");
        command.arg("-c").arg(&self.command).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.env("WHY401_KEY", &message.event.key).spawn().map_err(later)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read must not hold this up; what it does with its input is its own affair.
            thread::spawn(move || {
                let _ = stdin.write_all(&body).and_then(|()| stdin.write_all(b"\n"));
            });
        }
        let begun = Instant::now();
        loop {
            match child.try_wait().map_err(later)? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(Failure::later(format_args!("it ended with {status}"))),
                None if begun.elapsed() > self.patience => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(Failure::later(format_args!("it took longer than {} s", self.patience.as_secs())));
                }
                None => thread::sleep(LOOK),
            }
        }
    }

    fn name(&self) -> &str {
        "--exec"
    }
}
