//! A settings hook takes what the field holds.

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
    async fn check(&self, _ctx: &Ctx, _settings: &Other) -> Result<()> {
        Ok(())
    }
}

/// Other.
#[message]
#[derive(Default)]
pub struct Other {}

fn main() {}
