//! A port takes one message.

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
    async fn input(&self, _ctx: &Ctx, _one: In, _two: In) -> Result<()> {
        Ok(())
    }
}

fn main() {}
