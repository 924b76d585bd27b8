//! A TinyNode, read as the engine's words.

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt;
use serde_json::Value;
use tiny_crds::{Edge, EdgeRetry, TinyNode, names};

use crate::component::NodeInfo;
use crate::engine::{Address, EdgeDecl, InwardDecl, NodeDecl, RetryBounds};

/// What `node` declares, in the engine's words. What cannot be read (a payload that is not base64 of JSON, an edge without
/// a target, a duration that is none) is part of the answer, so that it is judged and refused like any other fault.
pub(crate) fn declare(node: &TinyNode) -> NodeDecl {
    let (configurations, unreadable) = configurations(node);
    NodeDecl {
        info: NodeInfo {
            name: node.name_any(),
            flow: node.flow().unwrap_or_default().to_owned(),
            project: node.project().unwrap_or_default().to_owned(),
        },
        component: node.spec.component.clone(),
        configurations,
        unreadable,
        edges: node.spec.edges.iter().map(declared).collect(),
        inward: inward(node),
    }
}

type Configurations = (BTreeMap<String, Value>, BTreeMap<String, String>);

/// The node's own configuration of its ports: those that can be read, and why the others cannot.
fn configurations(node: &TinyNode) -> Configurations {
    let own = node.spec.ports.iter().filter(|port| port.from.is_empty());
    let ports: BTreeSet<&str> = own.map(|port| port.port.as_str()).collect();
    let (mut read, mut unreadable) = Configurations::default();
    for port in ports {
        match node.own_port(port).map(|entry| entry.configuration.value()) {
            Some(Ok(Some(value))) => drop(read.insert(port.to_owned(), value)),
            Some(Err(e)) => drop(unreadable.insert(port.to_owned(), e.to_string())),
            Some(Ok(None)) | None => {}
        }
    }
    (read, unreadable)
}

/// What older flows store at the receiver: mappings of edges that end at this node. One that cannot be read is none.
fn inward(node: &TinyNode) -> Vec<InwardDecl> {
    let flow = node.flow().unwrap_or_default();
    let of_edges = node.spec.ports.iter().filter(|entry| !entry.from.is_empty());
    let ends: BTreeSet<(&str, &str)> =
        of_edges.map(|entry| (entry.from.as_str(), entry.port.as_str())).collect();
    let decl = |(from, port): (&str, &str)| {
        let mapping = node.edge_port(from, port, flow)?.configuration.value().ok().flatten()?;
        let (node, source) = from.rsplit_once(':')?;
        Some(InwardDecl { from: Address::new(node, source), port: port.into(), mapping })
    };
    ends.into_iter().filter_map(decl).collect()
}

fn declared(edge: &Edge) -> EdgeDecl {
    let id = match edge.id.as_str() {
        "" => names::edge_id(&edge.port, &edge.to),
        id => id.to_owned(),
    };
    let to =
        edge.target().ok_or_else(|| format!("`to` must be `node:port`, and `{}` is not", edge.to));
    let bounds = edge.retry.as_ref().map_or_else(|| Ok(RetryBounds::default()), bounds);
    let fault = to.as_ref().err().or(bounds.as_ref().err()).cloned();
    let to = to.unwrap_or_default();
    EdgeDecl {
        id: id.into(),
        port: edge.port.as_str().into(),
        to: Address::new(to.node, to.port),
        mapping: edge.configuration.clone(),
        bounds: bounds.unwrap_or_default(),
        fault,
    }
}

fn bounds(retry: &EdgeRetry) -> Result<RetryBounds, String> {
    let usual = RetryBounds::default();
    let at = |field: &'static str| move |e| format!("`retry.{field}`: {e}");
    Ok(RetryBounds {
        attempts: retry.max_attempts.unwrap_or(usual.attempts),
        initial: retry.initial_delay().map_err(at("initialDelay"))?.unwrap_or(usual.initial),
        max: retry.max_delay().map_err(at("maxDelay"))?.unwrap_or(usual.max),
        timeout: retry.timeout().map_err(at("timeout"))?,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn node(spec: Value) -> TinyNode {
        let labels = json!({"tinysystems.io/flow-name": "greetings"});
        serde_json::from_value(json!({"metadata": {"name": "a", "labels": labels}, "spec": spec}))
            .unwrap()
    }

    #[test]
    fn edges_without_an_id_get_one_and_retry_is_read() {
        let decl = declare(&node(json!({
            "module": "m", "component": "c",
            "edges": [{"port": "out", "to": "b:in", "retry": {"maxAttempts": 3, "timeout": "5s"}}]
        })));
        assert_eq!(decl.info.flow, "greetings");
        assert_eq!(&*decl.edges[0].id, "out-b:in");
        assert_eq!(decl.edges[0].fault, None);
        assert_eq!(decl.edges[0].bounds.attempts, 3);
        assert_eq!(decl.edges[0].bounds.timeout, Some(Duration::from_secs(5)));
    }

    #[test]
    fn what_cannot_be_read_is_said_and_the_rest_stays() {
        let decl = declare(&node(json!({
            "module": "m", "component": "c",
            "ports": [{"port": "_settings", "configuration": "not base64!"}],
            "edges": [
                {"id": "x", "port": "out", "to": "nowhere"},
                {"id": "y", "port": "out", "to": "b:in"},
                {"id": "z", "port": "out", "to": "b:in", "retry": {"maxDelay": "long"}}
            ]
        })));
        assert!(decl.unreadable["_settings"].contains("base64"), "{:?}", decl.unreadable);
        let faults: Vec<_> = decl.edges.iter().map(|edge| edge.fault.as_deref()).collect();
        assert_eq!(faults[0], Some("`to` must be `node:port`, and `nowhere` is not"));
        assert_eq!(faults[1], None);
        assert!(
            faults[2].is_some_and(|why| why.starts_with("`retry.maxDelay`: `long`")),
            "{faults:?}"
        );
    }
}
