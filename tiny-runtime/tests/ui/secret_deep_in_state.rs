//! A state lies open, however deep the secret is.

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
pub struct A {
    state: State<Outer>,
}

#[component]
impl A {
    /// I.
    #[port(target)]
    async fn input(&self, _ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }
}

/// Outer.
#[message]
#[derive(Default)]
pub struct Outer {
    /// Inner.
    pub inner: Vec<Inner>,
}

/// Inner.
#[message]
pub struct Inner {
    /// Token.
    pub token: Option<Secret<String>>,
}

fn main() {}
