//! What was promised, and what came of it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What rounds came to.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) messages: u64,
    /// The longest from the end of a fault to the end of a message that began after it.
    pub(crate) recovery: Duration,
    /// The longest that a message ended after its deadline.
    pub(crate) late: Duration,
    /// The most memory of either process, in bytes.
    pub(crate) memory: u64,
    /// Promises that were not kept.
    pub(crate) faults: Vec<String>,
}

impl Report {
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.faults.extend(other.faults);
        Self {
            messages: self.messages + other.messages,
            recovery: self.recovery.max(other.recovery),
            late: self.late.max(other.late),
            memory: self.memory.max(other.memory),
            faults: self.faults,
        }
    }
}

/// The machine's clock, the same in all processes.
pub(crate) fn now() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

/// What a process holds in memory, in bytes.
pub(crate) fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() * 1024
}

/// Messages with the times at which they had been answered.
#[derive(Clone, Default)]
pub(crate) struct Answered(Arc<Mutex<HashMap<u64, Duration>>>);

impl Answered {
    pub(crate) fn note(&self, id: u64) {
        self.0.lock().unwrap().insert(id, now());
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.lock().unwrap().len() as u64
    }

    /// Compares with what the other end has written down of its deliveries.
    pub(crate) fn compared(&self, ledger: &Path) -> Vec<String> {
        let mut faults = Vec::new();
        let answered = self.0.lock().unwrap();
        let mut delivered: HashMap<u64, Duration> = HashMap::new();
        for line in std::fs::read_to_string(ledger).unwrap_or_default().lines() {
            let (id, at) = line.split_once(' ').unwrap();
            let (id, at) = (id.parse().unwrap(), Duration::from_nanos(at.parse().unwrap()));
            delivered.insert(id, at);
            if answered.get(&id).is_some_and(|answered| at > *answered) {
                faults.push(format!("message {id} was delivered again after it had been answered"));
            }
        }
        for id in answered.keys().filter(|id| !delivered.contains_key(id)) {
            faults.push(format!("message {id} was answered and never delivered"));
        }
        faults
    }
}
