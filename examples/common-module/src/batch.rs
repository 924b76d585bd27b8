//! `batch`: several at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tiny_runtime::prelude::*;
use tiny_runtime::tokio::sync::watch;
use tiny_runtime::tokio::time::{Instant, timeout_at};

use crate::passing::Passing;

/// When a batch is sent.
#[message(default)]
pub(crate) struct BatchSettings {
    /// As soon as it has so many.
    #[ui(minimum = 1, maximum = 1000)]
    pub(crate) size: u64,
    /// At the latest so long after its first came, in milliseconds.
    #[ui(minimum = 1)]
    pub(crate) delay: u64,
}

impl Default for BatchSettings {
    fn default() -> Self {
        Self { size: 10, delay: 1000 }
    }
}

/// Several.
#[message]
pub(crate) struct Several {
    /// What came, in its order.
    #[ui(shared)]
    pub(crate) items: Vec<Json>,
}

/// What came of a batch; nothing yet.
type Fate = Option<Result<(), (String, bool)>>;

/// A batch that is filled.
struct Filling {
    items: Vec<Json>,
    due: Instant,
    fate: watch::Sender<Fate>,
}

/// Gathers messages, and hands on several at once.
///
/// Whoever sent one waits until the batch that it is in has been handed on, and shares what comes of it: nothing is lost when that fails.
#[component(name = "batch", tags = ["common", "list"])]
#[derive(Default)]
pub(crate) struct Batch {
    settings: Settings<BatchSettings>,
    filling: Mutex<Option<Filling>>,
}

impl Batch {
    fn filling(&self) -> MutexGuard<'_, Option<Filling>> {
        self.filling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an item into the batch; tells when that is due, and of its fate.
    fn put(&self, item: Json) -> (Instant, watch::Receiver<Fate>, Option<Filling>) {
        let settings = self.settings.get();
        let mut filling = self.filling();
        let batch = filling.get_or_insert_with(|| Filling {
            items: Vec::new(),
            due: Instant::now() + Duration::from_millis(settings.delay),
            fate: watch::Sender::new(None),
        });
        batch.items.push(item);
        let (due, fate) = (batch.due, batch.fate.subscribe());
        let is_full = batch.items.len() as u64 >= settings.size;
        (due, fate, if is_full { filling.take() } else { None })
    }

    /// Takes the batch that is due, unless somebody has.
    fn take_due(&self, now: Instant) -> Option<Filling> {
        let mut filling = self.filling();
        filling.as_ref().is_some_and(|batch| batch.due <= now).then(|| filling.take()).flatten()
    }

    async fn hand_on(&self, ctx: &Ctx, batch: Filling) -> Result {
        let sent = self.out(ctx, Several { items: batch.items }).await;
        let told = match &sent {
            Ok(_) => Ok(()),
            Err(e) => Err((e.to_string(), e.is_permanent())),
        };
        batch.fate.send_replace(Some(told));
        sent
    }
}

#[component]
impl Batch {
    /// One of them. The reply of the flow behind goes to whoever filled the batch, or waited longest.
    #[port(target, name = "in", position = "left")]
    async fn input(&self, ctx: &Ctx, message: Passing) -> Result {
        let (due, mut fate, full) = self.put(message.context);
        if let Some(batch) = full {
            return self.hand_on(ctx, batch).await;
        }
        let told = |fate: &Fate| fate.is_some();
        // Its sender is gone when whoever was to hand the batch on gave up.
        if timeout_at(due, fate.wait_for(told)).await.is_err() {
            if let Some(batch) = self.take_due(Instant::now()) {
                return self.hand_on(ctx, batch).await;
            }
            // Somebody else is about to.
            drop(fate.wait_for(told).await);
        }
        let fate = fate.borrow().clone();
        match fate {
            Some(Ok(())) => Ok(Reply::none()),
            Some(Err((why, true))) => Err(Error::permanent(why)),
            Some(Err((why, false))) => Err(Error::transient(why)),
            None => Err(Error::transient("who was to hand on the batch gave up")),
        }
    }

    /// Several.
    #[port(source, position = "right")]
    async fn out(&self, ctx: &Ctx, message: Several) -> Result;
}

#[cfg(test)]
mod tests {
    use tiny_runtime::tokio;

    use super::*;
    use crate::passing::{context, json, passing};

    #[tiny_runtime::test]
    async fn a_full_batch_goes_at_once_and_another_when_it_is_due() -> Result<()> {
        let bench = Bench::<Batch>::new();
        bench.settings_json(json!({"size": 2, "delay": 500}));
        let began = Instant::now();
        let send = |text: &str| bench.send(Batch::INPUT, passing(text));
        let (one, two) = tokio::join!(send("a"), send("b"));
        one?.ignore();
        two?.ignore();
        assert_eq!(began.elapsed(), Duration::ZERO);
        send("c").await?.ignore();
        assert_eq!(began.elapsed(), Duration::from_millis(500));
        let sent: Vec<Vec<Json>> = bench.sent(Batch::OUT).into_iter().map(|it| it.items).collect();
        assert_eq!(sent, [vec![context("a"), context("b")], vec![context("c")]]);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn all_of_a_batch_share_what_comes_of_it() -> Result<()> {
        let bench = Bench::<Batch>::new();
        bench.settings_json(json!({"size": 2}));
        bench.fail(Batch::OUT, Error::permanent("no"));
        let send = |text: &str| bench.send(Batch::INPUT, passing(text));
        let (one, two) = tokio::join!(send("a"), send("b"));
        for failed in [one.unwrap_err(), two.unwrap_err()] {
            assert!(failed.is_permanent() && failed.to_string().contains("no"), "{failed}");
        }
        Ok(())
    }
}
