//! A settings hook needs settings.

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
    #[port(settings)]
    async fn check(&self, _ctx: &Ctx, _settings: &In) -> Result<()> {
        Ok(())
    }
}

fn main() {}
