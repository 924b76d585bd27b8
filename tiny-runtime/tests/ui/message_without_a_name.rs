//! A port names its type.

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
    async fn input(&self, _ctx: &Ctx, _message: impl Send) -> Result<()> {
        Ok(())
    }

    /// P.
    #[port(target)]
    async fn text(&self, _ctx: &Ctx, _message: &str) -> Result<()> {
        Ok(())
    }
}

fn main() {}
