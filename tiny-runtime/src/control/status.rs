//! Writes of status: only what changed, only by the leader, only over the version that was read.

use std::fmt::Debug;
use std::time::Duration;

use k8s_openapi::serde::de::DeserializeOwned;
use kube::api::{Patch, PatchParams};
use kube::{Api, Resource};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::lease::Leadership;
use crate::words;

/// The field manager of all that controllers write to a status.
const FIELD_MANAGER: &str = "tiny-node";

/// The longest wait for an answer: a leader counts for no longer than this after it was asked.
const ANSWER: Duration = Duration::from_secs(10);

/// More faults than this are counted, not listed.
const LISTED: usize = 8;
/// Bytes of one fault.
const SENTENCE: usize = 1024;

/// What came of a write.
#[derive(Debug)]
pub(crate) enum Written<K> {
    /// The object as it is stored now.
    Stored(Box<K>),
    /// Somebody else wrote meanwhile, or the object is gone: look again when the watch tells of it.
    Stale,
    /// This process does not lead (any more).
    NotLeading,
}

/// Merge-patches the status of `name` over `version`. A key that `after` lacks and `before` had is removed.
///
/// # Errors
/// What the API server answers but a conflict or that the object is gone.
pub(crate) async fn write<K, S>(
    api: &Api<K>,
    leadership: &Leadership,
    name: &str,
    version: Option<&str>,
    before: Option<&S>,
    after: &S,
) -> kube::Result<Written<K>>
where
    K: Resource + Clone + DeserializeOwned + Debug,
    S: Serialize,
{
    // Asked right before the request: a paused process must not write with an old term.
    if leadership.term().is_none() {
        return Ok(Written::NotLeading);
    }
    let before = before.map(to_value).unwrap_or_default();
    let patch = json!({
        "metadata": { "resourceVersion": version },
        "status": difference(&before, &to_value(after)),
    });
    let params =
        PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
    let patch = Patch::Merge(&patch);
    written(api.patch_status(name, &params, &patch)).await
}

/// What came of a write.
///
/// # Errors
/// What the API server answers but a conflict or that the object is gone.
pub(super) async fn written<K>(
    write: impl Future<Output = kube::Result<K>>,
) -> kube::Result<Written<K>> {
    match answered(write).await {
        Ok(stored) => Ok(Written::Stored(Box::new(stored))),
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => {
            Ok(Written::Stale)
        }
        Err(e) => Err(e),
    }
}

/// The answer to a request, if it comes in time.
pub(super) async fn answered<T>(request: impl Future<Output = kube::Result<T>>) -> kube::Result<T> {
    let answer = timeout(ANSWER, request).await;
    answer.unwrap_or_else(|_| Err(kube::Error::Service("no answer in time".into())))
}

fn to_value<S: Serialize>(status: &S) -> Value {
    serde_json::to_value(status).unwrap_or_default()
}

/// The merge patch from `before` to `after`. `json_patch::diff` would do, but it drops the keys' order.
fn difference(before: &Value, after: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return after.clone();
    };
    let mut patch = serde_json::Map::new();
    for (key, value) in after {
        match before.get(key) {
            Some(old) if old == value => {}
            Some(old @ Value::Object(_)) if value.is_object() => {
                patch.insert(key.clone(), difference(old, value));
            }
            _ => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    Value::Object(patch)
}

/// Faults as one text of a condition.
pub(super) fn sentences<'a>(faults: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = faults.len();
    let listed = faults.take(LISTED).map(|fault| words::shortened(fault, SENTENCE));
    let mut text = listed.collect::<Vec<_>>().join("; ");
    if count > LISTED {
        text += &format!("; and {} more", count - LISTED);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patch_holds_what_changed_and_removes_what_went() {
        let before = json!({"a": 1, "b": {"x": 1, "y": 2}, "c": [1], "d": 1});
        let after = json!({"a": 1, "b": {"x": 1, "y": 3}, "c": [1, 2]});
        let patch = difference(&before, &after);
        assert_eq!(patch, json!({"b": {"y": 3}, "c": [1, 2], "d": null}));
        let mut patched = before;
        json_patch::merge(&mut patched, &patch);
        assert_eq!(patched, after);
    }
}
