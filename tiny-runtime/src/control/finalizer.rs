//! The finalizer of nodes whose component deletes what it made outside: their objects stay until that is done.

use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::json;
use tiny_crds::TinyNode;
use tiny_crds::labels::NODE_FINALIZER;

use super::lease::Leadership;
use super::status::{self, Written};

/// The field manager of finalizers.
const FIELD_MANAGER: &str = "tiny-finalizer";

/// True while the object of `node` stays until we let it go.
pub(crate) fn is_on(node: &TinyNode) -> bool {
    node.finalizers().iter().any(|finalizer| finalizer == NODE_FINALIZER)
}

/// The finalizers that `node` should have, ours among them or not, and those of others in any case; `None` when it has them.
pub(super) fn desired(node: &TinyNode, with_ours: bool) -> Option<Vec<String>> {
    let mut finalizers = node.finalizers().to_vec();
    match (is_on(node), with_ours) {
        (true, false) => finalizers.retain(|finalizer| finalizer != NODE_FINALIZER),
        (false, true) => finalizers.push(NODE_FINALIZER.to_owned()),
        _ => return None,
    }
    Some(finalizers)
}

/// Writes the finalizers of a node over `version`: a list is replaced as a whole, so nobody may have written meanwhile.
///
/// # Errors
/// What the API server answers but a conflict or that the object is gone.
pub(super) async fn write(
    api: &Api<TinyNode>,
    leadership: &Leadership,
    name: &str,
    version: Option<&str>,
    finalizers: &[String],
) -> kube::Result<Written<TinyNode>> {
    match leadership.term() {
        Some(_) => patch(api, name, version, finalizers).await,
        None => Ok(Written::NotLeading),
    }
}

async fn patch(
    api: &Api<TinyNode>,
    name: &str,
    version: Option<&str>,
    finalizers: &[String],
) -> kube::Result<Written<TinyNode>> {
    let patch = Patch::Merge(
        json!({ "metadata": { "resourceVersion": version, "finalizers": finalizers } }),
    );
    let params =
        PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
    status::written(api.patch(name, &params, &patch)).await
}

/// Takes ours off a node whoever leads: its module is being uninstalled. Returns false when somebody else wrote the node meanwhile, or it
/// is gone.
///
/// # Errors
/// What the API server answers but that.
pub(crate) async fn remove(api: &Api<TinyNode>, node: &TinyNode) -> kube::Result<bool> {
    let Some(finalizers) = desired(node, false) else { return Ok(false) };
    let (name, version) = (node.name_any(), node.resource_version());
    let written = patch(api, &name, version.as_deref(), &finalizers).await?;
    Ok(matches!(written, Written::Stored(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(finalizers: &[&str]) -> TinyNode {
        serde_json::from_value(json!({
            "metadata": {"name": "a", "finalizers": finalizers},
            "spec": {"module": "m", "component": "c"}
        }))
        .unwrap()
    }

    #[test]
    fn ours_comes_and_goes_and_those_of_others_stay() {
        let (bare, held) = (node(&["a/b"]), node(&["a/b", NODE_FINALIZER, "c/d"]));
        assert_eq!(desired(&bare, true).unwrap(), ["a/b", NODE_FINALIZER]);
        assert_eq!(desired(&held, false).unwrap(), ["a/b", "c/d"]);
        assert_eq!((desired(&bare, false), desired(&held, true)), (None, None));
    }
}
