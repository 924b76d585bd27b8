//! Mappings that the receiving node holds, as older flows have them: they count for an edge that has none of its own.

use std::sync::Arc;

use serde_json::Value;

use super::edge::Binding;
use super::{Address, Cause, Finding, NodeDecl};
use crate::mapping::Mapping;

/// A mapping for what comes from one port to another, as the node that receives declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct InwardDecl {
    /// The port that sends.
    pub from: Address,
    /// The port of this node that receives.
    pub port: Arc<str>,
    /// What is made of the message.
    pub mapping: Value,
}

/// What a node makes of messages that come unmapped.
#[derive(Default)]
pub(super) struct Inward(Vec<Entry>);

struct Entry {
    from: Address,
    port: Arc<str>,
    binding: Binding,
}

impl Inward {
    /// Compiles what `node` declares. A mapping that does not compile refuses what comes, and is a finding.
    pub(super) fn of(node: &NodeDecl) -> (Self, Vec<Finding>) {
        let mut findings = Vec::new();
        let entry = |decl: &InwardDecl| {
            let InwardDecl { from, port, mapping } = decl;
            let binding = Mapping::compile(mapping).map_or_else(
                |faults| {
                    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                    let message = format!(
                        "node `{}`, port `{port}`: its mapping for what comes from `{from}`: {}",
                        node.info.name,
                        faults.join("; ")
                    );
                    let refused = Binding::Refused(message.as_str().into());
                    findings.push(Finding { cause: Cause::ExpressionInvalid, edge: None, message });
                    refused
                },
                |mapping| Binding::Mapped(Arc::new(mapping)),
            );
            Entry { from: from.clone(), port: port.clone(), binding }
        };
        let entries = node.inward.iter().map(entry).collect();
        (Self(entries), findings)
    }

    /// Whether it says nothing of any message.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What it makes of messages from port `from` of `node` to `port`.
    pub(super) fn binding(&self, node: &str, from: &str, port: &str) -> Binding {
        let is_meant =
            |it: &&Entry| *it.from.node == *node && *it.from.port == *from && *it.port == *port;
        self.0.iter().find(is_meant).map_or(Binding::Identity, |entry| entry.binding.clone())
    }
}
