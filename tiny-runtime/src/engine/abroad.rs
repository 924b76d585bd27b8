//! Messages that come from other modules, and those that go there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::time::Instant;

use super::{Address, Envelope, RetryBounds, Route};
use crate::component::{Body, Ending, Error, Line, Passed, Reply, Result, Run, RunId, Sender};

/// The nodes of other modules, and the way to them.
pub trait Abroad: Route {
    /// Whether node `name` belongs to another module.
    fn has(&self, name: &str) -> bool;
}

/// A message of another module.
#[derive(Debug)]
pub struct Arrived {
    /// The port that sends, where it is said.
    pub from: Option<Address>,
    /// The port that receives.
    pub to: Address,
    /// The id of the edge.
    pub edge: Option<Arc<str>>,
    /// The message.
    pub body: Body,
    /// Whether the sender has evaluated the mapping of its edge.
    pub mapped: bool,
    /// The run; a new one where nobody says.
    pub run: Option<RunId>,
    /// What the message passed before.
    pub passed: Passed,
    /// How the receiver retries.
    pub bounds: RetryBounds,
    /// When all that the caller does must have ended.
    pub deadline: Option<Instant>,
    /// When this hop must have ended.
    pub expires: Option<Instant>,
}

impl Arrived {
    /// The envelope of the message, which belongs to `run`.
    pub(super) fn envelope(self, run: Arc<Run>) -> (Envelope, Option<Address>) {
        let Self { from, to, edge, body, passed, bounds, deadline, expires, .. } = self;
        let source = from.as_ref().map(|from| from.port.clone());
        let line = Arc::new(Line { edge, from: source, to, removed: Ending::default() });
        let sender = Sender::Module(Arc::new(passed));
        (Envelope { line, body, run, sender, bounds, deadline, expires }, from)
    }
}

/// Runs that are known in other modules too: one that comes back is the one that left, with its hops counted on.
#[derive(Default)]
pub(super) struct Runs(Mutex<Known>);

#[derive(Default)]
struct Known {
    runs: HashMap<u128, Weak<Run>>,
    /// The number of runs at which those that have ended are taken out.
    full: usize,
}

/// Runs that are looked through at least, when some have ended.
const FULL: usize = 1024;

impl Runs {
    /// Notes a run that goes to another module.
    pub(super) fn note(&self, run: &Arc<Run>) {
        self.with(|known| {
            known.runs.entry(run.id().0).or_insert_with(|| Arc::downgrade(run));
        });
    }

    /// The run of this id, if it is under way here; else it begins here.
    pub(super) fn of(&self, id: RunId, begin: impl FnOnce() -> Run) -> Arc<Run> {
        self.with(|known| {
            if let Some(run) = known.runs.get(&id.0).and_then(Weak::upgrade) {
                return run;
            }
            let run = Arc::new(begin());
            known.runs.insert(id.0, Arc::downgrade(&run));
            run
        })
    }

    fn with<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = look(&mut known);
        if known.runs.len() > known.full.max(FULL) {
            known.runs.retain(|_, run| run.strong_count() > 0);
            // Looked through again when there are twice as many, so that each costs the same.
            known.full = known.runs.len() * 2;
        }
        found
    }
}

/// Where there are no other modules.
pub(super) struct Nowhere;

impl Route for Nowhere {
    fn deliver(&self, envelope: Envelope) -> crate::component::BoxFuture<'_, Result<Reply>> {
        let why = format!("node `{}` belongs to no module that is known", envelope.line.to.node);
        Box::pin(std::future::ready(Err(Error::exhausted(why))))
    }
}

impl Abroad for Nowhere {
    fn has(&self, _: &str) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::RunLimits;

    #[test]
    fn a_run_that_comes_back_is_the_one_that_left_and_what_has_ended_is_forgotten() {
        let runs = Runs::default();
        let begin = |id| Run::new(RunId(id), "test".into(), RunLimits::default());
        let left = Arc::new(begin(1));
        runs.note(&left);
        assert!(Arc::ptr_eq(&left, &runs.of(RunId(1), || begin(1))));
        let first = runs.of(RunId(2), || begin(2));
        assert!(Arc::ptr_eq(&first, &runs.of(RunId(2), || begin(2))));
        for id in 10..10_000 {
            drop(runs.of(RunId(id), || begin(id)));
        }
        assert!(runs.0.lock().unwrap().runs.len() <= 2 * FULL);
        assert!(Arc::ptr_eq(&left, &runs.of(RunId(1), || begin(1))), "it is still under way");
    }
}
