//! `TinyTracker`: asks for a record of a project's runs.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::condition;

/// A tracker has no settings: its label names the project.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "operator.tinysystems.io",
    version = "v1alpha1",
    kind = "TinyTracker",
    plural = "tinytrackers",
    namespaced,
    status = "TinyTrackerStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "While it exists, runs of its project are recorded.",
    shortname = "tt",
    category = "tiny",
    printcolumn(
        name = "Project",
        type_ = "string",
        json_path = ".metadata.labels.tinysystems\\.io/project-name"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
// Through an Option, because a `spec` that is left out is read as one of nothing.
#[serde(from = "Option<IgnoredAny>")]
#[schemars(!from)]
pub struct TinyTrackerSpec {}

impl From<Option<IgnoredAny>> for TinyTrackerSpec {
    fn from(_: Option<IgnoredAny>) -> Self {
        Self {}
    }
}

/// What holds for the tracker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct TinyTrackerStatus {
    /// The `metadata.generation` that the status is about; -1 before any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What holds for the tracker.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "condition::read")]
    #[schemars(schema_with = "condition::schema")]
    pub conditions: Vec<Condition>,
}
