//! `#[ui]` is about fields.

use tiny_runtime::prelude::*;

/// A.
#[message]
#[ui(shared)]
pub struct A {
    /// Name.
    pub name: String,
}

/// B.
#[message]
pub enum B {
    /// One.
    #[ui(shared)]
    One,
    /// Two.
    Two(#[ui(shared)] u8),
}

fn main() {}
