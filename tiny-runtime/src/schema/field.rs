//! One field of a schema, to be shaped by itself.

use serde_json::Value;

use super::{name, share};

/// References and lists, one behind the other, on the way to one field.
const CHAIN: usize = 16;

/// The schema of the field at `path`, which has names with dots between them. A definition on the way that others use as well is
/// copied first: they stay as they are.
pub(super) fn own<'a>(root: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    let mut pointer = settled(root, String::new(), "")?;
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let escaped = step.replace('~', "~0").replace('/', "~1");
        pointer = settled(root, format!("{pointer}/properties/{escaped}"), step)?;
    }
    root.pointer_mut(&pointer)
}

/// Follows references and goes into lists until something is described.
fn settled(root: &mut Value, mut pointer: String, field: &str) -> Option<String> {
    for _ in 0..CHAIN {
        let schema = root.pointer(&pointer)?;
        if let Some(reference) = schema.get("$ref") {
            let reference = reference.as_str()?.strip_prefix('#')?.to_owned();
            // The root is its own.
            pointer = if pointer.is_empty() {
                reference
            } else {
                alone(root, &pointer, reference, field)
            };
        } else if schema.get("items").is_some() {
            pointer += "/items";
        } else {
            return Some(pointer);
        }
    }
    None
}

/// What the reference at `place` leads to; a copy of it where other places refer to it too.
fn alone(root: &mut Value, place: &str, reference: String, field: &str) -> String {
    let Some(shared) = reference.strip_prefix("/$defs/") else { return reference };
    let uses = share::references(root).into_iter().filter(|name| name == shared).count();
    let definition = root.pointer(&reference).cloned();
    let definitions = root.get_mut("$defs").and_then(Value::as_object_mut);
    let (Some(definition), Some(definitions), true) = (definition, definitions, uses > 1) else {
        return reference;
    };
    let copy = name::free(shared, field, |name| definitions.contains_key(name));
    definitions.insert(copy.clone(), definition);
    if let Some(place) = root.pointer_mut(place) {
        place["$ref"] = format!("#/$defs/{copy}").into();
    }
    format!("/$defs/{copy}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Schema;
    use super::*;

    fn schema() -> Schema {
        let texts = || json!({"type": "array", "items": {"$ref": "#/$defs/String"}});
        Schema::from(json!({"$ref": "#/$defs/In", "$defs": {
            "In": {"type": "object", "properties": {
                "routes": texts(), "tags": texts(), "only": {"$ref": "#/$defs/Only"},
                "one": {"$ref": "#/$defs/Inner"}, "other": {"$ref": "#/$defs/Inner"}
            }},
            "String": {"type": "string"},
            "Only": {"type": "string"},
            "Inner": {"type": "object", "properties": {"a": {"$ref": "#/$defs/String"}}}
        }}))
    }

    #[test]
    fn a_field_is_shaped_and_others_of_its_type_are_not() {
        let shaped = Value::from(schema().choices("routes", ["a", "b"]));
        let items =
            |field: &str| shaped["$defs"]["In"]["properties"][field]["items"]["$ref"].clone();
        assert_eq!(items("tags"), "#/$defs/String");
        assert_eq!(items("routes"), "#/$defs/String_routes");
        assert_eq!(shaped["$defs"]["String_routes"]["enum"], json!(["a", "b"]));
        assert_eq!(shaped["$defs"]["String"].get("enum"), None);
    }

    #[test]
    fn every_definition_on_the_way_is_its_own() {
        let shaped = Value::from(schema().with("one.a", "title", "A"));
        let of = |field: &str| shaped["$defs"]["In"]["properties"][field]["$ref"].clone();
        assert_eq!((of("one"), of("other")), (json!("#/$defs/Inner_one"), json!("#/$defs/Inner")));
        assert_eq!(shaped["$defs"]["Inner_one"]["properties"]["a"]["$ref"], "#/$defs/String_a");
        assert_eq!(shaped["$defs"]["String_a"]["title"], "A");
        assert_eq!(shaped["$defs"]["Inner"]["properties"]["a"]["$ref"], "#/$defs/String");
    }

    #[test]
    fn a_definition_that_one_field_uses_is_shaped_where_it_is() {
        let shaped = Value::from(schema().with("only", "title", "Only"));
        assert_eq!(shaped["$defs"]["Only"]["title"], "Only");
        assert_eq!(shaped["$defs"].as_object().map(serde_json::Map::len), Some(4));
    }

    #[test]
    fn a_path_that_leads_nowhere_changes_nothing() {
        assert_eq!(schema().with("one.nowhere", "title", "A"), schema());
    }
}
