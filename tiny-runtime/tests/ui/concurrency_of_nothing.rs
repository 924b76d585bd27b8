//! A node takes at least one run.

use tiny_runtime::prelude::*;

/// In.
#[message]
#[derive(Default)]
pub struct In {
    /// Name.
    pub name: String,
}

/// A.
#[component(name = "a", concurrency = 0)]
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

fn main() {}
