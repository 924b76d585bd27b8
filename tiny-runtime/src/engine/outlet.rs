//! The way out of a node: its edges, and what it does beside its messages.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::edge::{Binding, Edge};
use super::news::What;
use super::runner::Runner;
use super::{Address, Envelope, RetryBounds};
use crate::component::{
    Body, BoxFuture, Ctx, Error, NodeInfo, Outlet, Reply, Result, Run, RunLimits, Shared, panic,
};

/// Every so many hops a run goes on in a task of its own: no chain can overflow a stack.
const HOPS_PER_TASK: u16 = 32;

/// Tasks that one node may have in the background.
pub(super) const BACKGROUND: usize = 1000;

/// How long work in the background may take to end after its node was removed.
pub(super) const FAREWELL: Duration = Duration::from_secs(5);

impl Runner {
    /// Sends what no edge takes to `node`, to the port that is called like the source.
    pub(crate) fn tap(&self, node: &str) {
        let edge = Edge {
            id: "tap".into(),
            port: "".into(),
            to: Address::new(node, ""),
            binding: Binding::Identity,
            bounds: RetryBounds { attempts: 1, ..RetryBounds::default() },
            removed: CancellationToken::new(),
        };
        let _set_once = self.tap.set(Arc::new(edge));
    }

    /// Brings `body` over one edge. `port` is the source that it leaves.
    async fn cross(&self, edge: &Edge, port: &str, ctx: &Ctx, body: Body) -> Result<Reply> {
        let body = match &edge.binding {
            Binding::Identity => body,
            Binding::Mapped(mapping) => Body::Mapped(Arc::new(body), mapping.clone()),
            Binding::Refused(why) => return Err(Error::permanent(why.to_string())),
        };
        let Some(route) = self.around.route.upgrade() else {
            return Err(Error::cancelled("the process is stopping"));
        };
        let envelope = Envelope {
            to: match &*edge.to.port {
                "" => Address::new(edge.to.node.clone(), port),
                _ => edge.to.clone(),
            },
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
}

impl Outlet for Runner {
    fn node(&self) -> &NodeInfo {
        &self.info
    }

    /// All edges of the port at once, in one task. The reply is the first one in the order of the edges, not of
    /// completion: runs must be repeatable.
    fn send<'a>(
        &'a self,
        ctx: &'a Ctx,
        port: Cow<'static, str>,
        body: Body,
    ) -> BoxFuture<'a, Result<Reply>> {
        Box::pin(async move {
            let port = &*port;
            if self.component.has.dynamic_ports
                && self.ports.borrow().as_ref().is_some_and(|ports| ports.get(port).is_none())
            {
                return Ok(Reply::none());
            }
            let edges = self.edges.load_full();
            let mut of_port = edges.of(port);
            let Some(first) = of_port.next().or(self.tap.get()) else { return Ok(Reply::none()) };
            let Some(second) = of_port.next() else {
                return self.cross(first, port, ctx, body).await;
            };
            let branches = [first, second].into_iter().chain(of_port);
            let body = &body;
            let sent = branches.map(|edge| async move {
                let result = self.cross(edge, port, ctx, body.clone()).await;
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

    fn component(&self) -> Arc<dyn Any + Send + Sync> {
        self.instance.component()
    }

    fn refresh(&self) {
        self.refresh_ports();
        self.news(What::default());
    }

    fn spawn(&self, work: BoxFuture<'static, ()>) -> Result<()> {
        let Ok(place) = self.background.clone().try_acquire_owned() else {
            return Err(Error::transient(format!(
                "node `{}` has {BACKGROUND} tasks in the background, which is as many as it may",
                self.info.name
            )));
        };
        if self.removed.is_cancelled() {
            return Err(self.gone());
        }
        let (removed, node) = (self.removed.clone(), self.info.name.clone());
        self.tasks.spawn(async move {
            let _place = place;
            let end = async {
                removed.cancelled().await;
                sleep(FAREWELL).await;
            };
            tokio::select! {
                done = panic::caught_while(work) => if let Err(text) = done {
                    tracing::error!(node, "work in the background panicked: {text}");
                },
                () = end => tracing::warn!(node, "work in the background did not end within {FAREWELL:?}"),
            }
        });
        Ok(())
    }

    fn removed(&self) -> &CancellationToken {
        &self.removed
    }

    fn begin(&self, trigger: String) -> Arc<Run> {
        Arc::new(Run::new(self.around.dice.run_id(), trigger, RunLimits::default()))
    }

    fn shared(&self) -> &Shared {
        &self.around.shared
    }
}
