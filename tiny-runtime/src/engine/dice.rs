//! Injected randomness.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::component::RunId;

/// The only source of randomness in the engine: a seed reproduces every jitter and every id.
#[derive(Debug)]
pub struct Dice(Mutex<fastrand::Rng>);

impl Dice {
    /// The same throws every time.
    pub fn seeded(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// Throws that nobody can foresee.
    pub fn fresh() -> Self {
        Self(Mutex::new(fastrand::Rng::new()))
    }

    /// A wait from nothing to `most`: full jitter.
    pub(crate) fn up_to(&self, most: Duration) -> Duration {
        let share = self.throw(|rng| rng.f64());
        most.mul_f64(share)
    }

    pub(crate) fn run_id(&self) -> RunId {
        RunId(self.throw(|rng| rng.u128(1..)))
    }

    fn throw<T>(&self, f: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
