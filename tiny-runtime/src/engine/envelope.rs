//! One message on its way to one port.

use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;

use super::RetryBounds;
use crate::component::{Body, Hop, Run};

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

/// A message and all that must travel with it, from the sender's edge to the receiver's method.
#[derive(Clone)]
pub struct Envelope {
    /// The port that receives.
    pub to: Address,
    /// The edge that it comes over; `None` for a trigger.
    pub edge: Option<Arc<str>>,
    /// The content.
    pub body: Body,
    /// The run that it belongs to.
    pub run: Arc<Run>,
    /// The hop that sent it; `None` for a trigger.
    pub sender: Option<Arc<Hop>>,
    /// How the receiver retries.
    pub bounds: RetryBounds,
    /// When all that the caller does must have ended.
    pub deadline: Option<Instant>,
    /// When this hop, from its sending, must have ended: the timeout of its edge.
    pub expires: Option<Instant>,
}

impl Envelope {
    /// Hops from the trigger to the receiver; the first is 1.
    pub fn depth(&self) -> u16 {
        self.sender.as_ref().map_or(1, |hop| hop.depth.saturating_add(1))
    }
}
