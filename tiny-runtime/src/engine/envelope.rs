//! One message on its way to one port.

use std::sync::Arc;

use tokio::time::Instant;

use super::RetryBounds;
use crate::component::{Body, Line, Run, Sender};

/// A message and all that must travel with it, from the sender's edge to the receiver's method.
#[derive(Clone)]
pub struct Envelope {
    /// What it comes over, and the port that receives.
    pub line: Arc<Line>,
    /// The content.
    pub body: Body,
    /// The run that it belongs to.
    pub run: Arc<Run>,
    /// Who sent it.
    pub sender: Sender,
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
        self.sender.depth().saturating_add(1)
    }
}
