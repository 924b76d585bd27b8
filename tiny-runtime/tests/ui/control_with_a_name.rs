//! The name of a control port is given.

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
    #[port(control, name = "panel")]
    async fn control(&self, _ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }
}

fn main() {}
