//! `deduplicate`: each key once.

use std::collections::{HashSet, VecDeque};
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
    keys: HashSet<String>,
    /// The same in the order in which they came.
    order: VecDeque<(Instant, String)>,
}

impl Seen {
    /// Notes a key; false when it was known.
    fn note(&mut self, key: &str, now: Instant, settings: &DeduplicateSettings) -> bool {
        let window = Duration::from_millis(settings.window);
        while self.order.front().is_some_and(|(since, _)| now.duration_since(*since) >= window) {
            self.forget_oldest();
        }
        if self.keys.contains(key) {
            return false;
        }
        while self.order.len() as u64 >= settings.max_keys {
            self.forget_oldest();
        }
        self.keys.insert(key.to_owned());
        self.order.push_back((now, key.to_owned()));
        true
    }

    fn forget_oldest(&mut self) {
        if let Some((_, oldest)) = self.order.pop_front() {
            self.keys.remove(&oldest);
        }
    }

    fn forget(&mut self, key: &str) {
        if self.keys.remove(key) {
            self.order.retain(|(_, other)| other != key);
        }
    }
}

/// Forgets a key unless what it came with has arrived: also when the run is cancelled on the way.
struct Tentative<'a> {
    component: &'a Deduplicate,
    key: &'a str,
    has_arrived: bool,
}

impl Drop for Tentative<'_> {
    fn drop(&mut self) {
        if !self.has_arrived {
            self.component.seen().forget(self.key);
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
        let is_new = self.seen().note(&message.key, Instant::now(), &settings);
        let context = Context(message.context);
        if !is_new {
            return match settings.enable_duplicate_port {
                true => self.duplicate(ctx, context).await,
                false => Ok(Reply::none()),
            };
        }
        let mut tentative = Tentative { component: self, key: &message.key, has_arrived: false };
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
    use tiny_runtime::tokio::time::sleep;

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
