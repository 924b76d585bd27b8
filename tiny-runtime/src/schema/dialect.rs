//! From what `schemars` makes of a type to the dialect: what has a definition of its own, how that is called, and where it stands.
//!
//! The walk is breadth first and in the order of declaration, so that names and paths come out the same every time. A definition is
//! known by what it says: two uses that say the same share one, two that differ (by a title, say) have one each. So a type that holds
//! itself comes to an end, and no use overwrites another.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value, json};

use super::{name, order, words};

type Object = Map<String, Value>;

/// Where `schemars` is told to put types, so that they cannot be taken for definitions.
pub(super) const TYPES: &str = "/types";
/// The name of the root among the types.
const ROOT: &str = "#";
/// Types that stand for another type, one behind the other.
const CHAIN: usize = 16;
/// What a field says of how its values travel between nodes.
const FLAGS: [&str; 2] = ["configurable", "shared"];

/// The document of the dialect for what `schemars` made of the type called `root`. One that is `nameless` has no definition.
pub(super) fn document(root: &str, nameless: bool, raw: Value) -> Value {
    let mut body = object(raw);
    body.shift_remove("$schema");
    let mut types = object(body.shift_remove("types").unwrap_or_default());
    // The title of a root is its type's name unless its author gave another one.
    if body.get("title").is_some_and(|title| title == root) {
        body.shift_remove("title");
    }
    // Under a name that no type has: another type of the root's name is none of `schemars`' concerns.
    types.insert(ROOT.to_owned(), body.clone().into());
    let mut walk =
        Walk { types, root, made: Map::new(), known: HashMap::new(), open: VecDeque::new() };
    let mut document = if nameless {
        walk.element(&mut body, "$");
        walk.inside(&mut body, "$");
        body
    } else {
        let whole = Field { body, ty: Some(root.to_owned()) };
        Map::from_iter([("$ref".to_owned(), walk.define(whole, "", "$").into())])
    };
    while let Some((name, path)) = walk.open.pop_front() {
        let mut body = object(walk.made.get(&name).cloned().unwrap_or_default());
        walk.inside(&mut body, &path);
        body.insert("path".into(), path.into());
        walk.made.insert(name, body.into());
    }
    document.insert("$defs".into(), walk.made.into());
    document.into()
}

/// What stands at some place: its own words and those of its type, together.
struct Field {
    body: Object,
    /// The name of its type; `None` for one that has none, such as a list.
    ty: Option<String>,
}

struct Walk<'a> {
    /// The types, as `schemars` has them.
    types: Object,
    root: &'a str,
    /// The definitions, in the order in which they were met.
    made: Object,
    /// The definition that says this.
    known: HashMap<String, String>,
    /// Definitions that were not looked into yet, with their paths.
    open: VecDeque<(String, String)>,
}

impl Walk<'_> {
    /// The reference to the definition of `field`, which is made when there is none yet. It is called for its type or, where that has
    /// no name, for the field; `hint` tells it from others of that name.
    fn define(&mut self, field: Field, hint: &str, path: &str) -> String {
        let base = name::of(field.ty.as_deref().unwrap_or(hint));
        let body = Value::Object(field.body);
        let says = format!("{base} {body}");
        let name = match self.known.get(&says) {
            Some(name) => name,
            None => {
                let name = name::free(&base, hint, |name| self.made.contains_key(name));
                self.made.insert(name.clone(), body);
                self.open.push_back((name.clone(), path.to_owned()));
                self.known.entry(says).or_insert(name)
            }
        };
        format!("#/$defs/{name}")
    }

    /// Brings all that is inside of `schema`, which stands at `path`, into the dialect.
    fn inside(&mut self, schema: &mut Object, path: &str) {
        words::plain(schema);
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            for (key, property) in properties.iter_mut() {
                *property = self.property(property.take(), key, &step(path, key));
            }
            order::settle(properties);
        }
        if let Some(items) = schema.get_mut("items") {
            *items = self.part(items.take(), &format!("{path}[0]"));
        }
        if let Some(Value::Array(items)) = schema.get_mut("prefixItems") {
            for (number, item) in items.iter_mut().enumerate() {
                *item = self.part(item.take(), &format!("{path}[{number}]"));
            }
        }
        if let Some(value) = schema.get_mut("additionalProperties") {
            *value = self.part(value.take(), &format!("{path}.*"));
        }
        if let Some(Value::Object(values)) = schema.get_mut("patternProperties") {
            for value in values.values_mut() {
                *value = self.part(value.take(), &format!("{path}.*"));
            }
        }
        for word in ["anyOf", "oneOf", "allOf"] {
            if let Some(Value::Array(branches)) = schema.get_mut(word) {
                branches.iter_mut().for_each(|branch| *branch = self.branch(branch.take(), path));
            }
        }
        // A reference beside other structure is one more condition at the same place.
        if let Some(ty) = schema.get("$ref").and_then(|reference| self.referred(reference)) {
            let body = object(self.types[&ty].clone());
            let ty = Some(self.called(ty));
            let reference = self.define(Field { body, ty }, "", path);
            schema.insert("$ref".into(), reference.into());
        }
    }

    /// A property of an object: a reference to its definition, or itself.
    fn property(&mut self, schema: Value, key: &str, path: &str) -> Value {
        let mut field = self.resolved(object(schema));
        let place = field.body.shift_remove("propertyOrder");
        if words::is_list(&field.body) {
            self.element(&mut field.body, path);
        }
        let flagged = FLAGS.iter().any(|flag| field.body.get(*flag) == Some(&true.into()));
        let structured = field.ty.is_some() && words::is_structured(&field.body);
        let mut property = if flagged || structured || words::is_anything(&field.body) {
            let reference = self.define(field, key, path);
            Map::from_iter([("$ref".to_owned(), reference.into())])
        } else {
            self.inside(&mut field.body, path);
            field.body
        };
        if let Some(place) = place {
            property.insert("propertyOrder".into(), place);
        }
        property.into()
    }

    /// The elements of a list that is a field: what they are has a definition, which has the flags of the list.
    fn element(&mut self, list: &mut Object, path: &str) {
        let Some(items) = list.get("items").filter(|items| items.is_object()) else { return };
        let scalar = words::scalar(items);
        let mut item = self.resolved(object(items.clone()));
        if item.ty.is_some() {
            for flag in FLAGS.into_iter().filter(|flag| list.get(*flag) == Some(&true.into())) {
                item.body.insert(flag.into(), true.into());
            }
        } else if scalar.is_some() {
            item.ty = scalar.map(str::to_owned);
        } else {
            return;
        }
        let reference = self.define(item, last(path), &format!("{path}[0]"));
        list.insert("items".into(), json!({ "$ref": reference }));
    }

    /// An element or a value of a map: a definition where its type has a name and a structure, else itself.
    fn part(&mut self, schema: Value, path: &str) -> Value {
        // `true` is anything, `false` nothing.
        if !schema.is_object() {
            return schema;
        }
        let mut field = self.resolved(object(schema));
        if field.ty.is_some() && words::is_structured(&field.body) {
            return json!({ "$ref": self.define(field, last(path), path) });
        }
        self.inside(&mut field.body, path);
        field.body.into()
    }

    /// One of several forms of a value.
    fn branch(&mut self, schema: Value, path: &str) -> Value {
        match schema {
            Value::Object(body) if body.contains_key("properties") => {
                let mut body = body;
                self.inside(&mut body, path);
                body.into()
            }
            other => self.part(other, path),
        }
    }

    /// The schema with all that its type says; its own words win.
    fn resolved(&self, mut own: Object) -> Field {
        let (mut ty, mut null) = (None, false);
        for _ in 0..CHAIN {
            null |= words::take_null(&mut own);
            // Beside other structure a reference is a condition more, and stays.
            let alone = !["properties", "anyOf", "oneOf", "allOf"]
                .iter()
                .any(|word| own.contains_key(*word));
            let referred = own.get("$ref").and_then(|reference| self.referred(reference));
            let Some(name) = referred.filter(|_| alone) else { break };
            own.shift_remove("$ref");
            let mut body = object(self.types[&name].clone());
            body.extend(own);
            own = body;
            ty.get_or_insert_with(|| self.called(name));
        }
        if null {
            words::allow_null(&mut own);
        }
        words::fold_choice(&mut own);
        Field { body: own, ty }
    }

    /// What the type at `key` is called.
    fn called(&self, key: String) -> String {
        if key == ROOT { self.root.to_owned() } else { key }
    }

    /// The key of the type that a reference of `schemars` means.
    fn referred(&self, reference: &Value) -> Option<String> {
        let name = match reference.as_str()? {
            "#" => ROOT,
            other => other.strip_prefix("#/types/")?,
        };
        self.types.contains_key(name).then(|| name.to_owned())
    }
}

/// The path of the member `key` of what stands at `path`.
fn step(path: &str, key: &str) -> String {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
    let is_name =
        key.starts_with(is_first) && key.chars().all(|c| is_first(c) || c.is_ascii_digit());
    if is_name {
        return format!("{path}.{key}");
    }
    let quoted = key.replace('\\', "\\\\").replace('\'', "\\'");
    format!("{path}['{quoted}']")
}

/// The last name in a path, which may be the only one.
fn last(path: &str) -> &str {
    let mut steps = path.rsplit(['.', '[']);
    let name = steps.find(|step| !step.ends_with(']') && *step != "*").unwrap_or_default();
    name.trim_start_matches('$')
}

/// What a schema says; the one that is `true` says nothing.
fn object(schema: Value) -> Object {
    match schema {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
