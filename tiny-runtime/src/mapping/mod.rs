//! Mappings: JSON with expressions in it, which turns the message of a sender into that of a receiver.
//!
//! A mapping is compiled once, when its edge is loaded. Of a message it reads only what its expressions name: a serializer
//! walks the Rust value and fills those slots, and the receiver's type is deserialized from the plan itself. A JSON value of
//! the whole message is never built.
//!
//! ```
//! use serde_json::json;
//! use tiny_runtime::mapping::Mapping;
//!
//! let mapping = Mapping::compile(&json!({
//!     "text": "{{ $.greeting }}",
//!     "title": "to {{ $.people[0].name }}",
//! })).unwrap();
//! let message = json!({"greeting": "Hello", "people": [{"name": "World"}]});
//! let mapped = mapping.value(mapping.read_value(&message).unwrap()).unwrap();
//! assert_eq!(mapped, json!({"text": "Hello", "title": "to World"}));
//! ```
//!
//! | written | means |
//! |---|---|
//! | any JSON without `{{` | itself |
//! | `"{{ $.a.b }}"` | the value at that path, with its type |
//! | `"{{ $.items[?@.price > 10].sku }}"` | all that a query of RFC 9535 selects, as a list |
//! | `"{{ $.price * 2 }}"`, `"{{ upper($.name) }}"` | operators and functions around paths |
//! | ``"{{ items[?price > `10`].sku \| [0] }}"`` | JMESPath, where no `$` stands outside of quotes |
//! | `"x {{ $.a }} y"` | text; numbers, booleans, lists and objects in it as JSON |
//! | `"{{ 'text' }}"`, `` "{{ `null` }}" `` | a text, any JSON |
//! | `{"expression": "$.a", "value": 1}` | the form of older flows: the expression, or the value when it is empty |
//!
//! `docs/mappings.md` has the whole language.
//!
//! A path that leads nowhere leaves its field out, so an optional field is `None` and one with a default has it; where the
//! field is required, it is an error that names the field and the expression. In text it is always an error.

mod compare;
mod decode;
mod diagnostic;
mod dollar;
mod eval;
mod expression;
mod filter;
mod functions;
mod jmes;
mod key;
mod literal;
mod outside;
mod path;
mod paths;
mod plan;
mod proof;
mod query;
mod read;
mod stack;
mod template;
mod text;
mod tree;
mod whole;
mod write;

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::diagnostic::{Code, Diagnostic, Severity};
pub use self::functions::{ALL as FUNCTIONS, Function, Takes};
use self::plan::Plan;
pub use self::proof::{Document, Proof, Row, Shape, Verdict, Way, identity, together};

/// A compiled mapping.
#[derive(Clone)]
pub struct Mapping(Plan);

/// What a mapping has read of one message: one slot for each path, empty where the path led nowhere.
pub struct Slots(Vec<Option<Held>>);

/// What a slot holds.
#[derive(Clone)]
enum Held {
    Value(Value),
    /// A [`Json`](crate::component::Json) that was read whole: handed on, never copied.
    Shared(Arc<Value>),
}

impl Held {
    fn value(&self) -> &Value {
        match self {
            Self::Value(value) => value,
            Self::Shared(value) => value,
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Value(value) => value,
            Self::Shared(value) => Arc::unwrap_or_clone(value),
        }
    }
}

/// A message could not be mapped. The text names the field and the expression, never the content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MapError(String);

impl MapError {
    pub(crate) fn of(why: String) -> Self {
        Self(why)
    }
}

impl Mapping {
    /// Compiles a mapping.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn compile(mapping: &Value) -> Result<Self, Vec<Diagnostic>> {
        stack::with_room(|| Plan::compile(mapping)).map(Self)
    }

    /// Compiles one expression, written without braces: a mapping whose result is its value.
    ///
    /// ```
    /// use serde_json::json;
    /// use tiny_runtime::mapping::Mapping;
    ///
    /// let total = Mapping::expression("sum($.prices) * 2").unwrap();
    /// let prices = total.read_value(&json!({"prices": [1, 2]})).unwrap();
    /// assert_eq!(total.value(prices).unwrap(), json!(6));
    /// ```
    ///
    /// # Errors
    /// What is wrong with it; the place is one in `text`.
    pub fn expression(text: &str) -> Result<Self, Diagnostic> {
        stack::with_room(|| Plan::expression(text)).map(Self)
    }

    /// Reads what the mapping needs from a typed message. What it does not name costs next to nothing.
    ///
    /// # Errors
    /// When serde refuses a value on the way, and those of [`Mapping::read_value`].
    pub fn read<T: Serialize + ?Sized>(&self, message: &T) -> Result<Slots, MapError> {
        read::typed(&self.0, message)
    }

    /// Reads what the mapping needs from a JSON message.
    ///
    /// # Errors
    /// When an expression has no value: a sum of texts, a division by zero, a bound that is reached.
    pub fn read_value(&self, message: &Value) -> Result<Slots, MapError> {
        read::value(&self.0, message)
    }

    /// The receiver's message, deserialized from the plan and what `read` has read; it is read once more to explain a fault.
    ///
    /// # Errors
    /// Those of `read`; else says which field does not fit and which expression feeds it.
    pub fn decode<T: DeserializeOwned>(
        &self,
        read: impl Fn() -> Result<Slots, MapError>,
    ) -> Result<T, MapError> {
        decode::typed(&self.0, read)
    }

    /// The receiver's message as JSON. A field whose path leads nowhere is left out; in a list and at the top it is null.
    ///
    /// # Errors
    /// When a path in text leads nowhere.
    pub fn value(&self, slots: Slots) -> Result<Value, MapError> {
        decode::value(&self.0, slots)
    }

    /// The same as text.
    ///
    /// # Errors
    /// Those of [`Mapping::value`].
    pub fn text(&self, slots: &Slots) -> Result<Vec<u8>, MapError> {
        write::text(&self.0, slots)
    }
}

impl fmt::Debug for Mapping {
    /// Says the shape only: a literal may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mapping({} slots)", self.0.paths.len())
    }
}

impl fmt::Debug for Slots {
    /// Says the number only: what they hold may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slots({})", self.0.len())
    }
}

#[cfg(test)]
mod tests;
