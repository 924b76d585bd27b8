//! What comes in from other modules, by whichever call.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::Either;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::proto::{MessageRequest, MessageResponse};
use super::{CREDITS, answer, letter};
use crate::component::{Error, Kind, panic};
use crate::engine::Scheduler;

/// Messages that are handled at once, of all callers together. Each has a task, so this bounds memory.
const MOST: u32 = 16 * CREDITS;
/// When a caller may try again that came while all places were taken.
const BREATH: Duration = Duration::from_millis(100);
/// The same for one that came while the process stops: another replica, or the next process, takes it.
const NEXT: Duration = Duration::from_millis(500);

/// How long the connections have to write the last answers that they have taken.
const FLUSH: Duration = Duration::from_millis(250);

/// What came of a message, and the place that it has until its answer is on its way: whoever has handled it must not end before.
pub(super) type Handled = (MessageResponse, Option<OwnedSemaphorePermit>);

/// Hands messages to the engine.
#[derive(Clone)]
pub(super) struct Inbox {
    scheduler: Scheduler,
    places: Arc<Semaphore>,
    closing: CancellationToken,
}

impl Inbox {
    pub(super) fn new(scheduler: Scheduler) -> Self {
        let closing = CancellationToken::new();
        Self { scheduler, places: Arc::new(Semaphore::new(MOST as usize)), closing }
    }

    /// Cancelled when nothing more is taken.
    pub(super) fn closing(&self) -> &CancellationToken {
        &self.closing
    }

    /// Handles a message to its end. Dropping this cancels all that it causes. It is moved and allocated for each message, so neither this
    /// nor what it calls is an `async fn`, which would keep the request once more.
    pub(super) fn take(
        &self,
        request: MessageRequest,
        header: Option<Duration>,
    ) -> impl Future<Output = Handled> + Send {
        // What the runner does not guard is how a reply is written. Whoever called must hear of it, and others share the connection.
        panic::caught_while(self.handled(request, header)).map(|done| {
            done.unwrap_or_else(|text| {
                tracing::error!("a message of another module could not be answered: {text}");
                let why = format!("its reply cannot be written: the component panicked: {text}");
                (answer::written(Err(Error::permanent(why))), None)
            })
        })
    }

    fn handled(
        &self,
        request: MessageRequest,
        header: Option<Duration>,
    ) -> impl Future<Output = Handled> + Send {
        let refused = |response, place| Either::Right(ready((response, place)));
        if self.closing.is_cancelled() {
            return refused(answer::untouched("the module is about to stop", NEXT), None);
        }
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            let why = format!("the module handles {MOST} messages already");
            return refused(answer::untouched(&why, BREATH), None);
        };
        let arrived = match letter::read(request, header) {
            Ok(arrived) => arrived,
            Err(error) => return refused(answer::written(Err(error)), Some(place)),
        };
        Either::Left(self.scheduler.arrive(arrived).map(move |result| {
            (answer::written(result.map_err(|error| self.interrupted(error))), Some(place))
        }))
    }

    /// What the end of this process cancels has not been cancelled by its caller, who may try it elsewhere.
    fn interrupted(&self, error: Error) -> Error {
        match error.kind() {
            Kind::Cancelled if self.closing.is_cancelled() => {
                Error::transient("the module stopped before the message had been handled")
            }
            _ => error,
        }
    }

    /// Takes nothing more.
    pub(super) fn close(&self) {
        self.closing.cancel();
    }

    /// Waits until nothing is under way, and what was is answered.
    pub(super) async fn drained(&self) {
        let was_idle = self.places.available_permits() == MOST as usize;
        // The semaphore is never closed.
        drop(self.places.acquire_many(MOST).await);
        if !was_idle {
            sleep(FLUSH).await;
        }
    }

    /// The same as a call of its own.
    pub(super) async fn call(
        &self,
        request: MessageRequest,
        header: Option<Duration>,
    ) -> Result<MessageResponse, Status> {
        let (response, _place) = self.take(request, header).await;
        answer::of_call(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_handles_a_message_is_small() {
        fn size_of_future<'a, F>(
            _: impl Fn(&'a Inbox, MessageRequest, Option<Duration>) -> F,
        ) -> usize {
            size_of::<F>()
        }
        let size = size_of_future(Inbox::take);
        assert!(size <= 1024, "{size} bytes: what does it hold twice?");
    }
}
