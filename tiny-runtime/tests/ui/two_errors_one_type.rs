//! One error port takes the failures of a type.

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
    /// I.
    #[port(target)]
    async fn input(&self, _ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }

    /// What failed.
    #[port(error)]
    async fn error(&self, ctx: &Ctx, failure: Failure<In>) -> Result;

    /// What failed, too.
    #[port(error)]
    async fn other(&self, ctx: &Ctx, failure: Failure<In>) -> Result;
}

fn main() {}
