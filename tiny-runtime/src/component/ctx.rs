//! Where a message is: the hop that an author's method runs in.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio::time::Instant;

use super::{Body, BoxFuture, FromReply, Message, Reply, Result, Run};

/// One delivery of one message to one port, as the author's method sees it.
///
/// Cheap to clone: a clone is another handle to the same hop.
#[derive(Clone)]
pub struct Ctx(Arc<Hop>);

/// What a hop knows. The path back to the trigger is the chain of parents.
pub struct Hop {
    pub(crate) run: Arc<Run>,
    pub(crate) outlet: Arc<dyn Outlet>,
    pub(crate) parent: Option<Arc<Hop>>,
    /// The edge that the message came over; `None` for a trigger.
    pub(crate) edge: Option<Arc<str>>,
    pub(crate) depth: u16,
    pub(crate) deadline: Option<Instant>,
}

/// Who a node is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeInfo {
    /// The TinyNode's name.
    pub name: String,
    /// The TinyFlow that it belongs to, if any.
    pub flow: String,
    /// The TinyProject that it belongs to, if any.
    pub project: String,
}

/// The way out of a node: the edges of its source ports.
pub trait Outlet: Send + Sync {
    /// The node that sends.
    fn node(&self) -> &NodeInfo;

    /// Sends `body` along every edge of `port` and waits until all that it causes has ended.
    fn send<'a>(&'a self, ctx: &'a Ctx, port: &'a str, body: Body) -> BoxFuture<'a, Result<Reply>>;
}

impl Ctx {
    pub(crate) fn new(hop: Hop) -> Self {
        Self(Arc::new(hop))
    }

    pub(crate) fn hop(&self) -> &Arc<Hop> {
        &self.0
    }

    /// The node that received the message.
    pub fn node(&self) -> &str {
        &self.0.outlet.node().name
    }

    /// The flow of the node; empty when it belongs to none.
    pub fn flow(&self) -> &str {
        &self.0.outlet.node().flow
    }

    /// The project of the node; empty when it belongs to none.
    pub fn project(&self) -> &str {
        &self.0.outlet.node().project
    }

    /// The run that this hop belongs to.
    pub fn run(&self) -> &Run {
        &self.0.run
    }

    /// When this hop must have ended; `None` when nobody set a limit. It shrinks along the hops.
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline
    }

    /// Sends `message` out of the source `port`. Generated sources call it; the message is erased before the future is
    /// made, so that the future stays small.
    #[doc(hidden)]
    pub fn send<'a, T: Message, R: FromReply>(
        &'a self,
        port: &'static str,
        message: T,
    ) -> impl Future<Output = Result<R>> + Send + 'a {
        let sent = self.0.outlet.send(self, port, Body::of(message));
        async move { R::from_reply(sent.await?, port) }
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx")
            .field("node", &self.node())
            .field("run", &self.0.run.id())
            .field("depth", &self.0.depth)
            .finish()
    }
}
