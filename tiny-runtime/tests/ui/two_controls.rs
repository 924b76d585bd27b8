//! A component has one control port.

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
    #[port(control)]
    async fn one(&self, _ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }

    /// P.
    #[port(control)]
    async fn two(&self, _ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }
}

fn main() {}
