//! stub

use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Side};

/// See the module.
pub(crate) struct CableClient;

impl Dialect for CableClient {
    fn name(&self) -> &'static str {
        "cable-client"
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn read<'a>(&self, _line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        None
    }
}
