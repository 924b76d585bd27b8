//! A name with a place needs `each`.

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
    #[port(source, name = "out_{route}")]
    async fn out(&self, ctx: &Ctx, message: In) -> Result;
}

fn main() {}
