use tiny_runtime::prelude::*;

/// Asks.
#[component(name = "asker")]
#[derive(Default)]
struct Asker;

#[component]
impl Asker {
    /// Receives.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: String) -> Result<u64> {
        self.request(ctx, message).await
    }

    /// Needs a number.
    #[port(source)]
    async fn request(&self, ctx: &Ctx, message: String) -> Result<u64>;
}

fn main() {
    Bench::<Asker>::new().reply(Asker::REQUEST, "seven".to_owned());
}
