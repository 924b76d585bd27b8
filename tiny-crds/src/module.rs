//! `TinyModule`: one binary and the components it offers.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{condition, lenient, port::PortStatus};

/// What the module is made of. Its name is the object's.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "operator.tinysystems.io",
    version = "v1alpha1",
    kind = "TinyModule",
    plural = "tinymodules",
    namespaced,
    status = "TinyModuleStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "One binary with components.",
    shortname = "tm",
    category = "tiny",
    printcolumn(name = "Version", type_ = "string", json_path = ".status.version"),
    printcolumn(name = "Address", type_ = "string", json_path = ".status.addr"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Components",
        type_ = "string",
        json_path = ".status.components[*].name",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
// Through an Option, because a `spec` that is left out is read as one of nothing.
#[serde(from = "Option<Written>")]
#[schemars(!from)]
pub struct TinyModuleSpec {
    /// The container image that the module runs from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    image: Option<String>,
}

impl From<Option<Written>> for TinyModuleSpec {
    fn from(written: Option<Written>) -> Self {
        Self { image: written.unwrap_or_default().image }
    }
}

/// What the module says of itself while it runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct TinyModuleStatus {
    /// Where other modules reach it, as `host:port`.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub addr: String,
    /// Its name as it was given to the binary.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub name: String,
    /// Its version.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub version: String,
    /// The components it offers.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::null_as_default")]
    pub components: Vec<ModuleComponent>,
    /// The `metadata.generation` that the status is about; -1 before any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What holds for the module.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "condition::read")]
    #[schemars(schema_with = "condition::schema")]
    pub conditions: Vec<Condition>,
}

/// A component that a module offers, with its ports and their schemas.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ModuleComponent {
    /// Name of the component, as `spec.component` of a node says it.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub name: String,
    /// What it is called.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub description: String,
    /// What it does.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub info: String,
    /// Words to find it by.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::null_as_default")]
    pub tags: Vec<String>,
    /// Older names that nodes may still use.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::null_as_default")]
    pub aliases: Vec<String>,
    /// Its ports with default settings.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "lenient::null_as_default")]
    pub ports: Vec<PortStatus>,
}
