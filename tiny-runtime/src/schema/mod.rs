//! The JSON schemas of messages: the form that flow authors fill and what other modules read.
//!
//! The dialect is `{"$ref": "#/$defs/Root", "$defs": {…}}`; each definition says its `path` in a message.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The schema of `T`; the same bytes every time.
pub fn of<T: JsonSchema>() -> Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    let Value::Object(mut root) = schema.to_value() else { return json!({}) };
    root.shift_remove("$schema");
    let mut definitions = match root.shift_remove("$defs") {
        Some(Value::Object(definitions)) => definitions,
        _ => Map::new(),
    };
    let name = T::schema_name().into_owned();
    // The title of a root is its type's name unless its author gave another one.
    if root.get("title").is_some_and(|title| *title == name) {
        root.shift_remove("title");
    }
    define(&name, root, &mut definitions);
    place_paths(&name, &mut definitions);
    json!({ "$ref": format!("#/$defs/{name}"), "$defs": definitions })
}

/// Moves the root among the definitions, first.
fn define(name: &str, root: Map<String, Value>, definitions: &mut Map<String, Value>) {
    // A recursive type refers to itself by `#`, and may already stand among the definitions.
    let others = std::mem::take(definitions);
    definitions.insert(name.to_owned(), Value::Object(root));
    for (key, definition) in others {
        if key != name {
            definitions.insert(key, definition);
        }
    }
    let reference = Value::String(format!("#/$defs/{name}"));
    for definition in definitions.values_mut() {
        redirect_root(definition, &reference);
    }
}

fn redirect_root(schema: &mut Value, reference: &Value) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                if key == "$ref" && value == "#" {
                    *value = reference.clone();
                } else {
                    redirect_root(value, reference);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redirect_root(item, reference)),
        _ => {}
    }
}

/// Writes each definition's `path`: where in a message the walk in declaration order meets it first.
fn place_paths(root: &str, definitions: &mut Map<String, Value>) {
    let mut paths = BTreeMap::from([(root.to_owned(), "$".to_owned())]);
    let mut queue = std::collections::VecDeque::from([root.to_owned()]);
    while let Some(name) = queue.pop_front() {
        let path = paths.get(&name).cloned().unwrap_or_default();
        let Some(definition) = definitions.get(&name) else { continue };
        let mut found = Vec::new();
        references(definition, &path, &mut found);
        for (name, path) in found {
            if !paths.contains_key(&name) {
                paths.insert(name.clone(), path);
                queue.push_back(name);
            }
        }
    }
    for (name, definition) in definitions.iter_mut() {
        if let (Value::Object(map), Some(path)) = (definition, paths.get(name)) {
            map.insert("path".into(), path.clone().into());
        }
    }
}

/// The definitions that `schema` refers to, each with the path at which it stands.
fn references(schema: &Value, path: &str, found: &mut Vec<(String, String)>) {
    let Value::Object(map) = schema else { return };
    if let Some(name) =
        map.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/"))
    {
        found.push((name.to_owned(), path.to_owned()));
    }
    if let Some(Value::Object(properties)) = map.get("properties") {
        for (key, property) in properties {
            references(property, &format!("{path}.{key}"), found);
        }
    }
    if let Some(items) = map.get("items") {
        references(items, &format!("{path}[0]"), found);
    }
    for word in ["anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(branches)) = map.get(word) {
            branches.iter().for_each(|branch| references(branch, path, found));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    /// # A tree of names
    #[derive(JsonSchema, Serialize, Deserialize)]
    struct Tree {
        name: String,
        leaf: Leaf,
        below: Vec<Tree>,
    }

    #[derive(JsonSchema, Serialize, Deserialize)]
    struct Leaf {
        colour: String,
    }

    #[test]
    fn the_root_is_a_definition_and_every_definition_says_its_path() {
        let schema = of::<Tree>();
        assert_eq!(schema["$ref"], "#/$defs/Tree");
        assert_eq!(schema["$defs"]["Tree"]["title"], "A tree of names");
        assert_eq!(schema["$defs"]["Tree"]["path"], "$");
        assert_eq!(schema["$defs"]["Leaf"]["path"], "$.leaf");
        assert_eq!(schema["$defs"]["Leaf"].get("title"), None);
        let below = &schema["$defs"]["Tree"]["properties"]["below"]["items"]["$ref"];
        assert_eq!(below, "#/$defs/Tree", "a type may hold itself");
    }

    #[test]
    fn the_same_bytes_every_time() {
        assert_eq!(of::<Tree>().to_string(), of::<Tree>().to_string());
    }
}
