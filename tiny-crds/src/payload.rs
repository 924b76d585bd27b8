//! JSON fields that the original stored as bytes.

use std::{fmt, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// JSON in a field where the original had base64 bytes: a port's configuration or schema, a
/// signal's data, a widget's schema patch.
///
/// It reads both forms and keeps the one it read:
///
/// | written | means |
/// |---|---|
/// | nothing, `null`, `""` | absent |
/// | a string | base64 of JSON, always |
/// | anything else | that JSON |
///
/// So a JSON *string* has to be written as base64, which [`Payload::from`] does. The content is
/// held as text (a parsed schema takes about nine times its length in memory), and a clone is
/// one reference count. Two payloads are equal when they mean the same JSON: neither the form,
/// nor the order of keys, nor `1` against `1.0` counts, because an API server may change these.
///
/// ```
/// use serde_json::{Value, json};
/// use tiny_crds::Payload;
///
/// let plain: Payload = serde_json::from_value(json!({"name": "World"}))?;
/// let bytes: Payload = serde_json::from_value(json!("eyJuYW1lIjoiV29ybGQifQ=="))?;
/// assert_eq!(plain, bytes);
/// assert_eq!(bytes.value()?, Some(json!({"name": "World"})));
///
/// let text = Payload::from(Value::from("World"));
/// assert_eq!(serde_json::to_value(&text)?, json!("IldvcmxkIg=="));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Payload(Form);

#[derive(Clone, Default)]
enum Form {
    #[default]
    Absent,
    /// Compact JSON; never a string, never null.
    Json(Arc<str>),
    /// As it was written, not yet checked; never empty.
    Base64(Arc<str>),
}

/// Why a payload cannot be read. The content is never part of the message: it may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The string is not base64.
    #[error(
        "a string here must be base64 of JSON, but it is not base64 ({reason}); write the JSON itself instead"
    )]
    NotBase64 {
        /// What the decoder met, and where.
        reason: String,
    },
    /// The string is base64 of something that is not JSON.
    #[error(
        "a string here must be base64 of JSON, but what it holds is not JSON (line {line}, column {column}: {reason}); write the JSON itself instead"
    )]
    NotJson {
        /// Line of the decoded text, from 1.
        line: usize,
        /// Column of the decoded text, from 1.
        column: usize,
        /// What the parser met there.
        reason: String,
    },
}

impl Payload {
    /// The payload that is not there.
    pub const ABSENT: Self = Self(Form::Absent);

    /// The payload of this text, which is compact JSON of an object, and stays shared.
    ///
    /// ```
    /// use tiny_crds::Payload;
    ///
    /// let payload = Payload::of_object(r#"{"type":"object"}"#.into());
    /// assert_eq!(payload.value()?, Some(serde_json::json!({"type": "object"})));
    /// # Ok::<(), tiny_crds::PayloadError>(())
    /// ```
    pub fn of_object(text: Arc<str>) -> Self {
        Self(Form::Json(text))
    }

    /// True when nothing is written. Base64 of `null` is written, but [`Payload::value`] of it
    /// is `None` all the same.
    pub fn is_absent(&self) -> bool {
        matches!(self.0, Form::Absent)
    }

    /// The JSON, parsed anew on each call: keep it when you need it often. `None` is absence.
    ///
    /// # Errors
    /// A string that is not base64, or is base64 of something else than JSON.
    pub fn value(&self) -> Result<Option<Value>, PayloadError> {
        let value = match &self.0 {
            Form::Absent => return Ok(None),
            Form::Json(text) => parse(text.as_bytes())?,
            Form::Base64(text) => parse(&decode(text)?)?,
        };
        Ok(Some(value).filter(|value| !value.is_null()))
    }

    /// The JSON as compact text, shared where it is stored so. `None` is absence.
    ///
    /// # Errors
    /// Those of [`Payload::value`].
    pub fn text(&self) -> Result<Option<Arc<str>>, PayloadError> {
        match &self.0 {
            Form::Absent => Ok(None),
            Form::Json(text) => Ok(Some(Arc::clone(text))),
            Form::Base64(_) => Ok(self.value()?.map(|value| value.to_string().into())),
        }
    }

    fn raw(value: Value) -> Self {
        Self(match value {
            Value::Null => Form::Absent,
            Value::String(text) if text.is_empty() => Form::Absent,
            Value::String(text) => Form::Base64(text.into()),
            json => Form::Json(json.to_string().into()),
        })
    }
}

/// What this JSON is as a payload: null is absent, a string becomes base64 of itself.
impl From<Value> for Payload {
    fn from(value: Value) -> Self {
        match value {
            Value::String(_) => {
                Self(Form::Base64(BASE64_STANDARD.encode(value.to_string()).into()))
            }
            other => Self::raw(other),
        }
    }
}

impl From<Option<Value>> for Payload {
    fn from(value: Option<Value>) -> Self {
        value.map_or(Self::ABSENT, Self::from)
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Form::Json(a), Form::Json(b)) | (Form::Base64(a), Form::Base64(b)) if a == b => true,
            _ => match (self.value(), other.value()) {
                (Ok(Some(a)), Ok(Some(b))) => same(&a, &b),
                (Ok(a), Ok(b)) => a == b,
                _ => false,
            },
        }
    }
}

/// Equality of meaning: numbers by value, objects in any order.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64() && !exact(x, y),
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y))
        }
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len() && x.iter().all(|(key, x)| y.get(key).is_some_and(|y| same(x, y)))
        }
        _ => a == b,
    }
}

/// Two whole numbers differ even where their nearest floats agree.
fn exact(a: &serde_json::Number, b: &serde_json::Number) -> bool {
    !a.is_f64() && !b.is_f64()
}

/// Prints the form and length only: a configuration may hold secrets.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Absent => f.write_str("Payload(absent)"),
            Form::Json(text) => write!(f, "Payload({} bytes of JSON)", text.len()),
            Form::Base64(text) => write!(f, "Payload({} characters of base64)", text.len()),
        }
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Form::Absent => serializer.serialize_unit(),
            Form::Json(text) => serde_json::from_str::<Value>(text)
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
            Form::Base64(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::raw)
    }
}

impl schemars::JsonSchema for Payload {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Payload".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        crate::schema::any_json(generator)
    }
}

fn decode(text: &str) -> Result<Vec<u8>, PayloadError> {
    // Go's decoder skips line ends too, and YAML block scalars have them.
    let joined: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    BASE64_STANDARD
        .decode(joined)
        .map_err(|error| PayloadError::NotBase64 { reason: error.to_string() })
}

fn parse(bytes: &[u8]) -> Result<Value, PayloadError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let full = error.to_string();
        let reason = full.split(" at line ").next().unwrap_or(&full).to_owned();
        PayloadError::NotJson { line, column, reason }
    })
}

#[cfg(test)]
mod tests {
    use proptest::{collection, prelude::*};
    use serde_json::json;

    use super::*;

    fn read(json: Value) -> Payload {
        serde_json::from_value(json).unwrap()
    }

    fn written(payload: &Payload) -> Value {
        serde_json::to_value(payload).unwrap()
    }

    fn base64(bytes: impl AsRef<[u8]>) -> Value {
        BASE64_STANDARD.encode(bytes).into()
    }

    #[test]
    fn null_and_the_empty_string_are_absence() {
        for nothing in [json!(null), json!("")] {
            let payload = read(nothing);
            assert!(payload.is_absent());
            assert_eq!(payload.value(), Ok(None));
            assert_eq!(payload.text(), Ok(None));
            assert_eq!(payload, Payload::ABSENT);
            assert_eq!(written(&payload), Value::Null);
        }
        assert!(Payload::default().is_absent());
        assert!(Payload::from(None).is_absent());
        assert!(Payload::from(Value::Null).is_absent());
    }

    #[test]
    fn base64_of_null_is_written_but_means_nothing() {
        let payload = read(base64("null"));
        assert!(!payload.is_absent());
        assert_eq!(payload.value(), Ok(None));
        assert_eq!(payload.text(), Ok(None));
        assert_eq!(payload, Payload::ABSENT);
    }

    #[test]
    fn json_is_read_and_written_as_it_is() {
        for json in [json!({"b": 1, "a": [null, "x"]}), json!([1, 2.5]), json!(7), json!(false)] {
            let payload = read(json.clone());
            assert_eq!(payload.value(), Ok(Some(json.clone())));
            assert_eq!(payload.text().unwrap().unwrap().as_ref(), json.to_string());
            assert_eq!(written(&payload), json);
        }
    }

    #[test]
    fn a_string_is_always_base64_and_keeps_its_form() {
        let stored = base64(r#"{ "name": "World" }"#);
        let payload = read(stored.clone());
        assert_eq!(payload.value(), Ok(Some(json!({"name": "World"}))));
        assert_eq!(payload.text().unwrap().unwrap().as_ref(), r#"{"name":"World"}"#);
        assert_eq!(written(&payload), stored);
    }

    #[test]
    fn line_ends_in_base64_do_not_count() {
        let payload = read(json!("eyJuYW1l\r\nIjoiV29y\nbGQifQ==\n"));
        assert_eq!(payload.value(), Ok(Some(json!({"name": "World"}))));
    }

    #[test]
    fn what_is_not_base64_of_json_says_what_to_do_and_not_what_it_held() {
        let error = read(json!("secret words!")).value().unwrap_err();
        assert!(matches!(error, PayloadError::NotBase64 { .. }));
        let text = error.to_string();
        assert!(
            text.contains("write the JSON itself instead") && !text.contains("secret"),
            "{text}"
        );

        let error = read(base64("{\n  \"secret\" 1}")).value().unwrap_err();
        assert!(matches!(error, PayloadError::NotJson { line: 2, .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains("line 2, column") && !text.contains("secret"), "{text}");
    }

    #[test]
    fn debug_shows_the_form_and_nothing_of_the_content() {
        let shown = |payload: &Payload| format!("{payload:?}");
        assert_eq!(shown(&Payload::ABSENT), "Payload(absent)");
        assert_eq!(shown(&read(json!({"password": "x"}))), "Payload(16 bytes of JSON)");
        assert_eq!(shown(&read(json!("bnVsbA=="))), "Payload(8 characters of base64)");
    }

    #[test]
    fn payloads_are_equal_when_they_mean_the_same() {
        let equal = [
            (json!({"a": 1, "b": 2}), json!({"b": 2, "a": 1})),
            (json!({"a": 1}), json!({"a": 1.0})),
            (json!([{"a": 1}]), base64(r#"[{"a":1.0}]"#)),
            (json!(""), base64("null")),
        ];
        for (a, b) in equal {
            assert_eq!(read(a), read(b));
        }
        let different = [
            (json!({"a": 1}), json!({"a": "1"})),
            (json!({"a": 1}), json!({"a": 1, "b": null})),
            (json!([1, 2]), json!([2, 1])),
            (json!([1]), json!([1, 2])),
            (json!(0), json!(null)),
            (json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992_u64)),
            (json!("not base64!"), json!("nor this one!")),
        ];
        for (a, b) in different {
            assert_ne!(read(a), read(b));
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                collection::btree_map(".{0,4}", inner, 0..4)
                    .prop_map(|map| map.into_iter().collect::<Value>()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_comes_back_the_same_through_a_payload(value in any_json()) {
            let payload = Payload::from(value.clone());
            let meant = Some(value.clone()).filter(|value| !value.is_null());
            prop_assert_eq!(payload.value(), Ok(meant.clone()));
            let again = read(written(&payload));
            prop_assert_eq!(again.value(), Ok(meant));
            prop_assert_eq!(&again, &payload);
            prop_assert_eq!(read(base64(value.to_string())), payload);
        }

        #[test]
        fn any_string_is_read_without_a_panic(text in ".{0,40}") {
            let payload = read(Value::from(text.clone()));
            let kept = Some(text).filter(|text| !text.is_empty());
            prop_assert_eq!(written(&payload), Value::from(kept));
            let (value, text) = (payload.value(), payload.text());
            prop_assert_eq!(value.is_ok(), text.is_ok());
        }
    }
}
