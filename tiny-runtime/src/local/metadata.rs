//! What the metadata of an object may hold.

use serde_json::Value;

use super::failure::{Cause, Failure, quoted};
use super::object;

const NAME_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
    characters, '-' or '.', and must start and end with an alphanumeric character (e.g. \
    'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_RULE: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric \
    characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or \
    '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const VALUE_RULE: &str = "a valid label must be an empty string or consist of alphanumeric \
    characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. \
    'MyValue',  or 'my_value',  or '12345', regex used for validation is \
    '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const KEY_RULE: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and \
    must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or \
    '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
/// Most bytes of all annotations together.
const MOST_ANNOTATIONS: usize = 256 * 1024;

/// Every field that metadata has.
const FIELDS: [&str; 15] = [
    "name",
    "generateName",
    "namespace",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
];

/// Drops unknown fields of the metadata and returns their paths.
pub(super) fn prune(object: &mut Value) -> Vec<String> {
    let mut dropped = Vec::new();
    object::metadata_mut(object).retain(|field, _| {
        let known = FIELDS.contains(&field.as_str());
        if !known {
            dropped.push(format!("metadata.{field}"));
        }
        known
    });
    dropped
}

/// Refuses metadata whose fields have other types than every client expects.
pub(super) fn check_types(object: &Value) -> Result<(), Failure> {
    let metadata = match &object["metadata"] {
        Value::Null => return Ok(()),
        Value::Object(metadata) => metadata,
        _ => return Err(Failure::bad_request("`metadata` must be an object")),
    };
    let texts = |value: &Value| value.is_string() || value.is_null();
    for (field, value) in metadata {
        let fits = match field.as_str() {
            "labels" | "annotations" => {
                value.as_object().is_some_and(|map| map.values().all(texts))
            }
            "finalizers" => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
            "ownerReferences" => value.as_array().is_some_and(|list| list.iter().all(is_owner)),
            "generation" | "deletionGracePeriodSeconds" => value.is_i64() || value.is_u64(),
            "managedFields" => value.is_array(),
            "name" | "generateName" | "namespace" | "selfLink" | "uid" | "resourceVersion"
            | "creationTimestamp" | "deletionTimestamp" => value.is_string(),
            _ => true,
        };
        if !fits && !value.is_null() {
            return Err(Failure::bad_request(format!("`metadata.{field}` has the wrong type")));
        }
    }
    Ok(())
}

fn is_owner(owner: &Value) -> bool {
    ["apiVersion", "kind", "name", "uid"].iter().all(|field| owner[*field].is_string())
}

/// Everything that is wrong with names, labels, annotations and finalizers.
pub(super) fn check(object: &Value, namespace_name: bool) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = object::name(object);
    if name.is_empty() {
        let why = "name or generateName is required";
        causes.push(Cause::required("metadata.name", why));
    } else if namespace_name && name.contains('.') {
        causes.push(Cause::invalid("metadata.name", &name.into(), "must not contain dots"));
    } else if namespace_name && !is_label_name(name) {
        causes.push(Cause::invalid("metadata.name", &name.into(), LABEL_RULE));
    } else if !is_subdomain(name) {
        causes.push(Cause::invalid("metadata.name", &name.into(), NAME_RULE));
    }
    for (key, value) in object::labels(object) {
        check_key("metadata.labels", &key, &mut causes);
        if value.len() > 63 || !(value.is_empty() || is_word(&value)) {
            let why =
                if value.len() > 63 { "must be no more than 63 characters" } else { VALUE_RULE };
            causes.push(Cause::invalid("metadata.labels", &value.as_str().into(), why));
        }
    }
    let annotations = object["metadata"]["annotations"].as_object();
    let mut size = 0;
    for (key, value) in annotations.into_iter().flatten() {
        check_key("metadata.annotations", &key.to_lowercase(), &mut causes);
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > MOST_ANNOTATIONS {
        causes.push(Cause::too_long("metadata.annotations", 262_144));
    }
    for finalizer in object::finalizers(object) {
        check_key("metadata.finalizers", &finalizer, &mut causes);
    }
    causes
}

/// A deleted object takes no further finalizers.
pub(super) fn check_update(object: &Value, old: &Value) -> Vec<Cause> {
    if !object::is_deleting(old) {
        return Vec::new();
    }
    let before = object::finalizers(old);
    let mut added = object::finalizers(object);
    added.retain(|finalizer| !before.contains(finalizer));
    if added.is_empty() {
        return Vec::new();
    }
    let added: Vec<_> = added.iter().map(|finalizer| quoted(finalizer)).collect();
    let why = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers \
         []string{{{}}}",
        added.join(", ")
    );
    vec![Cause::forbidden("metadata.finalizers", &why)]
}

fn check_key(field: &str, key: &str, causes: &mut Vec<Cause>) {
    let (prefix, word) = match key.split_once('/') {
        Some((prefix, word)) => (Some(prefix), word),
        None => (None, key),
    };
    if prefix.is_some_and(|prefix| !is_subdomain(prefix)) {
        causes.push(Cause::invalid(field, &key.into(), &format!("prefix part {NAME_RULE}")));
    }
    if word.len() > 63 {
        let why = "name part must be no more than 63 bytes";
        causes.push(Cause::invalid(field, &key.into(), why));
    } else if !is_word(word) {
        causes.push(Cause::invalid(field, &key.into(), KEY_RULE));
    }
}

fn is_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_dns_part)
}

fn is_label_name(name: &str) -> bool {
    name.len() <= 63 && is_dns_part(name)
}

fn is_dns_part(part: &str) -> bool {
    let edge =
        |letter: Option<&u8>| letter.is_some_and(|l| l.is_ascii_lowercase() || l.is_ascii_digit());
    let bytes = part.as_bytes();
    edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|l| l.is_ascii_lowercase() || l.is_ascii_digit() || *l == b'-')
}

fn is_word(word: &str) -> bool {
    let bytes = word.as_bytes();
    let edge = |letter: Option<&u8>| letter.is_some_and(u8::is_ascii_alphanumeric);
    edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|l| l.is_ascii_alphanumeric() || b"-_.".contains(l))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_is_a_dns_subdomain_and_a_namespace_a_single_label() {
        let fields = |name: &str, namespace| {
            check(&json!({ "metadata": { "name": name } }), namespace).len()
        };
        assert_eq!(fields("prefix.module-v1.hello-x1", false), 0);
        assert_eq!(fields("a.b", true), 1);
        for wrong in ["", "A", "a_b", "-a", "a-", "a..b", ".a", &"a".repeat(254)] {
            assert_eq!(fields(wrong, false), 1, "{wrong}");
        }
    }

    #[test]
    fn labels_annotations_and_finalizers_are_checked() {
        let object = json!({ "metadata": {
            "name": "a",
            "labels": { "tinysystems.io/ok": "v1.2_x", "bad key": "x", "b": "-" },
            "annotations": { "Upper/Fine": "any thing" },
            "finalizers": ["tinysystems.io/hold", "a b"],
        }});
        let fields: Vec<_> = check(&object, false).into_iter().map(|cause| cause.field).collect();
        assert_eq!(fields, ["metadata.labels", "metadata.labels", "metadata.finalizers"]);
    }

    #[test]
    fn metadata_of_wrong_types_is_refused_before_anybody_reads_it() {
        for metadata in [json!(1), json!({ "labels": { "a": 1 } }), json!({ "finalizers": [1] })] {
            assert!(check_types(&json!({ "metadata": metadata })).is_err());
        }
    }
}
