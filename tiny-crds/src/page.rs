//! `TinyWidgetPage`: a dashboard made of `_control` ports.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{condition, lenient, payload::Payload};

/// What the page shows.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "operator.tinysystems.io",
    version = "v1alpha1",
    kind = "TinyWidgetPage",
    plural = "tinywidgetpages",
    namespaced,
    status = "TinyWidgetPageStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "A dashboard made of control ports.",
    shortname = "twp",
    category = "tiny",
    printcolumn(
        name = "Project",
        type_ = "string",
        json_path = ".metadata.labels.tinysystems\\.io/project-name"
    ),
    printcolumn(
        name = "Title",
        type_ = "string",
        json_path = ".metadata.annotations.tinysystems\\.io/page-name"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
// Through an Option, because a `spec` that is left out is read as one of nothing.
#[serde(from = "Option<Written>")]
#[schemars(!from)]
pub struct TinyWidgetPageSpec {
    /// The widgets of the page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("nullable" = true))]
    pub widgets: Vec<Widget>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    #[serde(deserialize_with = "lenient::null_as_default")]
    widgets: Vec<Widget>,
}

impl From<Option<Written>> for TinyWidgetPageSpec {
    fn from(written: Option<Written>) -> Self {
        Self { widgets: written.unwrap_or_default().widgets }
    }
}

/// A control port as a page shows it, on a grid.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Widget {
    /// The port, as `node:port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// Title of the widget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the page changes in the port's schema.
    #[serde(skip_serializing_if = "Payload::is_absent")]
    pub schema_patch: Payload,
    /// Column of its left edge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid_x: Option<i32>,
    /// Row of its upper edge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid_y: Option<i32>,
    /// Width in columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid_w: Option<i32>,
    /// Height in rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid_h: Option<i32>,
}

/// What holds for the page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct TinyWidgetPageStatus {
    /// The `metadata.generation` that the status is about; -1 before any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What holds for the page.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "condition::read")]
    #[schemars(schema_with = "condition::schema")]
    pub conditions: Vec<Condition>,
}
