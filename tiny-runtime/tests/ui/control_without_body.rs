//! A control port does something.

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
    async fn control(&self, ctx: &Ctx, message: In) -> Result;
}

fn main() {}
