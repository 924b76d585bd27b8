//! Whether a process is alive, and whether it should be asked.

use std::fmt::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How often a process shows that it goes on.
const BEAT: Duration = Duration::from_secs(1);
/// How long it may not have.
const SILENCE: Duration = Duration::from_secs(15);

/// The health of a process, which probes ask for.
#[derive(Clone)]
pub struct Health(Arc<State>);

struct State {
    began: Instant,
    /// Milliseconds from then to the last beat.
    beat: AtomicU64,
    is_leaving: AtomicBool,
    ready: Vec<(&'static str, Box<Check>)>,
}

/// One thing that must be so; else why it is not.
type Check = dyn Fn() -> Result<(), String> + Send + Sync;

/// What probes are told: whether all is well, and a line for each check.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) is_well: bool,
    pub(super) lines: String,
}

impl Health {
    /// A process that is ready when all `checks` are passed, each with its name.
    pub fn new(checks: Vec<(&'static str, Box<Check>)>) -> Self {
        let (began, beat) = (Instant::now(), AtomicU64::new(0));
        Self(Arc::new(State { began, beat, is_leaving: AtomicBool::new(false), ready: checks }))
    }

    /// Shows again and again that the runtime which this runs in goes on.
    pub async fn beat(&self) {
        loop {
            self.0.beat.store(self.age(), Relaxed);
            tokio::time::sleep(BEAT).await;
        }
    }

    /// Says that the process is about to stop: it should not be asked any more.
    pub fn leave(&self) {
        self.0.is_leaving.store(true, Relaxed);
    }

    /// Whether the process goes on at all. One that does not should be killed.
    pub(super) fn live(&self) -> Report {
        report(std::iter::once(("runtime", self.silence())))
    }

    /// Whether it should be asked.
    pub(super) fn ready(&self) -> Report {
        let leaving = match self.0.is_leaving.load(Relaxed) {
            true => Err("the process is about to stop".to_owned()),
            false => Ok(()),
        };
        let checks = self.0.ready.iter().map(|(name, check)| (*name, check()));
        report([("shutdown", leaving), ("runtime", self.silence())].into_iter().chain(checks))
    }

    fn silence(&self) -> Result<(), String> {
        let silent = Duration::from_millis(self.age().saturating_sub(self.0.beat.load(Relaxed)));
        match silent > SILENCE {
            true => Err(format!(
                "no task has run for {} s: something blocks all threads",
                silent.as_secs()
            )),
            false => Ok(()),
        }
    }

    fn age(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// In the words of Kubernetes' own probes.
fn report(checks: impl Iterator<Item = (&'static str, Result<(), String>)>) -> Report {
    let (mut is_well, mut lines) = (true, String::new());
    for (name, result) in checks {
        is_well &= result.is_ok();
        // Writing to a string does not fail.
        let _written = match result {
            Ok(()) => writeln!(lines, "[+]{name} ok"),
            Err(why) => writeln!(lines, "[-]{name} failed: {why}"),
        };
    }
    Report { is_well, lines }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_ready_when_all_is_well_and_until_it_leaves() {
        let listed = Arc::new(AtomicBool::new(false));
        let seen = listed.clone();
        let check = move || match seen.load(Relaxed) {
            true => Ok(()),
            false => Err("nodes are not listed yet".to_owned()),
        };
        let health = Health::new(vec![("watches", Box::new(check))]);
        let report = health.ready();
        assert!(!report.is_well);
        assert!(
            report.lines.contains("[+]runtime ok\n[-]watches failed: nodes are not listed yet\n")
        );
        listed.store(true, Relaxed);
        assert!(health.ready().is_well && health.live().is_well);
        health.leave();
        assert!(
            health.ready().lines.starts_with("[-]shutdown failed: the process is about to stop\n")
        );
        assert!(health.live().is_well, "it need not be killed");
    }

    #[test]
    fn a_process_whose_runtime_stands_still_is_dead() {
        let began = Instant::now().checked_sub(Duration::from_secs(20)).unwrap();
        let (beat, is_leaving) = (AtomicU64::new(0), AtomicBool::new(false));
        let health = Health(Arc::new(State { began, beat, is_leaving, ready: vec![] }));
        let report = health.live();
        assert!(!report.is_well && report.lines.contains("no task has run for 20 s"), "{report:?}");
    }
}
