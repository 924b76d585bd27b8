//! A union has no JSON.

use tiny_runtime::prelude::*;

/// A.
#[message]
pub union Both {
    a: u8,
    b: i8,
}

fn main() {}
