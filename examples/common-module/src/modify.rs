//! `common_modify`: a place for a mapping.

use tiny_runtime::prelude::*;

use crate::passing::{Context, Passing};

/// Hands on what an edge has made of a message.
///
/// It does nothing by itself: the mapping of the edge that leads here says what comes out.
#[component(name = "common_modify", tags = ["common", "mapping"])]
#[derive(Default)]
pub(crate) struct Modify;

#[component]
impl Modify {
    /// What the edge has made.
    #[port(target, name = "in", position = "left")]
    async fn input(&self, ctx: &Ctx, message: Passing) -> Result {
        self.out(ctx, Context(message.context)).await
    }

    /// The same.
    #[port(source, position = "right")]
    async fn out(&self, ctx: &Ctx, message: Context) -> Result;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passing::{context, json, passing};

    #[tiny_runtime::test]
    async fn it_hands_on_what_came_and_gives_the_reply() -> Result<()> {
        let bench = Bench::<Modify>::new();
        bench.reply(Modify::OUT, 7_u64);
        let reply = bench.send(Modify::INPUT, passing("a")).await?;
        assert_eq!(bench.sent(Modify::OUT)[0].0, context("a"));
        assert_eq!(reply.to_json()?, Some(json!(7)));
        Ok(())
    }
}
