//! Keys that a flow leaves out keep their defaults.

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
pub struct A {
    settings: Settings<Bare>,
}

impl Default for A {
    fn default() -> Self {
        unreachable!()
    }
}

#[component]
impl A {
    /// I.
    #[port(target)]
    async fn input(&self, _ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }
}

/// Bare.
#[message]
pub struct Bare {}

fn main() {}
