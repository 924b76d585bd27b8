//! With `each`, the method takes the item.

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
    #[port(source, each = Self::routes)]
    async fn out(&self, ctx: &Ctx, message: In) -> Result;

    fn routes(&self) -> Vec<String> {
        vec![]
    }
}

fn main() {}
