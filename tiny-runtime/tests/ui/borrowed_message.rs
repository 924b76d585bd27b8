//! A message owns its data.

use tiny_runtime::prelude::*;

/// A.
#[message]
pub struct Borrowed<'a> {
    /// Text.
    pub text: &'a str,
}

fn main() {}
