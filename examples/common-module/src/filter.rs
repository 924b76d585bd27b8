//! `filter`: only what fits.

use tiny_runtime::prelude::*;

use crate::passing::Context;

/// What becomes of the rest.
#[message(default)]
#[derive(Default)]
pub(crate) struct FilterSettings {
    /// Whether there is a port for what does not pass.
    pub(crate) enable_rejected_port: bool,
}

/// What is looked at.
#[message]
pub(crate) struct Filtered {
    /// What is handed on.
    #[ui(configurable)]
    pub(crate) context: Json,
    /// Whether it passes.
    #[ui(configurable)]
    pub(crate) condition: bool,
}

/// Hands on what fits a condition.
///
/// The condition is an expression of the edge that leads here. What does not fit goes to `rejected` where that is enabled, else nowhere.
#[component(name = "filter", tags = ["common", "flow"])]
#[derive(Default)]
pub(crate) struct Filter {
    settings: Settings<FilterSettings>,
}

impl Filter {
    fn has_rejected(&self) -> bool {
        self.settings.get().enable_rejected_port
    }
}

#[component]
impl Filter {
    /// Anything, and whether it passes.
    #[port(target, name = "in", position = "left")]
    async fn input(&self, ctx: &Ctx, message: Filtered) -> Result {
        let context = Context(message.context);
        match message.condition {
            true => self.out(ctx, context).await,
            false if self.has_rejected() => self.rejected(ctx, context).await,
            false => Ok(Reply::none()),
        }
    }

    /// What fits.
    #[port(source, position = "right")]
    async fn out(&self, ctx: &Ctx, message: Context) -> Result;

    /// What does not.
    #[port(source, position = "bottom", when = Self::has_rejected)]
    async fn rejected(&self, ctx: &Ctx, message: Context) -> Result;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passing::{context, json};

    fn filtered(condition: bool) -> Filtered {
        Filtered { context: context("a"), condition }
    }

    #[tiny_runtime::test]
    async fn only_what_fits_passes() -> Result<()> {
        let bench = Bench::<Filter>::new();
        bench.reply(Filter::OUT, "passed".to_owned());
        let reply = bench.send(Filter::INPUT, filtered(true)).await?;
        assert_eq!(reply.to_json()?, Some(json!("passed")));
        assert!(bench.send(Filter::INPUT, filtered(false)).await?.is_none());
        assert_eq!(bench.sent(Filter::OUT).len(), 1);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn the_rest_has_a_port_where_it_is_enabled() -> Result<()> {
        let bench = Bench::<Filter>::new();
        assert!(!bench.ports().contains(&"rejected".to_owned()));
        bench.settings(FilterSettings { enable_rejected_port: true });
        bench.send(Filter::INPUT, filtered(false)).await?.ignore();
        assert_eq!(bench.sent(Filter::REJECTED).len(), 1);
        Ok(())
    }
}
