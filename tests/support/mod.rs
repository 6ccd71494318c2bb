//! What several tests need.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]

pub mod binary;
pub mod by_hand;
pub mod dialects;
pub mod hostile;
pub mod scenario;
