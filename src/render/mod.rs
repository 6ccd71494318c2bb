//! Outputs. Each takes a finished diagnosis and computes nothing.

mod balance;
mod group;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod openmetrics;
pub mod terminal;
mod verdict;
mod words;

pub(crate) use words::{clean, cut_to};
