//! `common_async`: nobody waits.

use std::sync::Arc;

use tiny_runtime::prelude::*;
use tiny_runtime::tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::passing::{Context, Passing};

/// How much goes on at once.
#[message(default)]
pub(crate) struct AsyncSettings {
    /// The most messages that are under way behind this node; who comes then waits.
    #[ui(minimum = 1, maximum = 1000)]
    pub(crate) max_concurrency: u32,
}

impl Default for AsyncSettings {
    fn default() -> Self {
        Self { max_concurrency: 100 }
    }
}

/// Answers at once, and hands on what came in the background.
///
/// What the flow behind it replies is nobody's, and what fails there is in the log. What is under way when the process ends is lost.
#[component(name = "common_async", tags = ["common", "flow"])]
pub(crate) struct Detached {
    settings: Settings<AsyncSettings>,
    /// As many permits as may ever be under way.
    places: Arc<Semaphore>,
}

/// The most that settings may allow.
const MOST: u32 = 1000;

impl Default for Detached {
    fn default() -> Self {
        Self { settings: Settings::default(), places: Arc::new(Semaphore::new(MOST as usize)) }
    }
}

impl Detached {
    /// A place among those under way. With fewer allowed each takes more of the permits.
    async fn place(&self) -> Result<OwnedSemaphorePermit> {
        let share = MOST / self.settings.get().max_concurrency.clamp(1, MOST);
        let place = self.places.clone().acquire_many_owned(share).await;
        place.map_err(|_| Error::transient("the node ends"))
    }
}

#[component]
impl Detached {
    /// What goes on alone.
    #[port(target, name = "in", position = "left")]
    async fn input(&self, ctx: &Ctx, message: Passing) -> Result<()> {
        let place = self.place().await?;
        ctx.spawn(self, move |me, ctx| async move {
            let reply = me.out(&ctx, Context(message.context)).await;
            drop(place);
            reply
        })
    }

    /// The same, in the background.
    #[port(source, position = "right")]
    async fn out(&self, ctx: &Ctx, message: Context) -> Result;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tiny_runtime::tokio::time::{sleep, timeout};

    use super::*;
    use crate::passing::{json, passing};

    #[tiny_runtime::test]
    async fn it_answers_before_the_flow_behind_has_ended() -> Result<()> {
        let bench = Bench::<Detached>::new();
        bench.fail(Detached::OUT, Error::permanent("nobody hears of it"));
        bench.send(Detached::INPUT, passing("a")).await?;
        sleep(Duration::from_millis(1)).await;
        assert_eq!(bench.sent(Detached::OUT).len(), 1);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn what_is_beyond_the_limit_waits() -> Result<()> {
        let bench = Bench::<Detached>::new();
        bench.settings_json(json!({"maxConcurrency": 2}));
        let component = bench.component();
        let (one, _two) = (component.place().await?, component.place().await?);
        let third = component.place();
        assert!(timeout(Duration::from_secs(1), third).await.is_err(), "two are under way");
        drop(one);
        assert!(timeout(Duration::from_secs(1), component.place()).await.is_ok());
        Ok(())
    }
}
