//! An error port takes a failure.

use tiny_runtime::prelude::*;

/// What comes in.
#[message]
pub struct In {
    /// A name.
    pub name: String,
}

/// A component.
#[component(name = "a")]
#[derive(Default)]
pub struct A;

#[component]
impl A {
    /// What failed.
    #[port(error)]
    async fn error(&self, ctx: &Ctx, failure: In) -> Result;
}

fn main() {}
