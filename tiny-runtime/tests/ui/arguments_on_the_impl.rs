//! What a component is called stands on its struct.

use tiny_runtime::prelude::*;

/// What comes in.
#[message]
pub struct In {
    /// A name.
    pub name: String,
}

/// A component.
#[component(name = "a")]
#[derive(Default)]
pub struct A;

#[component(name = "a")]
impl A {
    /// Goes out.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: In) -> Result;
}

fn main() {}
