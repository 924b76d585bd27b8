//! A word that the attribute does not know.

use tiny_runtime::prelude::*;

/// What comes in.
#[message]
pub struct In {
    /// A name.
    pub name: String,
}

/// A component.
#[component(nme = "a", banana)]
#[derive(Default)]
pub struct A;

#[component]
impl A {
    /// Comes in.
    #[port(target, positon = "left")]
    async fn input(&self, _ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }

    /// Goes out.
    #[port(source, position = "rihgt")]
    async fn output(&self, ctx: &Ctx, message: In) -> Result;
}

fn main() {}
