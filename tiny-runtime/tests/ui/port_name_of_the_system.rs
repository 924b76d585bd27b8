//! Names with `_` are taken.

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
    /// P.
    #[port(target, name = "_settings")]
    async fn input(&self, _ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }

    /// P.
    #[port(source)]
    async fn _out(&self, ctx: &Ctx, message: In) -> Result;
}

fn main() {}
