//! `ticker`: again and again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tiny_runtime::prelude::*;
use tiny_runtime::tokio::sync::watch;
use tiny_runtime::tokio::time::{Instant, sleep};

use crate::passing::Context;

/// What is sent, and how often.
#[message(default)]
pub(crate) struct TickerSettings {
    /// What is sent.
    #[ui(configurable)]
    pub(crate) context: Json,
    /// How long it waits before each, in milliseconds.
    pub(crate) delay: u64,
}

impl Default for TickerSettings {
    fn default() -> Self {
        Self { context: Json::default(), delay: 1000 }
    }
}

/// Whether it was started.
#[message]
#[derive(Default)]
pub(crate) struct Started {
    /// True from `start` to `stop`.
    pub(crate) running: bool,
}

/// What people see and do.
#[message]
#[derive(Default)]
pub(crate) struct TickerPanel {
    /// Whether it ticks.
    #[ui(readonly)]
    #[serde(default)]
    pub(crate) status: String,
    /// Starts it.
    #[ui(format = "button")]
    #[serde(default)]
    pub(crate) start: bool,
    /// Stops it, and ends what the last tick still runs.
    #[ui(format = "button")]
    #[serde(default)]
    pub(crate) stop: bool,
}

/// Starts a flow again and again, each time as a run of its own.
///
/// The next wait begins when all that the last tick has caused has ended, well or not. A new delay holds for a wait that has begun, too. It ticks
/// on one replica, the one that leads, and goes on after a restart.
#[component(name = "ticker", tags = ["common", "trigger"])]
#[derive(Default)]
pub(crate) struct Ticker {
    settings: Settings<TickerSettings>,
    started: State<Started>,
    /// The delay of the settings, for whoever waits for it to pass.
    delay: watch::Sender<u64>,
    /// Ends the loop of this process, while there is one.
    stop: Mutex<Option<watch::Sender<()>>>,
}

impl Ticker {
    fn panel(&self) -> TickerPanel {
        let status = if self.started.get().running { "Running" } else { "Not running" };
        TickerPanel { status: status.into(), start: false, stop: false }
    }

    /// Has this process tick or not, as the state says.
    fn follow(&self, ctx: &Ctx) -> Result<()> {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        match (self.started.get().running, stop.is_some()) {
            (true, false) => {
                let (sender, stopped) = watch::channel(());
                ctx.spawn_on_leader(self, move |me, ctx| {
                    let mut stopped = stopped.clone();
                    async move {
                        tiny_runtime::tokio::select! {
                            biased;
                            // The sender is gone.
                            _ = stopped.changed() => Ok(()),
                            () = me.tick(&ctx) => Ok(()),
                        }
                    }
                })?;
                *stop = Some(sender);
            }
            (false, true) => *stop = None,
            _ => {}
        }
        Ok(())
    }

    async fn tick(&self, ctx: &Ctx) {
        while self.pause(ctx).await {
            let context = Context(self.settings.get().context.clone());
            match self.out(&ctx.new_run("tick"), context).await {
                Ok(reply) => reply.ignore(),
                Err(e) => tiny_runtime::tracing::warn!(node = ctx.node(), "a tick failed: {e}"),
            }
        }
    }

    /// Waits until a tick is due; false when the node has gone.
    async fn pause(&self, ctx: &Ctx) -> bool {
        let begun = Instant::now();
        let mut delay = self.delay.subscribe();
        loop {
            let whole = Duration::from_millis((*delay.borrow_and_update()).max(1));
            tiny_runtime::tokio::select! {
                biased;
                () = ctx.cancelled() => return false,
                // Another delay counts from where this one began. Who says it lives as long as the component.
                Ok(()) = delay.changed() => {}
                () = sleep(whole.saturating_sub(begun.elapsed())) => return true,
            }
        }
    }
}

#[component]
impl Ticker {
    /// What people do.
    #[port(control, read = Self::panel)]
    async fn control(&self, ctx: &Ctx, panel: &TickerPanel) -> Result<()> {
        if panel.start || panel.stop {
            let running = panel.start && !panel.stop;
            self.started.update(|started| started.running = running).await?;
            self.follow(ctx)?;
            ctx.refresh();
        }
        Ok(())
    }

    /// Tells a wait that is under way of another delay.
    #[port(settings)]
    async fn wait_anew(&self, _ctx: &Ctx, settings: &TickerSettings) -> Result<()> {
        self.delay.send_replace(settings.delay);
        Ok(())
    }

    /// Goes on where another process, or the last one, was told to start or stop.
    #[port(reconcile)]
    async fn reconcile(&self, ctx: &Ctx) -> Result<()> {
        self.follow(ctx)
    }

    /// A tick.
    #[port(source, position = "right")]
    async fn out(&self, ctx: &Ctx, message: Context) -> Result;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passing::{context, json};

    fn panel(start: bool) -> TickerPanel {
        TickerPanel { start, stop: !start, ..TickerPanel::default() }
    }

    #[tiny_runtime::test]
    async fn it_ticks_from_start_to_stop() -> Result<()> {
        let bench = Bench::<Ticker>::new();
        bench.settings(TickerSettings { context: context("a"), delay: 100 });
        assert_eq!(bench.view().unwrap_or_default()["status"], "Not running");
        bench.send(Ticker::CONTROL, panel(true)).await?;
        sleep(Duration::from_millis(350)).await;
        assert_eq!(bench.sent(Ticker::OUT).len(), 3);
        assert_eq!(bench.sent(Ticker::OUT)[0].0, context("a"));
        assert_eq!(bench.view().unwrap_or_default()["status"], "Running");
        bench.send(Ticker::CONTROL, panel(true)).await?;
        sleep(Duration::from_millis(100)).await;
        assert_eq!(bench.sent(Ticker::OUT).len(), 4, "started twice it ticks once");
        bench.send(Ticker::CONTROL, panel(false)).await?;
        sleep(Duration::from_secs(1)).await;
        assert_eq!(bench.sent(Ticker::OUT).len(), 4);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn a_tick_that_fails_is_not_the_last() -> Result<()> {
        let bench = Bench::<Ticker>::new();
        bench.fail(Ticker::OUT, Error::permanent("no"));
        bench.send(Ticker::CONTROL, panel(true)).await?;
        sleep(Duration::from_millis(3500)).await;
        assert_eq!(bench.sent(Ticker::OUT).len(), 3);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn a_node_that_was_deleted_ticks_no_more() -> Result<()> {
        let bench = Bench::<Ticker>::new();
        bench.settings(TickerSettings { context: context("a"), delay: 3000 });
        bench.send(Ticker::CONTROL, panel(true)).await?;
        sleep(Duration::from_millis(3100)).await;
        assert_eq!(bench.sent(Ticker::OUT).len(), 1);
        let begun = Instant::now();
        bench.destroy().await?;
        assert!(begun.elapsed() < Duration::from_secs(1), "nothing in it waits on");
        sleep(Duration::from_secs(10)).await;
        assert_eq!(bench.sent(Ticker::OUT).len(), 1);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn another_delay_counts_at_once() -> Result<()> {
        let bench = Bench::<Ticker>::new();
        bench.settings(TickerSettings { context: context("a"), delay: u64::MAX });
        bench.send(Ticker::CONTROL, panel(true)).await?;
        sleep(Duration::from_secs(3600)).await;
        bench.settings(TickerSettings { context: context("a"), delay: 3_605_000 });
        sleep(Duration::from_secs(4)).await;
        assert!(bench.sent(Ticker::OUT).is_empty());
        sleep(Duration::from_secs(2)).await;
        assert_eq!(bench.sent(Ticker::OUT).len(), 1, "it counts from the beginning of the wait");
        bench.settings(TickerSettings { context: context("b"), delay: 1000 });
        sleep(Duration::from_millis(100)).await;
        assert_eq!(bench.sent(Ticker::OUT)[1].0, context("b"), "which has passed already");
        Ok(())
    }

    #[tiny_runtime::test]
    async fn it_goes_on_after_a_restart() -> Result<()> {
        let bench = Bench::<Ticker>::new();
        bench.send(Ticker::CONTROL, panel(true)).await?;
        assert_eq!(bench.stored("started"), Some(json!({"running": true})));
        let next = bench.restart();
        sleep(Duration::from_millis(2500)).await;
        assert_eq!(next.sent(Ticker::OUT).len(), 2);
        Ok(())
    }
}
