//! What a message comes over: from where it left to the port that receives it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

/// A port of a node: `node:port`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// The node's name.
    pub node: Arc<str>,
    /// The port's name.
    pub port: Arc<str>,
}

impl Address {
    /// The address of `port` of `node`.
    pub fn new(node: impl Into<Arc<str>>, port: impl Into<Arc<str>>) -> Self {
        Self { node: node.into(), port: port.into() }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.node, self.port)
    }
}

/// The way of a message to its port: an edge, whatever that does with messages, or what stands for one.
///
/// One for all messages that take it: a hop holds one reference and has all that it must know.
#[derive(Debug)]
pub struct Line {
    /// The id of the edge; `None` for a trigger.
    pub edge: Option<Arc<str>>,
    /// The source port that it starts at, of the node that sends; `None` for a trigger.
    pub from: Option<Arc<str>>,
    /// The port that receives.
    pub to: Address,
    /// Comes when the edge is removed: what runs over it ends.
    pub removed: Ending,
}

impl Line {
    /// The way of a trigger, which is no edge.
    pub fn of_trigger(to: Address) -> Self {
        Self { edge: None, from: None, to, removed: Ending::default() }
    }
}

/// Where it leads: `node:port`.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to.fmt(f)
    }
}

/// Something that ends once. To ask costs one load; only who has to wait anyway takes a place in a queue.
#[derive(Debug, Default)]
pub struct Ending {
    /// Set before the token is cancelled, so that nothing begins that would be cancelled at once. Who must not miss the end asks
    /// the token.
    has_come: AtomicBool,
    token: CancellationToken,
}

impl Ending {
    /// Whether it has come.
    pub fn has_come(&self) -> bool {
        self.has_come.load(Ordering::Acquire)
    }

    /// Lets it come.
    pub fn come(&self) {
        self.has_come.store(true, Ordering::Release);
        self.token.cancel();
    }

    /// Cancelled when it comes.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }
}
