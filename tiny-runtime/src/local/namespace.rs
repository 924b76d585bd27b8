//! Namespaces: what they hold, and how they end.

use serde_json::{Value, json};

use super::draft::Draft;
use super::failure::Failure;
use super::index::Key;
use super::kinds::{Kind, Kinds, NAMESPACE};
use super::object;

/// Where a namespace is kept.
pub(super) fn key(name: &str) -> Key {
    Key { kind: NAMESPACE, namespace: String::new(), name: name.to_owned() }
}

/// Gives a new namespace what every namespace has.
pub(super) fn dress(namespace: &mut Value) {
    let name = object::name(namespace).to_owned();
    let metadata = object::metadata_mut(namespace);
    let labels = metadata.entry("labels").or_insert_with(|| json!({}));
    if let Some(labels) = labels.as_object_mut() {
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
    }
    namespace["spec"] = json!({ "finalizers": ["kubernetes"] });
    namespace["status"] = json!({ "phase": "Active" });
}

/// A whole new namespace.
pub(super) fn new(kind: &Kind, name: &str) -> Value {
    let mut namespace = object::in_order(json!({ "metadata": { "name": name } }), kind);
    dress(&mut namespace);
    object::stamp_new(&mut namespace, kind);
    namespace
}

/// Refuses a new object in a namespace that is not there or is going.
pub(super) fn admit(draft: &Draft<'_>, kind: &Kind, key: &Key) -> Result<(), Failure> {
    if !kind.namespaced {
        return Ok(());
    }
    match draft.get(&self::key(&key.namespace)) {
        None => Err(Failure::no_namespace(&key.namespace)),
        Some(namespace) if object::is_deleting(&namespace.value()) => {
            Err(Failure::terminating(kind, &key.name, &key.namespace))
        }
        Some(_) => Ok(()),
    }
}

/// Deletes a namespace with all that is in it. It stays while an object in it has finalizers.
pub(super) fn delete(
    draft: &mut Draft<'_>,
    kinds: &Kinds,
    key: &Key,
    mut namespace: Value,
) -> Value {
    if !object::is_deleting(&namespace) {
        object::metadata_mut(&mut namespace)
            .insert("deletionTimestamp".to_owned(), object::now().into());
        object::child_mut(&mut namespace, "status")
            .insert("phase".to_owned(), "Terminating".into());
        namespace = draft.put(key, namespace).value();
    }
    for kind in kinds.in_namespaces() {
        for (key, stored) in draft.range(kind.home, Some(&key.name)) {
            remove_or_mark(draft, kind, &key, stored.value());
        }
    }
    sweep(draft, kinds, &key.name);
    namespace
}

/// Removes an object, or marks it as deleted while it has finalizers. The object as it is then,
/// and whether it is gone.
pub(super) fn remove_or_mark(
    draft: &mut Draft<'_>,
    kind: &Kind,
    key: &Key,
    mut object: Value,
) -> (Value, bool) {
    if object::finalizers(&object).is_empty() {
        return (draft.remove(key, object).value(), true);
    }
    if object::is_deleting(&object) {
        return (object, false);
    }
    let metadata = object::metadata_mut(&mut object);
    metadata.insert("deletionTimestamp".to_owned(), object::now().into());
    metadata.insert("deletionGracePeriodSeconds".to_owned(), 0.into());
    if kind.generation {
        let next = metadata.get("generation").and_then(Value::as_i64).unwrap_or(0) + 1;
        metadata.insert("generation".to_owned(), next.into());
    }
    (draft.put(key, object).value(), false)
}

/// Removes a namespace that is going when nothing holds it any longer.
pub(super) fn sweep(draft: &mut Draft<'_>, kinds: &Kinds, name: &str) {
    let key = key(name);
    let Some(namespace) = draft.get(&key).map(|stored| stored.value()) else { return };
    let held = !object::is_deleting(&namespace)
        || !object::finalizers(&namespace).is_empty()
        || kinds.in_namespaces().any(|kind| draft.holds_any(kind.home, name));
    if !held {
        draft.remove(&key, namespace);
    }
}
