//! A reconcile hook has no words of its own.

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
    #[port(reconcile, label = "Look", each = Self::all)]
    async fn look(&self, _ctx: &Ctx) -> Result<()> {
        Ok(())
    }
}

fn main() {}
