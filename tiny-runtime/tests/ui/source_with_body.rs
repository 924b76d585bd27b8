//! The flow is the body of a source.

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

#[component]
impl A {
    /// Goes out.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: In) -> Result {
        Ok(Reply::none())
    }
}

fn main() {}
