//! Nobody waits for what a destroy hook answers.

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
    #[port(destroy)]
    async fn on_destroy(&self, _ctx: &Ctx) -> Result {
        Ok(Reply::none())
    }
}

fn main() {}
