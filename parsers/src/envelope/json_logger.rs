//! An app's own JSON formatter: a message with its time, level and whatever else: ougai, logstash-logger, semantic_logger, json_tagged_logger,
//! pino, winston, zap, slog, `flyctl logs --json`. Objects that describe a whole request are left to the dialects.
//!
//! Names that mean the same are listed here; sources: tilfin/ougai `lib/ougai/formatters/bunyan.rb`, dwbutler/logstash-logger
//! `lib/logstash-logger/formatter/base.rb`, reidmorrison/semantic_logger `lib/semantic_logger/formatters/json.rb`.

use bumpalo::Bump;

use super::{Envelope, Peeled, is_severe, message};
use crate::about::About;
use crate::json::Object;
use crate::secret::RequestId;
use crate::text::{contains, is_address, is_user_id, leading_number};
use crate::time;

/// Names of the field that holds the message.
const MESSAGE: &[&str] = &["message", "msg", "log", "text", "event", "short_message", "body"];

/// See the module.
pub(super) struct JsonLogger;

impl Envelope for JsonLogger {
    fn name(&self) -> &'static str {
        "json-logger"
    }

    fn about(&self) -> About {
        About {
            example: r#"{"level":"INFO","time":"2026-11-16T06:03:52.068Z","request_id":"5e908487-…","msg":"Completed 401 Unauthorized in 1ms"}"#,
            shows: "time, level, and request id, user and address where there are fields of usual names",
            hides: "what its fields are called is a guess by usual names",
            source: "tilfin/ougai, dwbutler/logstash-logger, reidmorrison/semantic_logger (JSON formatters)",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == b'{'
    }

    fn fields(&self) -> &'static [&'static str] {
        MESSAGE
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        const TIME: &[&str] = &["time", "timestamp", "@timestamp", "ts", "date", "datetime", "eventTime"];
        const LEVEL: &[&str] = &["level", "severity", "lvl", "levelname", "log.level"];
        if !contains(line, b"\"m")
            && !contains(line, b"\"log\"")
            && !contains(line, b"\"text\"")
            && !contains(line, b"\"event\"")
        {
            return None;
        }
        let object = Object::read(line, arena)?;
        // lograge's Logstash formatter has a message too, and so have Sentry's breadcrumbs.
        if object.has(&["controller", "action"]) || object.raw("category").is_some() {
            return None;
        }
        let inner = MESSAGE
            .iter()
            .find_map(|key| object.text(key).filter(|_| object.raw(key).is_some_and(|raw| raw[0] == b'"')))?;
        let level = object.first(LEVEL);
        let stamp = TIME.iter().find_map(|key| object.text(key)).and_then(time::any);
        // A message alone is any JSON at all (a body, a frame of a socket).
        if level.is_none() && stamp.is_none() || crate::dialect::server::requests::is_request(&object) {
            return None;
        }
        let number = level.and_then(leading_number).map(|(number, _)| number);
        let request =
            object.first(&["request_id", "requestId", "req_id", "rid", "named_tags.request_id", "x_request_id"]);
        let user =
            object.first(&["user_id", "userId", "named_tags.user_id", "usr.id", "user.id", "uid", "current_user_id"]);
        let address = object.first(&["ip", "remote_ip", "client_ip", "named_tags.ip", "remote_addr"]);
        Some(Peeled {
            inner: message(inner),
            stamp,
            process: object.text("pid").and_then(leading_number).map_or(0, |(process, _)| process),
            // ougai and pino write numbers: 50 is an error, 60 fatal.
            severe: level.is_some_and(is_severe) || number.is_some_and(|number| (50..100).contains(&number)),
            program: true,
            request: request.filter(|id| id.len() >= 8).map(RequestId::new),
            user: user.filter(|user| is_user_id(user)),
            address: address.filter(|address| is_address(address)),
            ..Peeled::default()
        })
    }
}
