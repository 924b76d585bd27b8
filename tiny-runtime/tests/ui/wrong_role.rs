//! A port is one of three ends.

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
    #[port(traget)]
    async fn unknown(&self, _ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }

    /// Goes out.
    #[port]
    async fn none(&self, ctx: &Ctx, message: In) -> Result;

    /// Both.
    #[port(source, error)]
    async fn both(&self, ctx: &Ctx, message: In) -> Result;

    async fn forgotten(&self, ctx: &Ctx, message: In) -> Result;
}

fn main() {}
