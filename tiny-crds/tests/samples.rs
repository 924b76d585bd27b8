//! The samples are what the kinds take, all of it, and they speak of each other.

#![allow(clippy::unwrap_used, reason = "clippy takes only functions with `#[test]` for tests")]

use std::{collections::BTreeMap, fmt::Debug, fs, path::PathBuf};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tiny_crds::{
    API_VERSION, FullName, PortName, TinyFlow, TinyModule, TinyNode, TinyProject, TinySignal,
    TinyTracker, TinyWidgetPage, labels, manifest, names,
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples/samples")
}

fn text(file: &str) -> String {
    fs::read_to_string(folder().join(file)).unwrap()
}

fn documents(file: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&text(file)).unwrap()
}

/// The objects of a file; what it says must all be in them.
fn read<K>(file: &str) -> Vec<K>
where
    K: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let objects: Vec<K> = serde_saphyr::from_multiple(&text(file)).unwrap();
    let documents = documents(file);
    assert_eq!(objects.len(), documents.len());
    for (object, document) in objects.iter().zip(&documents) {
        if let Some(lost) = lost(document, &serde_json::to_value(object).unwrap(), "") {
            panic!("{file}: {lost} was lost");
        }
    }
    objects
}

fn one<K>(file: &str) -> K
where
    K: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let mut all = read(file);
    assert_eq!(all.len(), 1, "{file}");
    all.remove(0)
}

/// The first path of `said` that `kept` lacks.
fn lost(said: &Value, kept: &Value, path: &str) -> Option<String> {
    match (said, kept) {
        (Value::Object(said), Value::Object(kept)) => said.iter().find_map(|(key, value)| {
            let path = format!("{path}.{key}");
            kept.get(key).map_or(Some(path.clone()), |kept| lost(value, kept, &path))
        }),
        (Value::Array(said), Value::Array(kept)) if said.len() == kept.len() => {
            let mut pairs = said.iter().zip(kept).enumerate();
            pairs.find_map(|(place, (said, kept))| lost(said, kept, &format!("{path}[{place}]")))
        }
        _ => (said != kept).then(|| path.to_owned()),
    }
}

/// What a strict API server would find: fields it does not know, missing ones, wrong types.
fn findings(value: &Value, schema: &Value, path: &str, all: &mut Vec<String>) {
    if schema["x-kubernetes-preserve-unknown-fields"] == true {
        return;
    }
    match value {
        Value::Object(fields) => {
            if schema["type"] != "object" {
                all.push(format!("{path} is not {}", schema["type"]));
            }
            let required = schema["required"].as_array().into_iter().flatten();
            let missing =
                required.filter_map(Value::as_str).filter(|key| !fields.contains_key(*key));
            all.extend(missing.map(|key| format!("{path}.{key} is missing")));
            for (key, value) in fields {
                let path = format!("{path}.{key}");
                match schema["properties"].get(key) {
                    Some(schema) => findings(value, schema, &path, all),
                    None => all.push(format!("{path} is not known")),
                }
            }
        }
        Value::Array(items) if schema["type"] == "array" => {
            for (place, item) in items.iter().enumerate() {
                findings(item, &schema["items"], &format!("{path}[{place}]"), all);
            }
        }
        Value::String(_) if schema["type"] == "string" => {}
        Value::Number(number) if schema["type"] == "integer" && !number.is_f64() => {}
        Value::Bool(_) if schema["type"] == "boolean" => {}
        _ => all.push(format!("{path} is not {}", schema["type"])),
    }
}

fn strict(document: &Value) -> Vec<String> {
    let crds = manifest::crds();
    let crd = crds.iter().find(|crd| document["kind"] == crd.spec.names.kind).unwrap();
    let schema = crd.spec.versions[0].schema.as_ref().unwrap();
    let mut schema = serde_json::to_value(&schema.open_api_v3_schema).unwrap();
    schema["properties"]["apiVersion"] = json!({"type": "string"});
    schema["properties"]["kind"] = json!({"type": "string"});
    let texts = json!({"x-kubernetes-preserve-unknown-fields": true});
    schema["properties"]["metadata"] = json!({
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}, "labels": texts, "annotations": texts},
    });
    let mut all = Vec::new();
    findings(document, &schema, "", &mut all);
    all
}

#[test]
fn there_is_one_file_for_each_kind() {
    let mut files: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let expected: BTreeMap<_, _> = manifest::crds()
        .iter()
        .map(|crd| {
            let kind = crd.spec.names.kind.clone();
            (format!("{}.yaml", kind.trim_start_matches("Tiny").to_lowercase()), kind)
        })
        .collect();
    assert_eq!(files, expected.keys().cloned().collect::<Vec<_>>());
    for (file, kind) in expected {
        for document in documents(&file) {
            assert_eq!(
                (&document["apiVersion"], &document["kind"]),
                (&json!(API_VERSION), &json!(kind))
            );
            assert_eq!(strict(&document), Vec::<String>::new(), "{file}");
        }
        assert!(text(&file).starts_with("# "), "{file} begins with what it teaches");
    }
}

#[test]
fn a_field_that_the_crd_does_not_know_is_found() {
    let mut node = documents("node.yaml").remove(0);
    node["spec"]["edges"][0]["toNode"] = json!("show");
    node["spec"]["module"] = json!(1);
    node["spec"].as_object_mut().unwrap().remove("component");
    let expected = [
        ".spec.component is missing",
        ".spec.module is not \"string\"",
        ".spec.edges[0].toNode is not known",
    ];
    assert_eq!(strict(&node), expected);
}

#[test]
fn keys_of_labels_and_annotations_are_those_that_we_know() {
    let label = [labels::FLOW_NAME, labels::PROJECT_NAME, labels::NODE_NAME];
    let annotation = [
        labels::PROJECT_TITLE,
        labels::FLOW_TITLE,
        labels::PAGE_TITLE,
        labels::PAGE_SORT_INDEX,
        labels::NODE_LABEL,
        labels::POSITION_X,
        labels::POSITION_Y,
    ];
    for entry in fs::read_dir(folder()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        for document in documents(&file) {
            let metadata = &document["metadata"];
            for (field, known) in [("labels", label.as_slice()), ("annotations", &annotation)] {
                for (key, value) in metadata[field].as_object().into_iter().flatten() {
                    assert!(known.contains(&key.as_str()), "{file}: {field} `{key}`");
                    assert!(value.is_string(), "{file}: {field} `{key}` must be a string");
                }
            }
            let name = metadata["name"].as_str().unwrap();
            assert_eq!(names::check_dns_name(name), Ok(()), "{file}");
            assert!(FullName::parse(name).is_err(), "{file}: names of samples are plain");
        }
    }
}

#[test]
fn the_samples_speak_of_each_other() {
    let project: TinyProject = one("project.yaml");
    let flow: TinyFlow = one("flow.yaml");
    let module: TinyModule = one("module.yaml");
    let nodes: Vec<TinyNode> = read("node.yaml");
    let signal: TinySignal = one("signal.yaml");
    let tracker: TinyTracker = one("tracker.yaml");
    let page: TinyWidgetPage = one("widgetpage.yaml");

    let project_name = project.metadata.name.as_deref();
    let label = |of: &Option<BTreeMap<String, String>>, key: &str| {
        of.as_ref().and_then(|labels| labels.get(key)).cloned()
    };
    for labelled in [&flow.metadata, &tracker.metadata, &page.metadata] {
        assert_eq!(label(&labelled.labels, labels::PROJECT_NAME).as_deref(), project_name);
    }
    let named: Vec<_> = nodes.iter().filter_map(|node| node.metadata.name.clone()).collect();
    for node in &nodes {
        assert_eq!((node.flow(), node.project()), (flow.metadata.name.as_deref(), project_name));
        assert!(node.belongs_to(module.metadata.name.as_deref().unwrap()));
        for edge in &node.spec.edges {
            assert!(!edge.id.is_empty(), "files for kubectl carry ids");
            assert!(named.contains(&edge.target().unwrap().node));
        }
    }
    assert_eq!(
        nodes.iter().map(|node| node.spec.component.as_str()).collect::<Vec<_>>(),
        ["hello", "show"]
    );

    let spec = &signal.spec;
    assert!(named.contains(&spec.node));
    assert_eq!(signal.metadata.name, Some(names::signal_name(&spec.node, &spec.port)));
    assert_eq!(label(&signal.metadata.labels, labels::NODE_NAME), Some(spec.node.clone()));
    for widget in &page.spec.widgets {
        assert!(named.contains(&PortName::parse(widget.port.as_ref().unwrap()).node));
    }
}

#[test]
fn what_stands_in_the_samples_can_be_read_as_what_it_means() {
    let nodes: Vec<TinyNode> = read("node.yaml");
    let settings = nodes[0].own_port("_settings").unwrap().configuration.value();
    assert_eq!(settings, Ok(Some(json!({"salutation": "Good morning"}))));
    let edge = &nodes[0].spec.edges[0];
    assert_eq!(edge.configuration, Some(json!({"text": "{{ $.greeting }}"})));
    let retry = edge.retry.as_ref().unwrap();
    for bound in [retry.initial_delay(), retry.max_delay(), retry.timeout()] {
        assert!(bound.unwrap().is_some());
    }
    let signal: TinySignal = one("signal.yaml");
    assert_eq!(signal.spec.data.value(), Ok(Some(json!({"name": "World"}))));
    assert_eq!(signal.nonce(), "1");
    assert!(signal.spec.timeout().unwrap().is_some());
}
