//! A key belongs to its component.

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
}

/// B.
#[component(name = "b")]
#[derive(Default)]
pub struct B;

#[component]
impl B {
    /// I.
    #[port(target)]
    async fn input(&self, _ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }
}

/// Sends to the wrong one.
pub async fn send(bench: Bench<A>, message: In) -> Result<()> {
    bench.send(B::INPUT, message).await
}

fn main() {}
