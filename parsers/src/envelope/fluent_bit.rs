//! Fluent Bit's JSON: `{"date":1763273032.068658,"log":"text","stream":"stdout","kubernetes":{…}}`.
//!
//! Source: fluent/fluent-bit `src/flb_pack.c` (`json_date_key`), manual "Standard Output".

use bumpalo::Bump;

use super::{Envelope, Peeled, message};
use crate::about::About;
use crate::json::Object;
use crate::text::contains;
use crate::time;

/// See the module.
pub(super) struct FluentBit;

impl Envelope for FluentBit {
    fn name(&self) -> &'static str {
        "fluent-bit"
    }

    fn about(&self) -> About {
        About {
            example: r#"{"date":1763273032.068658,"log":"Started GET …","stream":"stdout"}"#,
            shows: "time, pod",
            hides: "process, level; parts of long lines are joined where the file begins with a container's record",
            source: "fluent/fluent-bit src/flb_pack.c; Fluent Bit manual",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == b'{'
    }

    fn fields(&self) -> &'static [&'static str] {
        &["log"]
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        if !contains(line, b"\"log\"") {
            return None;
        }
        let object = Object::read(line, arena)?;
        if !object.has(&["log"]) || !(object.raw("date").is_some() || object.raw("kubernetes").is_some()) {
            return None;
        }
        let stamp = object.first(&["time", "date", "@timestamp"]).and_then(time::any);
        let instance = object.at("kubernetes.pod_name");
        Some(Peeled { inner: message(object.text("log")?), stamp, instance, ..Peeled::default() })
    }
}
