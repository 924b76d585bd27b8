//! What a message holds is a message too.

use tiny_runtime::prelude::*;

/// A.
#[message]
pub struct A {
    /// Plain.
    pub plain: Plain,
}

/// No message.
#[derive(Clone, Debug)]
pub struct Plain;

fn main() {}
