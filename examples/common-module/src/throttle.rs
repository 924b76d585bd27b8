//! `throttle`: not too often.

use std::collections::VecDeque;
use std::time::Duration;

use tiny_runtime::prelude::*;
use tiny_runtime::tokio::sync::Mutex;
use tiny_runtime::tokio::time::{Instant, sleep};

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
/// Others wait for their turn, in the order in which they came, and whoever sent them waits with them; who gives up makes room. With
/// `dropped` enabled nobody waits.
#[component(name = "throttle", tags = ["common", "time"], concurrency = 1000)]
#[derive(Default)]
pub(crate) struct Throttle {
    settings: Settings<ThrottleSettings>,
    /// When the last ones passed. Whoever is next holds it while it waits, and the others queue behind it.
    passed: Mutex<VecDeque<Instant>>,
}

/// How often the settings are looked at by whoever waits.
const LOOK: Duration = Duration::from_secs(1);

impl Throttle {
    fn has_dropped(&self) -> bool {
        self.settings.get().enable_dropped_port
    }

    /// How long the next one has to wait, after those that have passed.
    fn wait(&self, passed: &mut VecDeque<Instant>, now: Instant) -> Duration {
        let settings = self.settings.get();
        let interval = Duration::from_millis(settings.interval);
        let since = |at: &Instant| now.saturating_duration_since(*at);
        while passed.front().is_some_and(|at| since(at) >= interval) {
            passed.pop_front();
        }
        // So many before the next there must lie an interval.
        let count = usize::try_from(settings.count).unwrap_or(usize::MAX);
        let before = passed.len().checked_sub(count).and_then(|at| passed.get(at));
        before.map_or(Duration::ZERO, |at| interval.saturating_sub(since(at)))
    }

    /// Waits for a turn, and takes it; false when it would have to wait and may not.
    async fn turn(&self) -> bool {
        let may_wait = || !self.has_dropped();
        let mut passed = match self.passed.try_lock() {
            Ok(passed) => passed,
            Err(_) if may_wait() => self.passed.lock().await,
            Err(_) => return false,
        };
        loop {
            let now = Instant::now();
            let wait = self.wait(&mut passed, now);
            if wait.is_zero() {
                passed.push_back(now);
                return true;
            }
            if !may_wait() {
                return false;
            }
            sleep(wait.min(LOOK)).await;
        }
    }
}

#[component]
impl Throttle {
    /// Anything.
    #[port(target, name = "in", position = "left")]
    async fn input(&self, ctx: &Ctx, message: Passing) -> Result {
        let context = Context(message.context);
        match self.turn().await {
            true => self.out(ctx, context).await,
            false => self.dropped(ctx, context).await,
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
    use tiny_runtime::tokio::time::timeout;

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
    async fn who_gives_up_takes_no_turn() -> Result<()> {
        let bench = Bench::<Throttle>::new();
        bench.settings_json(json!({"count": 1, "interval": 1000}));
        bench.send(Throttle::INPUT, passing("a")).await?.ignore();
        let began = Instant::now();
        for _ in 0..5 {
            let impatient = bench.send(Throttle::INPUT, passing("gone"));
            assert!(timeout(Duration::from_millis(100), impatient).await.is_err());
        }
        bench.send(Throttle::INPUT, passing("b")).await?.ignore();
        assert_eq!(began.elapsed(), Duration::from_millis(1000));
        Ok(())
    }

    #[tiny_runtime::test]
    async fn new_settings_hold_for_those_who_wait_too() -> Result<()> {
        let bench = Bench::<Throttle>::new();
        bench.settings_json(json!({"count": 1, "interval": u64::MAX}));
        bench.send(Throttle::INPUT, passing("a")).await?.ignore();
        let waits = async {
            let sent = bench.send(Throttle::INPUT, passing("b")).await;
            sent.map(|reply| reply.ignore()).map(|()| Instant::now())
        };
        let changes = async {
            sleep(Duration::from_secs(10)).await;
            bench.settings_json(json!({"count": 1, "interval": 100}));
            Instant::now()
        };
        let (passed, changed) = tiny_runtime::tokio::join!(waits, changes);
        assert!(passed?.duration_since(changed) <= LOOK);
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
