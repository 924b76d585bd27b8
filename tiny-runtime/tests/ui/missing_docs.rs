//! Flow authors read the doc comments of components, ports and fields.

use tiny_runtime::prelude::*;

/// What comes in.
#[message]
pub struct In {
    /// A name.
    pub name: String,
}

#[component(name = "a")]
#[derive(Default)]
pub struct A;

#[component]
impl A {
    #[port(target)]
    async fn input(&self, _ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }
}

#[message]
pub struct Out {
    pub greeting: String,
}

fn main() {}
