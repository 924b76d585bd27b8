//! A port takes its context.

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
    #[port(target)]
    async fn input(&self, _message: In) -> Result<()> {
        Ok(())
    }

    /// P.
    #[port(source)]
    async fn out(&self, ctx: Ctx, message: In) -> Result;
}

fn main() {}
