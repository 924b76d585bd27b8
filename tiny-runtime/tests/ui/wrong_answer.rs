//! A target returns what can travel back.

use tiny_runtime::prelude::*;

/// What comes in.
#[message]
pub struct In {
    /// A name.
    pub name: String,
}

/// Lacks `#[message]`.
pub struct Plain;

/// A component.
#[component(name = "a")]
#[derive(Default)]
pub struct A;

#[component]
impl A {
    /// Comes in.
    #[port(target)]
    async fn input(&self, _ctx: &Ctx, _message: In) -> Result<Plain> {
        Err(Error::permanent("never"))
    }

    /// Goes out.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: In) -> In;
}

fn main() {}
