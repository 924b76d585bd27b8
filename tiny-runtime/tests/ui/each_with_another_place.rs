//! The place in the name is called like the argument.

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
    #[port(source, name = "out_{rout}", each = Self::routes)]
    async fn out(&self, ctx: &Ctx, route: &str, message: In) -> Result;

    fn routes(&self) -> Vec<String> {
        vec![]
    }
}

fn main() {}
