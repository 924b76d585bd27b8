//! A node that awaits a reply must be able to receive.

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
    /// Changes itself.
    #[port(target)]
    async fn input(&mut self, _ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }

    /// Has no self.
    #[port(target)]
    async fn other(_ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }
}

fn main() {}
