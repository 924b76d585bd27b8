//! The seven kinds of Tiny as Rust types, with their names, labels and CRD manifests.
//!
//! A crate of words: no client, no async, nothing that runs. Everything that a real API server
//! accepts under our CRDs can be read by these types, so that one odd object never hides the
//! others of its list.
//!
//! | kind | short | what it is |
//! |---|---|---|
//! | [`TinyNode`] | `tn` | one live instance of a component, its settings and edges |
//! | [`TinyModule`] | `tm` | one binary and the components it offers |
//! | [`TinyFlow`] | `tf` | groups nodes |
//! | [`TinyProject`] | `tp` | groups flows |
//! | [`TinySignal`] | `ts` | a trigger from outside, and what came of it |
//! | [`TinyTracker`] | `tt` | while it exists, runs of its project are recorded |
//! | [`TinyWidgetPage`] | `twp` | a dashboard made of `_control` ports |

#![allow(
    clippy::duplicated_attributes,
    reason = "each `printcolumn` has its own `type_`, which the lint takes for a repetition"
)]

pub mod condition;
pub mod duration;
mod flow;
pub mod labels;
mod lenient;
pub mod manifest;
mod module;
pub mod names;
mod node;
mod page;
pub mod payload;
mod port;
mod project;
mod schema;
mod signal;
mod tracker;

pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

pub use crate::{
    duration::DurationError,
    flow::{TinyFlow, TinyFlowSpec, TinyFlowStatus},
    module::{ModuleComponent, TinyModule, TinyModuleSpec, TinyModuleStatus},
    names::{FullName, NameError, PortName},
    node::{
        Edge, EdgeRetry, EdgeStatus, NodeComponent, NodeModule, NodePort, TinyNode, TinyNodeSpec,
        TinyNodeStatus,
    },
    page::{TinyWidgetPage, TinyWidgetPageSpec, TinyWidgetPageStatus, Widget},
    payload::{Payload, PayloadError},
    port::{PortStatus, Position},
    project::{TinyProject, TinyProjectSpec, TinyProjectStatus},
    signal::{Phase, TinySignal, TinySignalSpec, TinySignalStatus},
    tracker::{TinyTracker, TinyTrackerSpec, TinyTrackerStatus},
};

/// The API group of every kind.
pub const GROUP: &str = "operator.tinysystems.io";
/// The only version, served and stored.
pub const VERSION: &str = "v1alpha1";
/// `apiVersion` of every kind, as it stands in files.
pub const API_VERSION: &str = "operator.tinysystems.io/v1alpha1";
