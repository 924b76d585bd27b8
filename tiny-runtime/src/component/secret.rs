//! A value that nobody may read over a shoulder.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};

use super::Message;

/// What stands for a secret wherever somebody could read it.
pub(crate) const MASK: &str = "***";

thread_local! {
    static MASKED: Cell<bool> = const { Cell::new(false) };
}

/// A password, a token, a key: `***` in `Debug`, status, traces, events, logs and metrics. Edges and the wire carry the value.
///
/// It cannot stand in a [`State`](super::State): that lies open in the node's status.
///
/// ```
/// use tiny_runtime::prelude::*;
///
/// /// How to sign in.
/// #[message]
/// #[derive(Default)]
/// pub struct SignIn {
///     /// The token of the service.
///     pub token: Secret<String>,
/// }
///
/// let settings = SignIn { token: "hunter2".to_owned().into() };
/// assert_eq!(format!("{settings:?}"), "SignIn { token: *** }");
/// assert_eq!(settings.token.expose(), "hunter2");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Keeps `value` from being read by accident.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value. Whoever calls this says that it does not end in a log.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

/// Calls `write`, while which every secret on this thread is written as `***`.
pub(crate) fn masked<T>(write: impl FnOnce() -> T) -> T {
    /// Puts back what was, also when `write` panics.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            MASKED.set(self.0);
        }
    }
    let _restore = Restore(MASKED.replace(true));
    write()
}

/// Whether what is written now is for people's eyes.
pub(super) fn is_masked() -> bool {
    MASKED.get()
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<T: Serialize> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if MASKED.get() { serializer.serialize_str(MASK) } else { self.0.serialize(serializer) }
    }
}

/// A mask that comes back, from an editor that showed one, is not the secret: it is refused, not taken for it.
impl<'de, T: Deserialize<'de> + 'static> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = T::deserialize(deserializer)?;
        let text = (&value as &dyn std::any::Any).downcast_ref::<String>();
        if text.is_some_and(|text| text == MASK) {
            return Err(D::Error::custom(
                "`***` is the mask of a secret, not its value; write the value",
            ));
        }
        Ok(Self(value))
    }
}

impl<T: JsonSchema> JsonSchema for Secret<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Secret{}", T::schema_name()).into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("tiny::Secret<{}>", T::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = generator.subschema_for::<T>();
        schema.insert("format".into(), "password".into());
        schema.insert("writeOnly".into(), true.into());
        schema
    }
}

impl<T: Message> Message for Secret<T> {
    const SECRET_5: bool = true;
    const SECRET_4: bool = true;
    const SECRET_3: bool = true;
    const SECRET_2: bool = true;
    const SECRET_1: bool = true;
    const SECRET_0: bool = true;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_edge_carries_the_value_and_a_status_the_mask() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(serde_json::to_value(&secret).unwrap(), json!("hunter2"));
        assert_eq!(masked(|| serde_json::to_value(&secret)).unwrap(), json!("***"));
        assert_eq!(serde_json::to_value(&secret).unwrap(), json!("hunter2"), "only while asked");
        assert_eq!(format!("{secret:?}"), "***");
    }

    #[test]
    fn a_mask_is_not_taken_for_the_secret() {
        let error = serde_json::from_value::<Secret<String>>(json!("***")).unwrap_err();
        assert!(error.to_string().starts_with("`***` is the mask"), "{error}");
        assert_eq!(*serde_json::from_value::<Secret<u8>>(json!(3)).unwrap().expose(), 3);
    }

    #[test]
    fn a_panic_while_masked_does_not_mask_what_follows() {
        let panicked = std::panic::catch_unwind(|| masked(|| panic!("no")));
        assert!(panicked.is_err());
        assert_eq!(serde_json::to_value(Secret::new(1)).unwrap(), json!(1));
    }
}
