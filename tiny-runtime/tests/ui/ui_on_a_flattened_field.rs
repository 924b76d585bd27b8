//! A flattened field is not in the form.

use tiny_runtime::prelude::*;

/// In.
#[message]
#[derive(Default)]
pub struct In {
    /// Name.
    pub name: String,
}

/// A.
#[message]
pub struct A {
    /// The rest.
    #[ui(shared)]
    #[serde(flatten)]
    pub rest: In,
}

fn main() {}
