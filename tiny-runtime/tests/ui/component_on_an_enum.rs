//! A component is a struct.

use tiny_runtime::prelude::*;

/// A.
#[component(name = "a")]
#[derive(Default)]
pub enum A {
    #[default]
    One,
}

fn main() {}
