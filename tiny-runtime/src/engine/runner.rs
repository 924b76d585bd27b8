//! One live node: it receives, keeps the promises of a hop, and sends.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tracing::Span;

use super::changes::Changes;
use super::edge::{Binding, Edge, Edges};
use super::inward::Inward;
use super::journal::Journal;
use super::life::Life;
use super::news::{News, What};
use super::outlet;
use super::place::Places;
use super::retry::Retry;
use super::store::{StateStore, Stored};
use super::tally::{Tallied, Tally};
use super::{Address, Cause, Dice, Finding, NodeDecl, Observer, Route};
use crate::component::{
    Body, ComponentType, Ctx, End, Ending, Error, Hop, Instance, Json, Ledger, Line, LivePorts,
    NodeInfo, OfferedPort, Outlet, PortInfo, Reply, Result, Sender, Shared, panic,
};

/// What a runner needs of its surroundings.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) route: Weak<dyn Route>,
    pub(crate) places: Arc<Places>,
    pub(crate) dice: Arc<Dice>,
    /// The longest wait for a permit, for the node's start, and for a port.
    pub(crate) admission: Duration,
    pub(crate) shared: Shared,
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) news: Arc<News>,
}

pub(crate) struct Runner {
    pub(super) info: NodeInfo,
    pub(super) component: Arc<ComponentType>,
    pub(super) instance: Arc<dyn Instance>,
    /// Runs that it takes at once.
    pub(super) permits: Semaphore,
    /// Comes when the node is removed.
    pub(super) removed: Ending,
    pub(super) edges: ArcSwap<Edges>,
    configurations: ArcSwap<BTreeMap<String, Value>>,
    /// What it makes of messages that come unmapped; `None` when it takes all as they are.
    inward: ArcSwapOption<Inward>,
    /// The ports that are there now; `None` when nothing can tell.
    pub(super) ports: ArcSwapOption<LivePorts>,
    pub(super) port_changes: Changes,
    pub(super) life: Life,
    /// What it was last declared as.
    declared: Mutex<Option<NodeDecl>>,
    journal: Option<Arc<Journal>>,
    /// Takes the messages of sources that no edge takes; only tests set it.
    pub(super) tap: OnceLock<Arc<Edge>>,
    pub(super) background: Arc<Semaphore>,
    pub(super) tasks: TaskTracker,
    pub(super) tally: Tally,
    pub(super) around: Surroundings,
}

impl Runner {
    /// A node that takes no messages before its settings are there; its state is what is `stored`.
    ///
    /// # Errors
    /// When the stored state does not fit the component.
    pub(crate) fn new(
        info: NodeInfo,
        component: Arc<ComponentType>,
        stored: Stored,
        around: Surroundings,
    ) -> Result<Self, String> {
        let instance: Arc<dyn Instance> = component.create().into();
        let journal = component.has.state.then(|| {
            let texts = stored.texts.clone();
            let journal = Journal::new(&info.name, around.store.clone(), &instance, stored);
            let ledger: Arc<dyn Ledger> = journal.clone();
            instance.keep_state(&ledger);
            instance.take_state(&|key| texts.get(key).cloned()).map(|()| journal)
        });
        let has_hooks = component.has.settings_hook || component.has.reconcile;
        Ok(Self {
            instance,
            permits: Semaphore::new(component.info.concurrency.max(1) as usize),
            removed: Ending::default(),
            edges: ArcSwap::default(),
            configurations: ArcSwap::default(),
            inward: ArcSwapOption::empty(),
            ports: ArcSwapOption::empty(),
            port_changes: Changes::default(),
            life: Life::new(has_hooks),
            declared: Mutex::new(None),
            journal: journal.transpose()?,
            tap: OnceLock::new(),
            background: Arc::new(Semaphore::new(outlet::BACKGROUND)),
            tasks: TaskTracker::new(),
            tally: Tally::default(),
            info,
            component,
            around,
        })
    }

    /// Begins what the node does beside its messages, where it has hooks.
    pub(crate) fn begin_life(self: &Arc<Self>) {
        if self.component.has.settings_hook || self.component.has.reconcile {
            self.tasks.spawn(self.clone().live());
        }
    }

    /// What it has done so far.
    pub(super) fn tallied(&self) -> Tallied {
        let places = self.component.info.concurrency.max(1) as usize;
        let in_flight = places.saturating_sub(self.permits.available_permits());
        Tallied {
            node: self.info.name.clone(),
            component: self.component.info.name.to_owned(),
            in_flight: in_flight as u64,
            ..self.tally.now()
        }
    }

    /// True when a node declared like this is the one that runs here; otherwise it needs a runner of its own.
    pub(crate) fn is(&self, info: &NodeInfo, component: &ComponentType) -> bool {
        self.info == *info && self.component.info.name == component.info.name
    }

    /// Notes what the node is declared as. Returns whether its settings are others than before, and whether anything is.
    pub(crate) fn declare(&self, decl: NodeDecl) -> (bool, bool) {
        let mut declared = self.declared.lock().unwrap_or_else(PoisonError::into_inner);
        let settings = |decl: &NodeDecl| decl.configurations.get("_settings").cloned();
        let changed = match &*declared {
            None => (true, true),
            Some(before) => (settings(before) != settings(&decl), *before != decl),
        };
        *declared = Some(decl);
        changed
    }

    /// Puts settings in force: at once, or by way of the component's hook.
    pub(crate) fn apply_settings(&self, settings: Option<&Value>) -> Result<(), String> {
        if self.component.has.settings_hook {
            self.life.wants_settings(settings.cloned());
            return Ok(());
        }
        self.instance.apply_settings(settings).map_err(|e| e.to_string())
    }

    /// Takes in what somebody else stored of the node's state.
    pub(crate) fn seen(&self, stored: Stored) {
        let Some(journal) = &self.journal else { return };
        if journal.seen(stored) {
            self.refresh();
            self.life.wants_reconcile();
        }
    }

    /// Evaluates which ports are there. Ports appear and vanish at once.
    pub(crate) fn refresh_ports(&self) {
        if !self.component.has.dynamic_ports {
            self.ports.store(self.component.constant().cloned());
            return;
        }
        let evaluated = panic::caught(|| self.instance.live());
        let live = match evaluated {
            Ok(live) => live,
            Err(text) => {
                tracing::error!(
                    node = self.info.name,
                    "telling its ports, the component panicked: {text}"
                );
                return;
            }
        };
        let live = live.map(Arc::new);
        let before = self.ports.swap(live.clone());
        if before != live {
            self.port_changes.come();
            self.news(What { ports: true });
        }
    }

    /// The ports that are there now.
    pub(crate) fn ports(&self) -> Option<Arc<LivePorts>> {
        self.ports.load_full()
    }

    /// The ports as others see them now.
    pub(crate) fn offered(&self) -> Vec<OfferedPort> {
        let Some(ports) = self.ports() else { return Vec::new() };
        let offered = panic::caught(|| {
            ports.iter().map(|port| self.component.offered(port, &*self.instance)).collect()
        });
        offered.unwrap_or_else(|text| {
            tracing::error!(
                node = self.info.name,
                "showing its ports, the component panicked: {text}"
            );
            Vec::new()
        })
    }

    /// What a condition of the node should say beside what its declaration gives reason to.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let name = &self.info.name;
        let ports = self.ports();
        let faults = ports.iter().flat_map(|ports| ports.faults()).map(|fault| Finding {
            cause: Cause::PortInvalid,
            edge: None,
            message: format!("node `{name}`: {fault}"),
        });
        faults.chain(self.life.finding(name)).collect()
    }

    pub(crate) fn wants_reconcile(&self) {
        self.life.wants_reconcile();
    }

    /// True once it takes messages.
    pub(crate) fn is_started(&self) -> bool {
        self.life.is_started()
    }

    pub(super) fn news(&self, what: What) {
        self.around.news.of(&self.info.name, what);
    }

    /// Waits until what runs in the background has ended; it is told to by [`Runner::remove`].
    pub(crate) async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    pub(crate) fn keep_configurations(&self, configurations: BTreeMap<String, Value>) {
        self.configurations.store(Arc::new(configurations));
    }

    /// Takes in what it makes of messages that come unmapped, and says what is wrong with that.
    pub(crate) fn keep_inward(&self, decl: &NodeDecl) -> Vec<Finding> {
        let (inward, findings) = Inward::of(decl);
        self.inward.store((!inward.is_empty()).then(|| Arc::new(inward)));
        findings
    }

    /// Whether there is anything to make of messages that come unmapped.
    pub(crate) fn has_inward(&self) -> bool {
        self.inward.load().is_some()
    }

    /// What it makes of messages that come unmapped from port `from` of `node` to `port`.
    pub(crate) fn inward(&self, node: &str, from: &str, port: &str) -> Binding {
        let inward = self.inward.load();
        inward.as_ref().map_or(Binding::Identity, |inward| inward.binding(node, from, port))
    }

    pub(crate) fn connect(&self, declared: Vec<(super::EdgeDecl, Binding)>) {
        let before = self.edges.load_full();
        let after = Arc::new(Edges::new(declared, &before, &self.around.places));
        self.edges.store(after.clone());
        let left = before.end_all_but(&after);
        drop(before);
        left.iter().for_each(|node| self.around.places.forget(node));
    }

    /// Ends everything that runs in this node.
    pub(crate) fn remove(&self) {
        self.removed.come();
        self.around.shared.instruments.forget(&self.info.name);
    }

    /// What a trigger without data sends to `port`: the node's stored configuration, else the port's default, else an
    /// empty object.
    pub(crate) fn default_message(&self, port: &str) -> Value {
        let stored = self.configurations.load().get(port).cloned();
        let default = || self.component.port(port)?.1.configuration?();
        stored.or_else(default).unwrap_or_else(|| serde_json::json!({}))
    }

    /// A context of what the node begins by itself.
    pub(super) fn ctx_of_trigger(
        self: &Arc<Self>,
        port: &str,
        trigger: String,
        deadline: Option<Instant>,
    ) -> Guarded {
        Guarded(Ctx::new(Hop {
            run: self.begin(trigger),
            outlet: self.clone(),
            sender: Sender::Nobody,
            line: Arc::new(Line::of_trigger(Address::new(&*self.info.name, port))),
            depth: 1,
            deadline,
            span: Span::none(),
            parent: None,
            end: End::default(),
        }))
    }

    /// Hands a failure to the error port that takes it, when an edge is connected there: its reply is the result.
    pub(super) async fn caught(
        &self,
        port: &str,
        ctx: &Ctx,
        body: &Body,
        error: Error,
    ) -> Result<Reply> {
        let Some((_, failed)) = self.component.port(port) else { return Err(error) };
        let rows = || self.component.ports().iter().filter(|info| self.is_there(info));
        let takes = |message: TypeId| {
            rows().find_map(|info| {
                info.catch.filter(|catch| catch.takes == message).map(|catch| (info, catch))
            })
        };
        // The port for any JSON takes what no other takes.
        let catcher = takes(failed.message).or_else(|| takes(TypeId::of::<Json>()));
        let Some((info, catch)) = catcher else { return Err(error) };
        let name = info.meta.name;
        if self.tap.get().is_none() && !self.edges.load().leave(name) {
            return Err(error);
        }
        // A message that does not even decode, or panics when it is read, has no context to send: the error itself is the
        // reply.
        let failure = panic::caught(|| (catch.failure)(body, &error));
        let Ok(Ok(failure)) = failure else { return Err(error) };
        ctx.run().failed(&format!("{}:{port}", self.info.name), &error);
        self.send(ctx, name, failure).await
    }

    /// Whether a port is there now.
    fn is_there(&self, info: &PortInfo) -> bool {
        let there = |ports: &LivePorts| ports.get(info.meta.name).is_some();
        !info.is_dynamic || self.ports.load().as_deref().is_none_or(there)
    }

    pub(super) fn log_retry(&self, port: &str, ctx: &Ctx, retry: &Retry<'_>) {
        self.tally.retried();
        tracing::warn!(
            node = self.info.name,
            port,
            run = %ctx.run().id(),
            attempt = retry.attempt,
            wait_ms = retry.wait.as_millis(),
            "will try again: {}",
            retry.error
        );
    }

    pub(super) fn gone(&self) -> Error {
        Error::cancelled(format!("node `{}` was removed", self.info.name))
    }
}

/// A hop that is over when this is dropped, whatever dropped it.
pub(super) struct Guarded(pub(super) Ctx);

impl Drop for Guarded {
    fn drop(&mut self) {
        // Who holds it alone need not tell anybody.
        if Arc::strong_count(self.0.hop()) > 1 {
            self.0.hop().end.come();
        }
    }
}
