//! An item needs `each`.

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
    #[port(source)]
    async fn out(&self, ctx: &Ctx, route: &str, message: In) -> Result;
}

fn main() {}
