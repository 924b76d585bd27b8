//! A source sends its own type.

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
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: In) -> Result {
        self.out(ctx, message).await
    }

    /// P.
    #[port(source)]
    async fn out(&self, ctx: &Ctx, message: Out) -> Result;
}

/// Out.
#[message]
pub struct Out {}

fn main() {}
