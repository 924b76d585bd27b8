use tiny_runtime::prelude::*;
use tiny_runtime::tracing;

/// What to show.
#[message]
pub struct ShowInput {
    /// The text.
    #[ui(configurable)]
    pub text: String,
}

/// Shows a text in the log of its module, and answers with it.
#[component(name = "show", tags = ["example"])]
#[derive(Default)]
pub struct Show;

#[component]
impl Show {
    /// Receives the text.
    #[port(target, position = "left")]
    async fn input(&self, ctx: &Ctx, message: ShowInput) -> Result<String> {
        tracing::info!(node = ctx.node(), "{}", message.text);
        Ok(message.text)
    }
}
