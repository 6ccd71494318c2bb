//! Outputs. Each takes a finished diagnosis and computes nothing.

mod group;
pub mod html;
pub mod json;
pub mod markdown;
pub mod terminal;
mod words;
