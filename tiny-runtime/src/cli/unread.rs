//! What stands in a document of JSON and is read by nobody: keys that its schema does not know.

use serde_json::{Map, Value};

use crate::words;

/// Schemas in schemas that are looked into, at most: they may lead to themselves.
const DEPTH: usize = 32;

/// One sentence for each key that `schema` does not know, and for each list in the place of an object.
pub(super) fn unread(value: &Value, schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    look(value, schema, schema, ("", DEPTH), &mut found);
    found
}

fn look(
    value: &Value,
    schema: &Value,
    root: &Value,
    (at, depth): (&str, usize),
    found: &mut Vec<String>,
) {
    let Some(schema) = followed(schema, root).filter(|_| depth > 0) else { return };
    let properties = schema.get("properties").and_then(Value::as_object);
    match value {
        Value::Object(fields) if is_closed(schema) => {
            let Some(properties) = properties else { return };
            for (name, value) in fields {
                let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                match properties.get(name) {
                    Some(schema) => look(value, schema, root, (&path, depth - 1), found),
                    None => {
                        let near = words::did_you_mean(name, properties.keys().map(String::as_str));
                        found.push(format!("nobody reads `{path}`{near}"));
                    }
                }
            }
        }
        Value::Array(_) if properties.is_some() && is_closed(schema) => {
            let names = properties.into_iter().flat_map(Map::keys).map(String::as_str);
            let place = if at.is_empty() { "it".into() } else { format!("`{at}`") };
            found.push(format!(
                "{place} is a list, and means an object with {}",
                words::list(names)
            ));
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for (number, item) in items.iter().enumerate() {
                look(item, schema, root, (&format!("{at}[{number}]"), depth - 1), found);
            }
        }
        _ => {}
    }
}

/// The schema itself, where this one only says where it stands.
fn followed<'a>(schema: &'a Value, root: &'a Value) -> Option<&'a Value> {
    let mut schema = schema;
    for _ in 0..DEPTH {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
            return Some(schema);
        };
        schema = root.pointer(reference.strip_prefix('#')?)?;
    }
    None
}

/// Whether all keys of an object are listed. One that says anything more may have others.
fn is_closed(schema: &Value) -> bool {
    let opens = ["additionalProperties", "patternProperties", "anyOf", "oneOf", "allOf", "if"];
    let is_open = |word: &str| schema.get(word).is_some_and(|it| *it != Value::Bool(false));
    !opens.into_iter().any(is_open)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_that_the_schema_does_not_know_is_named_with_the_nearest_that_it_does() {
        let schema = json!({"$ref": "#/$defs/Settings", "$defs": {
            "Settings": {"type": "object", "properties": {
                "salutation": {"type": "string"},
                "routes": {"type": "array", "items": {"$ref": "#/$defs/Route"}},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "context": {"configurable": true},
                "again": {"$ref": "#/$defs/Settings"},
                "either": {"properties": {"a": {}}, "anyOf": [{}]},
            }},
            "Route": {"type": "object", "properties": {"name": {"type": "string"}}},
            "Round": {"$ref": "#/$defs/Round"},
        }});
        let said = |value: Value| unread(&value, &schema);
        let fine = json!({
            "salutation": "Hi", "routes": [{"name": "a"}], "labels": {"any": "x"},
            "context": {"what": ["ever"]}, "either": {"b": 1}
        });
        assert!(said(fine).is_empty());
        assert_eq!(
            said(json!({"salutaton": "Hi", "routes": [{"name": "a"}, {"nmae": "b"}]})),
            [
                "nobody reads `salutaton` (did you mean `salutation`?)",
                "nobody reads `routes[1].nmae` (did you mean `name`?)"
            ]
        );
        assert_eq!(said(json!({"again": {"again": {"x": 1}}})), ["nobody reads `again.again.x`"]);
        assert_eq!(
            said(json!({"routes": [["a"]]})),
            ["`routes[0]` is a list, and means an object with `name`"]
        );
        assert_eq!(
            unread(
                &json!(1),
                &json!({"$ref": "#/$defs/Round", "$defs": {"Round": {"$ref": "#/$defs/Round"}}})
            ),
            [""; 0]
        );
    }
}
