//! `batch`: several at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tiny_runtime::component::Kind;
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

/// What came of a batch; nothing yet. Of an error, whether it is one for good.
type Fate = Option<Result<(), (String, bool)>>;

/// A batch that is filled.
struct Filling {
    /// The number of its first item, which no other batch has.
    number: u64,
    items: Vec<(u64, Json)>,
    due: Instant,
    fate: watch::Sender<Fate>,
}

/// Gathers messages, and hands on several at once.
///
/// Whoever sent one waits until the batch that it is in has been handed on, and shares what comes of it: nothing is lost when that fails.
/// Who gives up before takes back what it sent.
// Two batches of any size: one on its way, one that is filled.
#[component(name = "batch", tags = ["common", "list"], concurrency = 2000)]
#[derive(Default)]
pub(crate) struct Batch {
    settings: Settings<BatchSettings>,
    next: Mutex<Next>,
}

#[derive(Default)]
struct Next {
    filling: Option<Filling>,
    /// Items that have come so far.
    came: u64,
}

/// An item that waits in the batch that is filled. Dropped before that goes, it is taken out: its sender has been told that it failed.
struct Waiting<'a> {
    component: &'a Batch,
    batch: u64,
    item: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut next = self.component.next();
        let Some(batch) = next.filling.as_mut().filter(|it| it.number == self.batch) else {
            return;
        };
        batch.items.retain(|(number, _)| *number != self.item);
        if batch.items.is_empty() {
            next.filling = None;
        }
    }
}

impl Batch {
    fn next(&self) -> MutexGuard<'_, Next> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an item into the batch; tells when that is due, and of its fate. The batch itself, where it is full now.
    fn put(&self, item: Json) -> (Waiting<'_>, Instant, watch::Receiver<Fate>, Option<Filling>) {
        let settings = self.settings.get();
        let mut next = self.next();
        let number = next.came;
        next.came += 1;
        let batch = next.filling.get_or_insert_with(|| Filling {
            number,
            items: Vec::new(),
            due: later(Instant::now(), Duration::from_millis(settings.delay)),
            fate: watch::Sender::new(None),
        });
        batch.items.push((number, item));
        let waiting = Waiting { component: self, batch: batch.number, item: number };
        let (due, fate) = (batch.due, batch.fate.subscribe());
        let is_full = batch.items.len() as u64 >= settings.size;
        (waiting, due, fate, if is_full { next.filling.take() } else { None })
    }

    /// Takes the batch of this number, unless somebody has.
    fn take(&self, number: u64) -> Option<Filling> {
        self.next().filling.take_if(|batch| batch.number == number)
    }

    async fn hand_on(&self, ctx: &Ctx, batch: Filling) -> Result {
        let items = batch.items.into_iter().map(|(_, item)| item).collect();
        let sent = self.out(ctx, Several { items }).await;
        let told = match &sent {
            Ok(_) => Ok(()),
            // That time has run out for whoever handed it on says nothing of the others.
            Err(e) => Err((e.to_string(), matches!(e.kind(), Kind::Permanent | Kind::Limit))),
        };
        batch.fate.send_replace(Some(told));
        sent
    }
}

/// So much later; as late as there is, where nobody can wait so long.
fn later(now: Instant, by: Duration) -> Instant {
    now.checked_add(by.min(Duration::from_secs(100 * 365 * 24 * 3600))).unwrap_or(now)
}

#[component]
impl Batch {
    /// One of them. The reply of the flow behind goes to whoever filled the batch, or waited longest.
    #[port(target, name = "in", position = "left")]
    async fn input(&self, ctx: &Ctx, message: Passing) -> Result {
        let (waiting, due, mut fate, full) = self.put(message.context);
        if let Some(batch) = full {
            return self.hand_on(ctx, batch).await;
        }
        let told = |fate: &Fate| fate.is_some();
        // Its sender is gone when whoever was to hand the batch on gave up.
        if timeout_at(due, fate.wait_for(told)).await.is_err() {
            if let Some(batch) = self.take(waiting.batch) {
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
    use tiny_runtime::tokio::time::timeout;

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
    async fn each_shares_what_comes_of_its_own_batch_and_of_no_other() -> Result<()> {
        let bench = Bench::<Batch>::new();
        bench.settings_json(json!({"size": 2, "delay": 1000}));
        // The flow behind takes longer for the first batch than the second one waits.
        bench.stall(Batch::OUT).reply(Batch::OUT, "taken".to_owned());
        let send = |text: &str| bench.send(Batch::INPUT, passing(text));
        tokio::select! {
            biased;
            first = async { tokio::join!(send("a"), send("b")) } => panic!("{first:?}"),
            second = send("c") => second?.ignore(),
        }
        let sent: Vec<Vec<Json>> = bench.sent(Batch::OUT).into_iter().map(|it| it.items).collect();
        assert_eq!(sent, [vec![context("a"), context("b")], vec![context("c")]]);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn who_gives_up_takes_back_what_it_sent() -> Result<()> {
        let bench = Bench::<Batch>::new();
        bench.settings_json(json!({"size": 2, "delay": 1000}));
        let impatient = bench.send(Batch::INPUT, passing("gone"));
        assert!(timeout(Duration::from_millis(500), impatient).await.is_err());
        assert!(bench.component().next().filling.is_none());
        let send = |text: &str| bench.send(Batch::INPUT, passing(text));
        let (one, two) = tokio::join!(send("a"), send("b"));
        one?.ignore();
        two?.ignore();
        assert_eq!(bench.sent(Batch::OUT)[0].items, [context("a"), context("b")]);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn what_was_in_a_batch_that_ran_out_of_somebodys_time_comes_again() -> Result<()> {
        let bench = Bench::<Batch>::new();
        bench.settings_json(json!({"size": 2, "delay": u64::MAX}));
        let first = bench.send(Batch::INPUT, passing("a"));
        let others = async {
            bench.stall(Batch::OUT).reply(Batch::OUT, "taken".to_owned());
            let hurried = bench.send(Batch::INPUT, passing("b"));
            assert!(timeout(Duration::from_millis(500), hurried).await.is_err());
            bench.send(Batch::INPUT, passing("c")).await
        };
        let (first, last) = tokio::join!(first, others);
        first?.ignore();
        last?.ignore();
        // `a` is tried again a moment after its batch was given up.
        assert_eq!(bench.sent(Batch::OUT)[1].items, [context("c"), context("a")]);
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
