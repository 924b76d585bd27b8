//! `deduplicate`: each key once.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tiny_runtime::prelude::*;
use tiny_runtime::tokio::time::Instant;

use crate::passing::Context;

/// What is remembered.
#[message(default)]
pub(crate) struct DeduplicateSettings {
    /// How long a key is remembered, in milliseconds.
    #[ui(minimum = 1)]
    pub(crate) window: u64,
    /// How many keys are remembered at most; the oldest are forgotten first.
    #[ui(minimum = 1, maximum = 1_000_000)]
    pub(crate) max_keys: u64,
    /// Whether there is a port for what comes again.
    pub(crate) enable_duplicate_port: bool,
}

impl Default for DeduplicateSettings {
    fn default() -> Self {
        Self { window: 60_000, max_keys: 10_000, enable_duplicate_port: false }
    }
}

/// Something with a key.
#[message]
pub(crate) struct Keyed {
    /// What is handed on.
    #[ui(configurable)]
    pub(crate) context: Json,
    /// What makes it the same as another.
    #[ui(configurable)]
    pub(crate) key: String,
}

/// Hands on what comes for the first time.
///
/// A key counts as seen from the moment it comes, so two at once pass once; when the flow behind fails it is forgotten, so that the same
/// may be tried again. Keys are remembered in this process only.
#[component(name = "deduplicate", tags = ["common", "flow"])]
#[derive(Default)]
pub(crate) struct Deduplicate {
    settings: Settings<DeduplicateSettings>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Each key with the number under which it came.
    keys: HashMap<String, u64>,
    /// The same in the order in which they came.
    order: VecDeque<(Instant, String)>,
    /// How many have come so far.
    came: u64,
}

impl Seen {
    /// Notes a key, under a number; `None` when it was known.
    fn note(&mut self, key: &str, now: Instant, settings: &DeduplicateSettings) -> Option<u64> {
        let window = Duration::from_millis(settings.window);
        while self.order.front().is_some_and(|(since, _)| now.duration_since(*since) >= window) {
            self.forget_oldest();
        }
        if self.keys.contains_key(key) {
            return None;
        }
        while self.order.len() as u64 >= settings.max_keys {
            self.forget_oldest();
        }
        let number = self.came;
        self.came += 1;
        self.keys.insert(key.to_owned(), number);
        self.order.push_back((now, key.to_owned()));
        Some(number)
    }

    fn forget_oldest(&mut self) {
        if let Some((_, oldest)) = self.order.pop_front() {
            self.keys.remove(&oldest);
        }
    }

    /// Forgets a key, unless it was forgotten already: what has come since is somebody else's.
    fn forget(&mut self, key: &str, number: u64) {
        if self.keys.get(key) == Some(&number) {
            self.keys.remove(key);
            self.order.retain(|(_, other)| other != key);
        }
    }
}

/// Forgets a key unless what it came with has arrived: also when the run is cancelled on the way.
struct Tentative<'a> {
    component: &'a Deduplicate,
    key: &'a str,
    number: u64,
    has_arrived: bool,
}

impl Drop for Tentative<'_> {
    fn drop(&mut self) {
        if !self.has_arrived {
            self.component.seen().forget(self.key, self.number);
        }
    }
}

impl Deduplicate {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_duplicate(&self) -> bool {
        self.settings.get().enable_duplicate_port
    }
}

#[component]
impl Deduplicate {
    /// Anything with a key.
    #[port(target, name = "in", position = "left")]
    async fn input(&self, ctx: &Ctx, message: Keyed) -> Result {
        let settings = self.settings.get();
        let noted = self.seen().note(&message.key, Instant::now(), &settings);
        let context = Context(message.context);
        let Some(number) = noted else {
            return match settings.enable_duplicate_port {
                true => self.duplicate(ctx, context).await,
                false => Ok(Reply::none()),
            };
        };
        let mut tentative =
            Tentative { component: self, key: &message.key, number, has_arrived: false };
        let reply = self.out(ctx, context).await?;
        tentative.has_arrived = true;
        Ok(reply)
    }

    /// What came for the first time.
    #[port(source, position = "right")]
    async fn out(&self, ctx: &Ctx, message: Context) -> Result;

    /// What came again.
    #[port(source, position = "bottom", when = Self::has_duplicate)]
    async fn duplicate(&self, ctx: &Ctx, message: Context) -> Result;
}

#[cfg(test)]
mod tests {
    use tiny_runtime::tokio::time::{sleep, timeout};

    use super::*;
    use crate::passing::{context, json};

    fn keyed(key: &str) -> Keyed {
        Keyed { context: context("a"), key: key.into() }
    }

    #[tiny_runtime::test]
    async fn each_key_passes_once_within_the_window() -> Result<()> {
        let bench = Bench::<Deduplicate>::new();
        for key in ["a", "b", "a"] {
            bench.send(Deduplicate::INPUT, keyed(key)).await?.ignore();
        }
        assert_eq!(bench.sent(Deduplicate::OUT).len(), 2);
        sleep(Duration::from_secs(60)).await;
        bench.send(Deduplicate::INPUT, keyed("a")).await?.ignore();
        assert_eq!(bench.sent(Deduplicate::OUT).len(), 3);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn the_oldest_keys_are_forgotten_first() -> Result<()> {
        let bench = Bench::<Deduplicate>::new();
        bench.settings_json(json!({"maxKeys": 2, "enableDuplicatePort": true}));
        for key in ["a", "b", "c", "a", "c"] {
            bench.send(Deduplicate::INPUT, keyed(key)).await?.ignore();
        }
        assert_eq!(bench.sent(Deduplicate::OUT).len(), 4, "`a` was forgotten for `c`");
        assert_eq!(bench.sent(Deduplicate::DUPLICATE).len(), 1);
        assert_eq!(bench.component().seen().order.len(), 2);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn what_fails_late_forgets_nothing_that_came_since() -> Result<()> {
        let bench = Bench::<Deduplicate>::new();
        bench.settings_json(json!({"window": 1000}));
        bench.stall(Deduplicate::OUT).reply(Deduplicate::OUT, "seen".to_owned());
        let late = timeout(Duration::from_secs(2), bench.send(Deduplicate::INPUT, keyed("a")));
        let again = async {
            sleep(Duration::from_millis(1900)).await;
            bench.send(Deduplicate::INPUT, keyed("a")).await
        };
        let (late, again) = tiny_runtime::tokio::join!(late, again);
        assert!(late.is_err());
        again?.ignore();
        bench.send(Deduplicate::INPUT, keyed("a")).await?.ignore();
        assert_eq!(bench.sent(Deduplicate::OUT).len(), 2, "the window of the second is open");
        Ok(())
    }

    #[tiny_runtime::test]
    async fn what_did_not_arrive_may_come_again() -> Result<()> {
        let bench = Bench::<Deduplicate>::new();
        bench.fail(Deduplicate::OUT, Error::permanent("no"));
        assert!(bench.send(Deduplicate::INPUT, keyed("a")).await.is_err());
        bench.reply(Deduplicate::OUT, "yes".to_owned());
        let reply = bench.send(Deduplicate::INPUT, keyed("a")).await?;
        assert_eq!(reply.to_json()?, Some(json!("yes")));
        Ok(())
    }
}
