//! How long a watch that broke waits until it tries again.

use std::time::Duration;

use kube::runtime::utils::{Backoff, ResetTimerBackoff};
use kube::runtime::watcher;

use crate::engine::Dice;

/// The first pause: a plane that goes from one host to the next is there again at once.
const FIRST: Duration = Duration::from_millis(100);
/// The longest.
const LONGEST: Duration = Duration::from_secs(30);
/// After so long without a fault the next pause is the first again.
const WELL: Duration = Duration::from_secs(10);

/// The pauses of one watch, one after the other.
#[derive(Debug)]
pub(crate) struct Pauses {
    faults: u32,
    dice: Dice,
}

/// Pauses from 100 ms, doubling to 30 s, with up to half of each left to chance, so that many who lost the same server do not come back as
/// one.
pub(crate) fn pauses() -> ResetTimerBackoff<Pauses> {
    ResetTimerBackoff::new(Pauses { faults: 0, dice: Dice::fresh() }, WELL)
}

/// Says that the watch of `what` broke. One that came too late to go on lists again, which is no fault: a plane that was started again
/// does not know what has changed long before.
pub(super) fn broke(what: &str, error: &watcher::Error) {
    match error {
        watcher::Error::WatchError(status) if status.code == 410 => {
            tracing::debug!("lists {what} again: {}", status.message);
        }
        error => tracing::warn!("cannot watch {what}, trying again: {error}"),
    }
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let whole = FIRST.saturating_mul(1 << self.faults.min(16)).min(LONGEST);
        self.faults = self.faults.saturating_add(1);
        Some(whole / 2 + self.dice.up_to(whole / 2))
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.faults = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_begin_anew() {
        let mut pauses = Pauses { faults: 0, dice: Dice::seeded(1) };
        let first = pauses.next().unwrap();
        assert!(first >= FIRST / 2 && first <= FIRST, "{first:?}");
        let last = pauses.by_ref().nth(100).unwrap();
        assert!(last >= LONGEST / 2 && last <= LONGEST, "{last:?}");
        pauses.reset();
        assert!(pauses.next().unwrap() <= FIRST);
    }
}
