//! What Flutter apps write.

pub(crate) mod app;
pub(crate) mod bloc;
pub(crate) mod cable;
pub(crate) mod dio;
mod fields;
pub(crate) mod lifecycle;
pub(crate) mod pretty_dio;
pub(crate) mod refresh;
pub(crate) mod secure_storage;
