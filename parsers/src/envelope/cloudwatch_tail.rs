//! `aws logs tail`: `2026-11-16T06:03:52.068000+00:00 web/web/0a1b2c3d text`. (`--format short` and exports to S3 have no stream: see
//! `timestamp`.)
//!
//! Source: aws/aws-cli `awscli/customizations/logs/tail.py`. Streams of ECS and App Runner hold slashes, those of EC2 are `i-…`.

use bumpalo::Bump;

use super::{Envelope, Peeled, after_blank};
use crate::about::About;
use crate::text::first_word;
use crate::time;

/// See the module.
pub(super) struct CloudWatchTail;

impl Envelope for CloudWatchTail {
    fn name(&self) -> &'static str {
        "cloudwatch-tail"
    }

    fn about(&self) -> About {
        About {
            example: "2026-11-16T06:03:52.068000+00:00 web/web/0a1b2c3d Started GET …",
            shows: "time with zone, stream (task, instance)",
            hides: "level",
            source: "aws/aws-cli awscli/customizations/logs/tail.py",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_digit()
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let end = time::iso_end(line)?;
        if end != 32 || !line[..end].ends_with(b"+00:00") {
            return None;
        }
        let rest = line[end..].strip_prefix(b" ")?;
        let stream = first_word(rest);
        let task = memchr::memchr(b'/', stream).is_some_and(|at| at > 0) && stream.iter().any(u8::is_ascii_digit);
        let machine = stream.starts_with(b"i-") && stream.len() >= 10;
        if !task && !machine || stream.iter().any(|b| matches!(b, b'"' | b'=' | b':' | b'(')) {
            return None;
        }
        let (stamp, _) = time::iso(line)?;
        let inner = after_blank(&rest[stream.len()..]);
        Some(Peeled { inner, stamp: Some(stamp), instance: Some(stream), ..Peeled::default() })
    }
}
