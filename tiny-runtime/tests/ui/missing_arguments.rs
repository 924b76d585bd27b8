//! A port takes a context and a message, and nothing else.

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
    /// Lacks the context.
    #[port(source)]
    async fn no_ctx(&self, message: In) -> Result;

    /// Lacks the message.
    #[port(target)]
    async fn no_message(&self, _ctx: &Ctx) -> Result<()> {
        Ok(())
    }

    /// Has one too many.
    #[port(source)]
    async fn two(&self, ctx: &Ctx, message: In, other: In) -> Result;

    /// Returns no result.
    #[port(source)]
    async fn silent(&self, ctx: &Ctx, message: In);
}

fn main() {}
