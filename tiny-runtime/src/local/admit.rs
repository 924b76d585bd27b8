//! What a body must be before it becomes an object.

use serde_json::Value;

use super::failure::{Cause, Failure, quoted};
use super::kinds::{Kind, NAMESPACE};
use super::metadata;
use super::object;
use super::request::FieldValidation;
use crate::json;

/// The deepest object. In a list it lies deeper still, and readers of JSON stop at 128: one object
/// must not make the others unreadable.
const DEEPEST: usize = 100;

/// Reads a body as an object of a kind.
pub(super) fn decode(kind: &Kind, body: &[u8]) -> Result<Value, Failure> {
    let object: Value = serde_json::from_slice(body).map_err(|error| {
        Failure::bad_request(format!("the object provided is unrecognized: {error}"))
    })?;
    if !object.is_object() {
        return Err(Failure::bad_request("the object provided is not a JSON object"));
    }
    check_head(kind, &object)?;
    Ok(object)
}

/// Refuses an object of another kind.
pub(super) fn check_head(kind: &Kind, object: &Value) -> Result<(), Failure> {
    let said = |field: &str| object[field].as_str().unwrap_or_default().to_owned();
    let (version, word) = (said("apiVersion"), said("kind"));
    if word.is_empty() {
        return Err(Failure::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): Object 'Kind' is missing",
            kind.kind
        )));
    }
    if version != kind.api_version() {
        return Err(Failure::bad_request(format!(
            "the API version in the data ({version}) does not match the expected API version ({})",
            kind.api_version()
        )));
    }
    if word != kind.kind {
        let cause =
            Cause::invalid("kind", &word.as_str().into(), &format!("must be {}", kind.kind));
        return Err(Failure::wrong_kind(kind, &word, object::name(object), &cause));
    }
    metadata::check_types(object)
}

/// Drops unknown fields and fills in defaults. Returns warnings about what was dropped.
pub(super) fn shape(
    kind: &Kind,
    object: &mut Value,
    validation: FieldValidation,
) -> Result<Vec<String>, Failure> {
    if json::depth(object) > DEEPEST {
        return Err(Failure::bad_request(format!(
            "the object is nested deeper than {DEEPEST} levels"
        )));
    }
    let mut dropped = metadata::prune(object);
    if let Some(schema) = &kind.schema {
        dropped.extend(schema.prune(object));
        schema.fill(object);
    }
    dropped.sort_unstable();
    let told: Vec<_> =
        dropped.iter().map(|path| format!("unknown field {}", quoted(path))).collect();
    match validation {
        FieldValidation::Strict if !told.is_empty() => {
            Err(Failure::unknown_fields(kind, &told.join(", ")))
        }
        FieldValidation::Ignore => Ok(Vec::new()),
        _ => Ok(told),
    }
}

/// Warnings about what is allowed but unwise.
pub(super) fn advice(object: &Value) -> Vec<String> {
    let bare = object::finalizers(object).into_iter().filter(|name| !name.contains('/'));
    bare.map(|name| {
        format!(
            "metadata.finalizers: {}: prefer a domain-qualified finalizer name to avoid \
             accidental conflicts with other finalizer writers",
            quoted(&name)
        )
    })
    .collect()
}

/// Refuses an object that breaks the rules of its kind. With `old`, what was wrong before and did
/// not get worse is let pass: a stricter schema must not lock up what is already there.
pub(super) fn validate(kind: &Kind, object: &Value, old: Option<&Value>) -> Result<(), Failure> {
    let mut causes = every_cause(kind, object);
    if let Some(old) = old.filter(|_| !causes.is_empty()) {
        let before = every_cause(kind, old);
        causes.retain(|cause| !before.contains(cause));
    }
    causes.extend(old.into_iter().flat_map(|old| metadata::check_update(object, old)));
    match causes.is_empty() {
        true => Ok(()),
        false => Err(Failure::invalid(kind, object::name(object), &causes)),
    }
}

fn every_cause(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut causes = metadata::check(object, kind.home == NAMESPACE);
    if let Some(schema) = &kind.schema {
        causes.extend(schema.validate(object));
    }
    causes
}
