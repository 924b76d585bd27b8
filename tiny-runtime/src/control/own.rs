//! What the node controller knows of one node of this module.

use std::collections::BTreeMap;

use kube::ResourceExt;
use tiny_crds::{EdgeStatus, TinyNode, TinyNodeStatus};

use crate::engine::{Before, Cause, EdgeDecl, Finding, NodeDecl, Proofs, Standing};

/// A node of this module.
pub(super) struct Own {
    pub(super) node: TinyNode,
    pub(super) decl: NodeDecl,
    pub(super) findings: Vec<Finding>,
    /// Of each edge what was last found good.
    pub(super) good: Vec<EdgeStatus>,
}

/// What an event of the watch changed of a node.
pub(super) enum New {
    /// What it declares.
    Declaration,
    /// Its status, or what keeps its object.
    Status,
    /// At most what its component keeps.
    State,
}

impl Own {
    /// A node that was not known before. What was good of its edges is what its status says, also of an earlier process.
    pub(super) fn new(node: TinyNode, decl: NodeDecl) -> Self {
        let good = node.status.as_ref().map(|status| status.edges.clone()).unwrap_or_default();
        Self { node, decl, findings: Vec::new(), good }
    }

    /// Takes in the node as it is now, and says what is new of it.
    pub(super) fn take(&mut self, node: TinyNode, decl: NodeDecl) -> New {
        if self.decl != decl {
            (self.node, self.decl) = (node, decl);
            return New::Declaration;
        }
        let without_state = |node: &TinyNode| {
            let status = node.status.clone();
            status.map(|status| TinyNodeStatus { metadata: BTreeMap::new(), ..status })
        };
        let is_state = self.node.metadata.generation == node.metadata.generation
            && without_state(&self.node) == without_state(&node)
            && self.node.finalizers() == node.finalizers();
        self.node = node;
        if is_state { New::State } else { New::Status }
    }

    /// What is known of an edge: whether its mapping can be right, and what goes on if not.
    pub(super) fn standing(&self, proofs: &Proofs, edge: &str) -> Standing {
        let node = &*self.decl.info.name;
        let proof = proofs.of(node).iter().find(|(id, _)| **id == *edge).map(|(_, proof)| proof);
        let refuted = proof.map(|proof| proof.refuted().collect::<Vec<_>>().join("; "));
        let refuted = refuted.filter(|why| !why.is_empty());
        let goes_on = |good: &&EdgeStatus| {
            good.id == *edge
                && proofs.may_go_on(node, edge, (&good.port, &good.to), good.configuration.as_ref())
        };
        // Looked for only where the declared mapping cannot be used.
        let is_used = refuted.is_none() && proofs.compiles(node, edge);
        let good = self.good.iter().filter(|_| !is_used).find(goes_on);
        let before = good.map(|good| Before { mapping: good.configuration.clone() });
        Standing { refuted, before }
    }

    /// Keeps what the engine finds wrong with it, of which it tells what is new, and those edges that it finds good.
    pub(super) fn judged(&mut self, findings: Vec<Finding>) {
        let is_faulty = |edge: &EdgeDecl| {
            findings.iter().any(|it| it.edge.as_ref() == Some(&edge.id) && it.cause.refuses())
        };
        let good = self.decl.edges.iter().filter_map(|edge| match is_faulty(edge) {
            false => Some(as_good(edge)),
            true => self.good.iter().find(|good| good.id == *edge.id).cloned(),
        });
        self.good = good.collect();
        // What a node has not yet while it starts is no fault of it.
        let is_starting = findings.iter().any(|finding| finding.cause == Cause::Starting);
        let passes = |cause: &Cause| matches!(cause, Cause::Starting | Cause::PortAbsent);
        for new in findings.iter().filter(|finding| !self.findings.contains(finding)) {
            if is_starting && passes(&new.cause) {
                tracing::debug!(target: "tiny_runtime::fault", "{new}");
            } else {
                tracing::warn!(target: "tiny_runtime::fault", "{new}");
            }
        }
        self.findings = findings;
    }
}

fn as_good(edge: &EdgeDecl) -> EdgeStatus {
    EdgeStatus {
        id: edge.id.to_string(),
        port: edge.port.to_string(),
        to: edge.to.to_string(),
        configuration: edge.mapping.clone(),
    }
}
