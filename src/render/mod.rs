//! Outputs. Each takes a finished diagnosis and computes nothing.

pub mod html;
pub mod json;
pub mod markdown;
pub mod terminal;
