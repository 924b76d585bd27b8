//! `/openapi/v3`: enough for `kubectl explain` and for validation by the server.

use serde_json::{Map, Value, json};

use super::kinds::{Kind, Kinds};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Where the documents are.
pub(super) fn root(kinds: &Kinds) -> Value {
    let mut paths = Map::new();
    for kind in kinds.iter() {
        let path = group_path(kind);
        let url = format!("/openapi/v3/{path}");
        paths.insert(path, json!({ "serverRelativeURL": url }));
    }
    json!({ "paths": paths })
}

/// The document of one group and version.
pub(super) fn document(kinds: &Kinds, group: &str, version: &str) -> Option<Value> {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for kind in kinds.of(group, version) {
        let collection = match kind.namespaced {
            true => format!("/{}/namespaces/{{namespace}}/{}", group_path(kind), kind.plural),
            false => format!("/{}/{}", group_path(kind), kind.plural),
        };
        paths.insert(format!("{collection}/{{name}}"), operations(kind));
        schemas.insert(component(kind), schema(kind));
    }
    if schemas.is_empty() {
        return None;
    }
    schemas.insert(META.to_owned(), object_meta());
    Some(json!({
        "openapi": "3.0.0",
        "info": { "title": "Kubernetes", "version": "v1.37.0+tiny" },
        "paths": paths,
        "components": { "schemas": schemas },
    }))
}

fn group_path(kind: &Kind) -> String {
    match kind.group.as_str() {
        "" => format!("api/{}", kind.version),
        group => format!("apis/{group}/{}", kind.version),
    }
}

/// `io.example.v1.Kind`: the group backwards, the version, the kind.
fn component(kind: &Kind) -> String {
    let group = if kind.group.is_empty() { "core.api.k8s.io" } else { &kind.group };
    let backwards: Vec<_> = group.split('.').rev().collect();
    format!("{}.{}.{}", backwards.join("."), kind.version, kind.kind)
}

fn identity(kind: &Kind) -> Value {
    json!({ "group": kind.group, "version": kind.version, "kind": kind.kind })
}

/// `kubectl apply` looks for `fieldValidation` here before it trusts the server with it.
fn operations(kind: &Kind) -> Value {
    let parameter = |name: &str| json!({ "name": name, "in": "query", "schema": { "type": "string", "uniqueItems": true } });
    let reference = json!({ "$ref": format!("#/components/schemas/{}", component(kind)) });
    let answer = json!({ "200": {
        "description": "OK", "content": { "application/json": { "schema": reference } }
    }});
    let operation = |action: &str, parameters: Vec<Value>| {
        json!({
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": identity(kind),
            "parameters": parameters,
            "responses": answer,
        })
    };
    let write = || ["dryRun", "fieldManager", "fieldValidation"].map(parameter).to_vec();
    match kind.read_only {
        true => json!({ "get": operation("get", Vec::new()) }),
        false => json!({
            "get": operation("get", Vec::new()),
            "put": operation("put", write()),
            "patch": operation("patch", write()),
            "delete": operation("delete", vec![parameter("dryRun")]),
        }),
    }
}

fn schema(kind: &Kind) -> Value {
    let mut schema = kind.published.clone().unwrap_or_else(
        || json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true }),
    );
    let head = json!({
        "apiVersion": { "type": "string", "description": "The version of this representation." },
        "kind": { "type": "string", "description": "The kind of this object." },
        "metadata": {
            "description": "Standard object's metadata.",
            "allOf": [{ "$ref": format!("#/components/schemas/{META}") }],
            "default": {},
        },
    });
    let mut properties = head.as_object().cloned().unwrap_or_default();
    properties.extend(schema["properties"].as_object().cloned().unwrap_or_default());
    schema["properties"] = Value::Object(properties);
    schema["x-kubernetes-group-version-kind"] = json!([identity(kind)]);
    schema
}

fn object_meta() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let texts = |description: &str| {
        json!({
            "type": "object", "description": description,
            "additionalProperties": { "type": "string", "default": "" },
        })
    };
    json!({
        "type": "object",
        "description": "ObjectMeta is metadata that all persisted resources must have.",
        "properties": {
            "name": text("The name, unique within a namespace."),
            "generateName": text("A prefix; the server finds the rest of the name."),
            "namespace": text("The namespace of the object."),
            "uid": text("What tells this object from others of the same name."),
            "resourceVersion": text("The version of the object, for optimistic concurrency."),
            "generation": { "type": "integer", "format": "int64", "description": "Counts changes of the desired state." },
            "creationTimestamp": { "type": "string", "format": "date-time", "description": "When it was created." },
            "deletionTimestamp": { "type": "string", "format": "date-time", "description": "When its deletion was asked for." },
            "deletionGracePeriodSeconds": { "type": "integer", "format": "int64" },
            "labels": texts("What selectors select by."),
            "annotations": texts("Anything else that tools want to keep."),
            "finalizers": {
                "type": "array", "description": "Who must agree before it is removed.",
                "items": { "type": "string", "default": "" },
            },
            "ownerReferences": {
                "type": "array", "description": "The objects that this one depends on.",
                "items": {
                    "type": "object", "default": {},
                    "required": ["apiVersion", "kind", "name", "uid"],
                    "properties": {
                        "apiVersion": { "type": "string" }, "kind": { "type": "string" },
                        "name": { "type": "string" }, "uid": { "type": "string" },
                        "controller": { "type": "boolean" },
                        "blockOwnerDeletion": { "type": "boolean" },
                    },
                },
            },
            "managedFields": {
                "type": "array",
                "items": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
            },
        },
    })
}
