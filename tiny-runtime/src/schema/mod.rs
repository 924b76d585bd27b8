//! The JSON schemas of messages: the form that flow authors fill and what other modules read.
//!
//! The dialect is `{"$ref": "#/$defs/Root", "$defs": {…}}`; each definition says its `path` in a message.

mod dialect;
mod field;
mod name;
mod order;
mod sent;
mod share;
mod text;
mod words;

use std::any::TypeId;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::component::secret;
pub use share::{Flag, SHARED_FROM, Shared, field_of, is_bare, is_said, may_stand_for};
pub use text::Text;

/// A port's schema, for the method behind `schema = …` to shape.
///
/// ```
/// use tiny_runtime::component::Schema;
/// use tiny_runtime::serde_json::{Value, json};
///
/// let schema = Schema::from(json!({
///     "$ref": "#/$defs/In",
///     "$defs": {"In": {"type": "object", "properties": {
///         "ways": {"type": "array", "items": {"type": "string"}}
///     }}}
/// }));
/// let shaped = Value::from(schema.choices("ways", ["left", "right"]));
/// let items = &shaped["$defs"]["In"]["properties"]["ways"]["items"];
/// assert_eq!(items["enum"], json!(["left", "right"]));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Schema(Value);

impl Schema {
    /// Lets the field at `path` take these values only. A path is names with dots between them; the fields of the elements of a
    /// list are reached by its name. Where it leads nowhere, nothing happens: the form stays as it was.
    #[must_use]
    pub fn choices<T: Into<Value>>(self, path: &str, choices: impl IntoIterator<Item = T>) -> Self {
        let choices: Vec<Value> = choices.into_iter().map(Into::into).collect();
        self.with(path, "enum", choices)
    }

    /// Puts a keyword on the field at `path`, which is read as that of [`Schema::choices`]; an empty path is the message itself.
    #[must_use]
    pub fn with(self, path: &str, keyword: &str, value: impl Into<Value>) -> Self {
        let mut shaped = self.0.clone();
        let Some(Value::Object(field)) = field::own(&mut shaped, path) else { return self };
        field.insert(keyword.to_owned(), value.into());
        Self(shaped)
    }
}

impl Schema {
    /// The schema as it is.
    pub fn value(&self) -> &Value {
        &self.0
    }
}

impl From<Value> for Schema {
    fn from(schema: Value) -> Self {
        Self(schema)
    }
}

impl From<Schema> for Value {
    fn from(schema: Schema) -> Self {
        schema.0
    }
}

/// The schema of `T`; the same bytes every time. `docs/schema.md` describes the dialect.
pub fn of<T: JsonSchema>() -> Value {
    let settings =
        || SchemaSettings::draft2020_12().with(|s| s.definitions_path = dialect::TYPES.into());
    let schema = |settings: SchemaSettings| {
        // A schema holds defaults, and everybody reads it.
        secret::masked(|| settings.into_generator().into_root_schema_for::<T>()).to_value()
    };
    let mut raw = schema(settings());
    sent::note(&mut raw, &schema(settings().for_serialize()));
    let nameless = T::inline_schema() && ["array", "object"].iter().any(|ty| raw["type"] == *ty);
    dialect::document(&T::schema_name(), nameless, raw)
}

/// The same as text, which is made once for each type and kept.
pub fn text<T: JsonSchema + 'static>() -> Text {
    Text::of_type(TypeId::of::<T>(), of::<T>)
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    /// # A tree of names
    #[derive(JsonSchema, Serialize, Deserialize)]
    struct Tree {
        name: String,
        leaf: Leaf,
        below: Vec<Tree>,
    }

    #[derive(JsonSchema, Serialize, Deserialize)]
    struct Leaf {
        colour: String,
    }

    #[test]
    fn the_root_is_a_definition_and_every_definition_says_its_path() {
        let schema = of::<Tree>();
        assert_eq!(schema["$ref"], "#/$defs/Tree");
        assert_eq!(schema["$defs"]["Tree"]["title"], "A tree of names");
        assert_eq!(schema["$defs"]["Tree"]["path"], "$");
        assert_eq!(schema["$defs"]["Leaf"]["path"], "$.leaf");
        assert_eq!(schema["$defs"]["Leaf"].get("title"), None);
        let below = &schema["$defs"]["Tree"]["properties"]["below"]["items"]["$ref"];
        assert_eq!(below, "#/$defs/Tree", "a type may hold itself");
    }

    #[test]
    fn the_same_bytes_every_time() {
        assert_eq!(of::<Tree>().to_string(), of::<Tree>().to_string());
    }
}
