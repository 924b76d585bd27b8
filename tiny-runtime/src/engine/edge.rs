//! The edges of one node, compiled.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::graph::EdgeDecl;
use super::{Address, RetryBounds};
use crate::mapping::Mapping;

/// A connection from a source port of this node to a target port of another.
pub(crate) struct Edge {
    pub(crate) id: Arc<str>,
    pub(crate) port: Arc<str>,
    pub(crate) to: Address,
    pub(crate) binding: Binding,
    pub(crate) bounds: RetryBounds,
    /// Cancelled when the edge is removed: what runs over it ends.
    pub(crate) removed: CancellationToken,
}

/// What an edge does with a message.
#[derive(Clone)]
pub(crate) enum Binding {
    /// Hands it on as it is.
    Identity,
    /// Turns it into what the target takes.
    Mapped(Arc<Mapping>),
    /// Refuses it: the edge has a fault, which the node's condition names too.
    Refused(Arc<str>),
}

/// All edges of a node, in the order in which the node declares them.
#[derive(Default)]
pub(crate) struct Edges(Vec<Arc<Edge>>);

impl Edges {
    /// Compiles the declared edges. An edge that leads where one of `before` led goes on: its runs are not cancelled.
    pub(crate) fn new(declared: Vec<(EdgeDecl, Binding)>, before: &Self) -> Self {
        let edge = |(decl, binding): (EdgeDecl, Binding)| {
            let same =
                before.0.iter().find(|e| e.id == decl.id && e.port == decl.port && e.to == decl.to);
            let removed = same.map(|e| e.removed.clone()).unwrap_or_default();
            let EdgeDecl { id, port, to, bounds, .. } = decl;
            Arc::new(Edge { id, port, to, binding, bounds, removed })
        };
        Self(declared.into_iter().map(edge).collect())
    }

    /// Cancels what runs over edges that `after` has no more.
    pub(crate) fn cancel_all_but(&self, after: &Self) {
        for edge in &self.0 {
            let kept =
                after.0.iter().any(|e| e.id == edge.id && e.port == edge.port && e.to == edge.to);
            if !kept {
                edge.removed.cancel();
            }
        }
    }

    /// The edges of source `port`, in order.
    pub(crate) fn of<'a>(&'a self, port: &'a str) -> impl Iterator<Item = &'a Arc<Edge>> {
        self.0.iter().filter(move |edge| &*edge.port == port)
    }

    /// True when an edge starts at `port`.
    pub(crate) fn leave(&self, port: &str) -> bool {
        self.of(port).next().is_some()
    }
}
