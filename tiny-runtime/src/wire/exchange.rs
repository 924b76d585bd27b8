//! The stream of a caller, at the module that is called.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::Stream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::AbortHandle;
use tonic::{Status, Streaming};

use super::batches::Batches;
use super::inbox::Inbox;
use super::proto::{Answer, Call};
use super::{CREDITS, answer};

/// Answers that wait for the connection to take them: one for each credit, so that a call that is done ends.
const ANSWERS: usize = CREDITS as usize;
/// Calls that may be open beyond the credits: those of runs that pass this module already, which need none.
const MOST: usize = 4 * CREDITS as usize;

/// What goes back to the caller. When it is dropped, because the caller is gone, so are its calls.
pub(super) struct Answers {
    answers: Batches<Placed>,
    calls: Arc<Calls>,
}

/// An answer, with the place of its message until the connection takes it.
type Placed = (Answer, Option<OwnedSemaphorePermit>);

/// The calls that are open.
#[derive(Default)]
struct Calls(Mutex<Open>);

#[derive(Default)]
struct Open {
    calls: HashMap<u64, AbortHandle>,
    is_over: bool,
}

/// Begins to answer the calls of a stream.
pub(super) async fn begin(inbox: Inbox, calls: Streaming<Call>) -> Answers {
    let (send, answers) = mpsc::channel(ANSWERS);
    let open = Arc::new(Calls::default());
    // There is room: it is the first.
    let first = Answer { id: 0, response: None, credits: CREDITS };
    drop(send.send((first, None)).await);
    tokio::spawn(listen(inbox, calls, send, open.clone()));
    Answers { answers: Batches::of(answers), calls: open }
}

/// Each call that waits has a task of its own: it must not keep others waiting, for it may wait for them. What it does until it waits for
/// the first time is done here, since that is all for many, and a task costs as much as the rest of them; but not while calls compute
/// for long.
async fn listen(
    inbox: Inbox,
    mut incoming: Streaming<Call>,
    send: mpsc::Sender<Placed>,
    calls: Arc<Calls>,
) {
    let mut pace = Pace::default();
    loop {
        let call = tokio::select! {
            biased;
            // Nobody reads the answers any more.
            () = send.closed() => break,
            call = incoming.message() => call,
        };
        let Ok(Some(Call { id, message })) = call else { break };
        let Some(message) = message else {
            calls.cancel(id);
            continue;
        };
        if id == 0 || calls.count() >= MOST {
            let why = format!("{MOST} calls are open on this stream");
            let response = answer::untouched(&why, Duration::ZERO);
            drop(send.send((Answer { id, response: Some(response), credits: 0 }, None)).await);
            continue;
        }
        let (inbox, send) = (inbox.clone(), send.clone());
        let mut work = Box::pin(async move {
            let (response, place) = inbox.take(message, None).await;
            let answer = Answer { id, response: Some(response), credits: 0 };
            // An answer that nobody takes any more is no fault.
            drop(send.send((answer, place)).await);
        });
        if !pace.is_long() {
            let began = Instant::now();
            let first = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await;
            pace.took(began.elapsed());
            if first.is_ready() {
                continue;
            }
        }
        calls.begin(id, work);
    }
    calls.end();
}

/// How long calls of a stream compute.
#[derive(Default)]
struct Pace {
    /// Calls that get a task at once, because earlier ones have computed for long.
    spared: u32,
    /// [`CLOSE`] after a call that was long, and one less after each that was not.
    suspicion: u32,
}

/// Computing for longer than this keeps others waiting.
const LONG: Duration = Duration::from_micros(50);
/// Two long calls so close to each other are no accident. A single one is: the system gave the processor to somebody else.
const CLOSE: u32 = 32;

impl Pace {
    fn is_long(&mut self) -> bool {
        let is_long = self.spared > 0;
        self.spared = self.spared.saturating_sub(1);
        is_long
    }

    fn took(&mut self, time: Duration) {
        if time <= LONG {
            self.suspicion = self.suspicion.saturating_sub(1);
        } else if self.suspicion > 0 {
            (self.spared, self.suspicion) = (CREDITS, 0);
        } else {
            self.suspicion = CLOSE;
        }
    }
}

impl Calls {
    fn begin(self: &Arc<Self>, id: u64, work: impl Future<Output = ()> + Send + 'static) {
        // Held until it is noted, so that a call that ends at once is noted before it is forgotten.
        let mut open = self.open();
        if open.is_over || open.calls.contains_key(&id) {
            return;
        }
        let calls = self.clone();
        let task = tokio::spawn(async move {
            work.await;
            calls.ended(id);
        });
        open.calls.insert(id, task.abort_handle());
    }

    fn count(&self) -> usize {
        self.open().calls.len()
    }

    fn ended(&self, id: u64) {
        self.open().calls.remove(&id);
    }

    fn cancel(&self, id: u64) {
        if let Some(task) = self.open().calls.remove(&id) {
            task.abort();
        }
    }

    /// Cancels all that are open; no more begin.
    fn end(&self) {
        let mut open = self.open();
        open.is_over = true;
        open.calls.drain().for_each(|(_, task)| task.abort());
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream for Answers {
    type Item = Result<Answer, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.answers.poll_next(cx).map(|answer| answer.map(|(answer, _place)| Ok(answer)))
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.calls.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_calls_compute_for_long_each_has_a_task_for_a_while() {
        let mut pace = Pace::default();
        let spared = |pace: &mut Pace| (0..2 * CREDITS).filter(|_| pace.is_long()).count();
        pace.took(LONG);
        assert_eq!(spared(&mut pace), 0);
        pace.took(LONG * 2);
        assert_eq!(spared(&mut pace), 0, "one may have been interrupted");
        (0..CLOSE).for_each(|_| pace.took(LONG));
        pace.took(LONG * 2);
        assert_eq!(spared(&mut pace), 0, "so may another, much later");
        pace.took(LONG);
        pace.took(LONG * 2);
        assert_eq!(spared(&mut pace), CREDITS as usize);
    }
}
