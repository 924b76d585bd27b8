//! An error port is one port.

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
    #[port(error, each = Self::routes)]
    async fn error(&self, ctx: &Ctx, failure: Failure<In>) -> Result;

    fn routes(&self) -> Vec<String> {
        vec![]
    }
}

fn main() {}
