//! `TinyNode`: one live instance of a component.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    condition,
    duration::{self, DurationError},
    labels, lenient,
    names::{self, FullName, NameError, PortName},
    payload::Payload,
    port::PortStatus,
    schema,
};

/// What the node is: a component of a module, its settings, and where its messages go.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "operator.tinysystems.io",
    version = "v1alpha1",
    kind = "TinyNode",
    plural = "tinynodes",
    namespaced,
    status = "TinyNodeStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "One live instance of a component.",
    shortname = "tn",
    category = "tiny",
    printcolumn(name = "Module", type_ = "string", json_path = ".spec.module"),
    printcolumn(name = "Component", type_ = "string", json_path = ".spec.component"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(name = "Status", type_ = "string", json_path = ".status.status"),
    printcolumn(
        name = "Flow",
        type_ = "string",
        json_path = ".metadata.labels.tinysystems\\.io/flow-name",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct TinyNodeSpec {
    /// Name of the module that runs the node.
    pub module: String,
    /// Version of the module that it was made for; informative.
    #[serde(default, rename = "module_version", skip_serializing_if = "Option::is_none")]
    pub module_version: Option<String>,
    /// Name of the component.
    pub component: String,
    /// Settings and stored configurations, each of one port.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "lenient::null_as_default"
    )]
    #[schemars(extend(
        "nullable" = true,
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["from", "port", "flowID"]
    ))]
    pub ports: Vec<NodePort>,
    /// Where the messages of the source ports go.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "lenient::null_as_default"
    )]
    #[schemars(extend(
        "nullable" = true,
        "x-kubernetes-list-type" = "map",
        "x-kubernetes-list-map-keys" = ["id", "flowID"]
    ))]
    pub edges: Vec<Edge>,
}

/// What is stored for a port: its own configuration, or the mapping of an edge that ends there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct NodePort {
    /// Empty for the port's own configuration; `node:port` of the sender in older flows.
    #[serde(default, deserialize_with = "lenient::null_as_default")]
    pub from: String,
    /// Name of the port.
    pub port: String,
    /// JSON schema that the editor stored for the port.
    #[serde(default, skip_serializing_if = "Payload::is_absent")]
    pub schema: Payload,
    /// Settings, default message or mapping.
    #[serde(default, skip_serializing_if = "Payload::is_absent")]
    pub configuration: Payload,
    /// Name of the flow that this belongs to; empty for every flow.
    #[serde(default, rename = "flowID", deserialize_with = "lenient::null_as_default")]
    pub flow_id: String,
}

/// A connection from a source port of this node to a target port of another.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct Edge {
    /// Names the edge within node and flow.
    #[serde(default, deserialize_with = "lenient::null_as_default")]
    pub id: String,
    /// The source port of this node.
    pub port: String,
    /// The target, as `node:port`.
    pub to: String,
    /// Name of the flow that the edge belongs to; empty for every flow.
    #[serde(default, rename = "flowID", deserialize_with = "lenient::null_as_default")]
    pub flow_id: String,
    /// The mapping, any JSON with expressions in its strings; without it, the identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any_json")]
    pub configuration: Option<Value>,
    /// How a failed delivery is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<EdgeRetry>,
}

/// Bounds of the retries over an edge; what is left out keeps its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct EdgeRetry {
    /// Most attempts, the first included; 10 by default. 0 sets no bound: then the deadline ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::count")]
    pub max_attempts: Option<u32>,
    /// Wait before the first retry, such as 500ms; 1s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_delay: Option<String>,
    /// Longest wait between two attempts, such as 30s, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_delay: Option<String>,
    /// Deadline of the whole delivery, such as 5m; none by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
}

/// What the module made of the node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct TinyNodeStatus {
    /// The module that runs the node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<NodeModule>,
    /// The component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<NodeComponent>,
    /// The ports that the node has now.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::null_as_default")]
    pub ports: Vec<PortStatus>,
    /// Of each edge what was last found good: it goes on where a later mapping cannot be used.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::null_as_default")]
    pub edges: Vec<EdgeStatus>,
    /// OK, or what is wrong.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "lenient::null_as_default"
    )]
    pub status: String,
    /// True when something is wrong.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub error: bool,
    /// What the component keeps over restarts.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "lenient::null_as_default"
    )]
    pub metadata: BTreeMap<String, String>,
    /// When the status was last written.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "lenient::time")]
    #[schemars(schema_with = "schema::time")]
    pub last_update_time: Option<Time>,
    /// The `metadata.generation` that the status is about; -1 before any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What holds for the node.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "condition::read")]
    #[schemars(schema_with = "condition::schema")]
    pub conditions: Vec<Condition>,
}

/// An edge as it was last found good.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct EdgeStatus {
    /// Its id.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub id: String,
    /// Where it starts.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub port: String,
    /// Where it ends, as `node:port`.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub to: String,
    /// Its mapping; without one, the identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any_json")]
    pub configuration: Option<Value>,
}

/// The module that runs a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct NodeModule {
    /// Name of the module.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub name: String,
    /// Its version.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub version: String,
}

/// The component of a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct NodeComponent {
    /// What it is called.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub description: String,
    /// What it does.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub info: String,
    /// Words to find it by.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::null_as_default")]
    pub tags: Vec<String>,
}

impl TinyNode {
    /// Whether this module runs the node; names are compared sanitised.
    pub fn belongs_to(&self, module: &str) -> bool {
        names::same_module(&self.spec.module, module)
    }

    /// What the node's name says in the older dotted form; `None` for any other name.
    pub fn full_name(&self) -> Option<FullName> {
        FullName::parse(self.metadata.name.as_deref()?).ok()
    }

    /// Name of the node's flow, from its label.
    pub fn flow(&self) -> Option<&str> {
        self.label(labels::FLOW_NAME)
    }

    /// Name of the node's project, from its label.
    pub fn project(&self) -> Option<&str> {
        self.label(labels::PROJECT_NAME)
    }

    /// What is stored for a port itself: an entry without `from`. One of the node's own flow
    /// wins over one of no flow, and that over the rest.
    pub fn own_port(&self, port: &str) -> Option<&NodePort> {
        self.stored("", port, self.flow().unwrap_or_default())
    }

    /// What an older flow stored for the edge from `from` (`node:port`) to `port`. An entry of
    /// the edge's flow wins over one of no flow; entries of other flows do not count.
    pub fn edge_port(&self, from: &str, port: &str, flow: &str) -> Option<&NodePort> {
        self.stored(from, port, flow)
            .filter(|entry| entry.flow_id.is_empty() || entry.flow_id == flow)
    }

    fn stored(&self, from: &str, port: &str, flow: &str) -> Option<&NodePort> {
        self.spec.ports.iter().filter(|entry| entry.from == from && entry.port == port).min_by_key(
            |entry| match entry.flow_id.as_str() {
                id if id == flow => 0,
                "" => 1,
                _ => 2,
            },
        )
    }

    fn label(&self, key: &str) -> Option<&str> {
        self.metadata.labels.as_ref()?.get(key).map(String::as_str)
    }
}

impl TinyNodeSpec {
    /// Checks a dotted name against the spec: it must name the same module.
    ///
    /// # Errors
    /// [`NameError::Disagrees`]. A name that is not dotted agrees with every spec.
    pub fn check_name(&self, name: &str) -> Result<(), NameError> {
        match FullName::parse(name) {
            Ok(full) if !names::same_module(&full.module, &self.module) => {
                Err(NameError::Disagrees {
                    name: name.to_owned(),
                    named: full.module,
                    module: self.module.clone(),
                })
            }
            _ => Ok(()),
        }
    }
}

impl Edge {
    /// Where the edge ends; `None` when `to` is not `node:port`.
    pub fn target(&self) -> Option<PortName> {
        Some(PortName::parse(&self.to)).filter(PortName::is_full)
    }
}

impl EdgeRetry {
    /// `initialDelay` as a duration.
    ///
    /// # Errors
    /// A text that is no duration.
    pub fn initial_delay(&self) -> Result<Option<Duration>, DurationError> {
        self.initial_delay.as_deref().map(duration::parse).transpose()
    }

    /// `maxDelay` as a duration.
    ///
    /// # Errors
    /// A text that is no duration.
    pub fn max_delay(&self) -> Result<Option<Duration>, DurationError> {
        self.max_delay.as_deref().map(duration::parse).transpose()
    }

    /// `timeout` as a duration.
    ///
    /// # Errors
    /// A text that is no duration.
    pub fn timeout(&self) -> Result<Option<Duration>, DurationError> {
        self.timeout.as_deref().map(duration::parse).transpose()
    }
}

#[cfg(test)]
mod tests;
