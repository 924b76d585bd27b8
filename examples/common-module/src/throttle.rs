//! `throttle`: not too often.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tiny_runtime::prelude::*;
use tiny_runtime::tokio::time::{Instant, sleep_until};

use crate::passing::{Context, Passing};

/// How often.
#[message(default)]
pub(crate) struct ThrottleSettings {
    /// How many messages pass within the interval.
    #[ui(minimum = 1, maximum = 100_000)]
    pub(crate) count: u64,
    /// The interval, in milliseconds.
    #[ui(minimum = 1)]
    pub(crate) interval: u64,
    /// Sends what would have to wait to `dropped` instead.
    pub(crate) enable_dropped_port: bool,
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        Self { count: 10, interval: 1000, enable_dropped_port: false }
    }
}

/// Hands on so many messages within any interval, and no more.
///
/// Others wait for their turn, in the order in which they came, and whoever sent them waits with them. With `dropped` enabled nobody waits.
#[component(name = "throttle", tags = ["common", "time"])]
#[derive(Default)]
pub(crate) struct Throttle {
    settings: Settings<ThrottleSettings>,
    /// When the last ones passed, or will.
    passed: Mutex<VecDeque<Instant>>,
}

impl Throttle {
    fn has_dropped(&self) -> bool {
        self.settings.get().enable_dropped_port
    }

    /// When the next one may pass, which is taken; `None` when it would have to wait and may not.
    fn turn(&self, now: Instant) -> Option<Instant> {
        let settings = self.settings.get();
        let interval = Duration::from_millis(settings.interval);
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        while passed.front().is_some_and(|at| now.saturating_duration_since(*at) >= interval) {
            passed.pop_front();
        }
        // So many before the next there must lie an interval.
        let count = usize::try_from(settings.count).unwrap_or(usize::MAX);
        let before = passed.len().checked_sub(count).map(|at| passed[at] + interval);
        let turn = before.unwrap_or(now).max(now);
        if turn > now && settings.enable_dropped_port {
            return None;
        }
        passed.push_back(turn);
        Some(turn)
    }
}

#[component]
impl Throttle {
    /// Anything.
    #[port(target, name = "in", position = "left")]
    async fn input(&self, ctx: &Ctx, message: Passing) -> Result {
        let context = Context(message.context);
        match self.turn(Instant::now()) {
            Some(turn) => {
                sleep_until(turn).await;
                self.out(ctx, context).await
            }
            None => self.dropped(ctx, context).await,
        }
    }

    /// The same, in its turn.
    #[port(source, position = "right")]
    async fn out(&self, ctx: &Ctx, message: Context) -> Result;

    /// What came too soon.
    #[port(source, position = "bottom", when = Self::has_dropped)]
    async fn dropped(&self, ctx: &Ctx, message: Context) -> Result;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passing::{json, passing};

    #[tiny_runtime::test]
    async fn no_interval_has_more_than_may_pass() -> Result<()> {
        let bench = Bench::<Throttle>::new();
        bench.settings_json(json!({"count": 2, "interval": 1000}));
        let began = Instant::now();
        let mut turns = Vec::new();
        for _ in 0..5 {
            bench.send(Throttle::INPUT, passing("a")).await?.ignore();
            turns.push(began.elapsed().as_millis());
        }
        assert_eq!(turns, [0, 0, 1000, 1000, 2000]);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn those_who_come_at_once_wait_in_their_order() -> Result<()> {
        let bench = Bench::<Throttle>::new();
        bench.settings_json(json!({"count": 1, "interval": 100}));
        let began = Instant::now();
        let send = || bench.send(Throttle::INPUT, passing("a"));
        let (one, two, three, four) = tiny_runtime::tokio::join!(send(), send(), send(), send());
        for sent in [one, two, three, four] {
            sent?.ignore();
        }
        assert_eq!(began.elapsed(), Duration::from_millis(300));
        Ok(())
    }

    #[tiny_runtime::test]
    async fn what_may_not_wait_is_dropped() -> Result<()> {
        let bench = Bench::<Throttle>::new();
        bench.settings_json(json!({"count": 1, "interval": 1000, "enableDroppedPort": true}));
        for _ in 0..3 {
            bench.send(Throttle::INPUT, passing("a")).await?.ignore();
        }
        assert_eq!((bench.sent(Throttle::OUT).len(), bench.sent(Throttle::DROPPED).len()), (1, 2));
        Ok(())
    }
}
