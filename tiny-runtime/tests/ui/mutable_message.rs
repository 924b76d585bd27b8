//! A message is not changed in place.

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
    async fn input(&self, _ctx: &Ctx, _message: &mut In) -> Result<()> {
        Ok(())
    }
}

fn main() {}
