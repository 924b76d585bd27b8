//! What the schemas of ports say, each parsed once while proofs are settled.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::engine::site::Port;
use crate::mapping::{Document, Shape, Way};
use crate::schema::{self, Flag, Text};

/// The input that a field is taken from.
#[derive(Clone)]
pub(super) struct Input {
    pub(super) way: Way,
    /// What the input says of itself.
    pub(super) declared: Option<Shape>,
}

/// One settling, while which each schema is parsed once.
#[derive(Default)]
pub(super) struct Look {
    documents: RefCell<HashMap<*const u8, (Document, Open)>>,
    inputs: RefCell<HashMap<(*const u8, String), Option<Input>>>,
}

/// The definitions that a source passes on: their names, and those of their fields.
pub(super) type Open = Arc<[(Arc<str>, Arc<str>)]>;

impl Look {
    fn known(&self, text: &Text) -> (Document, Open) {
        if let Some(known) = self.documents.borrow().get(&text.as_ptr()) {
            return known.clone();
        }
        let document = Document::parsed(text);
        // A failure has the message that failed as it came in.
        let flags = [Flag::Shared, Flag::Configurable];
        let shared = flags.into_iter().flat_map(|flag| document.schema().definitions(flag));
        let mut shared: Vec<(&str, &Value)> =
            shared.filter(|(_, it)| !schema::is_said(it)).collect();
        shared.sort_by_key(|(name, _)| *name);
        shared.dedup_by_key(|(name, _)| *name);
        let open: Open = shared
            .into_iter()
            .map(|(name, it)| (name.into(), schema::field_of(it).into()))
            .collect();
        self.documents.borrow_mut().insert(text.as_ptr(), (document.clone(), open.clone()));
        (document, open)
    }

    pub(super) fn document(&self, text: &Text) -> Document {
        self.known(text).0
    }

    pub(super) fn open(&self, text: &Text) -> Vec<(Arc<str>, Arc<str>)> {
        if ![r#""shared":true"#, r#""configurable":true"#].iter().any(|flag| text.contains(flag)) {
            return Vec::new();
        }
        self.known(text).1.to_vec()
    }

    /// What a target takes: by its own words, and not by those that it got from others.
    pub(super) fn taken(&self, text: &Text) -> Shape {
        let document = self.document(text);
        if !text.contains(schema::SHARED_FROM) {
            return document.shape();
        }
        let all = document.schema().value().get("$defs").and_then(Value::as_object);
        let received =
            all.into_iter().flatten().filter(|(_, it)| it.get(schema::SHARED_FROM).is_some());
        document.filled(received.map(|(name, _)| (name.clone(), Shape::any())).collect()).shape()
    }

    /// Where a target takes in what is passed on under this name.
    pub(super) fn input(&self, port: &Port, name: &str, field: &str) -> Option<Input> {
        if port.is_source || !port.schema.contains(r#""configurable":true"#) {
            return None;
        }
        let key = (port.schema.as_ptr(), format!("{name} {field}"));
        if let Some(known) = self.inputs.borrow().get(&key) {
            return known.clone();
        }
        let input = self.read(port, name, field);
        self.inputs.borrow_mut().insert(key, input.clone());
        input
    }

    fn read(&self, port: &Port, name: &str, field: &str) -> Option<Input> {
        let document = self.document(&port.schema);
        let (name, definition) = document.schema().meant(name, field, Flag::Configurable)?;
        let way = Way::of(definition.get("path")?.as_str()?)?;
        let declared = schema::is_said(definition).then(|| document.definition(name));
        Some(Input { way, declared })
    }
}
