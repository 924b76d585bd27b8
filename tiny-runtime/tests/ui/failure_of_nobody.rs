//! An error port takes the failures of a target.

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
    /// I.
    #[port(target)]
    async fn input(&self, _ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }

    /// P.
    #[port(error)]
    async fn error(&self, ctx: &Ctx, failure: Failure<Other>) -> Result;
}

/// Other.
#[message]
pub struct Other {}

fn main() {}
