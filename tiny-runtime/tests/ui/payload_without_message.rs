//! A port carries messages only; one error a port.

use tiny_runtime::prelude::*;

/// What comes in.
#[message]
pub struct In {
    /// A name.
    pub name: String,
}

/// Carries no `#[message]`.
pub struct Plain;

/// A component.
#[component(name = "a")]
#[derive(Default)]
pub struct A;

#[component]
impl A {
    /// Comes in.
    #[port(target)]
    async fn input(&self, _ctx: &Ctx, _message: Plain) -> Result<()> {
        Ok(())
    }

    /// Goes out.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: Plain) -> Result;
}

fn main() {}
