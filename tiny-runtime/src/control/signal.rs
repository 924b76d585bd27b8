//! The signal controller: a TinySignal becomes a run, once for each nonce.
//!
//! What a signal has come to stands in its status and nowhere else: a process that starts, or that has just won the lease, decides
//! from it alone. `Running` is written before the message is sent, so a crash in between is seen, and runs again.

use std::collections::BTreeMap;

use futures::StreamExt;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, ResourceExt};
use tiny_crds::{Phase, TinySignal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::directory::Directory;
use super::leadership::{Leadership, Term};
use super::pause::{broke, pauses};
use super::signal_run::{self, Job};
use crate::component::panic;
use crate::engine::{Peer, Scheduler};

/// Signals that run at once; more of them wait for their turn.
const RUNNING: usize = 1024;

/// What is to be done about a signal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing, or nothing yet.
    Wait,
    /// Start it; this is attempt number so many for its nonce.
    Run {
        /// 1 for a new nonce.
        attempt: i32,
    },
    /// End the run of an older nonce; the new one starts when that has ended.
    Cancel,
    /// Say that the nonce has run with other data.
    Refuse,
}

/// What is to be done about `signal`, when this process is `running` it for a nonce, or not at all.
pub(crate) fn step(signal: &TinySignal, running: Option<&str>) -> Step {
    let nonce = signal.nonce();
    let status = signal.status.as_ref();
    let seen = status.and_then(|status| status.observed_nonce.as_deref()) == Some(&*nonce);
    let phase = status.and_then(|status| status.phase.clone()).unwrap_or_default();
    let observed = status.and_then(|status| status.observed_generation);
    match running {
        Some(other) if other != nonce => return Step::Cancel,
        // Its status may not have come back through the watch yet.
        Some(_) if !seen => return Step::Wait,
        _ => {}
    }
    let attempts = status.and_then(|status| status.attempts).unwrap_or(0);
    let changed = observed.is_some() && observed != signal.metadata.generation;
    match phase {
        _ if !seen => Step::Run { attempt: 1 },
        // Even one that a crash cut short: it began with other data.
        Phase::Running | Phase::Succeeded | Phase::Failed | Phase::Cancelled if changed => {
            Step::Refuse
        }
        Phase::Running if running.is_none() => Step::Run { attempt: attempts.saturating_add(1) },
        Phase::Pending | Phase::Other(_) if running.is_none() => {
            Step::Run { attempt: attempts.saturating_add(1) }
        }
        _ => Step::Wait,
    }
}

/// The signals of the namespace and the runs of those that belong to this module.
pub(crate) struct Signals {
    scheduler: Scheduler,
    directory: Directory,
    leadership: Leadership,
    api: Api<TinySignal>,
    known: BTreeMap<String, TinySignal>,
    running: BTreeMap<String, Running>,
    jobs: JoinSet<String>,
    /// How many of them there are, for who waits for their end.
    under_way: watch::Sender<usize>,
    /// No new run begins after this.
    closing: CancellationToken,
    listing: Option<BTreeMap<String, TinySignal>>,
}

/// A run on its way.
struct Running {
    nonce: String,
    /// Of the object: one that was deleted and made anew is another signal.
    uid: Option<String>,
    term: Term,
    /// Ends the run; its status says so.
    cancel: CancellationToken,
    /// Ends the run and leaves its status, for whoever runs it again.
    abandon: CancellationToken,
}

/// Ends the beginning of runs.
#[derive(Clone, Debug)]
pub(crate) struct Close {
    closing: CancellationToken,
    under_way: watch::Receiver<usize>,
}

impl Close {
    /// Begins no run any more, and waits until those under way have ended.
    pub(crate) async fn closed(mut self) {
        self.closing.cancel();
        // It cannot be gone before the controller has ended, and then nothing is under way.
        drop(self.under_way.wait_for(|count| *count == 0).await);
    }
}

impl Signals {
    pub(crate) fn new(
        scheduler: Scheduler,
        directory: Directory,
        api: Api<TinySignal>,
        leadership: Leadership,
    ) -> Self {
        Self {
            scheduler,
            directory,
            leadership,
            api,
            known: BTreeMap::new(),
            running: BTreeMap::new(),
            jobs: JoinSet::new(),
            under_way: watch::Sender::default(),
            closing: CancellationToken::new(),
            listing: None,
        }
    }

    /// Ends the beginning of runs, and tells when those under way have ended.
    pub(crate) fn close(&self) -> Close {
        Close { closing: self.closing.clone(), under_way: self.under_way.subscribe() }
    }

    /// Follows the signals of the namespace until `shutdown`, then cancels what runs and leaves it `Running`: the next
    /// process runs it again.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let events = watcher::watcher(self.api.clone(), watcher::Config::default());
        let events = events.backoff(pauses()).modify(|signal| signal.managed_fields_mut().clear());
        let mut events = std::pin::pin!(events);
        let mut nodes = self.directory.changes();
        loop {
            self.under_way.send_replace(self.jobs.len());
            tokio::select! {
                () = shutdown.cancelled() => break,
                event = events.next() => match event {
                    Some(Ok(event)) => self.observe(event),
                    Some(Err(e)) => broke("the signals", &e),
                    None => break,
                },
                // A new leader looks at all of them; one that has lost the lease stops what it runs.
                _ = self.leadership.changed() => self.reconcile_all(),
                Ok(()) = nodes.changed() => self.reconcile_all(),
                Some(ended) = self.jobs.join_next() => {
                    match ended {
                        Ok(name) => self.ended(&name),
                        Err(e) => tracing::error!("the run of a signal ended early: {e}"),
                    }
                }
            }
        }
        self.abandon(|_| true);
        while self.jobs.join_next().await.is_some() {}
    }

    fn observe(&mut self, event: Event<TinySignal>) {
        match event {
            Event::Init => self.listing = Some(BTreeMap::new()),
            Event::InitApply(signal) => {
                self.listing.get_or_insert_default().insert(signal.name_any(), signal);
            }
            Event::InitDone => {
                self.known = self.listing.take().unwrap_or_default();
                for (name, running) in &self.running {
                    let now = self.known.get(name);
                    if now.is_none_or(|signal| signal.uid() != running.uid) {
                        running.cancel.cancel();
                    }
                }
                self.reconcile_all();
            }
            Event::Apply(signal) => {
                let name = signal.name_any();
                self.known.insert(name.clone(), signal);
                self.reconcile(&name);
            }
            Event::Delete(signal) => {
                let name = signal.name_any();
                self.known.remove(&name);
                if let Some(running) = self.running.get(&name) {
                    running.cancel.cancel();
                }
            }
        }
    }

    fn ended(&mut self, name: &str) {
        self.running.remove(name);
        self.reconcile(name);
        if self.running.len() + 1 >= RUNNING {
            self.reconcile_all();
        }
    }

    fn reconcile_all(&mut self) {
        let term = self.leadership.term();
        // Also what began in an earlier term: it may have been lost and won again meanwhile.
        self.abandon(|running| Some(running.term) != term);
        if term.is_none() {
            return;
        }
        let names: Vec<String> = self.known.keys().cloned().collect();
        for name in names {
            self.reconcile(&name);
        }
    }

    fn reconcile(&mut self, name: &str) {
        let Some(term) = self.leadership.term() else { return };
        let Some(signal) = self.known.get(name) else { return };
        let running = self.running.get(name);
        match self.directory.peer(&signal.spec.node) {
            Peer::Ours { .. } => {}
            Peer::Absent => return,
            Peer::Foreign { .. } => {
                // The signal, or its node, is another module's now, which decides what becomes of it.
                if let Some(running) = running {
                    running.abandon.cancel();
                }
                return;
            }
        }
        if let Some(running) = running.filter(|running| running.uid != signal.uid()) {
            running.cancel.cancel();
            return;
        }
        match step(signal, running.map(|running| running.nonce.as_str())) {
            Step::Wait => {}
            Step::Cancel => {
                if let Some(running) = running {
                    running.cancel.cancel();
                }
            }
            // It is left for the process that comes after this one.
            Step::Run { .. } if self.closing.is_cancelled() => {}
            Step::Run { attempt } => {
                if self.running.len() < RUNNING {
                    let job = Job::Run { attempt, term };
                    self.start(signal.clone(), term, job);
                }
            }
            // While it runs, its own task holds the status; the refusal comes after it.
            Step::Refuse if running.is_some() => {}
            Step::Refuse => self.start(signal.clone(), term, Job::Refuse),
        }
    }

    fn start(&mut self, signal: TinySignal, term: Term, job: Job) {
        let (name, nonce, uid) = (signal.name_any(), signal.nonce(), signal.uid());
        let abandon = CancellationToken::new();
        let cancel = abandon.child_token();
        let running =
            Running { nonce, uid, term, cancel: cancel.clone(), abandon: abandon.clone() };
        self.running.insert(name.clone(), running);
        let place = signal_run::Place {
            api: self.api.clone(),
            leadership: self.leadership.clone(),
            scheduler: self.scheduler.clone(),
            cancel,
            abandon,
            closing: self.closing.clone(),
            directory: self.directory.clone(),
        };
        self.jobs.spawn(async move {
            if let Err(text) = panic::caught_while(place.carry_out(signal, job)).await {
                tracing::error!(signal = name, "what carries it out panicked: {text}");
            }
            name
        });
    }

    /// Ends runs and leaves their status as it is.
    fn abandon(&self, which: impl Fn(&Running) -> bool) {
        for running in self.running.values().filter(|running| which(running)) {
            running.abandon.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn signal(nonce: &str, status: Value) -> TinySignal {
        serde_json::from_value(json!({
            "metadata": {"name": "s", "uid": "u", "generation": 2},
            "spec": {"node": "a", "port": "in", "nonce": nonce},
            "status": status
        }))
        .unwrap()
    }

    #[test]
    fn a_new_nonce_runs() {
        assert_eq!(
            step(&signal("1", json!({"observedGeneration": -1})), None),
            Step::Run { attempt: 1 }
        );
        let before = json!({"observedNonce": "0", "phase": "Succeeded", "attempts": 3});
        assert_eq!(step(&signal("1", before), None), Step::Run { attempt: 1 });
    }

    #[test]
    fn what_has_ended_never_runs_again() {
        for phase in ["Succeeded", "Failed", "Cancelled"] {
            let status = json!({"observedNonce": "1", "phase": phase, "observedGeneration": 2});
            assert_eq!(step(&signal("1", status), None), Step::Wait, "{phase}");
        }
    }

    #[test]
    fn a_run_that_nobody_runs_any_more_runs_again() {
        let status = json!({"observedNonce": "1", "phase": "Running", "attempts": 1, "observedGeneration": 2});
        assert_eq!(step(&signal("1", status.clone()), None), Step::Run { attempt: 2 });
        assert_eq!(step(&signal("1", status), Some("1")), Step::Wait);
    }

    #[test]
    fn a_newer_nonce_cancels_the_running_one_first() {
        let status = json!({"observedNonce": "0", "phase": "Running", "observedGeneration": 2});
        assert_eq!(step(&signal("1", status), Some("0")), Step::Cancel);
    }

    #[test]
    fn the_same_nonce_with_other_data_does_not_run() {
        let status = json!({"observedNonce": "1", "phase": "Succeeded", "observedGeneration": 1});
        assert_eq!(step(&signal("1", status), None), Step::Refuse);
    }

    #[test]
    fn what_a_crash_cut_short_does_not_run_with_other_data() {
        let status = json!({"observedNonce": "1", "phase": "Running", "observedGeneration": 1});
        assert_eq!(step(&signal("1", status.clone()), None), Step::Refuse);
        assert_eq!(step(&signal("1", status), Some("1")), Step::Refuse, "put off while it runs");
    }

    #[test]
    fn its_own_echo_may_be_late() {
        assert_eq!(step(&signal("1", json!({})), Some("1")), Step::Wait);
        let status = json!({"observedNonce": "0", "phase": "Cancelled"});
        assert_eq!(step(&signal("1", status), Some("1")), Step::Wait);
    }
}
