//! A message that was accepted, as a plane keeps it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::process::Process;
use super::stage::lock;
use crate::component::Kind;
use crate::engine::{Address, Outcome, Trigger};

/// A message of a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(super) usize);

/// What came of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It was handled; what it was answered, if anything.
    Replied(Option<Value>),
    /// It failed for good.
    Failed {
        /// Why.
        error: String,
        /// Whether sending it again might help.
        retryable: bool,
    },
    /// It was taken back, or what it ran through was removed.
    Cancelled(String),
}

impl Fate {
    fn of(outcome: &Outcome) -> Self {
        match &outcome.result {
            Ok(reply) => match reply.to_json() {
                Ok(reply) => Self::Replied(reply),
                Err(e) => Self::Failed { error: e.to_string(), retryable: false },
            },
            Err(e) if e.kind() == Kind::Cancelled => Self::Cancelled(e.to_string()),
            Err(e) => Self::Failed { error: e.to_string(), retryable: e.is_retryable() },
        }
    }
}

/// Lives as long as the simulation: it outlives processes.
pub(super) struct Signal {
    to: Address,
    data: Option<Value>,
    limit: Option<Duration>,
    cancel: CancellationToken,
    attempts: u32,
    is_running: bool,
    end: Arc<End>,
}

#[derive(Default)]
struct End {
    fate: Mutex<Option<Fate>>,
    comes: Notify,
}

impl Signal {
    pub(super) fn new(to: Address, data: Option<Value>, limit: Option<Duration>) -> Self {
        let (cancel, end) = (CancellationToken::new(), Arc::default());
        Self { to, data, limit, cancel, attempts: 0, is_running: false, end }
    }

    pub(super) fn to(&self) -> &Address {
        &self.to
    }

    pub(super) fn fate(&self) -> Option<Fate> {
        lock(&self.end.fate).clone()
    }

    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Begins its run, unless it runs already or has come to an end.
    pub(super) fn run(&mut self, process: &Process, number: usize) {
        if self.is_running || self.fate().is_some() {
            return;
        }
        (self.is_running, self.attempts) = (true, self.attempts + 1);
        let run = process.begin(Trigger {
            name: format!("signal {number}"),
            to: self.to.clone(),
            data: self.data.clone(),
            timeout: self.limit,
            cancel: self.cancel.clone(),
        });
        let end = self.end.clone();
        process.watch(async move {
            // Of a process that ends, nobody learns what came of it.
            if let Ok(outcome) = run.await {
                *lock(&end.fate) = Some(Fate::of(&outcome));
                end.comes.notify_waiters();
            }
        });
    }

    pub(super) fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Its process has ended.
    pub(super) fn lost(&mut self) {
        self.is_running = false;
    }

    /// Waits for its end.
    pub(super) async fn ended(&self) {
        loop {
            let comes = self.end.comes.notified();
            if self.fate().is_some() {
                return;
            }
            comes.await;
        }
    }
}
