//! An impl half alone has no name.

use tiny_runtime::prelude::*;

/// What comes in.
#[message]
pub struct In {
    /// A name.
    pub name: String,
}

/// No component.
#[derive(Default)]
pub struct A;

#[component]
impl A {
    /// Goes out.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: In) -> Result;
}

fn main() {}
