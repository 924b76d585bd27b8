//! `delay`: later.

use std::time::Duration;

use tiny_runtime::prelude::*;
use tiny_runtime::tokio::time::sleep;

use crate::passing::Context;

/// What waits, and how long.
#[message]
pub(crate) struct Delayed {
    /// What is handed on.
    #[ui(configurable)]
    pub(crate) context: Json,
    /// How long it waits, in milliseconds.
    #[ui(minimum = 1)]
    #[serde(default = "second")]
    pub(crate) delay: u64,
}

fn second() -> u64 {
    1000
}

/// Hands on what comes, later.
///
/// Whoever sent it waits as long, and gets the reply of what comes after. A run that is cancelled waits no more.
#[component(name = "delay", tags = ["common", "time"], concurrency = 1000)]
#[derive(Default)]
pub(crate) struct Delay;

#[component]
impl Delay {
    /// What waits, and how long.
    #[port(target, name = "in", position = "left")]
    async fn input(&self, ctx: &Ctx, message: Delayed) -> Result {
        sleep(Duration::from_millis(message.delay)).await;
        self.out(ctx, Context(message.context)).await
    }

    /// The same, later.
    #[port(source, position = "right")]
    async fn out(&self, ctx: &Ctx, message: Context) -> Result;
}

#[cfg(test)]
mod tests {
    use tiny_runtime::tokio::time::Instant;

    use super::*;
    use crate::passing::{context, json};

    #[tiny_runtime::test]
    async fn it_waits_and_gives_the_reply() -> Result<()> {
        let bench = Bench::<Delay>::new();
        bench.reply(Delay::OUT, "seen".to_owned());
        let began = Instant::now();
        let reply =
            bench.send(Delay::INPUT, Delayed { context: context("a"), delay: 1500 }).await?;
        assert_eq!(began.elapsed(), Duration::from_millis(1500));
        assert_eq!(bench.sent(Delay::OUT)[0].0, context("a"));
        assert_eq!(reply.to_json()?, Some(json!("seen")));
        Ok(())
    }

    #[tiny_runtime::test]
    async fn it_waits_a_second_unless_told_and_never_less_than_nothing() -> Result<()> {
        let bench = Bench::<Delay>::new();
        let began = Instant::now();
        bench.send_json("in", json!({"context": 1})).await?.ignore();
        assert_eq!(began.elapsed(), Duration::from_secs(1));
        let error = bench.send_json("in", json!({"context": 1, "delay": 0})).await.unwrap_err();
        assert!(error.to_string().contains("`delay` must be at least 1"), "{error}");
        Ok(())
    }
}
