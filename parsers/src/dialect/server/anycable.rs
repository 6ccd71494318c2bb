//! AnyCable-Go: text from 1.5 on (`2024-03-06 13:38:07.545 INF Starting AnyCable 1.6.0 … nodeid=hj2mXN`) and its JSON, inside their frames.
//!
//! Source: anycable/anycable-go `cli/cli.go`, `node/node.go`. A failed authentication is not logged at `info`; only the metric
//! `failed_auths_total` counts it.

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Process, Side};
use crate::text::contains;

/// See the module.
pub(crate) struct AnyCable;

impl Dialect for AnyCable {
    fn name(&self) -> &'static str {
        "anycable"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: "Starting AnyCable 1.6.0-4f16b99 (pid: 8289, open file limit: 122880, gomaxprocs: 8) nodeid=hj2mXN",
            shows: "starts and stops of the cable server",
            hides: "connections, users and refusals at level info; Rails behind it logs no ActionCable lines",
            source: "anycable/anycable-go cli/cli.go, node/node.go",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let text = line.text;
        if text.starts_with(b"Starting AnyCable") {
            return Some(Body::Process(Process::Boot));
        }
        if text.starts_with(b"Closing active connections: ") || text.starts_with(b"Received signal: ") {
            return Some(Body::Process(Process::Stopping));
        }
        let known = DULL.iter().any(|dull| text.starts_with(dull));
        let node = contains(text, b" nodeid=") || (contains(text, b" context=") && contains(text, b" sid="));
        (known || node).then_some(Body::Dull)
    }
}

const DULL: &[&[u8]] = &[
    b"All active connections closed",
    b"Handle WebSocket connections at ",
    b"Handle health requests at ",
    b"Handle metrics requests at ",
    b"Accept broadcast requests at ",
    b"RPC controller initialized: ",
    b"Subscribe error: ",
    b"Unsubscribe error: ",
    b"Perform error: ",
    b"Disconnect error: ",
    b"Failed to parse pubsub message ",
    b"Serving metrics at ",
];
