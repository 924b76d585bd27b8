//! The nodes of this process and what happens to them.

mod doomed;

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::TaskTracker;

use super::abroad::{Nowhere, Runs};
use super::changes::Changes;
use super::edge::Binding;
use super::graph::{self, Cause, Configured, Finding, NodeDecl, Peer, Standing};
use super::news::{News, What};
use super::place::Places;
use super::runner::{Runner, Surroundings};
use super::store::{Memory, StateStore, Stored};
use super::tally::Tallied;
use super::{
    Abroad, Address, Arrived, Dice, Envelope, Line, Observer, Outcome, RetryBounds, Route, Sender,
    Trigger,
};
use crate::component::{
    Body, BoxFuture, Error, Instruments, Intakes, LivePorts, OfferedPort, Reply, Result, Run,
    RunLimits, Shared, panic,
};
use crate::registry::Registry;

pub(crate) use self::doomed::Doomed;

/// Holds one live instance for each node of this module and delivers to them.
///
/// Cheap to clone: a clone is another handle to the same nodes.
#[derive(Clone)]
pub struct Scheduler(Arc<Nodes>);

/// The bounded waits of the engine.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// For a node that is not there (yet), and for a permit of a busy one.
    pub admission: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self { admission: Duration::from_secs(30) }
    }
}

/// What the engine stands on.
#[derive(Clone)]
pub struct Backing {
    /// Where the state of nodes is stored.
    pub store: Arc<dyn StateStore>,
    /// Whether this process leads its module.
    pub leads: watch::Receiver<bool>,
    /// Where components' instruments are recorded.
    pub instruments: Arc<Instruments>,
    /// Who sees every message, if anybody does.
    pub observer: Option<Arc<dyn Observer>>,
    /// The way to the nodes of other modules.
    pub abroad: Arc<dyn Abroad>,
}

impl Default for Backing {
    /// Memory, and a process without rivals or neighbours.
    fn default() -> Self {
        Self {
            store: Arc::new(Memory::default()),
            leads: watch::channel(true).1,
            instruments: Arc::default(),
            observer: None,
            abroad: Arc::new(Nowhere),
        }
    }
}

impl fmt::Debug for Backing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backing").field("leads", &*self.leads.borrow()).finish_non_exhaustive()
    }
}

/// Threads that authors may block at once, in one process.
const BLOCKING: usize = 128;

struct Nodes {
    me: Weak<Self>,
    registry: Arc<Registry>,
    waits: Waits,
    dice: Arc<Dice>,
    store: Arc<dyn StateStore>,
    observer: Option<Arc<dyn Observer>>,
    abroad: Arc<dyn Abroad>,
    /// Those that have come from there, or gone there.
    runs: Runs,
    shared: Shared,
    news: Arc<News>,
    places: Arc<Places>,
    /// Serialises updates of nodes; never held across an await.
    change: Mutex<()>,
    /// Those of `places`: whoever waits for an absent node hears of them.
    changes: Changes,
}

impl Scheduler {
    /// A scheduler without nodes, whose state is in memory.
    pub fn new(registry: Arc<Registry>, waits: Waits, dice: Dice) -> Self {
        Self::on(Backing::default(), registry, waits, dice)
    }

    /// A scheduler without nodes.
    pub fn on(backing: Backing, registry: Arc<Registry>, waits: Waits, dice: Dice) -> Self {
        let Backing { store, leads, instruments, observer, abroad } = backing;
        let blocking = Arc::new(Semaphore::new(BLOCKING));
        Self(Arc::new_cyclic(|me| Nodes {
            me: me.clone(),
            registry,
            waits,
            dice: Arc::new(dice),
            store,
            observer,
            abroad,
            runs: Runs::default(),
            shared: Shared { leads, instruments, blocking, intakes: Intakes::default() },
            news: Arc::default(),
            places: Arc::default(),
            change: Mutex::new(()),
            changes: Changes::default(),
        }))
    }

    /// What the nodes here have done so far, by their names.
    pub fn tallied(&self) -> Vec<Tallied> {
        self.0.places.runners().into_iter().map(|(_, runner)| runner.tallied()).collect()
    }

    /// What may be instantiated here.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.0.registry
    }

    /// Makes a node what `decl` says: creates it, or gives the live instance its new settings and edges. What is faulty
    /// is not put to use; what worked before goes on. `peer` tells what is known of a node by its name.
    pub fn update(&self, decl: NodeDecl, peer: impl Fn(&str) -> Peer) -> Vec<Finding> {
        self.restore(decl, Stored::default(), peer, |_| Standing::default())
    }

    /// The same for a node of which something is stored: a new instance begins with that. `standing` tells what is known of an edge by
    /// its id.
    pub fn restore(
        &self,
        decl: NodeDecl,
        stored: Stored,
        peer: impl Fn(&str) -> Peer,
        standing: impl Fn(&str) -> Standing,
    ) -> Vec<Finding> {
        let nodes = &*self.0;
        let _change = nodes.change.lock().unwrap_or_else(PoisonError::into_inner);
        let name = decl.info.name.clone();
        panic::caught(|| nodes.update(decl, stored, peer, standing)).unwrap_or_else(|text| {
            let message =
                format!("node `{name}`: its component panicked while it was made: {text}");
            vec![Finding { cause: Cause::ComponentPanicked, edge: None, message }]
        })
    }

    /// Removes a node; everything that runs in it is cancelled.
    pub fn remove(&self, name: &str) {
        let _change = self.0.change.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.remove(name);
    }

    /// What a node has in the background; `None` when it does not run here.
    pub(crate) fn tasks(&self, name: &str) -> Option<TaskTracker> {
        Some(self.0.get(name)?.tasks.clone())
    }

    /// True when a live instance of the node takes messages.
    pub fn is_live(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|runner| runner.is_started())
    }

    /// Tells a node what somebody else stored of its state.
    pub fn seen(&self, name: &str, stored: Stored) {
        if let Some(runner) = self.0.get(name) {
            runner.seen(stored);
        }
    }

    /// Waits until something that nodes show has changed, and says which: their ports, what their `_control` shows, or whether
    /// they take messages. For one listener.
    pub async fn news(&self) -> BTreeMap<String, What> {
        self.0.news.take().await
    }

    /// The ports that a node has now; `None` when it does not run here.
    pub fn ports(&self, name: &str) -> Option<Arc<LivePorts>> {
        self.0.get(name)?.ports()
    }

    /// What the node itself has to say against it: of its hooks, its state, its ports.
    pub(crate) fn findings(&self, name: &str) -> Vec<Finding> {
        self.0.get(name).map(|runner| runner.findings()).unwrap_or_default()
    }

    /// The ports of a node as others see them now; none when it does not run here.
    pub(crate) fn offered(&self, name: &str) -> Vec<OfferedPort> {
        self.0.get(name).map(|runner| runner.offered()).unwrap_or_default()
    }

    /// The author's component of a node.
    pub(crate) fn component(&self, name: &str) -> Option<Arc<dyn Any + Send + Sync>> {
        use crate::component::Outlet;
        self.0.get(name).map(|runner| runner.component())
    }

    /// Sends to node `to` what no edge of `from` takes.
    pub(crate) fn tap(&self, from: &str, to: &str) {
        if let Some(runner) = self.0.get(from) {
            runner.tap(to);
        }
    }

    /// Has components take in nothing more from outside, and waits until what came in has ended.
    pub(crate) async fn close_intakes(&self) {
        self.0.shared.intakes.closed().await;
    }

    /// Ends all nodes, and waits until what they have in the background has ended too.
    pub async fn stop(&self) {
        let runners = self.0.places.runners();
        runners.iter().for_each(|(name, _)| self.remove(name));
        for (_, runner) in runners {
            runner.ended().await;
        }
    }

    /// Says that nodes have come to other modules, or gone from them: whoever waits for one looks again.
    pub fn moved(&self) {
        self.0.changes.come();
    }

    /// Handles a message of another module, with all that it causes here.
    ///
    /// # Errors
    /// What the hop failed with, or why it did not come to be.
    pub fn arrive(&self, arrived: Arrived) -> impl Future<Output = Result<Reply>> + Send {
        let nodes = &self.0;
        let is_mapped = arrived.mapped;
        let id = arrived.run.unwrap_or_else(|| nodes.dice.run_id());
        let begin = || Run::new(id, "another module".into(), RunLimits::default());
        let (mut envelope, from) = arrived.envelope(nodes.runs.of(id, begin));
        let unmapped_from = from.filter(|_| !is_mapped);
        // Not all of this is async, because an `async fn` would keep what has arrived once more.
        async move {
            let work = nodes.wait_for(&envelope.line.to);
            let runner = match envelope.expires {
                None => work.await?,
                Some(expires) => {
                    let work = Box::pin(timeout_at(expires, work));
                    work.await.unwrap_or_else(|_| Err(late(&envelope)))?
                }
            };
            if let Some(from) = unmapped_from {
                let port = &envelope.line.to.port;
                match runner.inward(&from.node, &from.port, port) {
                    Binding::Identity => {}
                    Binding::Mapped(mapping) => envelope.body = envelope.body.through(mapping),
                    Binding::Refused(why) => return Err(Error::permanent(why.to_string())),
                }
            }
            runner.handle(envelope).await
        }
    }

    /// Runs a trigger to its end.
    pub async fn start(&self, trigger: Trigger) -> Outcome {
        let started = Instant::now();
        let nodes = &self.0;
        let Trigger { name, to, data, timeout: limit, cancel } = trigger;
        let run = Arc::new(Run::new(nodes.dice.run_id(), name, RunLimits::default()));
        let of_trigger = run.clone();
        let work = async move {
            let runner = nodes.wait_for(&to).await?;
            let data = data.unwrap_or_else(|| runner.default_message(&to.port));
            let envelope = Envelope {
                line: Arc::new(Line::of_trigger(to)),
                body: Body::json(data),
                run: of_trigger,
                sender: Sender::Nobody,
                bounds: RetryBounds::default(),
                deadline: limit.map(|limit| started + limit),
                expires: None,
            };
            runner.handle(envelope).await
        };
        // What the runner does not guard is the author's default message.
        let work = panic::caught_while(work).map(|done| {
            done.unwrap_or_else(|text| {
                Err(Error::permanent(format!("a component panicked: {text}")))
            })
        });
        // Pinned: it is large, and whatever holds it by value is as large again.
        let work = pin!(work);
        let bounded = async {
            match limit {
                None => work.await,
                Some(limit) => Box::pin(timeout(limit, work)).await.unwrap_or_else(|_| {
                    Err(Error::exhausted(format!("the run did not end within its {limit:?}")))
                }),
            }
        };
        let result = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Error::cancelled("the run was cancelled")),
            result = bounded => result,
        };
        Outcome { run, result, took: started.elapsed() }
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        self.places.clear();
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler").finish_non_exhaustive()
    }
}

impl Nodes {
    /// See [`Scheduler::update`], which holds the lock.
    fn update(
        &self,
        decl: NodeDecl,
        stored: Stored,
        peer: impl Fn(&str) -> Peer,
        standing: impl Fn(&str) -> Standing,
    ) -> Vec<Finding> {
        let judged = graph::judge(&decl, &self.registry, &peer, standing);
        let mut findings = judged.findings;
        let info = decl.info.clone();
        let Configured { fit, has_faulty_settings } = judged.configured;
        let Some(component) = judged.component else {
            self.remove(&info.name);
            return findings;
        };
        let name = info.name.clone();
        let live = self.get(&name).filter(|runner| runner.is(&info, &component));
        let is_new = live.is_none();
        if has_faulty_settings && is_new {
            // No message may meet a component without its settings.
            self.remove(&name);
            return findings;
        }
        let made = || Runner::new(info, component.clone(), stored, self.surroundings());
        let runner = match live.map_or_else(|| made().map(Arc::new), Ok) {
            Ok(runner) => runner,
            Err(why) => {
                // Nor one without its state: it would write over what it cannot read.
                self.remove(&name);
                let message =
                    format!("node `{name}`: {why}; correct or delete it in `status.metadata`");
                findings.push(Finding { cause: Cause::StateInvalid, edge: None, message });
                return findings;
            }
        };
        let (new_settings, is_other) = runner.declare(decl.clone());
        if new_settings && !has_faulty_settings {
            if let Err(why) = runner.apply_settings(fit.get("_settings")) {
                tracing::error!(node = name, "settings that were checked do not fit: {why}");
            }
            runner.refresh_ports();
        }
        if is_other {
            runner.wants_reconcile();
        }
        findings.extend(runner.keep_inward(&decl));
        runner.keep_configurations(fit);
        runner.connect(judged.edges);
        if is_new {
            runner.begin_life();
            self.put(&name, runner.clone());
        }
        findings.extend(runner.findings());
        let live = |name: &str| self.get(name).and_then(|runner| runner.ports());
        findings.extend(graph::absent(&decl, &component, &self.registry, peer, live));
        findings
    }

    fn surroundings(&self) -> Surroundings {
        Surroundings {
            route: self.me.clone(),
            places: self.places.clone(),
            dice: self.dice.clone(),
            admission: self.waits.admission,
            shared: self.shared.clone(),
            store: self.store.clone(),
            observer: self.observer.clone(),
            news: self.news.clone(),
        }
    }

    fn get(&self, name: &str) -> Option<Arc<Runner>> {
        self.places.runner(name)
    }

    /// The runner of a node of this module, waited for: it may be about to come.
    async fn wait_for(&self, to: &Address) -> Result<Arc<Runner>> {
        self.once(to, || self.get(&to.node)).await
    }

    /// Where a node is now: here, or abroad where there is no runner.
    fn place(&self, to: &Address) -> Option<Option<Arc<Runner>>> {
        match self.get(&to.node) {
            None => self.abroad.has(&to.node).then_some(None),
            here => Some(here),
        }
    }

    /// Brings an envelope to where its node is.
    fn bring(
        &self,
        place: Option<Arc<Runner>>,
        envelope: Envelope,
    ) -> BoxFuture<'_, Result<Reply>> {
        match place {
            Some(runner) => Box::pin(runner.handle(envelope)),
            None => {
                self.runs.note(&envelope.run);
                self.abroad.deliver(envelope)
            }
        }
    }

    async fn once<T>(&self, to: &Address, look: impl Fn() -> Option<T>) -> Result<T> {
        if let Some(found) = look() {
            return Ok(found);
        }
        // Rare, so in a box of its own: each hop holds the future of this one.
        Box::pin(timeout(self.waits.admission, self.changes.until(look))).await.map_err(|_| {
            Error::exhausted(format!(
                "node `{}` was not there, or not ready, for {:?}; see what `get node` and its conditions say",
                to.node, self.waits.admission
            ))
        })
    }

    fn put(&self, name: &str, runner: Arc<Runner>) {
        let replaced = self.places.put(name, Some(runner));
        self.changed(replaced);
    }

    fn remove(&self, name: &str) {
        let removed = self.places.put(name, None);
        self.changed(removed);
    }

    fn changed(&self, gone: Option<Arc<Runner>>) {
        self.changes.come();
        if let Some(gone) = gone {
            gone.remove();
        }
    }
}

impl Route for Nodes {
    fn deliver(&self, envelope: Envelope) -> BoxFuture<'_, Result<Reply>> {
        if let Some(place) = self.place(&envelope.line.to) {
            return self.bring(place, envelope);
        }
        Box::pin(async move {
            let to = envelope.line.to.clone();
            let found = self.once(&to, || self.place(&to));
            let place = match envelope.expires {
                None => found.await?,
                Some(expires) => {
                    timeout_at(expires, found).await.unwrap_or_else(|_| Err(late(&envelope)))?
                }
            };
            self.bring(place, envelope).await
        })
    }
}

fn late(envelope: &Envelope) -> Error {
    let limit = envelope.bounds.timeout.unwrap_or_default();
    Error::exhausted(format!(
        "node `{}` did not run here within the {limit:?} that its edge allows",
        envelope.line.to.node
    ))
}
