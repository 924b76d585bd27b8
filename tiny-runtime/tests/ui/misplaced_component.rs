//! A component is a struct.

use tiny_runtime::prelude::*;

/// What comes in.
#[message]
pub struct In {
    /// A name.
    pub name: String,
}

/// No component.
#[component(name = "a")]
pub enum A {
    /// One.
    One,
}

#[component]
impl Drop for In {
    fn drop(&mut self) {}
}

fn main() {}
