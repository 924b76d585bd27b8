//! A destroy hook has no words of its own.

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
    #[port(destroy, label = "End", when = Self::is_on)]
    async fn on_destroy(&self, _ctx: &Ctx) -> Result<()> {
        Ok(())
    }
}

fn main() {}
