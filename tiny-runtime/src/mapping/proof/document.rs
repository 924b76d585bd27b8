//! Schemas, read as shapes. A definition is read when somebody asks for it, so one that holds itself comes to no harm.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

use super::pattern::Pattern;
use super::shape::{Field, Form, List, Numbers, Object, Possible, Rest, Shape, Texts};
use crate::component::rules::Bound;
use crate::schema::{Schema, Text};

/// Conditions that hold at one place at once, one within the other.
const CONDITIONS: usize = 8;
/// Forms that a combination of conditions may have.
const COMBINED: usize = 64;

/// Words of JSON schema that are no annotations, and that are not read here.
const UNREAD: [&str; 20] = [
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependentRequired",
    "propertyNames",
    "contains",
    "minContains",
    "maxContains",
    "minProperties",
    "maxProperties",
    "multipleOf",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "unevaluatedProperties",
    "unevaluatedItems",
    "$dynamicRef",
    "$recursiveRef",
    "dependencies",
];

/// What definitions say, with the documents that hold them.
type Read = HashMap<(usize, Arc<str>), (Document, Shape)>;

thread_local! {
    static READ: RefCell<Option<Read>> = const { RefCell::new(None) };
}

/// Calls `work`, while which each definition is read once on this thread. A document cannot keep what was read itself: that refers to
/// the document, and neither would ever go.
pub(super) fn remembering<T>(work: impl FnOnce() -> T) -> T {
    /// Forgets, also when `work` panics.
    struct Forget(bool);
    impl Drop for Forget {
        fn drop(&mut self) {
            if self.0 {
                READ.with_borrow_mut(|read| *read = None);
            }
        }
    }
    let first = READ.with_borrow_mut(|read| {
        let first = read.is_none();
        read.get_or_insert_default();
        first
    });
    let _forget = Forget(first);
    work()
}

/// A schema that was parsed. A clone is a reference count.
#[derive(Clone)]
pub struct Document(Arc<Inner>);

struct Inner {
    text: Text,
    root: Arc<Schema>,
    /// Definitions of which more is known than they say.
    filled: BTreeMap<String, Shape>,
    /// The document before they were filled, for the definitions that do not lead to one of them: those are read there, once for all.
    plain: Option<Document>,
    /// Definitions that lead to one that was filled.
    touched: BTreeSet<String>,
    depth: usize,
    /// What each definition refers to, once somebody has asked.
    references: OnceLock<BTreeMap<String, Vec<String>>>,
}

impl Document {
    /// Of a schema as a value.
    pub fn of(schema: &Value) -> Self {
        Self::new(Text::from(schema), schema.clone())
    }

    /// Of a schema as text.
    pub fn parsed(text: &Text) -> Self {
        Self::new(text.clone(), text.value())
    }

    fn new(text: Text, root: Value) -> Self {
        let root = Arc::new(Schema::from(root));
        Self(Arc::new(Inner {
            text,
            root,
            filled: BTreeMap::new(),
            plain: None,
            touched: BTreeSet::new(),
            depth: 1,
            references: OnceLock::new(),
        }))
    }

    /// The same schema, where what is known of some definitions stands in their place.
    #[must_use]
    pub fn filled(&self, filled: BTreeMap<String, Shape>) -> Self {
        if filled.is_empty() {
            return self.clone();
        }
        let depth = 1 + filled.values().map(Shape::depth).max().unwrap_or(0);
        let touched = self.leading_to(filled.keys());
        Self(Arc::new(Inner {
            text: self.0.text.clone(),
            root: self.0.root.clone(),
            filled,
            plain: Some(self.clone()),
            touched,
            depth,
            references: OnceLock::new(),
        }))
    }

    /// The definitions that lead to one of these.
    fn leading_to<'n>(&self, names: impl Iterator<Item = &'n String>) -> BTreeSet<String> {
        let references = self.0.references.get_or_init(|| self.0.root.references());
        let mut touched: BTreeSet<String> = names.cloned().collect();
        loop {
            let leads = |names: &Vec<String>| names.iter().any(|name| touched.contains(name));
            let more =
                references.iter().filter(|(name, names)| leads(names) && !touched.contains(*name));
            let more: Vec<String> = more.map(|(name, _)| name.clone()).collect();
            if more.is_empty() {
                return touched;
            }
            touched.extend(more);
        }
    }

    /// What it says.
    pub fn shape(&self) -> Shape {
        self.read(self.0.root.value(), None, 0)
    }

    /// The schema itself.
    pub fn schema(&self) -> &Schema {
        &self.0.root
    }

    /// What a definition says.
    pub fn definition(&self, name: &str) -> Shape {
        self.referred(&format!("#/$defs/{name}"))
    }

    fn read(&self, schema: &Value, name: Option<&Arc<str>>, depth: usize) -> Shape {
        let schema = match schema {
            Value::Bool(false) => return Shape::none(),
            Value::Object(schema) => schema,
            _ => return Shape::any(),
        };
        if depth > CONDITIONS || UNREAD.iter().any(|word| schema.contains_key(*word)) {
            return Form::Odd.into();
        }
        let mut conditions = Vec::new();
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            conditions.push(self.referred(reference));
        }
        for word in ["anyOf", "oneOf"] {
            if let Some(Value::Array(branches)) = schema.get(word) {
                let branches = branches.iter().flat_map(|it| self.read(it, None, depth + 1).0);
                conditions.push(branches.collect());
            }
        }
        for branch in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            conditions.push(self.read(branch, None, depth + 1));
        }
        conditions.extend(self.own(schema, name, depth));
        let mut conditions = conditions.into_iter();
        let Some(first) = conditions.next() else { return Shape::any() };
        conditions.fold(first, |both, next| combined(&both, &next, 0))
    }

    fn referred(&self, reference: &str) -> Shape {
        let Some(name) = reference.strip_prefix("#/$defs/") else { return Form::Odd.into() };
        if let Some(shape) = self.0.filled.get(name) {
            return shape.clone();
        }
        match self.0.root.definition(name) {
            Some(_) => {
                let plain = self.0.plain.as_ref().filter(|_| !self.0.touched.contains(name));
                let document = plain.unwrap_or(self).clone();
                Form::Named(Named { document, name: name.into() }).into()
            }
            None => Form::Odd.into(),
        }
    }

    /// What the schema says by itself; nothing where it says nothing.
    fn own(
        &self,
        schema: &Map<String, Value>,
        name: Option<&Arc<str>>,
        depth: usize,
    ) -> Option<Shape> {
        let mut types: Vec<&str> = match schema.get("type") {
            Some(Value::String(ty)) => vec![ty],
            Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let chosen = match (schema.get("const"), schema.get("enum")) {
            (Some(only), _) => Some(std::slice::from_ref(only)),
            (None, Some(Value::Array(values))) => Some(values.as_slice()),
            _ => None,
        };
        if let Some(values) = chosen {
            let is_of_type =
                |value: &&Value| types.is_empty() || types.iter().any(|ty| is_of(value, ty));
            return Some(
                values.iter().filter(is_of_type).flat_map(|value| Shape::value(value).0).collect(),
            );
        }
        if types.is_empty() {
            let has = |words: &[&str]| words.iter().any(|word| schema.contains_key(*word));
            if has(&["properties", "required", "additionalProperties", "patternProperties"]) {
                types.push("object");
            } else if has(&["items", "prefixItems"]) {
                types.push("array");
            } else {
                return None;
            }
        }
        let form = |ty: &str| match ty {
            "null" => Form::Null,
            "boolean" => Form::Bool(None),
            "integer" => numbers(schema, true),
            "number" => numbers(schema, false),
            "string" => texts(schema),
            "array" => self.list(schema, depth),
            "object" => self.object(schema, name, depth),
            _ => Form::Odd,
        };
        Some(types.into_iter().map(|ty| Possible { form: form(ty), doubt: None }).collect())
    }

    fn list(&self, schema: &Map<String, Value>, depth: usize) -> Form {
        let first = schema.get("prefixItems").and_then(Value::as_array).into_iter().flatten();
        let first: Vec<Shape> = first.map(|item| self.read(item, None, depth + 1)).collect();
        let rest =
            schema.get("items").map_or_else(Shape::any, |items| self.read(items, None, depth + 1));
        let count = |word: &str| schema.get(word).and_then(Value::as_u64);
        let most = if rest.is_none() { Some(first.len() as u64) } else { None };
        Form::List(Arc::new(List {
            first,
            rest,
            least: count("minItems").unwrap_or(0),
            most: count("maxItems").into_iter().chain(most).min(),
            unique: schema.get("uniqueItems") == Some(&Value::Bool(true)),
        }))
    }

    fn object(&self, schema: &Map<String, Value>, name: Option<&Arc<str>>, depth: usize) -> Form {
        let names = |word: &str| -> Vec<&str> {
            let names = schema.get(word).and_then(Value::as_array).into_iter().flatten();
            names.filter_map(Value::as_str).collect()
        };
        let (required, sent) = (names("required"), names("alwaysSent"));
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let field = |(key, property): (&String, &Value)| {
            let required = required.contains(&key.as_str());
            let sent = required || sent.contains(&key.as_str());
            (
                key.as_str().into(),
                Field { shape: self.read(property, None, depth + 1), required, sent },
            )
        };
        let mut fields: Vec<(Arc<str>, Field)> = properties.map(field).collect();
        for key in required {
            if !fields.iter().any(|(own, _)| **own == *key) {
                fields.push((key.into(), Field::there(Shape::any())));
            }
        }
        let patterns = schema.get("patternProperties").and_then(Value::as_object);
        let rest = match (patterns, schema.get("additionalProperties")) {
            (Some(patterns), Some(Value::Bool(false))) if patterns.len() == 1 => {
                let (pattern, value) =
                    patterns.iter().next().unwrap_or_else(|| unreachable!("one was counted"));
                Rest::Like(Pattern::of(pattern), self.read(value, None, depth + 1))
            }
            (Some(_), _) => return Form::Odd,
            (None, Some(Value::Bool(false))) => Rest::Denied,
            (None, Some(values)) => Rest::Keys(self.read(values, None, depth + 1)),
            (None, None) if fields.is_empty() && !schema.contains_key("properties") => {
                Rest::Keys(Shape::any())
            }
            (None, None) => Rest::Ignored,
        };
        Form::Object(Arc::new(Object { name: name.cloned(), fields, rest }))
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.text.as_ptr() == other.0.text.as_ptr() && self.0.filled == other.0.filled)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} bytes, {} filled)", self.0.text.len(), self.0.filled.len())
    }
}

/// A definition of a document.
#[derive(Clone, PartialEq)]
pub(super) struct Named {
    document: Document,
    name: Arc<str>,
}

impl Named {
    /// What it says.
    pub(super) fn shape(&self) -> Shape {
        let key = (Arc::as_ptr(&self.document.0).addr(), self.name.clone());
        let known =
            READ.with_borrow(|read| read.as_ref()?.get(&key).map(|(_, shape)| shape.clone()));
        known.unwrap_or_else(|| {
            let shape = self.read();
            READ.with_borrow_mut(|read| {
                read.as_mut().map(|read| read.insert(key, (self.document.clone(), shape.clone())))
            });
            shape
        })
    }

    fn read(&self) -> Shape {
        let definition = self.document.0.root.definition(&self.name);
        definition.map_or_else(Shape::any, |it| self.document.read(it, Some(&self.name), 0))
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(super) fn depth(&self) -> usize {
        self.document.0.depth
    }

    /// What tells it from all others while both are held.
    pub(super) fn key(&self) -> (usize, Arc<str>) {
        let inner = &self.document.0;
        let document = if inner.filled.is_empty() {
            inner.text.as_ptr().addr()
        } else {
            Arc::as_ptr(inner).addr()
        };
        (document, self.name.clone())
    }
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Named({} of {:?})", self.name, self.document)
    }
}

fn is_of(value: &Value, ty: &str) -> bool {
    match value {
        Value::Null => ty == "null",
        Value::Bool(_) => ty == "boolean",
        Value::Number(number) => ty == "number" || (ty == "integer" && !number.is_f64()),
        Value::String(_) => ty == "string",
        Value::Array(_) => ty == "array",
        Value::Object(_) => ty == "object",
    }
}

fn numbers(schema: &Map<String, Value>, whole: bool) -> Form {
    let bound = |word: &str| {
        let number = schema.get(word)?.as_number()?;
        match number.as_i128() {
            Some(whole) => Some(Bound::Whole(whole)),
            None => number.as_f64().map(Bound::Real),
        }
    };
    Form::Number(Numbers { whole, from: bound("minimum"), to: bound("maximum") })
}

/// Formats that say how a form shows a field: any text may stand there.
const OF_FORMS: [&str; 2] = ["password", "textarea"];

fn texts(schema: &Map<String, Value>) -> Form {
    let word = |word: &str| schema.get(word).and_then(Value::as_str).map(Arc::from);
    let count = |word: &str| schema.get(word).and_then(Value::as_u64);
    let format = word("format").filter(|format: &Arc<str>| !OF_FORMS.contains(&&**format));
    Form::Text(Arc::new(Texts {
        choices: None,
        format,
        pattern: schema.get("pattern").and_then(Value::as_str).map(Pattern::of),
        least: count("minLength").unwrap_or(0),
        most: count("maxLength"),
    }))
}

/// What keeps both conditions.
fn combined(one: &Shape, other: &Shape, depth: usize) -> Shape {
    if depth > CONDITIONS {
        return Form::Odd.into();
    }
    let (one, other) = (one.forms(), other.forms());
    if one.len() * other.len() > COMBINED {
        return Form::Odd.into();
    }
    let pairs = one.iter().flat_map(|one| other.iter().map(move |other| (one, other)));
    let both = pairs.filter_map(|(one, other)| {
        let form = match (&one.form, &other.form) {
            (Form::Any, form) | (form, Form::Any) => form.clone(),
            (one, other) if one == other => one.clone(),
            (Form::Odd, _) | (_, Form::Odd) => Form::Odd,
            (Form::Object(one), Form::Object(other)) => both_objects(one, other, depth),
            (Form::Bool(one), Form::Bool(other)) => match (one, other) {
                (None, only) | (only, None) => Form::Bool(*only),
                _ => return None,
            },
            (Form::Number(_), Form::Number(_))
            | (Form::Text(_), Form::Text(_))
            | (Form::List(_), Form::List(_)) => Form::Odd,
            _ => return None,
        };
        let is_any = |it: &Possible| matches!(it.form, Form::Any);
        let doubt = match (is_any(one), is_any(other)) {
            (true, false) => other.doubt.clone(),
            (false, true) => one.doubt.clone(),
            _ => one.doubt.clone().or_else(|| other.doubt.clone()),
        };
        Some(Possible { form, doubt })
    });
    both.collect()
}

fn both_objects(one: &Object, other: &Object, depth: usize) -> Form {
    let rest = match (&one.rest, &other.rest) {
        (Rest::Ignored, Rest::Ignored) => Rest::Ignored,
        (Rest::Keys(it), Rest::Ignored) | (Rest::Ignored, Rest::Keys(it)) => Rest::Keys(it.clone()),
        _ => return Form::Odd,
    };
    let mut fields = one.fields.clone();
    for (key, field) in &other.fields {
        match fields.iter_mut().find(|(own, _)| own == key) {
            None => fields.push((key.clone(), field.clone())),
            Some((_, own)) => {
                own.shape = combined(&own.shape, &field.shape, depth + 1);
                own.required |= field.required;
                own.sent |= field.sent;
            }
        }
    }
    // A field of which no value is possible: no such object.
    let name = one.name.clone().or_else(|| other.name.clone());
    Form::Object(Arc::new(Object { name, fields, rest }))
}
