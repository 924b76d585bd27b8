//! A new node is made by `Default`.

use tiny_runtime::prelude::*;

/// What comes in.
#[message]
pub struct In {
    /// A name.
    pub name: String,
}

/// A component.
#[component(name = "a")]
pub struct A;

#[component]
impl A {
    /// Goes out.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: In) -> Result;
}

fn main() {}
