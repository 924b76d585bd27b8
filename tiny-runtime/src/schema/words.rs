//! The words of one schema, without a look into others.

use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// The bounds of Rust's whole numbers, which `schemars` leaves to a format that no validator knows. Of 128 bits JSON carries 64.
fn bounds(format: &str) -> Option<(Value, Value)> {
    Some(match format {
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" => (i64::MIN.into(), i64::MAX.into()),
        "int" => (isize::MIN.into(), isize::MAX.into()),
        "int128" => (i64::MIN.into(), u64::MAX.into()),
        "uint8" => (0.into(), u8::MAX.into()),
        "uint16" => (0.into(), u16::MAX.into()),
        "uint32" => (0.into(), u32::MAX.into()),
        "uint64" | "uint128" => (0.into(), u64::MAX.into()),
        "uint" => (0.into(), usize::MAX.into()),
        _ => return None,
    })
}

/// Says in JSON schema what `schemars` says in ways of its own, and leaves out what says nothing.
pub(super) fn plain(schema: &mut Object) {
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some((minimum, maximum)) = bounds(&format) {
        schema.shift_remove("format");
        schema.entry("minimum").or_insert(minimum);
        schema.entry("maximum").or_insert(maximum);
    } else if ["float", "double"].contains(&&*format) {
        schema.shift_remove("format");
    } else if format == "duration" {
        // Durations are read in more ways than this format knows, and written in one (`PT1H5S`) that it forbids.
        schema.insert("format".into(), "timespan".into());
    }
    // A field that may be left out, and then is null: the type says so.
    if schema.get("default") == Some(&Value::Null) {
        schema.shift_remove("default");
    }
    exact_duration(schema);
    fold_choice(schema);
}

/// The standard library's `Duration` takes no other fields, and less than a second of nanoseconds.
fn exact_duration(schema: &mut Object) {
    if schema.get("required") != Some(&json!(["secs", "nanos"])) {
        return;
    }
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    if properties.len() == 2 {
        properties["nanos"]["maximum"] = 999_999_999.into();
        schema.entry("additionalProperties").or_insert(false.into());
    }
}

/// Makes one list of values, with titles, of texts that are described one by one.
pub(super) fn fold_choice(schema: &mut Object) {
    let Some(Value::Array(branches)) = schema.get("oneOf") else { return };
    let (mut values, mut titles) = (Vec::new(), Vec::new());
    for branch in branches {
        if let Some(value @ Value::String(text)) = branch.get("const") {
            let title = branch.get("title").or_else(|| branch.get("description"));
            titles.push(title.and_then(Value::as_str).unwrap_or(text).to_owned());
            values.push(value.clone());
        } else if let Some(Value::Array(several)) =
            branch.get("enum").filter(|_| branch["type"] == "string")
        {
            titles.extend(several.iter().filter_map(Value::as_str).map(str::to_owned));
            values.extend(several.iter().cloned());
        } else {
            return;
        }
    }
    schema.shift_remove("oneOf");
    schema.insert("type".into(), "string".into());
    schema.insert("enum".into(), values.into());
    schema.entry("enumTitles").or_insert(titles.into());
}

/// Takes the null out of a schema that is a type or null. Returns whether there was one.
pub(super) fn take_null(schema: &mut Object) -> bool {
    let Some(Value::Array(branches)) = schema.get("anyOf") else { return false };
    let [Value::Object(it), nothing] = &branches[..] else { return false };
    let known = it.contains_key("$ref") || it.contains_key("type");
    if !known || *nothing != json!({ "type": "null" }) {
        return false;
    }
    let it = it.clone();
    schema.shift_remove("anyOf");
    for (word, value) in it {
        schema.entry(word).or_insert(value);
    }
    true
}

/// Lets the value be null as well.
pub(super) fn allow_null(schema: &mut Object) {
    let null = || json!({ "type": "null" });
    for word in ["anyOf", "oneOf"] {
        if let Some(Value::Array(branches)) = schema.get_mut(word) {
            branches.push(null());
            return;
        }
    }
    match schema.get_mut("type") {
        Some(Value::Array(types)) if !types.contains(&"null".into()) => types.push("null".into()),
        Some(ty @ Value::String(_)) => *ty = json!([ty.take(), "null"]),
        _ => {}
    }
    if let Some(only) = schema.shift_remove("const") {
        schema.insert("enum".into(), json!([only]));
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
}

/// Whether what says this `type` may be a `name`.
fn has_type(schema: &Object, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(|ty| ty == name),
        ty => ty.is_some_and(|ty| ty == name),
    }
}

/// True for a list.
pub(super) fn is_list(schema: &Object) -> bool {
    has_type(schema, "array")
}

/// True for what has parts or forms: an object, a list, one of several.
pub(super) fn is_structured(schema: &Object) -> bool {
    ["object", "array"].iter().any(|ty| has_type(schema, ty))
        || ["anyOf", "oneOf", "allOf", "properties", "$ref"]
            .iter()
            .any(|word| schema.contains_key(*word))
        || is_anything(schema)
}

/// True for what may be any JSON.
pub(super) fn is_anything(schema: &Object) -> bool {
    let says = ["type", "enum", "const", "anyOf", "oneOf", "allOf", "not", "properties", "$ref"];
    !says.iter().any(|word| schema.contains_key(*word))
}

/// What a text, number or truth is called that has no name of its own.
pub(super) fn scalar(schema: &Value) -> Option<&str> {
    let format = schema.get("format").and_then(Value::as_str);
    match schema.get("type")?.as_str()? {
        "string" => Some("string"),
        "boolean" => Some("boolean"),
        "integer" => format.filter(|format| bounds(format).is_some()).or(Some("integer")),
        "number" => format.filter(|format| ["float", "double"].contains(format)).or(Some("number")),
        _ => None,
    }
}
