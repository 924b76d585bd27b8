//! The values of the charts: their schemas, and the tables in the READMEs.

use std::fs;

use serde_json::{Value, json};

use crate::helm::{bless, chart};

/// Where the table of values stands in a README.
const BEGIN: &str = "<!-- values: begin -->\n";
const END: &str = "<!-- values: end -->";

fn values(chart_name: &str) -> (String, Value) {
    let text = fs::read_to_string(chart(chart_name).join("values.yaml")).unwrap();
    let value = serde_saphyr::from_str(&text).unwrap();
    (text, value)
}

/// What a comment says of a value: its path, and the words after `# --`.
fn documented(text: &str) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut path: Vec<(usize, &str)> = Vec::new();
    let mut doc: Option<String> = None;
    for line in text.lines() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        if let Some(words) = bare.strip_prefix("# -- ") {
            doc = Some(words.to_owned());
        } else if let Some(words) = bare.strip_prefix("# ") {
            if let Some(doc) = &mut doc {
                doc.push(' ');
                doc.push_str(words);
            }
        } else if let Some((key, _)) = bare.split_once(':')
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            path.retain(|(outer, _)| *outer < indent);
            path.push((indent, key));
            if let Some(doc) = doc.take() {
                let keys: Vec<&str> = path.iter().map(|(_, key)| *key).collect();
                rows.push((keys.join("."), doc));
            }
        }
    }
    rows
}

fn at<'a>(values: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(values, |value, key| value.get(key))
}

/// Paths of all values that hold no further ones.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value.as_object() {
        Some(map) if !map.is_empty() => {
            for (key, value) in map {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(value, &format!("{path}{dot}{key}"), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

/// With `BLESS=1` the tables are written anew.
#[test]
fn tables_of_values_are_current() {
    for name in ["tiny-crds", "tiny-operator"] {
        let (text, values) = values(name);
        let rows = documented(&text);
        let mut all = Vec::new();
        leaves(&values, "", &mut all);
        for leaf in all {
            let said = |(path, _): &(String, String)| {
                leaf == *path
                    || leaf.strip_prefix(&**path).is_some_and(|rest| rest.starts_with('.'))
            };
            assert!(rows.iter().any(said), "{name}: values.yaml does not say what `{leaf}` is");
        }
        let mut table = String::from("\n| value | default | |\n|---|---|---|\n");
        for (path, doc) in &rows {
            let default = at(&values, path).unwrap_or_else(|| panic!("{name}: {path}"));
            table += &format!("| `{path}` | `{default}` | {} |\n", doc.replace('|', "\\|"));
        }
        table.push('\n');

        let path = chart(name).join("README.md");
        let readme = fs::read_to_string(&path).unwrap();
        let (before, rest) = readme.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        let expected = format!("{before}{BEGIN}{table}{END}{after}");
        if bless() {
            fs::write(&path, &expected).unwrap();
        } else {
            assert!(readme == expected, "{name}: README.md is old: run this test with BLESS=1");
        }
    }
}

/// Objects whose fields are Kubernetes' own; it says itself what is wrong in them.
const OPEN: [&str; 5] = [
    "/properties/global",
    "/definitions/object",
    "/properties/extraObjects/items",
    "/properties/controllerManager/properties/manager/properties/extraVolumes/items",
    "/properties/controllerManager/properties/manager/properties/extraContainers/items",
];

fn closed(schema: &Value, path: &str) {
    match schema {
        Value::Object(map) => {
            let object = map.get("type").is_some_and(|kind| kind == "object");
            if object && !OPEN.contains(&path) {
                // Closed, or a map whose values are of one kind.
                let further = map.get("additionalProperties");
                let kind = further.is_some_and(Value::is_object) && !map.contains_key("properties");
                assert!(kind || further == Some(&json!(false)), "{path} takes any name");
            }
            map.iter().for_each(|(key, value)| closed(value, &format!("{path}/{key}")));
        }
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(at, value)| closed(value, &format!("{path}/{at}")));
        }
        _ => {}
    }
}

#[test]
fn schemas_know_each_value_and_take_no_other_names() {
    for name in ["tiny-crds", "tiny-operator"] {
        let text = fs::read_to_string(chart(name).join("values.schema.json")).unwrap();
        let schema: Value = serde_json::from_str(&text).unwrap();
        closed(&schema, "");
        let validator = jsonschema::validator_for(&schema).unwrap();
        let (_, values) = values(name);
        assert!(validator.is_valid(&values), "{name}: {:?}", validator.validate(&values).err());
        // A value that is known to the schema alone has no default and no line in the table.
        let mut given = Vec::new();
        leaves(&values, "", &mut given);
        let mut known = Vec::new();
        properties(&schema, "", &mut known);
        for path in known {
            let there = given.iter().any(|leaf| {
                leaf == &path
                    || leaf.starts_with(&format!("{path}."))
                    || path.starts_with(&format!("{leaf}."))
            });
            let free = [
                "global",
                "controllerManager.manager.containerSecurityContext.",
                "controllerManager.manager.resources.",
            ];
            assert!(
                there || free.iter().any(|start| path.starts_with(start)),
                "{name}: `{path}` is in the schema and not in values.yaml"
            );
        }
    }
}

fn properties(schema: &Value, path: &str, found: &mut Vec<String>) {
    let Some(map) = schema.get("properties").and_then(Value::as_object) else { return };
    for (key, value) in map {
        let dot = if path.is_empty() { "" } else { "." };
        let path = format!("{path}{dot}{key}");
        properties(value, &path, found);
        found.push(path);
    }
}
