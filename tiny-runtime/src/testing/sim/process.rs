//! One process of a simulation, from its start to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::signal::Signal;
use super::stage::Stage;
use crate::engine::{Backing, Dice, NodeDecl, Outcome, Peer, Scheduler, Trigger, Waits};
use crate::registry::Registry;

/// A run that takes longer never ends.
const LONGEST_RUN: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// After so long, nothing of a removed node runs any more: five seconds for its background, and one for us.
const FAREWELL: Duration = Duration::from_secs(6);

pub(super) struct Process {
    runtime: Runtime,
    scheduler: Scheduler,
    stage: Arc<Stage>,
}

impl Process {
    pub(super) fn new(seed: u64, registry: &Arc<Registry>, stage: &Arc<Stage>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(e) => panic!("cannot start the async runtime: {e}"),
        };
        let inside = runtime.enter();
        let backing = Backing {
            store: stage.clone(),
            observer: Some(stage.ledger.clone()),
            ..Backing::default()
        };
        let dice = Dice::seeded(seed);
        let scheduler = Scheduler::on(backing, registry.clone(), Waits::default(), dice);
        stage.ledger.process(Some(Instant::now()));
        drop(inside);
        Self { runtime, scheduler, stage: stage.clone() }
    }

    /// Makes a node what it is declared as, with the state that is stored of it.
    pub(super) fn update(&self, decl: NodeDecl, nodes: &BTreeMap<String, NodeDecl>) {
        let _inside = self.runtime.enter();
        let stored = self.stage.memory.stored(&decl.info.name);
        let peer = |name: &str| match nodes.get(name) {
            Some(node) => Peer::Ours { component: node.component.clone() },
            None => Peer::Absent,
        };
        self.stage.ledger.note(&format!("node {} is as declared", decl.info.name));
        self.scheduler.restore(decl, stored, peer, |_| Default::default());
    }

    /// Removes a node, and sees that nothing of it is left.
    pub(super) fn remove(&self, node: &str) {
        let ledger = &self.stage.ledger;
        ledger.note(&format!("node {node} is removed"));
        let before = ledger.open_in(node);
        let tasks = self.scheduler.tasks(node);
        {
            let _inside = self.runtime.enter();
            self.scheduler.remove(node);
        }
        self.runtime.block_on(come_to_rest());
        if !before.is_disjoint(&ledger.open_in(node)) {
            ledger.breaks(format!("node `{node}` was removed, and a hop goes on in it"));
        }
        let Some(tasks) = tasks else { return };
        let (ledger, node) = (ledger.clone(), node.to_owned());
        self.runtime.spawn(async move {
            sleep(FAREWELL).await;
            if !tasks.is_empty() {
                ledger.breaks(format!(
                    "node `{node}` was removed, and it still has work in the background"
                ));
            }
        });
    }

    pub(super) fn pass(&self, time: Duration) {
        self.runtime.block_on(async {
            sleep(time).await;
            come_to_rest().await;
            self.stage.ledger.now();
        });
    }

    /// Begins a run.
    pub(super) fn begin(&self, trigger: Trigger) -> JoinHandle<Outcome> {
        let scheduler = self.scheduler.clone();
        self.runtime.spawn(async move { scheduler.start(trigger).await })
    }

    pub(super) fn watch(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Waits for the end of a message; false when it does not come.
    pub(super) fn settle(&self, signal: &Signal) -> bool {
        self.runtime.block_on(async { timeout(LONGEST_RUN, signal.ended()).await.is_ok() })
    }

    /// Ends at once, wherever it is.
    pub(super) fn kill(self) {
        let Self { runtime, scheduler, .. } = self;
        drop(runtime);
        drop(scheduler);
    }
}

/// Lets everything run that is due.
async fn come_to_rest() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}
