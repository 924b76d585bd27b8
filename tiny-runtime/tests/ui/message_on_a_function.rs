//! A message is a type.

use tiny_runtime::prelude::*;

/// A.
#[message]
pub fn hello() {}

fn main() {}
