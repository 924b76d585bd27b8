//! All mistakes of a component come out at once.

use tiny_runtime::prelude::*;

/// What comes in.
#[message]
pub struct In {
    /// A name.
    pub name: String,
}

#[component(nme = "a")]
#[derive(Default)]
pub struct A;

#[component]
impl A {
    #[port(target, positon = "left")]
    async fn input(&mut self, ctx: &Ctx, message: In) -> Result {
        self.output(ctx, message).await
    }

    /// Goes out.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: In) -> Result {
        Ok(Reply::none())
    }

    /// Comes in.
    #[port(target)]
    async fn empty(&self, ctx: &Ctx, message: In) -> Result;

    /// Goes out.
    #[port(source)]
    async fn nothing(&self, message: In) -> Result;
}

fn main() {}
