//! The state and its one writer: a thread that decides, makes durable, publishes and answers.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::disk::Disk;
use super::draft::Draft;
use super::failure::Failure;
use super::history::{Change, History};
use super::index::Index;
use super::kinds::{KindId, Kinds};

/// Most writes that wait for the writer.
const QUEUE: usize = 1024;
/// Most writes of one commit.
const BATCH: usize = 128;
/// How long a write may wait in all.
const PATIENCE: Duration = Duration::from_secs(60);

/// What readers see.
pub(super) struct State {
    pub(super) index: Index,
    pub(super) history: History,
}

/// The store: reads at once, writes through the writer.
pub(super) struct Store {
    shared: Arc<Shared>,
    orders: mpsc::Sender<Order>,
}

struct Shared {
    state: RwLock<State>,
    /// The last version of each kind; watches wait on it.
    heads: Vec<watch::Sender<u64>>,
}

type Reply = Box<dyn FnOnce(Result<(), &Failure>) + Send>;
type Write = Box<dyn FnOnce(&mut Draft<'_>) -> Reply + Send>;

enum Order {
    Write(Write),
    Stop(oneshot::Sender<()>),
}

impl Store {
    /// Starts the writer over what `disk` holds; without one, over nothing, in memory.
    pub(super) fn start(disk: Option<Disk>, kinds: &Kinds, index: Index) -> std::io::Result<Self> {
        let history = History::new(kinds.ids().map(|kind| index.head(kind)));
        let heads = (0..kinds.len()).map(|_| watch::Sender::new(index.version)).collect();
        let shared = Arc::new(Shared { state: RwLock::new(State { index, history }), heads });
        let (orders, queue) = mpsc::channel(QUEUE);
        let writer = Writer { shared: Arc::clone(&shared), disk };
        std::thread::Builder::new().name("tiny-plane".to_owned()).spawn(|| writer.run(queue))?;
        Ok(Self { shared, orders })
    }

    /// What is stored, for as long as the guard lives. Never hold it across an await.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.shared.read()
    }

    /// A receiver that wakes when an object of this kind has changed.
    pub(super) fn head(&self, kind: KindId) -> Option<watch::Receiver<u64>> {
        self.shared.heads.get(usize::from(kind)).map(watch::Sender::subscribe)
    }

    /// Decides a write alone, with nothing in between, and answers when it is durable. `decide`
    /// must fail before it changes anything.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&mut Draft<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        let write: Write = Box::new(move |draft| {
            let outcome = decide(draft);
            Box::new(move |stored| {
                let outcome = outcome.and_then(|outcome| match stored {
                    Ok(()) => Ok(outcome),
                    Err(failure) => Err(failure.clone()),
                });
                // Nobody waits any longer: the write stands all the same.
                drop(answer.send(outcome));
            })
        });
        let stopped = || Failure::unavailable("the local plane has shut down");
        let written = async {
            self.orders.send(Order::Write(write)).await.map_err(|_| stopped())?;
            answered.await.map_err(|_| stopped())?
        };
        match tokio::time::timeout(PATIENCE, written).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::unavailable("the store did not answer within 60 s")),
        }
    }

    /// Ends the writer after the writes before this call, and closes the file.
    pub(super) async fn stop(&self) {
        let (stopped, stopping) = oneshot::channel();
        if self.orders.send(Order::Stop(stopped)).await.is_ok() {
            // An error means that it has stopped already.
            drop(stopping.await);
        }
    }
}

impl Shared {
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Writer {
    shared: Arc<Shared>,
    disk: Option<Disk>,
}

impl Writer {
    fn run(mut self, mut queue: mpsc::Receiver<Order>) {
        while let Some(first) = queue.blocking_recv() {
            let mut writes = Vec::new();
            let mut next = Some(first);
            let stop = loop {
                match next {
                    Some(Order::Write(write)) => writes.push(write),
                    Some(Order::Stop(stopped)) => break Some(stopped),
                    None => break None,
                }
                next = (writes.len() < BATCH).then(|| queue.try_recv().ok()).flatten();
            };
            self.settle(writes);
            if let Some(stopped) = stop {
                queue.close();
                drop(self.disk.take());
                // Who asked may have stopped waiting.
                stopped.send(()).unwrap_or(());
                return;
            }
        }
    }

    /// One batch: decide, commit once, publish, answer.
    fn settle(&mut self, writes: Vec<Write>) {
        let (version, changes, replies, stored) = {
            let state = self.shared.read();
            let mut draft = Draft::new(&state.index);
            let replies: Vec<Reply> = writes.into_iter().map(|write| write(&mut draft)).collect();
            let (version, changes) = (draft.version, draft.changes);
            let stored = match &mut self.disk {
                Some(disk) if !changes.is_empty() => disk.commit(&changes, version, &state.index),
                _ => Ok(()),
            };
            (version, changes, replies, stored)
        };
        match stored {
            Ok(()) => {
                self.publish(version, changes);
                replies.into_iter().for_each(|reply| reply(Ok(())));
            }
            Err(why) => {
                tracing::error!(error = %why, "the local plane cannot store changes");
                let failure = Failure::internal(format!("cannot store the change in {why}"));
                replies.into_iter().for_each(|reply| reply(Err(&failure)));
            }
        }
    }

    fn publish(&self, version: u64, changes: Vec<Change>) {
        let mut heads: HashMap<KindId, u64> = HashMap::new();
        {
            let mut state = self.shared.state.write().unwrap_or_else(PoisonError::into_inner);
            for change in changes {
                heads.insert(change.key.kind, change.version);
                if change.removed {
                    state.index.remove(&change.key, change.version);
                } else {
                    state.index.put(change.key.clone(), Arc::clone(&change.after));
                }
                state.history.push(change);
            }
            state.index.version = state.index.version.max(version);
        }
        for (kind, version) in heads {
            if let Some(head) = self.shared.heads.get(usize::from(kind)) {
                head.send_replace(version);
            }
        }
    }
}
