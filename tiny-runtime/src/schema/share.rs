//! Definitions that travel: what one node shares, others of the flow take for what they left open.
//!
//! A field that is `shared` offers its definition to the nodes behind; a field that is `configurable` takes one of the same name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Schema, name};

type Object = Map<String, Value>;

const PREFIX: &str = "#/$defs/";

/// In a definition that was taken from another node: where it was said, as `node:port`.
pub const SHARED_FROM: &str = "sharedFrom";

/// Which definitions are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// Those that take what others share.
    Configurable,
    /// Those that are offered to others.
    Shared,
}

impl Flag {
    /// The word in a schema.
    pub fn word(self) -> &'static str {
        match self {
            Self::Configurable => "configurable",
            Self::Shared => "shared",
        }
    }

    /// Whether this definition has the flag. Only the truth itself counts, no text that says it.
    pub fn is_on(self, definition: &Value) -> bool {
        definition.get(self.word()) == Some(&Value::Bool(true))
    }
}

/// A definition on its way to another schema, with those that it refers to.
#[derive(Clone, Debug, PartialEq)]
pub struct Shared {
    name: String,
    definition: Value,
    others: Object,
    from: Option<String>,
}

impl Shared {
    /// The definition itself.
    pub fn definition(&self) -> &Value {
        &self.definition
    }

    /// The same, with the place where it was said, as `node:port`: whoever takes it says so by [`SHARED_FROM`].
    #[must_use]
    pub fn said_at(self, place: String) -> Self {
        Self { from: Some(place), ..self }
    }
}

impl Schema {
    /// The definitions that have `flag`, by name.
    ///
    /// ```
    /// use tiny_runtime::schema::{Flag, Schema};
    /// use tiny_runtime::serde_json::json;
    ///
    /// let schema = Schema::from(json!({"$defs": {"A": {"shared": true}, "B": {"configurable": true}}}));
    /// assert_eq!(schema.definitions(Flag::Shared).map(|(name, _)| name).collect::<Vec<_>>(), ["A"]);
    /// ```
    pub fn definitions(&self, flag: Flag) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.0.get("$defs").and_then(Value::as_object).into_iter().flatten();
        all.filter(move |(_, it)| flag.is_on(it)).map(|(name, it)| (&**name, it))
    }

    /// What each definition refers to.
    pub(crate) fn references(&self) -> BTreeMap<String, Vec<String>> {
        let all = self.0.get("$defs").and_then(Value::as_object).into_iter().flatten();
        all.map(|(name, it)| (name.clone(), references(it))).collect()
    }

    /// The definition called `name`.
    pub fn definition(&self, name: &str) -> Option<&Value> {
        self.0.get("$defs")?.get(name)
    }

    /// The definition with `flag` that is meant by `name`: the one that is called so or, failing that, the one of the field `field`.
    /// A field that passes on anything is called for itself, one that says its type for that.
    pub fn meant(&self, name: &str, field: &str, flag: Flag) -> Option<(&str, &Value)> {
        let named = self.definitions(flag).find(|(key, _)| *key == name);
        let of_field = |(_, it): &(&str, &Value)| !field.is_empty() && field_of(it) == field;
        named.or_else(|| self.definitions(flag).find(of_field))
    }

    /// The definition called `name`, ready for another schema.
    pub fn share(&self, name: &str) -> Option<Shared> {
        let definition = self.definition(name)?.clone();
        let mut others = Map::new();
        let mut open = references(&definition);
        while let Some(next) = open.pop() {
            if next == name || others.contains_key(&next) {
                continue;
            }
            let Some(found) = self.definition(&next) else { continue };
            open.extend(references(found));
            others.insert(next, found.clone());
        }
        Some(Shared { name: name.to_owned(), definition, others, from: None })
    }

    /// Puts `shared` in the place of the definition `name`. What belongs to the place stays: its path, whether it is
    /// configurable, shared or read only. Where there is no such definition, or where it would say less than before, nothing happens.
    ///
    /// ```
    /// use tiny_runtime::schema::Schema;
    /// use tiny_runtime::serde_json::json;
    ///
    /// let order = Schema::from(json!({"$defs": {"Context": {"type": "object", "shared": true, "path": "$.order"}}}));
    /// let open = Schema::from(json!({"$defs": {"Context": {"configurable": true, "path": "$.context"}}}));
    /// let taken = open.take("Context", &order.share("Context").unwrap());
    /// assert_eq!(
    ///     *taken.definition("Context").unwrap(),
    ///     json!({"type": "object", "path": "$.context", "configurable": true})
    /// );
    /// ```
    #[must_use]
    pub fn take(mut self, name: &str, shared: &Shared) -> Self {
        let Some(Value::Object(definitions)) = self.0.get_mut("$defs") else { return self };
        let Some(own) = definitions.get(name) else { return self };
        if is_bare(&shared.definition) && !is_bare(own) {
            return self;
        }
        let own = own.clone();
        let path =
            |definition: &Value| definition.get("path").and_then(Value::as_str).map(str::to_owned);
        let (there, here) = (path(&shared.definition), path(&own));
        let names = free_names(definitions, name, shared);
        let mut moved = shared.definition.clone();
        rename(&mut moved, &names);
        if let Value::Object(moved) = &mut moved {
            keep(moved, &own);
            if let Some(from) = &shared.from {
                moved.insert(SHARED_FROM.into(), from.clone().into());
            }
        }
        definitions.insert(name.to_owned(), moved);
        for (key, other) in &shared.others {
            let mut other = other.clone();
            rename(&mut other, &names);
            if let (Some(there), Some(here), Some(path)) = (&there, &here, path(&other))
                && let Some(below) = path.strip_prefix(&**there)
            {
                other["path"] = format!("{here}{below}").into();
            }
            definitions.insert(names.get(key).unwrap_or(key).clone(), other);
        }
        self
    }
}

/// What belongs to the place and not to the type.
fn keep(definition: &mut Object, own: &Value) {
    definition.shift_remove("shared");
    definition.shift_remove(SHARED_FROM);
    if let Some(path) = own.get("path") {
        definition.insert("path".into(), path.clone());
    }
    definition.insert("configurable".into(), Flag::Configurable.is_on(own).into());
    for word in ["shared", "readonly"] {
        if own.get(word) == Some(&Value::Bool(true)) {
            definition.insert(word.into(), true.into());
        }
    }
}

/// The name of the field at which a definition stands: the end of its path, where that is a name.
pub fn field_of(definition: &Value) -> &str {
    let path = definition.get("path").and_then(Value::as_str).unwrap_or_default();
    let field = path.rsplit_once('.').map_or("", |(_, field)| field);
    if field.ends_with(']') || field == "*" { "" } else { field }
}

/// True for a definition that says nothing of its values.
pub fn is_bare(definition: &Value) -> bool {
    definition.as_object().is_none_or(super::words::is_anything)
}

/// Whether a definition says something that its node did not receive from others. What a node of another module received stands in its
/// status: it is looked for anew, along the edges.
pub fn is_said(definition: &Value) -> bool {
    !is_bare(definition) && definition.get(SHARED_FROM).is_none()
}

/// Whether values of `other` may stand where `own` is asked for, as far as their types tell at a glance: anything may where nothing is
/// asked; else both are texts, numbers or truths of the same kind.
pub fn may_stand_for(other: &Value, own: &Value) -> bool {
    let types = |definition: &Value| -> Option<Vec<String>> {
        match definition.get("type")? {
            Value::Array(types) => types.iter().map(|ty| ty.as_str().map(str::to_owned)).collect(),
            ty => Some(vec![ty.as_str()?.to_owned()]),
        }
    };
    if is_bare(own) {
        return true;
    }
    let (Some(other), Some(own)) = (types(other), types(own)) else { return false };
    let is_plain = |ty: &String| !["object", "array"].contains(&&**ty);
    other.iter().all(|ty| is_plain(ty) && own.contains(ty))
}

/// Other names for what comes to stand at `place` and for what it refers to, where its own are taken by something else.
fn free_names(definitions: &Object, place: &str, shared: &Shared) -> BTreeMap<String, String> {
    let mut names = BTreeMap::from([(shared.name.clone(), place.to_owned())]);
    for (name, other) in &shared.others {
        if name != place && definitions.get(name).is_none_or(|own| own == other) {
            continue;
        }
        let taken = |free: &str| {
            definitions.contains_key(free)
                || shared.others.contains_key(free)
                || names.values().any(|name| name == free)
        };
        let free = name::free(name, &place.to_lowercase(), taken);
        names.insert(name.clone(), free);
    }
    names
}

fn rename(schema: &mut Value, names: &BTreeMap<String, String>) {
    each_reference(schema, &mut |reference| {
        let name = reference.strip_prefix(PREFIX).and_then(|name| names.get(name));
        if let Some(name) = name {
            *reference = format!("{PREFIX}{name}");
        }
    });
}

/// The definitions that a schema refers to, one for each reference.
pub(super) fn references(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    each_reference(&mut schema.clone(), &mut |reference| {
        found.extend(reference.strip_prefix(PREFIX).map(str::to_owned));
    });
    found
}

fn each_reference(schema: &mut Value, see: &mut impl FnMut(&mut String)) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (&**key, value) {
                    ("$ref", Value::String(reference)) => see(reference),
                    // Their keys are names, which may be those of words.
                    ("properties" | "patternProperties" | "$defs", Value::Object(named)) => {
                        named.values_mut().for_each(|schema| each_reference(schema, see));
                    }
                    // Values, not schemas.
                    ("default" | "enum" | "const" | "examples", _) => {}
                    (_, value) => each_reference(value, see),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_reference(item, see)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema(definitions: Value) -> Schema {
        Schema::from(json!({ "$defs": definitions }))
    }

    #[test]
    fn what_a_definition_refers_to_comes_along_under_a_free_name() {
        let order = schema(json!({
            "Context": {"type": "object", "shared": true, "path": "$.order", "properties": {
                "item": {"$ref": "#/$defs/Item"}, "default": {"$ref": "#/$defs/Other"}
            }},
            "Item": {"type": "object", "path": "$.order.item", "properties": {"item": {"$ref": "#/$defs/Item"}}},
            "Other": {"type": "string", "path": "$.order.default"},
            "Unused": {}
        }));
        let open = schema(json!({
            "Context": {"configurable": true, "shared": true, "path": "$.context"},
            "Item": {"type": "string", "path": "$.item"}
        }));
        let taken = open.take("Context", &order.share("Context").unwrap());
        assert_eq!(
            Value::from(taken)["$defs"],
            json!({
                "Context": {"type": "object", "path": "$.context", "configurable": true, "shared": true, "properties": {
                    "item": {"$ref": "#/$defs/Item_context"}, "default": {"$ref": "#/$defs/Other"}
                }},
                "Item": {"type": "string", "path": "$.item"},
                "Item_context": {"type": "object", "path": "$.context.item", "properties": {
                    "item": {"$ref": "#/$defs/Item_context"}
                }},
                "Other": {"type": "string", "path": "$.context.default"}
            })
        );
    }

    #[test]
    fn a_bare_definition_never_masks_a_rich_one() {
        let bare = schema(json!({"C": {"shared": true, "title": "Bare"}}));
        let rich = schema(json!({"C": {"type": "string", "configurable": true}}));
        assert_eq!(rich.clone().take("C", &bare.share("C").unwrap()), rich);
        let open = schema(json!({"C": {"configurable": true, "title": "Open"}}));
        let taken = open.take("C", &bare.share("C").unwrap());
        assert_eq!(*taken.definition("C").unwrap(), json!({"title": "Bare", "configurable": true}));
    }

    #[test]
    fn a_type_that_rust_knows_is_narrowed_only() {
        let choice = json!({"type": "string", "enum": ["a"]});
        assert!(may_stand_for(&choice, &json!({})));
        assert!(may_stand_for(&choice, &json!({"type": ["string", "null"]})));
        assert!(!may_stand_for(&json!({"type": ["string", "null"]}), &json!({"type": "string"})));
        assert!(!may_stand_for(&json!({"type": "integer"}), &json!({"type": "string"})));
        let object = json!({"type": "object", "properties": {"a": {}}});
        assert!(
            !may_stand_for(&json!({"type": "object"}), &object),
            "nobody compared what is inside"
        );
    }
}
