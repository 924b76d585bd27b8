//! What a control port shows is a message.

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
    #[port(control, read = Self::view)]
    async fn control(&self, _ctx: &Ctx, _message: In) -> Result<()> {
        Ok(())
    }

    fn view(&self) -> Plain {
        Plain
    }
}

/// No message.
pub struct Plain;

fn main() {}
