//! A message has no name of its own.

use tiny_runtime::prelude::*;

/// A.
#[message(name = "a")]
pub struct A {}

fn main() {}
