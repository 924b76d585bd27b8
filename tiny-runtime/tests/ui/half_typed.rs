//! A body that is typed halfway yields the errors of rustc only.

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
    /// Comes in.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: In) -> Result {
        self.output(ctx, message).awa
    }

    /// Goes out.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: In) -> Result;
}

fn main() {}
