//! One live node: it receives, keeps the promises of a hop, and sends.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures::FutureExt;
use futures::future::join_all;
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::edge::{Binding, Edge, Edges};
use super::panic;
use super::retry::{self, Retry};
use super::{Dice, Envelope, RetryBounds, Route};
use crate::component::{
    Body, BoxFuture, ComponentType, Ctx, Error, Hop, Instance, Kind, NodeInfo, Outlet, PortInfo,
    Reply, Result, Role,
};
use crate::words;

/// Every so many hops a run goes on in a task of its own: no chain can overflow a stack.
const HOPS_PER_TASK: u16 = 32;

/// What a runner needs of its surroundings.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) route: Weak<dyn Route>,
    pub(crate) dice: Arc<Dice>,
    /// The longest wait for a permit.
    pub(crate) admission: Duration,
}

pub(crate) struct Runner {
    info: NodeInfo,
    component: Arc<ComponentType>,
    instance: Box<dyn Instance>,
    /// Runs that it takes at once.
    permits: Semaphore,
    /// Cancelled when the node is removed.
    removed: CancellationToken,
    edges: ArcSwap<Edges>,
    configurations: ArcSwap<BTreeMap<String, Value>>,
    around: Surroundings,
}

impl Runner {
    pub(crate) fn new(info: NodeInfo, component: Arc<ComponentType>, around: Surroundings) -> Self {
        Self {
            info,
            instance: component.create(),
            permits: Semaphore::new(component.info.concurrency.max(1) as usize),
            removed: CancellationToken::new(),
            edges: ArcSwap::default(),
            configurations: ArcSwap::default(),
            component,
            around,
        }
    }

    /// True when a node declared like this is the one that runs here; otherwise it needs a runner of its own.
    pub(crate) fn is(&self, info: &NodeInfo, component: &ComponentType) -> bool {
        self.info == *info && self.component.info.name == component.info.name
    }

    pub(crate) fn apply_settings(&self, settings: Option<&Value>) -> Result<(), String> {
        self.instance.apply_settings(settings).map_err(|e| e.to_string())
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
        let port = self.target(&envelope.to.port)?;
        let Envelope { to, body, edge, run, sender, bounds, deadline, expires } = envelope;
        let ctx = |deadline| {
            let (run, outlet) = (run.clone(), self.clone());
            Ctx::new(Hop {
                run,
                outlet,
                parent: sender.clone(),
                edge: edge.clone(),
                depth,
                deadline,
            })
        };
        let work = async {
            let within = ctx(deadline.into_iter().chain(expires).min());
            let work = self.admitted(port, &within, &body, bounds);
            let result = match expires {
                None => work.await,
                Some(expires) => timeout_at(expires, work).await.unwrap_or_else(|_| {
                    Err(self.too_late(port, bounds.timeout.unwrap_or_default()))
                }),
            };
            match result {
                Ok(reply) => Ok(reply.answered_by(|| to.to_string().into())),
                // What catches an error has the time of the caller, not what is left of the hop.
                Err(error) if matches!(error.kind(), Kind::Permanent | Kind::Exhausted) => {
                    self.caught(port, &ctx(deadline), &body, error).await
                }
                Err(error) => Err(error),
            }
        };
        tokio::select! {
            biased;
            () = self.removed.cancelled() => Err(self.gone()),
            result = work => result,
        }
    }

    /// The number of target `port`.
    fn target(&self, port: &str) -> Result<usize> {
        let is_target = |info: &PortInfo| info.role == Role::Target;
        match self.component.port(port) {
            Some((number, info)) if is_target(info) => Ok(number),
            _ => {
                let ports = || self.component.ports().iter().filter(|info| is_target(info));
                let names = || ports().map(|info| info.meta.name);
                Err(Error::permanent(format!(
                    "node `{}` ({}) has no target `{port}`{}; it has {}",
                    self.info.name,
                    self.component.info.name,
                    words::did_you_mean(port, names()),
                    words::list(names()),
                )))
            }
        }
    }

    /// Waits for a permit, then tries until done.
    async fn admitted(
        &self,
        port: usize,
        ctx: &Ctx,
        body: &Body,
        bounds: RetryBounds,
    ) -> Result<Reply> {
        let _permit = self.permit(ctx).await?;
        let attempt = || self.attempt(port, ctx, body);
        let waiting = |retry: Retry<'_>| self.log_retry(port, ctx, &retry);
        let deadline = ctx.deadline();
        retry::until_done(bounds, deadline, &self.around.dice, attempt, waiting).await
    }

    /// A permit, or none for a run that passes this node already: it holds one on the way, and waiting for a second
    /// could wait for itself.
    async fn permit(&self, ctx: &Ctx) -> Result<Option<SemaphorePermit<'_>>> {
        if let Ok(permit) = self.permits.try_acquire() {
            return Ok(Some(permit));
        }
        if self.reentered(ctx) {
            return Ok(None);
        }
        match timeout(self.around.admission, self.permits.acquire()).await {
            Ok(Ok(permit)) => Ok(Some(permit)),
            Ok(Err(_)) => Err(self.gone()),
            Err(_) => Err(Error::exhausted(format!(
                "node `{}` stayed busy for {:?}: it takes {} runs at once",
                self.info.name, self.around.admission, self.component.info.concurrency
            ))),
        }
    }

    fn reentered(&self, ctx: &Ctx) -> bool {
        let mut hop = ctx.hop().parent.as_ref();
        while let Some(passed) = hop {
            if passed.outlet.node().name == self.info.name {
                return true;
            }
            hop = passed.parent.as_ref();
        }
        false
    }

    /// Calls the author's method once. A panic is a permanent error of this hop and hurts nobody else.
    async fn attempt(&self, port: usize, ctx: &Ctx, body: &Body) -> Result<Reply> {
        let call = async { self.instance.handle(port, ctx, body).await };
        AssertUnwindSafe(call).catch_unwind().await.unwrap_or_else(|panicked| {
            let text = panic::text(&*panicked);
            tracing::error!(
                node = self.info.name,
                port = self.name(port),
                "the component panicked: {text}"
            );
            Err(Error::permanent(format!(
                "the component of node `{}` panicked: {text}",
                self.info.name
            )))
        })
    }

    /// Hands a failure to the error port that takes it, when an edge is connected there: its reply is the result.
    async fn caught(&self, port: usize, ctx: &Ctx, body: &Body, error: Error) -> Result<Reply> {
        let message = self.component.ports().get(port).map(|info| info.message);
        let catcher = self.component.ports().iter().find_map(|info| {
            let (takes, failure) = info.failure?;
            (Some(takes) == message).then_some((info.meta.name, failure))
        });
        let Some((name, failure)) = catcher else { return Err(error) };
        if !self.edges.load().leave(name) {
            return Err(error);
        }
        // A message that does not even decode, or panics when it is read, has no context to send: the error itself is the
        // reply.
        let failure = panic::caught(|| failure(body, &error));
        let Ok(Ok(failure)) = failure else { return Err(error) };
        ctx.run().failed(&format!("{}:{}", self.info.name, self.name(port)), &error);
        self.send(ctx, name, failure).await
    }

    /// Brings `body` over one edge.
    async fn cross(&self, edge: &Edge, ctx: &Ctx, body: Body) -> Result<Reply> {
        let body = match &edge.binding {
            Binding::Identity => body,
            Binding::Mapped(mapping) => Body::Mapped(Arc::new(body), mapping.clone()),
            Binding::Refused(why) => return Err(Error::permanent(why.to_string())),
        };
        let Some(route) = self.around.route.upgrade() else {
            return Err(Error::cancelled("the process is stopping"));
        };
        let envelope = Envelope {
            to: edge.to.clone(),
            edge: Some(edge.id.clone()),
            body,
            run: ctx.hop().run.clone(),
            sender: Some(ctx.hop().clone()),
            bounds: edge.bounds,
            deadline: ctx.deadline(),
            expires: edge.bounds.timeout.map(|limit| Instant::now() + limit),
        };
        let delivered = async {
            if !envelope.depth().is_multiple_of(HOPS_PER_TASK) {
                return route.deliver(envelope).await;
            }
            let task = tokio::spawn(async move { route.deliver(envelope).await });
            AbortOnDropHandle::new(task).await.unwrap_or_else(|e| {
                Err(Error::permanent(format!("the task of a hop ended early: {e}")))
            })
        };
        tokio::select! {
            biased;
            () = edge.removed.cancelled() => {
                Err(Error::cancelled(format!("edge `{}` was removed", edge.id)))
            }
            result = delivered => result,
        }
    }

    fn log_retry(&self, port: usize, ctx: &Ctx, retry: &Retry<'_>) {
        tracing::warn!(
            node = self.info.name,
            port = self.name(port),
            run = %ctx.run().id(),
            attempt = retry.attempt,
            wait_ms = retry.wait.as_millis(),
            "will try again: {}",
            retry.error
        );
    }

    fn too_late(&self, port: usize, limit: Duration) -> Error {
        Error::exhausted(format!(
            "`{}:{}` did not end within the {limit:?} that its edge allows",
            self.info.name,
            self.name(port)
        ))
    }

    fn gone(&self) -> Error {
        Error::cancelled(format!("node `{}` was removed", self.info.name))
    }

    fn name(&self, port: usize) -> &'static str {
        self.component.ports().get(port).map_or("", |info| info.meta.name)
    }
}

impl Outlet for Runner {
    fn node(&self) -> &NodeInfo {
        &self.info
    }

    /// All edges of the port at once, in one task. The reply is the first one in the order of the edges, not of
    /// completion: runs must be repeatable.
    fn send<'a>(&'a self, ctx: &'a Ctx, port: &'a str, body: Body) -> BoxFuture<'a, Result<Reply>> {
        Box::pin(async move {
            let edges = self.edges.load_full();
            let mut of_port = edges.of(port);
            let Some(first) = of_port.next() else { return Ok(Reply::none()) };
            let Some(second) = of_port.next() else { return self.cross(first, ctx, body).await };
            let branches = [first, second].into_iter().chain(of_port);
            let body = &body;
            let sent = branches.map(|edge| async move {
                let result = self.cross(edge, ctx, body.clone()).await;
                (edge, result)
            });
            let mut first_error = None;
            let mut reply = Reply::none();
            for (edge, result) in join_all(sent).await {
                match result {
                    Ok(answer) if reply.is_none() => reply = answer,
                    Ok(later) => later.ignore(),
                    Err(error) => {
                        ctx.run().failed(&edge.to.to_string(), &error);
                        first_error.get_or_insert(error);
                    }
                }
            }
            match first_error {
                Some(error) if reply.is_none() => Err(error),
                _ => Ok(reply),
            }
        })
    }
}
