//! The rules that the CRDs keep; each was learnt on a real API server.

#![allow(clippy::unwrap_used, reason = "clippy takes only functions with `#[test]` for tests")]

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tiny_crds::{GROUP, VERSION, manifest};

fn crds() -> Vec<Value> {
    manifest::crds().iter().map(|crd| serde_json::to_value(crd).unwrap()).collect()
}

fn crd(kind: &str) -> Value {
    crds().into_iter().find(|crd| crd["spec"]["names"]["kind"] == kind).unwrap()
}

fn root(crd: &Value) -> &Value {
    &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
}

fn property(kind: &str, path: &str) -> Value {
    let crd = crd(kind);
    let step = |schema: Value, name: &str| match name {
        "[]" => schema["items"].clone(),
        name => schema["properties"][name].clone(),
    };
    let found = path.split(' ').fold(root(&crd).clone(), step);
    assert!(!found.is_null(), "{kind} has no {path}");
    found
}

/// Each schema within `schema`, with its path: names of properties, `[]` for items, `*` for values.
fn walk(schema: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        walk(inner, format!("{path} {name}").trim_start(), visit);
    }
    for (key, name) in [("items", "[]"), ("additionalProperties", "*")] {
        if schema[key].is_object() {
            walk(&schema[key], &format!("{path} {name}"), visit);
        }
    }
}

fn everywhere(mut visit: impl FnMut(&str, &Value)) {
    for crd in crds() {
        let kind = crd["spec"]["names"]["kind"].as_str().unwrap().to_owned();
        walk(root(&crd), "", &mut |path, schema| visit(&format!("{kind} {path}"), schema));
    }
}

#[test]
fn seven_kinds_are_namespaced_with_a_status_and_short_names_in_one_category() {
    let names: Vec<_> = crds()
        .iter()
        .map(|crd| {
            let spec = &crd["spec"];
            assert_eq!(spec["group"], GROUP);
            assert_eq!(spec["scope"], "Namespaced");
            assert_eq!(spec["names"]["categories"], json!(["tiny"]));
            let plural = spec["names"]["plural"].as_str().unwrap().to_owned();
            assert_eq!(crd["metadata"]["name"], format!("{plural}.{GROUP}"));
            let [version] = spec["versions"].as_array().unwrap().as_slice() else {
                panic!("{plural} has one version")
            };
            assert_eq!(version["name"], VERSION);
            assert_eq!((&version["served"], &version["storage"]), (&json!(true), &json!(true)));
            assert_eq!(version["subresources"], json!({"status": {}}));
            let short = spec["names"]["shortNames"][0].as_str().unwrap().to_owned();
            (spec["names"]["kind"].as_str().unwrap().to_owned(), plural, short)
        })
        .collect();
    let expected = [
        ("TinyNode", "tinynodes", "tn"),
        ("TinyModule", "tinymodules", "tm"),
        ("TinyFlow", "tinyflows", "tf"),
        ("TinyProject", "tinyprojects", "tp"),
        ("TinySignal", "tinysignals", "ts"),
        ("TinyTracker", "tinytrackers", "tt"),
        ("TinyWidgetPage", "tinywidgetpages", "twp"),
    ]
    .map(|(kind, plural, short)| (kind.to_owned(), plural.to_owned(), short.to_owned()));
    assert_eq!(names, expected);
}

#[test]
fn kubectl_get_shows_what_people_look_for() {
    let columns = |kind| {
        let crd = crd(kind);
        let all =
            crd["spec"]["versions"][0]["additionalPrinterColumns"].as_array().unwrap().clone();
        let name = |column: &Value| {
            let wide = if column["priority"] == 1 { " (wide)" } else { "" };
            format!("{}{wide}", column["name"].as_str().unwrap())
        };
        all.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(columns("TinyNode"), "Module, Component, Ready, Status, Flow (wide), Age");
    assert_eq!(columns("TinyModule"), "Version, Address, Ready, Components (wide), Age");
    assert_eq!(columns("TinyFlow"), "Project, Title, Age");
    assert_eq!(columns("TinyProject"), "Title, Age");
    let signal = "Node, Port, Phase, Attempts (wide), Reply (wide), Error (wide), Age";
    assert_eq!(columns("TinySignal"), signal);
    assert_eq!(columns("TinyTracker"), "Project, Age");
    assert_eq!(columns("TinyWidgetPage"), "Project, Title, Age");
}

#[test]
fn the_status_says_at_once_that_nobody_has_looked() {
    for crd in crds() {
        let status = &root(&crd)["properties"]["status"];
        assert_eq!(status["default"], json!({"observedGeneration": -1}));
        assert_eq!(status["properties"]["observedGeneration"]["type"], "integer");
    }
}

#[test]
fn nothing_in_a_status_is_required_nullable_or_defaulted_but_the_keys_of_its_lists() {
    let mut lists = 0;
    for crd in crds() {
        walk(&root(&crd)["properties"]["status"], "status", &mut |path, schema| {
            assert!(schema["nullable"].is_null(), "{path}");
            assert!(path == "status" || schema["default"].is_null(), "{path}");
            let is_condition = path.ends_with("conditions []");
            let expected = if is_condition { json!(["type"]) } else { json!(null) };
            assert_eq!(schema["required"], expected, "{path}");
            lists += usize::from(is_condition);
        });
    }
    assert_eq!(lists, 7, "every kind has conditions");
}

#[test]
fn lists_are_maps_by_keys_that_default_to_nothing_and_each_item_is_whole() {
    let cases =
        [("spec ports", ["from", "port", "flowID"].as_slice()), ("spec edges", &["id", "flowID"])];
    for (path, keys) in cases {
        let list = property("TinyNode", path);
        assert_eq!(list["x-kubernetes-list-type"], "map");
        assert_eq!(list["x-kubernetes-list-map-keys"], json!(keys));
        let item = &list["items"];
        assert_eq!(item["x-kubernetes-map-type"], "atomic");
        for key in keys {
            let required = item["required"].as_array().unwrap().contains(&json!(key));
            let default = &item["properties"][key]["default"];
            assert!(required || *default == "", "{path}: the key {key} may be missing");
        }
    }
    assert_eq!(property("TinySignal", "spec")["x-kubernetes-map-type"], "atomic");
    everywhere(|path, schema| {
        if path.ends_with(" conditions") {
            assert_eq!(schema["x-kubernetes-list-type"], "map", "{path}");
            assert_eq!(schema["x-kubernetes-list-map-keys"], json!(["type"]), "{path}");
        }
    });
}

#[test]
fn any_json_is_kept_where_json_belongs_and_nowhere_else() {
    let mut found = BTreeSet::new();
    everywhere(|path, schema| {
        if schema["x-kubernetes-preserve-unknown-fields"] == true {
            assert!(schema["type"].is_null(), "{path} takes any JSON, so it has no type");
            found.insert(path.to_owned());
        } else {
            assert!(schema["type"].is_string(), "{path} has a type, else its content is pruned");
        }
    });
    let expected = [
        "TinyModule status components [] ports [] configuration",
        "TinyModule status components [] ports [] responseSchema",
        "TinyModule status components [] ports [] schema",
        "TinyNode spec edges [] configuration",
        "TinyNode spec ports [] configuration",
        "TinyNode spec ports [] schema",
        "TinyNode status edges [] configuration",
        "TinyNode status ports [] configuration",
        "TinyNode status ports [] responseSchema",
        "TinyNode status ports [] schema",
        "TinySignal spec data",
        "TinySignal status reply",
        "TinyWidgetPage spec widgets [] schemaPatch",
    ];
    assert_eq!(found, expected.map(str::to_owned).into());
}

#[test]
fn no_rule_is_written_in_cel() {
    everywhere(|path, schema| assert!(schema["x-kubernetes-validations"].is_null(), "{path}"));
}

#[test]
fn a_spec_is_required_only_where_something_in_it_is() {
    for crd in crds() {
        let kind = crd["spec"]["names"]["kind"].as_str().unwrap().to_owned();
        let root = root(&crd);
        let (required, spec) = match kind.as_str() {
            "TinyNode" => (json!(["spec"]), json!(["component", "module"])),
            "TinySignal" => (json!(["spec"]), json!(["node", "port"])),
            _ => (json!(null), json!(null)),
        };
        assert_eq!(root["required"], required, "{kind}");
        assert_eq!(root["properties"]["spec"]["required"], spec, "{kind}");
        let nullable = required.is_null().then_some(true);
        assert_eq!(root["properties"]["spec"]["nullable"], json!(nullable), "{kind}");
    }
    assert_eq!(property("TinyNode", "spec ports []")["required"], json!(["port"]));
    assert_eq!(property("TinyNode", "spec edges []")["required"], json!(["port", "to"]));
}

#[test]
fn kubectl_explain_has_a_sentence_for_every_field() {
    everywhere(|path, schema| {
        let is_field = path.contains(' ') && !path.ends_with("[]") && !path.ends_with('*');
        let is_field = is_field && !path.ends_with(' ');
        let text = schema["description"].as_str().unwrap_or_default();
        assert!(!is_field || text.ends_with('.'), "{path}: `{text}`");
    });
}

#[test]
fn the_yaml_is_the_seven_crds_without_status_and_the_same_every_time() {
    let text = manifest::yaml();
    assert_eq!(text, manifest::yaml());
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    assert_eq!(documents.len(), 7);
    for (document, crd) in documents.iter().zip(crds()) {
        assert!(document.get("status").is_none());
        assert_eq!(document["apiVersion"], "apiextensions.k8s.io/v1");
        assert_eq!(document["kind"], "CustomResourceDefinition");
        assert_eq!((&document["metadata"], &document["spec"]), (&crd["metadata"], &crd["spec"]));
    }
    let joined: Vec<_> = manifest::crds().iter().map(manifest::document).collect();
    assert_eq!(text, joined.join("---\n"));
}
