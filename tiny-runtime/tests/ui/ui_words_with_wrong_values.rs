//! Each word has its kind of value.

use tiny_runtime::prelude::*;

/// A.
#[message]
pub struct A {
    /// Name.
    #[ui(shared = true, tab, order = -1, minimum = a, enumTitles = "x", title = 3, shared)]
    pub name: String,
}

fn main() {}
