//! Work beside the hop: in the background, on the leader, on a thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tiny_runtime::prelude::*;
use tokio::time::sleep;

use crate::until;

/// Works in the background.
#[component(name = "worker")]
#[derive(Default)]
struct Worker {
    ended: Arc<AtomicU32>,
    begun: AtomicU32,
}

#[component]
impl Worker {
    /// Sends later, and answers at once.
    #[port(target)]
    async fn later(&self, ctx: &Ctx, message: String) -> Result<()> {
        ctx.spawn(self, |me, ctx| async move {
            sleep(Duration::from_secs(5)).await;
            assert!(ctx.deadline().is_none());
            me.out(&ctx, message).await
        })
    }

    /// Ticks until the node goes, each time a run of its own.
    #[port(target)]
    async fn tick(&self, ctx: &Ctx, stubborn: bool) -> Result<()> {
        let (ended, first) = (self.ended.clone(), ctx.run().id());
        ctx.spawn(self, move |me, ctx| async move {
            while stubborn || !ctx.is_cancelled() {
                let tick = ctx.new_run("tick");
                assert_ne!(tick.run().id(), first);
                me.out(&tick, tick.run().trigger().to_owned()).await?.ignore();
                sleep(Duration::from_secs(1)).await;
            }
            ended.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
    }

    /// Works where its process leads.
    #[port(target)]
    async fn lead(&self, ctx: &Ctx, _message: String) -> Result<()> {
        ctx.spawn_on_leader(self, |me, ctx| async move {
            me.begun.fetch_add(1, Ordering::Relaxed);
            loop {
                me.out(&ctx.new_run("watch"), "watched".into()).await?.ignore();
                sleep(Duration::from_secs(1)).await;
                if ctx.is_cancelled() {
                    return Ok(());
                }
            }
        })
    }

    /// Fails in the background.
    #[port(target)]
    async fn fail(&self, ctx: &Ctx, panics: bool) -> Result<()> {
        ctx.spawn(self, move |_, _| async move {
            if panics {
                panic!("in the background");
            }
            Err::<(), _>(Error::permanent("nobody sees this but the log"))
        })
    }

    /// Spawns without end.
    #[port(target)]
    async fn flood(&self, ctx: &Ctx, _message: String) -> Result<()> {
        for _ in 0..2000 {
            ctx.spawn(self, |_, ctx| async move {
                ctx.cancelled().await;
                Ok(())
            })
            .map_err(|e| Error::permanent(e.to_string()))?;
        }
        Ok(())
    }

    /// Adds up on a thread.
    #[port(target)]
    async fn sum(&self, ctx: &Ctx, to: u64) -> Result<u64> {
        if to == 0 {
            return ctx.blocking(|| panic!("nothing to add")).await;
        }
        ctx.blocking(move || (1..=to).sum()).await
    }

    /// Spawns on a component that is no node.
    #[port(target)]
    async fn astray(&self, ctx: &Ctx, _message: String) -> Result<()> {
        ctx.spawn(&Self::default(), |_, _| async move { Ok(()) })
    }

    /// Tells on a thread when its hop has ended.
    #[port(target)]
    async fn watch(&self, ctx: &Ctx, _message: String) -> Result<()> {
        let (ctx, ended) = (ctx.clone(), self.ended.clone());
        tokio::spawn(async move {
            ctx.cancelled().await;
            assert!(ctx.is_cancelled());
            ended.fetch_add(1, Ordering::Relaxed);
        });
        Ok(())
    }

    /// What was done.
    #[port(source)]
    async fn out(&self, ctx: &Ctx, message: String) -> Result;
}

#[tokio::test(start_paused = true)]
async fn the_method_answers_and_the_work_goes_on() {
    let bench = Bench::<Worker>::new();
    bench.send(Worker::LATER, "a".into()).await.unwrap();
    assert!(bench.sent(Worker::OUT).is_empty());
    until("the message", || bench.sent(Worker::OUT) == ["a"]).await;
}

#[tokio::test(start_paused = true)]
async fn the_background_ends_with_its_node() {
    let bench = Bench::<Worker>::new();
    bench.send(Worker::TICK, false).await.unwrap();
    sleep(Duration::from_millis(3500)).await;
    assert_eq!(bench.sent(Worker::OUT), ["tick of `worker`"; 4]);
    let ended = bench.component().ended.clone();
    bench.remove().await;
    assert_eq!(ended.load(Ordering::Relaxed), 1, "it was told, and ended by itself");
    let sent = bench.sent(Worker::OUT).len();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(bench.sent(Worker::OUT).len(), sent);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_hear_that_its_node_is_gone_is_dropped_after_five_seconds() {
    let bench = Bench::<Worker>::new();
    bench.send(Worker::TICK, true).await.unwrap();
    let ended = bench.component().ended.clone();
    let start = tokio::time::Instant::now();
    bench.remove().await;
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(ended.load(Ordering::Relaxed), 0);
    assert_eq!(Arc::strong_count(&ended), 1, "nothing holds the component any more");
}

#[tokio::test(start_paused = true)]
async fn work_of_the_leader_moves_with_leadership() {
    let bench = Bench::<Worker>::new().lead(false);
    bench.send(Worker::LEAD, String::new()).await.unwrap();
    sleep(Duration::from_secs(5)).await;
    assert!(bench.sent(Worker::OUT).is_empty(), "nobody leads");
    bench.lead(true);
    until("the first", || bench.sent(Worker::OUT).len() > 2).await;
    bench.lead(false);
    sleep(Duration::from_secs(2)).await;
    let sent = bench.sent(Worker::OUT).len();
    sleep(Duration::from_secs(5)).await;
    assert_eq!(bench.sent(Worker::OUT).len(), sent);
    bench.lead(true);
    until("the second", || bench.sent(Worker::OUT).len() > sent).await;
    assert_eq!(bench.component().begun.load(Ordering::Relaxed), 2, "it began anew");
}

#[tokio::test(start_paused = true)]
async fn what_fails_in_the_background_hurts_nobody() {
    let bench = Bench::<Worker>::new();
    bench.send(Worker::FAIL, false).await.unwrap();
    bench.send(Worker::FAIL, true).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.send(Worker::SUM, 4).await.unwrap(), 10);
}

#[tokio::test(start_paused = true)]
async fn the_background_has_a_bound() {
    let bench = Bench::<Worker>::new();
    let error = bench.send(Worker::FLOOD, String::new()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "node `worker` has 1000 tasks in the background, which is as many as it may"
    );
    bench.remove().await;
}

#[tokio::test(start_paused = true)]
async fn blocking_work_returns_and_its_panic_is_an_error() {
    let bench = Bench::<Worker>::new();
    assert_eq!(bench.send(Worker::SUM, 100).await.unwrap(), 5050);
    let error = bench.send(Worker::SUM, 0).await.unwrap_err();
    assert!(error.is_permanent());
    assert_eq!(error.to_string(), "blocking work of node `worker` panicked: nothing to add");
}

#[tokio::test(start_paused = true)]
async fn only_the_nodes_own_component_has_a_background() {
    let bench = Bench::<Worker>::new();
    let error = bench.send(Worker::ASTRAY, String::new()).await.unwrap_err();
    assert!(error.to_string().contains("begins with `ctx.spawn(self, …)`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_hop_that_has_ended_is_cancelled() {
    let bench = Bench::<Worker>::new();
    bench.send(Worker::WATCH, String::new()).await.unwrap();
    until("the end", || bench.component().ended.load(Ordering::Relaxed) == 1).await;
}
