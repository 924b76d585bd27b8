//! A message is an object.

use tiny_runtime::prelude::*;

/// A.
#[message]
pub struct Tick;

fn main() {}
