//! Everything that one trigger causes.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::Error;
use crate::words;

/// How many arrivals a run remembers for its one line in the log.
const REMEMBERED: usize = 16;
/// Bytes of a failure that it remembers.
const SENTENCE: usize = 1024;

/// One trigger and all that it causes: a tree of hops under one id.
pub struct Run {
    id: RunId,
    trigger: String,
    limits: RunLimits,
    hops: AtomicU32,
    /// The bound that it has passed.
    runaway: OnceLock<String>,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    /// Depth and place of each arrival. Written out only when somebody asks.
    visits: Vec<(u16, Arc<dyn fmt::Display + Send + Sync>)>,
    failures: Vec<String>,
}

/// One arrival of a message, as a run remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Number of hops on the way from the trigger; the first is 1.
    pub depth: u16,
    /// `node:port`.
    pub at: String,
}

/// The bounds of a run.
#[derive(Clone, Copy, Debug)]
pub struct RunLimits {
    /// Hops on one path.
    pub path: u16,
    /// Hops of the whole run in this process.
    pub hops: u32,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self { path: 256, hops: 1_000_000 }
    }
}

impl Run {
    pub(crate) fn new(id: RunId, trigger: String, limits: RunLimits) -> Self {
        Self {
            id,
            trigger,
            limits,
            hops: AtomicU32::new(0),
            runaway: OnceLock::new(),
            record: Mutex::default(),
        }
    }

    /// The run's id, also its trace id.
    pub fn id(&self) -> RunId {
        self.id
    }

    /// What started it, in words: `signal hello-input`.
    pub fn trigger(&self) -> &str {
        &self.trigger
    }

    /// Hops so far.
    pub fn hops(&self) -> u32 {
        self.hops.load(Ordering::Relaxed)
    }

    /// Counts one hop and refuses it when the run or its path is over its bounds: a cycle is legal, a runaway is not. A run that has
    /// passed a bound makes no further hop: each branch of a cycle would otherwise try all ways to the end by itself.
    pub(crate) fn enter<A>(&self, depth: u16, at: &Arc<A>) -> Result<(), Error>
    where
        A: fmt::Display + Send + Sync + 'static,
    {
        if let Some(runaway) = self.runaway.get() {
            return Err(Error::limit(runaway));
        }
        if depth > self.limits.path {
            return Err(self.run_away(format!(
                "the path to `{at}` is longer than {} hops: is there a cycle without an end?",
                self.limits.path
            )));
        }
        let hops = self.hops.fetch_add(1, Ordering::Relaxed);
        if hops >= self.limits.hops {
            return Err(self.run_away(format!(
                "the run made more than {} hops: is there a cycle without an end?",
                self.limits.hops
            )));
        }
        if (hops as usize) < REMEMBERED {
            self.record().visits.push((depth, at.clone()));
        }
        Ok(())
    }

    fn run_away(&self, why: String) -> Error {
        Error::limit(self.runaway.get_or_init(|| why))
    }

    /// Remembers a failure that the reply may hide: another branch of a fan-out may have answered.
    pub(crate) fn failed(&self, at: &str, error: &Error) {
        let mut record = self.record();
        if record.failures.len() < REMEMBERED {
            record.failures.push(words::shortened(&format!("{at}: {error}"), SENTENCE));
        }
    }

    /// The first arrivals, in the order in which they came.
    pub fn visits(&self) -> Vec<Visit> {
        self.record()
            .visits
            .iter()
            .map(|(depth, at)| Visit { depth: *depth, at: at.to_string() })
            .collect()
    }

    /// The first failures, each as `node:port: why`.
    pub fn failures(&self) -> Vec<String> {
        self.record().failures.clone()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("id", &self.id)
            .field("trigger", &self.trigger)
            .field("hops", &self.hops())
            .finish_non_exhaustive()
    }
}

/// 128 bits, printed as a W3C trace id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunId(pub(crate) u128);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
