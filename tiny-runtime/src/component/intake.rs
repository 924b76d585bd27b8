//! Ways in from outside, and their end before that of the process.

use std::fmt;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::Error;

/// The ways in of one process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Intakes {
    closing: CancellationToken,
    held: TaskTracker,
}

impl Intakes {
    pub(crate) fn open(&self) -> Intake {
        Intake { closing: self.closing.clone(), held: self.held.token() }
    }

    /// Has nothing more taken in, and waits until what came in has ended.
    pub(crate) async fn closed(&self) {
        self.closing.cancel();
        self.held.close();
        self.held.wait().await;
    }
}

/// A way in from outside that a component keeps open, such as a server or a subscription: see [`Ctx::intake`](super::Ctx::intake). A clone is
/// the same way in; while one is held, an orderly end of the process waits, as it does for runs under way.
#[derive(Clone)]
pub struct Intake {
    closing: CancellationToken,
    /// Waited for until it is dropped.
    #[allow(dead_code, reason = "it counts by being there")]
    held: TaskTrackerToken,
}

impl Intake {
    /// Waits until the process is about to end and nothing more is to be taken in. What came in before may go on: drop the intake when that
    /// has ended.
    ///
    /// What a run has done that lasts as long as the way in is not done then: it returns this error, and its signal is run again by the next
    /// process.
    pub async fn closing(&self) -> Error {
        self.closing.cancelled().await;
        Error::cancelled("the process is stopping")
    }

    /// Whether [`closing`](Self::closing) has come.
    pub fn is_closing(&self) -> bool {
        self.closing.is_cancelled()
    }
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").field("is_closing", &self.is_closing()).finish()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_end_waits_until_every_handle_is_gone() {
        let intakes = Intakes::default();
        let one = intakes.open();
        let two = one.clone();
        let mut closed = Box::pin(intakes.closed());
        assert!(!one.is_closing());
        assert!(closed.as_mut().now_or_never().is_none());
        assert!(one.is_closing());
        assert_eq!(two.closing().await.to_string(), "the process is stopping");
        drop(one);
        assert!(closed.as_mut().now_or_never().is_none(), "a clone is held");
        drop(two);
        closed.await;
        assert!(intakes.open().is_closing(), "what is opened later is told at once");
    }
}
