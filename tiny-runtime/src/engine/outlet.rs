//! The way out of a node: its edges, and what it does beside its messages.

use std::any::Any;
use std::future::ready;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::arrival;
use super::edge::{Binding, Edge};
use super::news::What;
use super::runner::Runner;
use super::trace;
use super::{Address, Envelope, Line, RetryBounds, Route};
use crate::component::{
    Body, BoxFuture, Crossing, Ctx, Ending, Error, NodeInfo, Outlet, Parent, Reply, Result, Run,
    RunLimits, Sender, Sent, Shared, panic,
};

/// Tasks that one node may have in the background.
pub(super) const BACKGROUND: usize = 1000;

/// How long work in the background may take to end after its node was removed.
pub(super) const FAREWELL: Duration = Duration::from_secs(5);

impl Runner {
    /// Sends what no edge takes to `node`, to the port that is called like the source.
    pub(crate) fn tap(&self, node: &str) {
        let edge = Edge {
            line: Arc::new(Line {
                edge: Some("tap".into()),
                from: None,
                to: Address::new(node, ""),
                removed: Ending::default(),
            }),
            port: "".into(),
            place: self.around.places.of(node),
            binding: Binding::Identity,
            bounds: RetryBounds { attempts: 1, ..RetryBounds::default() },
        };
        let _set_once = self.tap.set(Arc::new(edge));
    }

    /// Brings `body` over one edge. `port` is the source that it leaves.
    fn cross(&self, edge: &Arc<Edge>, port: &str, ctx: &Ctx, body: Body) -> Crossing {
        let depth = ctx.hop().depth.saturating_add(1);
        let here = edge.place.runner();
        let body = match self.bound(edge, here.as_deref(), body) {
            Ok(body) => body,
            Err(error) => return Crossing::new(depth, ready(Err(error))),
        };
        let hop = ctx.hop();
        let envelope = Envelope {
            line: match &*edge.line.to.port {
                "" => Arc::new(Line {
                    edge: edge.line.edge.clone(),
                    from: Some(port.into()),
                    to: Address::new(edge.line.to.node.clone(), port),
                    removed: Ending::default(),
                }),
                _ => edge.line.clone(),
            },
            body,
            run: hop.run.clone(),
            sender: Sender::Hop(hop.clone()),
            bounds: edge.bounds,
            deadline: hop.deadline,
            expires: edge.bounds.timeout.map(|limit| Instant::now() + limit),
        };
        match here {
            // The way of nearly every message: the node is here.
            Some(runner) => match runner.receive(envelope) {
                Ok(arrival) => Crossing::new(depth, arrival.handled()),
                Err(error) => Crossing::new(depth, ready(Err(error))),
            },
            None => Crossing::new(depth, routed(self.around.route.clone(), envelope)),
        }
    }
}

impl Runner {
    /// What an edge makes of a message. Where it has no mapping, a receiver `here` may have one for it; one of another module applies its
    /// own.
    fn bound(&self, edge: &Edge, here: Option<&Self>, body: Body) -> Result<Body> {
        let told;
        let binding = match (&edge.binding, here) {
            (Binding::Identity, Some(receiver)) if receiver.has_inward() => {
                told = receiver.inward(&self.info.name, &edge.port, &edge.line.to.port);
                &told
            }
            (binding, _) => binding,
        };
        match binding {
            Binding::Identity => Ok(body),
            Binding::Mapped(mapping) => Ok(body.through(mapping.clone())),
            Binding::Refused(why) => Err(Error::permanent(why.to_string())),
        }
    }
}

/// To a node that is not here, or not yet.
async fn routed(route: Weak<dyn Route>, envelope: Envelope) -> Result<Reply> {
    let line = envelope.line.clone();
    let work = async {
        match route.upgrade() {
            Some(route) => route.deliver(envelope).await,
            None => Err(Error::cancelled("the process is stopping")),
        }
    };
    tokio::select! {
        biased;
        () = line.removed.token().cancelled() => Err(arrival::edge_gone(&line)),
        result = work => result,
    }
}

/// Waits for all `branches`, which are polled in one task. The reply is the first one in the order of the edges, not of
/// completion: runs must be repeatable.
async fn gathered(run: Arc<Run>, branches: Vec<(Arc<Edge>, Crossing)>) -> Result<Reply> {
    let (edges, crossings): (Vec<_>, Vec<_>) = branches.into_iter().unzip();
    let mut first_error = None;
    let mut reply = Reply::none();
    for (edge, result) in edges.iter().zip(join_all(crossings).await) {
        match result {
            Ok(answer) if reply.is_none() => reply = answer,
            Ok(later) => later.ignore(),
            Err(error) => {
                run.failed(&edge.line.to.to_string(), &error);
                first_error.get_or_insert(error);
            }
        }
    }
    match first_error {
        Some(error) if reply.is_none() => Err(error),
        _ => Ok(reply),
    }
}

impl Outlet for Runner {
    fn node(&self) -> &NodeInfo {
        &self.info
    }

    fn send(&self, ctx: &Ctx, port: &str, body: Body) -> Sent {
        let nobody = || Sent::Left(ready(Ok(Reply::none())));
        if self.component.has.dynamic_ports
            && self.ports.load().as_ref().is_some_and(|ports| ports.get(port).is_none())
        {
            return nobody();
        }
        let edges = self.edges.load();
        if let Some(observer) = &self.around.observer {
            observer.sent(ctx.hop(), port, &body, edges.of(port).count());
        }
        let mut of_port = edges.of(port);
        let Some(first) = of_port.next().or(self.tap.get()) else { return nobody() };
        let Some(second) = of_port.next() else {
            return Sent::Right(self.cross(first, port, ctx, body));
        };
        let branches = [first, second].into_iter().chain(of_port);
        let branch = |edge: &Arc<Edge>| (edge.clone(), self.cross(edge, port, ctx, body.clone()));
        let run = ctx.hop().run.clone();
        let depth = ctx.hop().depth;
        Sent::Right(Crossing::new(depth, gathered(run, branches.map(branch).collect())))
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
        if self.removed.has_come() {
            return Err(self.gone());
        }
        let (removed, node) = (self.removed.token().clone(), self.info.name.clone());
        self.tasks.spawn(async move {
            let _place = place;
            let end = async {
                removed.cancelled().await;
                sleep(FAREWELL).await;
            };
            tokio::select! {
                biased;
                done = panic::caught_while(work) => if let Err(text) = done {
                    tracing::error!(node, "work in the background panicked: {text}");
                },
                () = end => tracing::warn!(node, "work in the background did not end within {FAREWELL:?}"),
            }
        });
        Ok(())
    }

    fn removed(&self) -> &CancellationToken {
        self.removed.token()
    }

    fn begin(&self, trigger: String) -> Arc<Run> {
        Arc::new(Run::new(self.around.dice.run_id(), trigger, RunLimits::default()))
    }

    fn parent(&self, span: &Span) -> Option<Parent> {
        trace::parent(span)
    }

    fn shared(&self) -> &Shared {
        &self.around.shared
    }
}
