//! A reply that is dropped never reaches anybody.

#![deny(unused_must_use)]

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
    async fn input(&self, ctx: &Ctx, message: In) -> Result<()> {
        self.output(ctx, message).await?;
        Ok(())
    }

    /// Goes out.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: In) -> Result;
}

fn main() {}
