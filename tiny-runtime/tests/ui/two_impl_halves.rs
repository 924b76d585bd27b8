//! A component has one impl with ports.

use tiny_runtime::prelude::*;

/// In.
#[message]
#[derive(Default)]
pub struct In {
    /// Name.
    pub name: String,
}

/// A.
#[component(name = "a")]
#[derive(Default)]
pub struct A;

#[component]
impl A {
    /// I.
    #[port(target)]
    async fn input(&self, _ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }
}

#[component]
impl A {
    /// O.
    #[port(source)]
    async fn out(&self, ctx: &Ctx, message: In) -> Result;
}

fn main() {}
