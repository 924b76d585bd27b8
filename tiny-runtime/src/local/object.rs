//! An object as the API sees it: a tree with `metadata`.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::kinds::Kind;

/// What only the server writes, and what survives any update.
const KEPT: [&str; 6] = [
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "namespace",
];

/// The metadata of an object, made when it is not there.
pub(super) fn metadata_mut(object: &mut Value) -> &mut Map<String, Value> {
    child_mut(object, "metadata")
}

/// A member that is an object, made when it is anything else.
pub(super) fn child_mut<'a>(parent: &'a mut Value, name: &str) -> &'a mut Map<String, Value> {
    if !parent.is_object() {
        *parent = Value::Object(Map::new());
    }
    let child = &mut parent[name];
    if !child.is_object() {
        *child = Value::Object(Map::new());
    }
    match child {
        Value::Object(map) => map,
        _ => unreachable!("it was just made an object"),
    }
}

/// A text of the metadata; empty when absent.
pub(super) fn meta_text<'a>(object: &'a Value, field: &str) -> &'a str {
    object["metadata"][field].as_str().unwrap_or_default()
}

pub(super) fn name(object: &Value) -> &str {
    meta_text(object, "name")
}

pub(super) fn labels(object: &Value) -> Vec<(String, String)> {
    let labels = object["metadata"]["labels"].as_object();
    labels
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

pub(super) fn finalizers(object: &Value) -> Vec<String> {
    let list = object["metadata"]["finalizers"].as_array();
    list.into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

pub(super) fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// The time, as metadata writes it: UTC, whole seconds.
pub(super) fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A new unique id.
pub(super) fn new_uid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A name for `generateName`: the prefix and five letters that no word can be made of.
pub(super) fn generated_name(prefix: &str) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let most = prefix.char_indices().nth(58).map_or(prefix.len(), |(at, _)| at);
    let mut name = prefix[..most].to_owned();
    name.extend((0..5).map(|_| char::from(LETTERS[fastrand::usize(..LETTERS.len())])));
    name
}

/// Puts `apiVersion`, `kind` and `metadata` first, as every reader expects to find them.
pub(super) fn in_order(object: Value, kind: &Kind) -> Value {
    let Value::Object(mut map) = object else { return object };
    let metadata = map.shift_remove("metadata").unwrap_or_else(|| Value::Object(Map::new()));
    let mut ordered = Map::with_capacity(map.len() + 3);
    ordered.insert("apiVersion".to_owned(), kind.api_version().into());
    ordered.insert("kind".to_owned(), kind.kind.clone().into());
    ordered.insert("metadata".to_owned(), metadata);
    map.shift_remove("apiVersion");
    map.shift_remove("kind");
    ordered.extend(map);
    Value::Object(ordered)
}

/// Fills what the server gives to a new object.
pub(super) fn stamp_new(object: &mut Value, kind: &Kind) {
    let metadata = metadata_mut(object);
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion", "selfLink"]
    {
        metadata.shift_remove(field);
    }
    metadata.insert("uid".to_owned(), new_uid().into());
    metadata.insert("creationTimestamp".to_owned(), now().into());
    metadata.shift_remove("generation");
    if kind.generation {
        metadata.insert("generation".to_owned(), 1.into());
    }
    tidy_metadata(metadata);
}

/// Takes over from the old object what an update cannot change, and counts the generation when
/// anything but metadata and status differs.
pub(super) fn stamp_update(object: &mut Value, old: &Value, kind: &Kind) {
    let spec_changed = kind.generation && !same_but(object, old, kind);
    let metadata = metadata_mut(object);
    metadata.shift_remove("selfLink");
    for field in KEPT {
        match &old["metadata"][field] {
            Value::Null => drop(metadata.shift_remove(field)),
            kept => drop(metadata.insert(field.to_owned(), kept.clone())),
        }
    }
    if spec_changed {
        let next = old["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
        metadata.insert("generation".to_owned(), next.into());
    }
    tidy_metadata(metadata);
}

/// Whether two objects differ at most in metadata and, where it has its own path, status.
fn same_but(one: &Value, other: &Value, kind: &Kind) -> bool {
    let counted = |name: &&String| {
        let name = name.as_str();
        name != "metadata" && !(name == "status" && kind.status)
    };
    let (Some(one), Some(other)) = (one.as_object(), other.as_object()) else { return false };
    one.keys()
        .filter(counted)
        .chain(other.keys().filter(counted))
        .all(|name| one.get(name) == other.get(name))
}

/// Drops what says nothing: the server never shows an empty label map or finalizer list.
fn tidy_metadata(metadata: &mut Map<String, Value>) {
    metadata.shift_remove("managedFields");
    metadata.retain(|name, value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::String(text) => name == "name" || !text.is_empty(),
        _ => true,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_name_is_the_prefix_and_five_letters() {
        let name = generated_name("run-");
        assert_eq!(name.len(), 9);
        assert!(name.starts_with("run-"));
        assert_eq!(generated_name(&"a".repeat(80)).len(), 63);
    }

    #[test]
    fn empty_maps_and_lists_of_the_metadata_are_dropped() {
        let mut object = serde_json::json!({ "metadata": {
            "name": "", "labels": {}, "finalizers": [], "annotations": { "a": "" }, "selfLink": ""
        }});
        tidy_metadata(metadata_mut(&mut object));
        let expected = serde_json::json!({ "name": "", "annotations": { "a": "" } });
        assert_eq!(object["metadata"], expected);
    }
}
