//! One live node: it receives, keeps the promises of a hop, and sends.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde_json::Value;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span};

use super::admission::Target;
use super::edge::{Binding, Edge, Edges};
use super::journal::Journal;
use super::life::Life;
use super::news::{News, What};
use super::outlet;
use super::retry::{self, Retry};
use super::store::{StateStore, Stored};
use super::{Cause, Dice, Envelope, Finding, NodeDecl, RetryBounds, Route};
use crate::component::{
    Body, ComponentType, Ctx, End, Error, Hop, Instance, Json, Kind, Ledger, LivePorts, NodeInfo,
    OfferedPort, Outlet, PortInfo, Reply, Result, Role, Run, Shared, panic,
};

/// What a runner needs of its surroundings.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) route: Weak<dyn Route>,
    pub(crate) dice: Arc<Dice>,
    /// The longest wait for a permit, for the node's start, and for a port.
    pub(crate) admission: Duration,
    pub(crate) shared: Shared,
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) news: Arc<News>,
}

pub(crate) struct Runner {
    pub(super) info: NodeInfo,
    pub(super) component: Arc<ComponentType>,
    pub(super) instance: Arc<dyn Instance>,
    /// Runs that it takes at once.
    pub(super) permits: Semaphore,
    /// Cancelled when the node is removed.
    pub(super) removed: CancellationToken,
    pub(super) edges: ArcSwap<Edges>,
    configurations: ArcSwap<BTreeMap<String, Value>>,
    /// The ports that are there now; `None` when nothing can tell.
    pub(super) ports: watch::Sender<Option<Arc<LivePorts>>>,
    pub(super) life: Life,
    /// What it was last declared as.
    declared: Mutex<Option<NodeDecl>>,
    journal: Option<Arc<Journal>>,
    /// Takes the messages of sources that no edge takes; only tests set it.
    pub(super) tap: OnceLock<Arc<Edge>>,
    pub(super) background: Arc<Semaphore>,
    pub(super) tasks: TaskTracker,
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
            removed: CancellationToken::new(),
            edges: ArcSwap::default(),
            configurations: ArcSwap::default(),
            ports: watch::Sender::new(None),
            life: Life::new(has_hooks),
            declared: Mutex::new(None),
            journal: journal.transpose()?,
            tap: OnceLock::new(),
            background: Arc::new(Semaphore::new(outlet::BACKGROUND)),
            tasks: TaskTracker::new(),
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
            self.ports.send_replace(self.component.constant().cloned());
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
        let changed = self.ports.send_if_modified(|before| {
            let changed = before.as_deref() != live.as_ref();
            *before = live.map(Arc::new);
            changed
        });
        if changed {
            self.news(What { ports: true });
        }
    }

    /// The ports that are there now.
    pub(crate) fn ports(&self) -> Option<Arc<LivePorts>> {
        self.ports.borrow().clone()
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

    pub(crate) fn connect(&self, declared: Vec<(super::EdgeDecl, Binding)>) {
        let before = self.edges.load_full();
        let after = Arc::new(Edges::new(declared, &before));
        self.edges.store(after.clone());
        before.cancel_all_but(&after);
    }

    /// Ends everything that runs in this node.
    pub(crate) fn remove(&self) {
        self.removed.cancel();
        self.around.shared.instruments.forget(&self.info.name);
    }

    /// What a trigger without data sends to `port`: the node's stored configuration, else the port's default, else an
    /// empty object.
    pub(crate) fn default_message(&self, port: &str) -> Value {
        let stored = self.configurations.load().get(port).cloned();
        let default = || self.component.port(port)?.1.configuration?();
        stored.or_else(default).unwrap_or_else(|| serde_json::json!({}))
    }

    /// Handles one envelope, with every promise of a hop: bounds, permit, retries, cancellation, the error port.
    pub(crate) async fn handle(self: Arc<Self>, envelope: Envelope) -> Result<Reply> {
        let depth = envelope.depth();
        envelope.run.enter(depth, || envelope.to.to_string())?;
        let Envelope { to, body, edge, run, sender, bounds, deadline, expires } = envelope;
        let span = self.span(&to.port, &run);
        let ctx = |deadline| {
            let (run, outlet) = (run.clone(), self.clone());
            Guarded(Ctx::new(Hop {
                run,
                outlet,
                parent: sender.clone(),
                edge: edge.clone(),
                depth,
                deadline,
                span: span.clone(),
                end: End::default(),
            }))
        };
        // In its place from the beginning: a hop is too large to be moved about.
        let work = pin!(async {
            let within = ctx(deadline.into_iter().chain(expires).min());
            let work = async {
                let port = match self.target_now(&to.port) {
                    Some(port) => port,
                    // In a box: what is rare must not make every hop larger.
                    None => Box::pin(self.target(&to.port)).await?,
                };
                self.admitted(&port, &within.0, &body, bounds).await
            };
            let result = match expires {
                None => work.await,
                Some(expires) => timeout_at(expires, work).await.unwrap_or_else(|_| {
                    Err(self.too_late(&to.port, bounds.timeout.unwrap_or_default()))
                }),
            };
            match result {
                Ok(reply) => Ok(reply.answered_by(|| to.to_string().into())),
                // What catches an error has the time of the caller, not what is left of the hop.
                Err(error) if matches!(error.kind(), Kind::Permanent | Kind::Exhausted) => {
                    self.caught(&to.port, &ctx(deadline).0, &body, error).await
                }
                Err(error) => Err(error),
            }
        });
        let removed = self.removed.cancelled();
        // A span that nobody sees is not entered either: that costs, where the `log` feature of tracing is on.
        let done = match span.is_none() {
            true => until(removed, work).await,
            false => until(removed, work.instrument(span.clone())).await,
        };
        done.unwrap_or_else(|| Err(self.gone()))
    }

    /// The span of a hop; none while nobody listens.
    fn span(&self, port: &str, run: &Run) -> Span {
        let span = tracing::debug_span!("hop", node = self.info.name, port, run = %run.id());
        if span.is_disabled() { Span::none() } else { span }
    }

    /// A context of what the node begins by itself.
    pub(super) fn ctx_of_trigger(
        self: &Arc<Self>,
        trigger: String,
        deadline: Option<Instant>,
    ) -> Guarded {
        Guarded(Ctx::new(Hop {
            run: self.begin(trigger),
            outlet: self.clone(),
            parent: None,
            edge: None,
            depth: 1,
            deadline,
            span: Span::none(),
            end: End::default(),
        }))
    }

    /// Waits for a permit, then tries until done.
    async fn admitted(
        &self,
        port: &Target<'_>,
        ctx: &Ctx,
        body: &Body,
        bounds: RetryBounds,
    ) -> Result<Reply> {
        // What people do on a dashboard gets through to a node that is busy: it may be what stops it.
        let _permit = match port.role {
            Role::Control => None,
            _ => self.permit(ctx).await?,
        };
        let attempt = || self.attempt(port, ctx, body);
        let waiting = |retry: Retry<'_>| self.log_retry(port.name, ctx, &retry);
        let deadline = ctx.deadline();
        retry::until_done(bounds, deadline, &self.around.dice, attempt, waiting).await
    }

    /// Calls the author's method once. A panic is a permanent error of this hop and hurts nobody else.
    async fn attempt(&self, port: &Target<'_>, ctx: &Ctx, body: &Body) -> Result<Reply> {
        let call = async { self.instance.handle(port.row, port.item(), ctx, body).await };
        panic::caught_while(call).await.unwrap_or_else(|text| {
            tracing::error!(
                node = self.info.name,
                port = port.name,
                "the component panicked: {text}"
            );
            Err(Error::permanent(format!(
                "the component of node `{}` panicked: {text}",
                self.info.name
            )))
        })
    }

    /// Hands a failure to the error port that takes it, when an edge is connected there: its reply is the result.
    async fn caught(&self, port: &str, ctx: &Ctx, body: &Body, error: Error) -> Result<Reply> {
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
        self.send(ctx, name.into(), failure).await
    }

    /// Whether a port is there now.
    fn is_there(&self, info: &PortInfo) -> bool {
        let there = |ports: &LivePorts| ports.get(info.meta.name).is_some();
        !info.is_dynamic || self.ports.borrow().as_deref().is_none_or(there)
    }

    pub(super) fn log_retry(&self, port: &str, ctx: &Ctx, retry: &Retry<'_>) {
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

    fn too_late(&self, port: &str, limit: Duration) -> Error {
        Error::exhausted(format!(
            "`{}:{port}` did not end within the {limit:?} that its edge allows",
            self.info.name
        ))
    }

    pub(super) fn gone(&self) -> Error {
        Error::cancelled(format!("node `{}` was removed", self.info.name))
    }
}

/// What `work` comes to; `None` when `end` comes first.
async fn until<T>(end: impl Future<Output = ()>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = end => None,
        done = work => Some(done),
    }
}

/// A hop that is over when this is dropped, whatever dropped it.
pub(super) struct Guarded(pub(super) Ctx);

impl Drop for Guarded {
    fn drop(&mut self) {
        self.0.hop().end.come();
    }
}
