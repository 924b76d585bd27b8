//! A port says which end it is.

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
    #[port]
    async fn out(&self, ctx: &Ctx, message: In) -> Result;

    /// Q.
    #[port = "target"]
    async fn input(&self, _ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }
}

fn main() {}
