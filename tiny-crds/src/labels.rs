//! Labels, annotations and finalizers.

/// Label of a node: name of its [`TinyFlow`](crate::TinyFlow).
pub const FLOW_NAME: &str = "tinysystems.io/flow-name";
/// Label of a node, flow, page or tracker: name of its [`TinyProject`](crate::TinyProject). As an
/// annotation of a project ([`PROJECT_TITLE`]) the same key is the title.
pub const PROJECT_NAME: &str = "tinysystems.io/project-name";
/// Label of a signal: name of its node.
pub const NODE_NAME: &str = "tinysystems.io/node-name";
/// Label with the major version of a module; kept for older objects.
pub const MODULE_VERSION_MAJOR: &str = "tinysystems.io/module-version-major";
/// Label with the version of a module; kept for older objects.
pub const MODULE_VERSION: &str = "tinysystems.io/module-version";
/// Label of a node that is shown on the dashboard.
pub const DASHBOARD: &str = "tinysystems.io/dashboard";
/// Label on what `run --apply` wrote, with the module's name: what `--prune` may remove.
pub const APPLIED_BY: &str = "tinysystems.io/applied-by";

/// Annotation: title of a page.
pub const PAGE_TITLE: &str = "tinysystems.io/page-name";
/// Annotation: place of a page among the others, a number.
pub const PAGE_SORT_INDEX: &str = "tinysystems.io/page-sort-idx";
/// Annotation: title of a project. The same key as the label [`PROJECT_NAME`].
pub const PROJECT_TITLE: &str = "tinysystems.io/project-name";
/// Annotation: title of a flow.
pub const FLOW_TITLE: &str = "tinysystems.io/flow-description";
/// Annotation of a node: JSON that an editor keeps about its ports.
pub const NODE_HANDLES: &str = "tinysystems.io/node-handles";
/// Annotation of a node: names of the flows it is shared with, separated by commas.
pub const SHARED_WITH_FLOWS: &str = "tinysystems.io/shared-with-flows";
/// Annotation: x of a node in the editor.
pub const POSITION_X: &str = "tinysystems.io/component-pos-x";
/// Annotation: y of a node in the editor.
pub const POSITION_Y: &str = "tinysystems.io/component-pos-y";
/// Annotation: quarter turns of a node in the editor.
pub const POSITION_SPIN: &str = "tinysystems.io/component-pos-spin";
/// Annotation of a signal: the nonce of older clients; `spec.nonce` wins.
pub const SIGNAL_NONCE: &str = "tinysystems.io/signal-nonce";
/// Annotation of a node: what people call it.
pub const NODE_LABEL: &str = "tinysystems.io/node-label";
/// Annotation of a node: a remark.
pub const NODE_COMMENT: &str = "tinysystems.io/node-comment";
/// Annotation of an Ingress: what ends the host names made for it.
pub const INGRESS_HOSTNAME_SUFFIX: &str = "tinysystems.io/ingress-hostname-suffix";

/// Finalizer of a node whose component cleans up after itself.
pub const NODE_FINALIZER: &str = "io.tinysystems/node-finalizer";
/// Finalizer of a signal.
pub const SIGNAL_FINALIZER: &str = "io.tinysystems/signal-finalizer";
