//! What a platform wraps around each line of a server's log.

use clap::ValueEnum;

use super::clock::Clock;

/// The platform's frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Envelope {
    /// Nothing: the file that Rails writes
    #[default]
    None,
    /// `render logs -o text`
    Render,
    /// RFC 5424 syslog
    Syslog,
    /// `heroku logs`
    Heroku,
    /// Kubernetes' files on the node (CRI)
    Cri,
    /// Docker's `json-file`
    Docker,
}

impl Envelope {
    /// Each line of `text`, which was written at `time` (microseconds), in its frame.
    pub(super) fn around(self, time: i64, text: String, clock: &mut Clock) -> String {
        if self == Self::None {
            return text;
        }
        let stamp = clock.local(time);
        let mut out = String::with_capacity(text.len() + 96);
        for line in text.lines() {
            out.push_str(&self.line(stamp, line));
            out.push('\n');
        }
        out
    }

    fn line(self, stamp: &str, line: &str) -> String {
        match self {
            Self::None => line.to_owned(),
            Self::Render => format!("{}  {line}", stamp.get(..19).unwrap_or(stamp).replace('T', " ")),
            Self::Syslog => format!("<14>1 {stamp}Z web-1 harborline 4100 - - {line}"),
            Self::Heroku => format!("{stamp}+00:00 app[web.1]: {line}"),
            Self::Cri => format!("{stamp}000Z stdout F {line}"),
            Self::Docker => {
                let log = serde_json::Value::String(format!("{line}\n"));
                format!("{{\"log\":{log},\"stream\":\"stdout\",\"time\":\"{stamp}000Z\"}}")
            }
        }
    }
}
