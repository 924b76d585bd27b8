//! The CRDs of the seven kinds, ready to apply.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::CustomResourceExt;
use serde_json::json;

use crate::{TinyFlow, TinyModule, TinyNode, TinyProject, TinySignal, TinyTracker, TinyWidgetPage};

/// The CRDs, always in this order: node, module, flow, project, signal, tracker, page.
///
/// Use these, not the types' own `crd()`: that lacks what the derive cannot say, namely the
/// default of the status, no required or nullable field in it, and a `spec` that may be left out
/// where nothing in it is required.
pub fn crds() -> Vec<CustomResourceDefinition> {
    [
        TinyNode::crd(),
        TinyModule::crd(),
        TinyFlow::crd(),
        TinyProject::crd(),
        TinySignal::crd(),
        TinyTracker::crd(),
        TinyWidgetPage::crd(),
    ]
    .into_iter()
    .map(finished)
    .collect()
}

/// All CRDs as one YAML text of seven documents, without any `status`. The same text every time.
pub fn yaml() -> String {
    crds().iter().map(document).collect::<Vec<_>>().join("---\n")
}

/// One CRD as YAML, without a `status`: Helm 4 and the API server would fight over it.
pub fn document(crd: &CustomResourceDefinition) -> String {
    let document = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": crd.metadata,
        "spec": crd.spec,
    });
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let mut text = serde_saphyr::to_string_with_options(&document, options)
        .expect("a CRD is plain JSON, which YAML can always say");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn finished(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    let schemas = crd.spec.versions.iter_mut().filter_map(|version| version.schema.as_mut());
    for root in schemas.filter_map(|schema| schema.open_api_v3_schema.as_mut()) {
        finish_root(root);
    }
    crd
}

fn finish_root(root: &mut JSONSchemaProps) {
    let Some(properties) = root.properties.as_mut() else { return };
    let spec_is_optional = properties.get_mut("spec").is_none_or(|spec| {
        let optional = spec.required.is_none();
        spec.nullable = optional.then_some(true);
        optional
    });
    if let Some(status) = properties.get_mut("status") {
        finish_status(status);
        status.default = Some(JSON(json!({ "observedGeneration": -1 })));
    }
    root.title = None;
    root.required = (!spec_is_optional).then(|| vec!["spec".to_owned()]);
}

/// Nothing in a status is required, nullable or defaulted: writers leave out what they do not
/// know. Only the key of a map list has to be there.
fn finish_status(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.default = None;
    schema.required = None;
    schema.properties.iter_mut().flat_map(|all| all.values_mut()).for_each(finish_status);
    let keys = schema.x_kubernetes_list_map_keys.clone();
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = schema.items.as_mut() {
        finish_status(items);
        items.required = keys;
    }
}
