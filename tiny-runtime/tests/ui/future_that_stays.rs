//! What a port awaits crosses threads.

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
        let held = std::rc::Rc::new(message);
        self.out(ctx, In { name: held.name.clone() }).await
    }

    /// P.
    #[port(source)]
    async fn out(&self, ctx: &Ctx, message: In) -> Result;
}

fn main() {}
