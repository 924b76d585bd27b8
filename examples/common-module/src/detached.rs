//! `common_async`: nobody waits.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tiny_runtime::prelude::*;
use tiny_runtime::tokio::sync::Notify;
use tiny_runtime::tokio::time::timeout;

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
#[derive(Default)]
pub(crate) struct Detached {
    settings: Settings<AsyncSettings>,
    under_way: Arc<UnderWay>,
}

/// What is under way. No semaphore: the settings may say another number at any time.
#[derive(Default)]
struct UnderWay {
    count: Mutex<u32>,
    freed: Notify,
}

/// One of those under way, for as long as it is held.
struct Place(Arc<UnderWay>);

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.freed.notify_one();
    }
}

/// How often the settings are looked at by whoever waits.
const LOOK: Duration = Duration::from_secs(1);

impl Detached {
    /// A place among those under way, waited for.
    async fn place(&self) -> Place {
        loop {
            let mut freed = pin!(self.under_way.freed.notified());
            // From here on no place is freed unseen.
            freed.as_mut().enable();
            if let Some(place) = self.free_place() {
                return place;
            }
            // Either way there may be a place now.
            let _freed = timeout(LOOK, freed).await;
        }
    }

    fn free_place(&self) -> Option<Place> {
        let most = self.settings.get().max_concurrency;
        let mut count = self.under_way.count.lock().unwrap_or_else(PoisonError::into_inner);
        (*count < most).then(|| {
            *count += 1;
            Place(self.under_way.clone())
        })
    }
}

#[component]
impl Detached {
    /// What goes on alone.
    #[port(target, name = "in", position = "left")]
    async fn input(&self, ctx: &Ctx, message: Passing) -> Result<()> {
        let place = self.place().await;
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
    use tiny_runtime::tokio;
    use tiny_runtime::tokio::time::{Instant, sleep};

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
        // A number that 1000 is no multiple of.
        bench.settings_json(json!({"maxConcurrency": 3}));
        let component = bench.component();
        let mut under_way = Vec::new();
        for _ in 0..3 {
            under_way.push(component.place().await);
        }
        let soon = Duration::from_secs(5);
        assert!(timeout(soon, component.place()).await.is_err(), "three are under way");
        let began = Instant::now();
        let (fourth, ()) = tokio::join!(component.place(), async { drop(under_way.pop()) });
        assert_eq!(began.elapsed(), Duration::ZERO, "it is told at once");
        under_way.push(fourth);
        let more = async { bench.settings_json(json!({"maxConcurrency": 4})) };
        let (fifth, _) = tokio::join!(timeout(soon, component.place()), more);
        assert!(fifth.is_ok(), "more may be under way now");
        Ok(())
    }
}
