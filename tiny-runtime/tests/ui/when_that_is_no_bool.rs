//! `when` says yes or no.

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
    #[port(source, when = Self::is_on)]
    async fn out(&self, ctx: &Ctx, message: In) -> Result;

    fn is_on(&self) -> u8 {
        1
    }
}

fn main() {}
