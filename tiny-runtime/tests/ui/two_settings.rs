//! A node has one configuration.

use tiny_runtime::prelude::*;

/// What comes in.
#[message]
#[derive(Default)]
pub struct In {
    /// A name.
    pub name: String,
}

/// A component.
#[component(name = "a")]
#[derive(Default)]
pub struct A {
    first: Settings<In>,
    second: Settings<In>,
}

#[component]
impl A {
    /// Goes out.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: In) -> Result;
}

fn main() {}
