//! Derives stand below.

use tiny_runtime::prelude::*;

/// A.
#[derive(Clone, Debug)]
#[message]
pub struct A {
    /// Name.
    pub name: String,
}

fn main() {}
