//! A component has one settings hook.

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
    settings: Settings<In>,
}

#[component]
impl A {
    /// P.
    #[port(settings)]
    async fn one(&self, _ctx: &Ctx, _settings: &In) -> Result<()> {
        Ok(())
    }

    /// P.
    #[port(settings)]
    async fn two(&self, _ctx: &Ctx, _settings: &In) -> Result<()> {
        Ok(())
    }
}

fn main() {}
