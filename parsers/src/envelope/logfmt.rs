//! logfmt around a message: `time=2026-11-16T06:03:52Z level=info msg="Started GET …"`, as logrus, slog and Ruby's logfmt formatters write it.
//!
//! Source: kr/logfmt `logfmt.go`; sirupsen/logrus `text_formatter.go`. Requests that are pairs themselves are lograge's.

use bumpalo::Bump;

use super::{Envelope, Peeled, is_severe, message};
use crate::about::About;
use crate::dialect::server::lograge::KeyValues;
use crate::json::text_of;
use crate::secret::RequestId;
use crate::text::{contains, is_address, is_user_id, leading_number, unquoted};
use crate::time;

/// See the module.
pub(super) struct Logfmt;

/// More pairs than that are no logger's.
const MOST_PAIRS: usize = 64;

impl Envelope for Logfmt {
    fn name(&self) -> &'static str {
        "logfmt"
    }

    fn about(&self) -> About {
        About {
            example: r#"time=2026-11-16T06:03:52.068Z level=info pid=72 msg="Completed 401 Unauthorized in 1ms""#,
            shows: "time, level, process, and request id, user and address where there are keys of usual names",
            hides: "what its keys are called is a guess by usual names",
            source: "kr/logfmt logfmt.go; sirupsen/logrus text_formatter.go",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_lowercase() || first == b'@'
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        if !contains(line, b"msg=\"") && !contains(line, b"message=\"") {
            return None;
        }
        let (mut out, mut inner, mut framed) = (Peeled { program: true, ..Peeled::default() }, None, false);
        for (key, raw) in KeyValues::new(line).raw().take(MOST_PAIRS) {
            let value = unquoted(raw);
            match key {
                b"msg" | b"message" if raw.first() == Some(&b'"') => inner = text_of(raw, arena),
                b"time" | b"ts" | b"t" | b"timestamp" | b"@timestamp" | b"date" | b"datetime" => {
                    out.stamp = time::any(value).or(out.stamp);
                    framed = true;
                }
                b"level" | b"lvl" | b"severity" => {
                    out.severe = is_severe(value);
                    framed = true;
                }
                b"pid" => out.process = leading_number(value).map_or(0, |(process, _)| process),
                b"request_id" | b"req_id" | b"rid" if value.len() >= 8 => out.request = Some(RequestId::new(value)),
                b"user_id" | b"user" | b"uid" => out.user = Some(value).filter(|user| is_user_id(user)),
                b"ip" | b"remote_ip" | b"client_ip" => out.address = Some(value).filter(|value| is_address(value)),
                b"method" | b"path" => return None,
                _ => {}
            }
        }
        framed.then_some(Peeled { inner: message(inner?), ..out })
    }
}
