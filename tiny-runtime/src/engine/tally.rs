//! What a node has done, in numbers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use crate::component::{Kind, Reply, Result};

/// Upper bounds of the buckets of durations, in seconds; the last bucket has none.
pub const BOUNDS: [f64; 11] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0];

/// What a hop may come to, in words of a label.
pub const OUTCOMES: [&str; 6] = ["ok", "transient", "permanent", "exhausted", "limit", "cancelled"];

/// Hops of a node that are all timed; of later ones every sixteenth is. Two looks at the clock would be a tenth of a short hop.
const TIMED: u64 = 256;

/// The numbers of a node, counted while it lives.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    begun: AtomicU64,
    done: [AtomicU64; OUTCOMES.len()],
    retries: AtomicU64,
    waiting: AtomicU64,
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// The same at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tallied {
    /// The node.
    pub node: String,
    /// Its component.
    pub component: String,
    /// Hops that have ended, by [`OUTCOMES`].
    pub done: [u64; OUTCOMES.len()],
    /// Attempts after the first of a hop.
    pub retries: u64,
    /// Hops that hold a permit of the node.
    pub in_flight: u64,
    /// Hops that wait for one.
    pub waiting: u64,
    /// How many of the timed hops took as long as each of [`BOUNDS`] at most, and longer; each bucket for itself.
    pub buckets: [u64; BOUNDS.len() + 1],
    /// What the timed hops took together.
    pub took: Duration,
}

impl Tally {
    /// A hop begins; when, if it is one of those that are timed.
    pub(super) fn begin(&self) -> Option<Instant> {
        let count = self.begun.fetch_add(1, Relaxed);
        (count < TIMED || count.is_multiple_of(16)).then(Instant::now)
    }

    /// It has ended.
    pub(super) fn end(&self, began: Option<Instant>, result: &Result<Reply>) {
        let outcome = match result.as_ref().map_err(|error| error.kind()) {
            Ok(_) => 0,
            Err(Kind::Transient { .. }) => 1,
            Err(Kind::Permanent) => 2,
            Err(Kind::Exhausted) => 3,
            Err(Kind::Limit) => 4,
            Err(Kind::Cancelled) => 5,
        };
        self.done[outcome].fetch_add(1, Relaxed);
        let Some(began) = began else { return };
        let took = began.elapsed();
        let bucket = BOUNDS.iter().position(|bound| took.as_secs_f64() <= *bound);
        self.buckets[bucket.unwrap_or(BOUNDS.len())].fetch_add(1, Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    /// A hop is tried once more.
    pub(super) fn retried(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    /// A hop waits until the guard is dropped.
    pub(super) fn wait(&self) -> Wait<'_> {
        self.waiting.fetch_add(1, Relaxed);
        Wait(self)
    }

    /// The numbers now; whose they are, and how many are in flight, knows the node.
    pub(super) fn now(&self) -> Tallied {
        let load = |number: &AtomicU64| number.load(Relaxed);
        Tallied {
            done: self.done.each_ref().map(load),
            retries: load(&self.retries),
            waiting: load(&self.waiting),
            buckets: self.buckets.each_ref().map(load),
            took: Duration::from_micros(load(&self.micros)),
            ..Tallied::default()
        }
    }
}

/// A hop that waits.
pub(super) struct Wait<'a>(&'a Tally);

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::Error;

    #[tokio::test(start_paused = true)]
    async fn hops_are_counted_by_what_they_came_to_and_timed_now_and_then() {
        let tally = Tally::default();
        let results: [fn() -> Result<Reply>; 6] = [
            || Ok(Reply::none()),
            || Err(Error::transient("x")),
            || Err(Error::permanent("x")),
            || Err(Error::exhausted("x")),
            || Err(Error::limit("x")),
            || Err(Error::cancelled("x")),
        ];
        for result in results {
            let began = tally.begin();
            tokio::time::advance(Duration::from_millis(20)).await;
            tally.end(began, &result());
        }
        tally.retried();
        let wait = tally.wait();
        let now = tally.now();
        assert_eq!((now.done, now.retries, now.waiting), ([1; 6], 1, 1));
        assert_eq!((now.buckets[3], now.took), (6, Duration::from_millis(120)));
        drop(wait);
        for _ in 0..1000 {
            tally.end(tally.begin(), &Ok(Reply::none()));
        }
        let now = tally.now();
        assert_eq!((now.waiting, now.done[0]), (0, 1001));
        let timed: u64 = now.buckets.iter().sum();
        assert!((256..400).contains(&timed), "{timed}");
    }
}
