//! The two kinds of patches that the plane takes.

use http::{HeaderMap, header};
use serde_json::Value;

use super::failure::Failure;

/// A patch, read.
#[derive(Debug)]
pub(super) enum Patch {
    Merge(Value),
    Json(json_patch::Patch),
}

impl Patch {
    /// Reads a body by its content type.
    pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, Failure> {
        let content = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content = content.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        match content {
            "application/merge-patch+json" => {
                let patch: Value = serde_json::from_slice(body).map_err(unreadable)?;
                match patch.is_object() {
                    true => Ok(Self::Merge(patch)),
                    false => Err(Failure::bad_request("a merge patch must be a JSON object")),
                }
            }
            "application/json-patch+json" => {
                serde_json::from_slice(body).map(Self::Json).map_err(unreadable)
            }
            other => Err(Failure::unsupported_media(format!(
                "the body of the request was in an unknown format - accepted media types include: \
                 application/json-patch+json, application/merge-patch+json (it is `{other}`)"
            ))),
        }
    }

    /// The object with the patch applied to it.
    pub(super) fn apply(&self, object: &Value) -> Result<Value, Failure> {
        let mut patched = object.clone();
        match self {
            Self::Merge(patch) => merge(&mut patched, patch),
            Self::Json(patch) => json_patch::patch(&mut patched, patch).map_err(|error| {
                let mut failure =
                    Failure::bad_request(format!("the server rejected our request: {error}"));
                (failure.code, failure.reason) = (422, "Invalid");
                failure
            })?,
        }
        Ok(patched)
    }
}

fn unreadable(error: serde_json::Error) -> Failure {
    Failure::bad_request(format!("error decoding patch: {error}"))
}

/// RFC 7396, in place, keeping the order of the keys.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.shift_remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_merge_patch_merges_objects_replaces_lists_and_removes_nulls() {
        let mut object = json!({ "a": { "b": 1, "c": [1, 2] }, "d": "x" });
        merge(&mut object, &json!({ "a": { "b": null, "c": [3], "n": { "m": null } }, "e": 1 }));
        assert_eq!(object, json!({ "a": { "c": [3], "n": {} }, "d": "x", "e": 1 }));
    }

    #[test]
    fn other_patches_are_refused_with_415() {
        let mut headers = HeaderMap::new();
        let apply = header::HeaderValue::from_static("application/apply-patch+yaml");
        headers.insert(header::CONTENT_TYPE, apply);
        assert_eq!(Patch::parse(&headers, b"{}").unwrap_err().code, 415);
    }
}
