//! The JSON schemas of messages: the form that flow authors fill and what other modules read.
//!
//! The dialect is `{"$ref": "#/$defs/Root", "$defs": {…}}`; each definition says its `path` in a message.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::component::secret;

/// A port's schema, for the method behind `schema = …` to shape.
///
/// ```
/// use tiny_runtime::component::Schema;
/// use tiny_runtime::serde_json::{Value, json};
///
/// let schema = Schema::from(json!({
///     "$ref": "#/$defs/In",
///     "$defs": {"In": {"type": "object", "properties": {
///         "ways": {"type": "array", "items": {"type": "string"}}
///     }}}
/// }));
/// let shaped = Value::from(schema.choices("ways", ["left", "right"]));
/// let items = &shaped["$defs"]["In"]["properties"]["ways"]["items"];
/// assert_eq!(items["enum"], json!(["left", "right"]));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Schema(Value);

impl Schema {
    /// Lets the field at `path` take these values only. A path is names with dots between them; the fields of the elements of a
    /// list are reached by its name. Where it leads nowhere, nothing happens: the form stays as it was.
    #[must_use]
    pub fn choices<T: Into<Value>>(self, path: &str, choices: impl IntoIterator<Item = T>) -> Self {
        let choices: Vec<Value> = choices.into_iter().map(Into::into).collect();
        self.with(path, "enum", choices)
    }

    /// Puts a keyword on the field at `path`, which is read as that of [`Schema::choices`]; an empty path is the message itself.
    #[must_use]
    pub fn with(mut self, path: &str, keyword: &str, value: impl Into<Value>) -> Self {
        let steps = path.split('.').filter(|step| !step.is_empty());
        if let Some(pointer) = resolve(&self.0, steps)
            && let Some(Value::Object(field)) = self.0.pointer_mut(&pointer)
        {
            field.insert(keyword.to_owned(), value.into());
        }
        self
    }
}

impl From<Value> for Schema {
    fn from(schema: Value) -> Self {
        Self(schema)
    }
}

impl From<Schema> for Value {
    fn from(schema: Schema) -> Self {
        schema.0
    }
}

/// The JSON pointer of the schema of the field at `steps`.
fn resolve<'a>(root: &Value, steps: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut pointer = settled(root, String::new())?;
    for step in steps {
        let escaped = step.replace('~', "~0").replace('/', "~1");
        pointer = settled(root, format!("{pointer}/properties/{escaped}"))?;
    }
    Some(pointer)
}

/// Follows references and goes into lists until something is described.
fn settled(root: &Value, mut pointer: String) -> Option<String> {
    for _ in 0..16 {
        let schema = root.pointer(&pointer)?;
        if let Some(reference) = schema.get("$ref") {
            pointer = reference.as_str()?.strip_prefix('#')?.to_owned();
        } else if schema.get("items").is_some() {
            pointer += "/items";
        } else {
            return Some(pointer);
        }
    }
    None
}

/// The schema of `T`; the same bytes every time.
pub fn of<T: JsonSchema>() -> Value {
    // A schema holds defaults, and everybody reads it.
    let schema = secret::masked(|| {
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
    });
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
