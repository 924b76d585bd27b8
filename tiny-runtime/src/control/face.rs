//! Nodes and modules of a plane, as proofs know them.

use std::sync::Arc;

use kube::ResourceExt;
use tiny_crds::{ModuleComponent, Payload, PortStatus, TinyNode};

use super::declare;
use crate::engine::{Face, NodeDecl, Port, Proofs, Site};
use crate::schema::Text;

/// What a module tells of a component.
pub(crate) fn told(component: &ModuleComponent) -> Face {
    told_of_node(&component.ports)
}

/// What the status of a node tells of its ports.
pub(crate) fn told_of_node(ports: &[PortStatus]) -> Face {
    let text = |payload: &Payload| payload.value().ok().flatten().map(|value| Text::from(&value));
    let port = |port: &PortStatus| {
        Some(Port {
            name: port.name.as_str().into(),
            is_source: port.source,
            schema: text(&port.schema)?,
            response: text(&port.response_schema),
            default: port.configuration.value().ok().flatten(),
        })
    };
    let told: Arc<[Port]> = ports.iter().filter_map(port).collect();
    // A module whose schemas do not fit into its status tells of none.
    if told.is_empty() && !ports.is_empty() { Face::Unknown } else { Face::Told(told) }
}

/// What is known of `node`, whose declaration is `decl`.
pub(super) fn site(node: &TinyNode, decl: &NodeDecl, face: Face) -> Site {
    let own = node.spec.ports.iter().filter(|port| port.from.is_empty());
    let written = own.filter_map(|port| port.schema.value().ok().flatten());
    Site::new(decl, face, written.map(|value| Text::from(&value)).collect())
}

/// The proofs of all edges of these nodes; `face` tells what is known of the ports of one.
pub(crate) fn proofs<'n>(
    nodes: impl Iterator<Item = &'n TinyNode>,
    face: impl Fn(&TinyNode) -> Face,
) -> Proofs {
    let mut proofs = Proofs::default();
    for node in nodes {
        proofs.put(&node.name_any(), Some(site(node, &declare(node), face(node))));
    }
    proofs.settle();
    proofs
}
