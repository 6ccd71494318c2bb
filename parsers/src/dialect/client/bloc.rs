//! stub

use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Side};

/// See the module.
pub(crate) struct Bloc;

impl Dialect for Bloc {
    fn name(&self) -> &'static str {
        "bloc"
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn read<'a>(&self, _line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        None
    }
}
