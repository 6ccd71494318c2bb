//! Outputs. Each takes a finished diagnosis and computes nothing.

pub mod json;
pub mod terminal;
