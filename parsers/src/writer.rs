//! Who writes a source, as far as its head tells: without a frame, a client's lines look like any app's own words.
//!
//! `[TokenManager] token refreshed` may be said by a server's app as well as by one on a phone. In a source whose head has what only
//! clients write (a bloc's moves, dio's blocks, the life of an app, sockets as those see them who open them, a console's frame) and nothing
//! of a server (a request, a socket's connection, a process, a platform's frame), all lines are a client's. Where both write, as in a
//! terminal that runs server and app, each line is read by itself.

use serde::{Deserialize, Serialize};

use crate::detect::{Clue, clue_of};
use crate::line::Framing;
use crate::tagging::Tagging;
use crate::text::{contains, contains_ignoring_case};

/// So many bytes at a source's beginning tell: some hundred lines, behind what a build prints before the app starts.
pub const HEAD: usize = 64 * 1024;

/// What was seen of those who write a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    client: bool,
    server: bool,
}

impl Writer {
    /// Looks at the next whole lines of a source's head.
    fn look(&mut self, lines: &[u8]) {
        for entry in Framing::Lines.entries(lines) {
            if self.server {
                break;
            }
            match clue_of(&entry) {
                Some(Clue::Client) => self.client = true,
                Some(Clue::Server) => self.server = true,
                None => {}
            }
        }
    }

    /// Whether all of the source is a client's.
    #[must_use]
    pub const fn is_client(self) -> bool {
        self.client && !self.server
    }
}

/// In which manner a source is written: how its bytes divide into entries, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manner {
    /// How they divide.
    pub framing: Framing,
    /// By whom.
    pub writer: Writer,
    /// Which tag is a request's id.
    pub tagging: Tagging,
    /// So many bytes of its head were looked at for both.
    looked: usize,
}

impl Manner {
    /// The manner of a source, from its first [`HEAD`] bytes, or all if there are fewer.
    #[must_use]
    pub fn detect(head: &[u8]) -> Self {
        let manner = Self::from(Framing::detect(head));
        manner.after(head)
    }

    /// The same after more of the source.
    #[must_use]
    pub fn after(mut self, bytes: &[u8]) -> Self {
        // Documents say of each entry whose it is.
        if self.framing == Framing::Lines && !self.is_settled() {
            let head = &bytes[..bytes.len().min(HEAD.saturating_sub(self.looked))];
            // A line that the head's end cuts tells nothing.
            let whole = if head.len() < bytes.len() { Framing::Lines.last_cut(head).unwrap_or(0) } else { head.len() };
            self.writer.look(&head[..whole]);
            self.tagging.look(&head[..whole]);
            self.looked += head.len();
        }
        self
    }

    /// Whether what follows changes nothing.
    const fn is_settled(&self) -> bool {
        self.looked >= HEAD
    }
}

/// A source of which nothing else is known.
impl From<Framing> for Manner {
    fn from(framing: Framing) -> Self {
        Self { framing, writer: Writer::default(), tagging: Tagging::default(), looked: 0 }
    }
}

/// Whether an app's words that no frame is around can only be a client's: those of a part that servers do not have, and of whoever
/// opens a socket.
pub(crate) fn is_of_clients(text: &[u8]) -> bool {
    let head = &text[..text.len().min(FIRST_PARTS_WITHIN)];
    let parts = memchr::memchr_iter(b'[', head).filter_map(|open| {
        let inside = &head[open + 1..];
        Some(&inside[..inside.iter().position(|b| !b.is_ascii_alphanumeric()).filter(|end| inside[*end] == b']')?])
    });
    if parts.into_iter().any(|part| PARTS.iter().any(|known| part.ends_with(known))) {
        return true;
    }
    let opens = [&b" ws://"[..], b" wss://"].iter().any(|scheme| contains(text, scheme));
    (opens && contains_ignoring_case(text, b"connect"))
        || [&b"connected (welcome)"[..], b"{\"type\":\"welcome\"}", b"ConnectionMonitor ", b"Opening WebSocket, "]
            .iter()
            .any(|words| contains(text, words))
}

/// How names of such parts end: those of Dio's, bloc's and Flutter's classes.
const PARTS: &[&[u8]] = &[b"Interceptor", b"Bloc", b"Cubit", b"ViewModel", b"Screen", b"Dio", b"DioClient"];

/// So far into a line its parts are named, behind a time and a level.
const FIRST_PARTS_WITHIN: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn is_client(log: &str) -> bool {
        Manner::detect(log.as_bytes()).writer.is_client()
    }

    #[test]
    fn a_source_with_what_only_clients_write_is_a_clients() {
        for clue in [
            "onTransition -- AuthBloc, Transition { currentState: A, event: B, nextState: C }",
            "*** Request ***",
            "AppLifecycleState.resumed",
            "[ActionCable] connecting to wss://api.example.com/cable",
            "2026-11-18 17:14:37.250 [ActionCable] connected (welcome)",
            "[AuthInterceptor] 401 on GET /api/v1/profile",
            "[log] [AuthBloc] proactive refresh in 51m58s",
            "flutter: hello",
            r#"{"time":"2026-11-18T17:14:37.250","level":"info","message":"AppLifecycleState.paused"}"#,
        ] {
            assert!(is_client(&format!("Harbor 2.14.1 (214) starting\n{clue}\nmore\n")), "{clue}");
        }
        assert!(!is_client("[Auth] 401 token_expired user_id=42\n[TokenManager] token refreshed\n"));
    }

    #[test]
    fn what_a_server_writes_beside_it_leaves_every_line_to_itself() {
        for line in [
            "Started GET \"/api/feed\" for 203.0.113.7 at 2026-11-16 06:03:52 +0000",
            "Completed 401 Unauthorized in 1ms",
            "I, [2026-11-16T06:03:52.068658 #72]  INFO -- : anything",
            "method=GET path=/a format=json controller=A action=b status=200 duration=1.00",
            "Puma starting in single mode...",
            "203.0.113.7 - - [16/Nov/2026:06:03:52 +0000] \"GET /api/v1/feed HTTP/1.1\" 401 41 \"-\" \"Dart/3.5 (dart:io)\"",
            "web.1     | anything",
        ] {
            assert!(!is_client(&format!("AppLifecycleState.resumed\n{line}\n")), "{line}");
        }
    }

    #[test]
    fn the_head_tells_in_pieces_what_it_tells_at_once_and_nothing_behind_it_does() {
        let line = "[Auth] a line of forty bytes or so, all told\n";
        let log = format!("{}AppLifecycleState.resumed\n", line.repeat(HEAD / line.len()));
        assert!(!is_client(&log));
        let log = format!("AppLifecycleState.resumed\n{}Completed 200 OK in 1ms\n", line.repeat(HEAD / line.len()));
        assert!(is_client(&log));
        let mut manner = Manner::from(Framing::Lines);
        for line in log.split_inclusive('\n') {
            assert!(!manner.is_settled() || manner.writer.is_client());
            manner = manner.after(line.as_bytes());
        }
        assert!(manner.is_settled() && manner.writer.is_client());
    }
}
