//! Where an envelope goes next.

use super::Envelope;
use crate::component::{BoxFuture, Reply, Result};

/// Brings an envelope to its node and returns when the hop, and all that it caused, has ended.
pub trait Route: Send + Sync {
    /// Delivers once. The receiver retries; a caller never does.
    fn deliver(&self, envelope: Envelope) -> BoxFuture<'_, Result<Reply>>;
}
