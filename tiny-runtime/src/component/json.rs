//! Any JSON, carried by reference count.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Message;

/// The name under which serializers and deserializers of this crate know a [`Json`]; to all others it is its value.
pub(crate) const NAME: &str = "$tiny::Json";

thread_local! {
    /// True while somebody asks for the reference instead of the value.
    static ASKED: Cell<bool> = const { Cell::new(false) };
    /// A reference on its way past serde, which knows values only.
    static HANDED: RefCell<Option<Arc<Value>>> = const { RefCell::new(None) };
}

/// JSON that a component does not look into, such as the `context` that a router passes on.
///
/// A clone costs a reference count, and so does a mapping that hands it on whole: its size does not matter.
///
/// ```
/// use tiny_runtime::prelude::*;
/// use tiny_runtime::serde_json::json;
///
/// let context = Json::from(json!({"order": {"id": 7}}));
/// assert_eq!(context["order"]["id"], 7);
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct Json(Arc<Value>);

impl Json {
    /// The value itself; copied when others hold it too.
    pub fn into_value(self) -> Value {
        Arc::unwrap_or_clone(self.0)
    }

    pub(crate) fn shared(&self) -> Arc<Value> {
        self.0.clone()
    }
}

/// Calls `serialize`, while which a [`Json`] hands out its reference. Returns that when `serialize` says that it met one.
pub(crate) fn asked(serialize: impl FnOnce() -> bool) -> Option<Arc<Value>> {
    /// Ends the asking, also when somebody's `Serialize` panics.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            ASKED.set(false);
        }
    }
    ASKED.set(true);
    let _end = End;
    let met = serialize();
    HANDED.take().filter(|_| met)
}

/// Whether a `T` may be a [`Json`], an option or a reference of one: by its name, which costs next to nothing, because it is asked of
/// every field that a mapping reads. A wrong answer costs a copy.
pub(crate) fn may_be<T: ?Sized>() -> bool {
    let name = std::any::type_name::<T>().trim_end_matches('>');
    name.ends_with("::Json")
}

/// Hands a reference to the [`Json`] that is deserialized next on this thread by `visit_unit`.
pub(crate) fn hand(value: Arc<Value>) {
    HANDED.set(Some(value));
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self(Arc::new(value))
    }
}

impl From<Arc<Value>> for Json {
    fn from(value: Arc<Value>) -> Self {
        Self(value)
    }
}

impl Deref for Json {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if ASKED.get() {
            HANDED.set(Some(self.shared()));
            return serializer.serialize_newtype_struct(NAME, &());
        }
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;

        impl<'de> Visitor<'de> for Whole {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                inner: D,
            ) -> Result<Json, D::Error> {
                Value::deserialize(inner).map(Json::from)
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(HANDED.take().map(Json).unwrap_or_default())
            }
        }

        deserializer.deserialize_newtype_struct(NAME, Whole)
    }
}

impl JsonSchema for Json {
    fn inline_schema() -> bool {
        true
    }

    /// What it is called where no field gives it a name: a port that passes on whatever it gets.
    fn schema_name() -> Cow<'static, str> {
        "Context".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Schema::default()
    }
}

impl Message for Json {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn to_all_others_it_is_its_value() {
        let json = Json::from(json!({"a": [1]}));
        assert_eq!(serde_json::to_string(&json).unwrap(), r#"{"a":[1]}"#);
        let read: Vec<Json> = serde_json::from_str(r#"[{"a":[1]},null]"#).unwrap();
        assert_eq!(read, [json, Json::default()]);
    }
}
