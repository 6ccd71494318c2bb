//! What Flutter apps write.

pub(crate) mod app;
pub(crate) mod bloc;
pub(crate) mod cable;
pub(crate) mod chopper;
pub(crate) mod chrome;
pub(crate) mod datadog_rum;
pub(crate) mod dio;
mod fields;
pub(crate) mod flutter_tool;
pub(crate) mod har;
pub(crate) mod lifecycle;
pub(crate) mod otlp;
pub(crate) mod pretty_dio;
pub(crate) mod refresh;
pub(crate) mod secure_storage;
pub(crate) mod sentry;
pub(crate) mod talker;
