//! Who sees every message of a process.

use crate::component::{Body, Hop, Reply, Result};

/// Sees what happens to every message: what recordings and simulations are made of. Called in the task of the run, so it must be quick.
pub trait Observer: Send + Sync {
    /// A message leaves `port` over so many edges.
    fn sent(&self, hop: &Hop, port: &str, body: &Body, edges: usize);

    /// A message has come to its port.
    fn came(&self, hop: &Hop, body: &Body);

    /// A hop has ended with a result.
    fn done(&self, hop: &Hop, result: &Result<Reply>);

    /// Nothing of a hop is left. Without [`Observer::done`] before, it was cancelled.
    fn left(&self, hop: &Hop);
}
