//! The one long stream over which all messages to a module go, at the module that calls.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

use super::CREDITS;
use super::answer::{self, Fate};
use super::batches::Batches;
use super::proto::module_service_client::ModuleServiceClient;
use super::proto::{Answer, Call, MessageRequest, MessageResponse};

/// Calls that wait for the connection to take them: as many as there are credits, for a caller that finds no room here sleeps twice. Each
/// holds its message anyway.
const CALLS: usize = CREDITS as usize;
/// How long the module may take for its first word.
const HELLO: Duration = Duration::from_secs(5);

/// A stream that is open.
pub(super) struct Line {
    calls: mpsc::Sender<Call>,
    state: Arc<State>,
}

struct State {
    open: Mutex<HashMap<u64, oneshot::Sender<MessageResponse>>>,
    /// Calls that the module takes beside those that are open.
    credits: Semaphore,
    window: usize,
    next: AtomicU64,
    is_broken: AtomicBool,
    broken: CancellationToken,
}

/// Why there is no stream.
pub(super) enum NoLine {
    /// The module is older and has none.
    Unknown,
    /// It did not come about.
    Failed(String),
}

impl Line {
    /// Opens a stream, and waits for the module's first word.
    pub(super) async fn open(mut client: ModuleServiceClient<Channel>) -> Result<Self, NoLine> {
        let (calls, outgoing) = mpsc::channel(CALLS);
        let opened = tokio::time::timeout(HELLO, async {
            let answers = client.exchange(Batches::of(outgoing)).await;
            let mut answers = answers.map_err(|status| no_line(&status))?.into_inner();
            match answers.message().await {
                Ok(Some(first)) => Ok((answers, first.credits)),
                Ok(None) => Err(NoLine::Failed("it ended the stream at once".into())),
                Err(status) => Err(no_line(&status)),
            }
        });
        let (answers, credits) = opened
            .await
            .unwrap_or_else(|_| Err(NoLine::Failed(format!("it said nothing for {HELLO:?}"))))?;
        let window = credits.clamp(1, 1 << 20) as usize;
        let state = Arc::new(State {
            open: Mutex::default(),
            credits: Semaphore::new(window),
            window,
            next: AtomicU64::new(1),
            is_broken: AtomicBool::new(false),
            broken: CancellationToken::new(),
        });
        tokio::spawn(listen(answers, state.clone()));
        Ok(Self { calls, state })
    }

    /// Comes when the stream is no more.
    pub(super) async fn broken(&self) {
        self.state.broken.cancelled().await;
    }

    pub(super) fn is_broken(&self) -> bool {
        self.state.is_broken.load(Ordering::Acquire)
    }

    /// Calls that wait for an answer, but for those of runs that pass the module already.
    pub(super) fn open_calls(&self) -> usize {
        self.state.window.saturating_sub(self.state.credits.available_permits())
    }

    /// Sends a message and waits for what comes of it. `is_inside` says that the run passes the module already: a call of it that waits
    /// for a credit could wait for itself; any other waits until `until`. Dropping this cancels the call.
    pub(super) async fn call(
        &self,
        message: impl FnOnce() -> MessageRequest,
        is_inside: impl FnOnce() -> bool,
        until: Instant,
    ) -> Fate {
        let state = &*self.state;
        let full = || Fate::Untouched {
            why: format!(
                "it has not answered any of the {} messages that are under way there",
                state.window
            ),
            after: Duration::ZERO,
        };
        let untouched = |why: &str| Fate::Untouched { why: why.into(), after: Duration::ZERO };
        let _credit = match state.credits.try_acquire() {
            Ok(credit) => Some(credit),
            Err(_) if is_inside() => None,
            Err(_) => {
                let credit = state.broken.run_until_cancelled(state.credits.acquire());
                match Box::pin(timeout_at(until, credit)).await {
                    Err(_) => return full(),
                    Ok(None) => return untouched("the connection is lost"),
                    Ok(Some(credit)) => credit.ok(),
                }
            }
        };
        let place = match self.calls.try_reserve() {
            Err(TrySendError::Full(())) => {
                match Box::pin(timeout_at(until, self.calls.reserve())).await {
                    Err(_) => return full(),
                    Ok(place) => place.ok(),
                }
            }
            place => place.ok(),
        };
        let Some(place) = place else { return untouched("the connection is lost") };
        let id = state.next.fetch_add(1, Ordering::Relaxed);
        let (send, response) = oneshot::channel();
        if !state.begin(id, send) {
            return untouched("the connection is lost");
        }
        let mut open = Open { line: self, id, is_over: false };
        place.send(Call { id, message: Some(message()) });
        let response = response.await;
        open.is_over = true;
        response.map_or_else(|_| Fate::Lost("the connection to it was lost".into()), answer::read)
    }
}

fn no_line(status: &Status) -> NoLine {
    match status.code() {
        Code::Unimplemented => NoLine::Unknown,
        _ => NoLine::Failed(status.message().to_owned()),
    }
}

/// Hands answers to those who wait for them.
async fn listen(mut answers: Streaming<Answer>, state: Arc<State>) {
    while let Ok(Some(Answer { id, response, credits: _ })) = answers.message().await {
        let waiting = state.open().remove(&id);
        if let (Some(waiting), Some(response)) = (waiting, response) {
            // Who has gone meanwhile has cancelled the call.
            drop(waiting.send(response));
        }
    }
    state.is_broken.store(true, Ordering::Release);
    // Whoever waits learns that nobody will answer.
    state.open().clear();
    state.broken.cancel();
}

impl State {
    /// Notes a call, unless the stream is no more.
    fn begin(&self, id: u64, waiting: oneshot::Sender<MessageResponse>) -> bool {
        let mut open = self.open();
        let is_broken = self.is_broken.load(Ordering::Acquire);
        if !is_broken {
            open.insert(id, waiting);
        }
        !is_broken
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<MessageResponse>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that waits for its answer; cancelled when it is dropped before.
struct Open<'a> {
    line: &'a Line,
    id: u64,
    is_over: bool,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.line.state.open().remove(&self.id);
        let cancel = Call { id: self.id, message: None };
        if let Err(TrySendError::Full(cancel)) = self.line.calls.try_send(cancel) {
            // It must not get lost: the module would go on for nobody.
            let calls = self.line.calls.clone();
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(async move { drop(calls.send(cancel).await) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_module_that_answers_nothing_is_not_waited_for_for_ever() {
        let (calls, _outgoing) = mpsc::channel(1);
        let state = State {
            open: Mutex::default(),
            credits: Semaphore::new(0),
            window: 8,
            next: AtomicU64::new(1),
            is_broken: AtomicBool::new(false),
            broken: CancellationToken::new(),
        };
        let line = Line { calls, state: Arc::new(state) };
        let began = Instant::now();
        let until = began + Duration::from_secs(30);
        let fate = line.call(MessageRequest::default, || false, until).await;
        assert!(
            matches!(&fate, Fate::Untouched { why, .. } if why.contains("any of the 8")),
            "{fate:?}"
        );
        assert_eq!(began.elapsed(), Duration::from_secs(30));
    }
}
