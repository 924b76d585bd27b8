//! The edges of one node, compiled.

use std::sync::Arc;

use super::RetryBounds;
use super::graph::EdgeDecl;
use super::place::{Place, Places};
use crate::component::{Address, Ending, Line};
use crate::mapping::Mapping;

/// A connection from a source port of this node to a target port of another.
pub(crate) struct Edge {
    /// Its id and where it leads.
    pub(crate) line: Arc<Line>,
    pub(crate) port: Arc<str>,
    /// Where the target's node is, when it is in this process.
    pub(crate) place: Arc<Place>,
    pub(crate) binding: Binding,
    pub(crate) bounds: RetryBounds,
}

impl Edge {
    /// True when it is the one that is declared so.
    fn leads(&self, id: &str, port: &str, to: &Address) -> bool {
        self.line.edge.as_deref() == Some(id) && *self.port == *port && self.line.to == *to
    }
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
    pub(crate) fn new(declared: Vec<(EdgeDecl, Binding)>, before: &Self, places: &Places) -> Self {
        let edge = |(decl, binding): (EdgeDecl, Binding)| {
            let EdgeDecl { id, port, to, bounds, .. } = decl;
            let same = before.0.iter().find(|e| e.leads(&id, &port, &to));
            let (line, place) = match same {
                Some(edge) => (edge.line.clone(), edge.place.clone()),
                None => {
                    let place = places.of(&to.node);
                    let (edge, from) = (Some(id), Some(port.clone()));
                    (Arc::new(Line { edge, from, to, removed: Ending::default() }), place)
                }
            };
            Arc::new(Edge { line, port, place, binding, bounds })
        };
        Self(declared.into_iter().map(edge).collect())
    }

    /// Ends what runs over edges that `after` has no more. Returns the nodes where they led.
    pub(crate) fn end_all_but(&self, after: &Self) -> Vec<Arc<str>> {
        let is_kept = |line: &Arc<Line>| after.0.iter().any(|other| Arc::ptr_eq(&other.line, line));
        let gone = self.0.iter().map(|edge| &edge.line).filter(|line| !is_kept(line));
        gone.map(|line| {
            line.removed.come();
            line.to.node.clone()
        })
        .collect()
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
