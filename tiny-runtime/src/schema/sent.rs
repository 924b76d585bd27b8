//! Which fields are always written although they need not be there to be read.

use serde_json::{Map, Value};

/// The word for the names of such fields, beside `required`. A field of `#[serde(default)]` is one: who receives the message may count
/// on it, and one that may be null, which is written as null.
pub(super) const ALWAYS_SENT: &str = "alwaysSent";

/// Notes in `read`, the schema of what a type reads, which fields it always writes; `written` is the schema of that.
pub(super) fn note(read: &mut Value, written: &Value) {
    match (read, written) {
        (Value::Object(read), Value::Object(written)) => {
            let sent = sent(read, written);
            for (key, value) in read.iter_mut() {
                if let Some(other) = written.get(key)
                    && !["default", "enum", "const", "examples"].contains(&&**key)
                {
                    note(value, other);
                }
            }
            if !sent.is_empty() {
                read.insert(ALWAYS_SENT.into(), sent.into());
            }
        }
        (Value::Array(read), Value::Array(written)) => {
            read.iter_mut().zip(written).for_each(|(read, written)| note(read, written));
        }
        _ => {}
    }
}

fn sent(read: &Map<String, Value>, written: &Map<String, Value>) -> Vec<Value> {
    let names = |schema: &Map<String, Value>| {
        schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let Some(Value::Object(properties)) = read.get("properties") else { return Vec::new() };
    let required = names(read);
    let is_new = |name: &Value| {
        let known = name.as_str().is_some_and(|name| properties.contains_key(name));
        known && !required.contains(name)
    };
    names(written).into_iter().filter(is_new).collect()
}
