//! The receiver's message, deserialized from the plan: no JSON value of the whole is built on the way.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Visitor,
};
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use super::plan::{Node, Plan, Source};
use super::{Held, MapError, Slots, text};
use crate::component::json;
use crate::words;

type Error = serde_json::Error;

/// The largest mapped message, in bytes of what it takes from the sender's.
pub(super) const LIMIT: usize = 4 * 1024 * 1024;

/// The receiver's message as a `T`. To know the way to a fault costs a third of the whole, so it is asked for only when there is one,
/// of what is read once more.
pub(super) fn typed<T: DeserializeOwned>(
    plan: &Plan,
    read: impl Fn() -> Result<Slots, MapError>,
) -> Result<T, MapError> {
    let slots = Feed::of(plan, read()?);
    if let Ok(message) = T::deserialize(Fed { node: &plan.root, feed: &slots }) {
        return Ok(message);
    }
    let slots = Feed::of(plan, read()?);
    let feed = Fed { node: &plan.root, feed: &slots };
    serde_path_to_error::deserialize(feed).map_err(|e| explained(plan, &e))
}

/// The receiver's message as JSON.
pub(super) fn value(plan: &Plan, slots: Slots) -> Result<Value, MapError> {
    let feed = Feed::of(plan, slots);
    Ok(feed.value(&plan.root)?.unwrap_or(Value::Null))
}

/// Says which field does not fit and which expression feeds it.
fn explained(plan: &Plan, error: &serde_path_to_error::Error<Error>) -> MapError {
    let (path, inner) = (error.path(), words::without_content(&error.inner().to_string()));
    let place = path.to_string();
    let sentence = words::at(&place, &inner);
    let Some(node) = node_at(&plan.root, path.iter()) else { return MapError(sentence) };
    if let Some(field) =
        inner.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'))
    {
        let step = Segment::Map { key: field.to_owned() };
        if let Some(Node::Slot(source)) = node_at(node, std::iter::once(&step)) {
            let place = if place == "." { field.to_owned() } else { format!("{place}.{field}") };
            return MapError(format!(
                "`{place}`: `{{{{ {} }}}}` gives nothing, and the field is required",
                source.text
            ));
        }
    }
    match node {
        Node::Slot(source) if !inner.contains(&source.text) => {
            MapError(format!("{sentence} (from `{{{{ {} }}}}`)", source.text))
        }
        _ => MapError(sentence),
    }
}

/// The node that feeds the field at `path`; the slot above it when the path leads into a value that was read.
fn node_at<'a>(root: &'a Node, path: impl Iterator<Item = &'a Segment>) -> Option<&'a Node> {
    let mut node = root;
    for step in path {
        node = match (node, step) {
            (Node::Object(fields), Segment::Map { key }) => {
                &fields.iter().find(|(name, _)| name == key)?.1
            }
            (Node::List(items), Segment::Seq { index }) => items.get(*index)?,
            (Node::Slot(_), _) => return Some(node),
            _ => return None,
        };
    }
    Some(node)
}

/// The slots while a message is built of them.
struct Feed<'a> {
    slots: RefCell<Slots>,
    uses: &'a [u32],
    /// Bytes that may still be taken: a small mapping that names a large value often must not fill the memory.
    left: Cell<usize>,
}

impl<'a> Feed<'a> {
    fn of(plan: &'a Plan, slots: Slots) -> Self {
        Self { slots: RefCell::new(slots), uses: &plan.uses, left: Cell::new(LIMIT) }
    }

    fn is_missing(&self, node: &Node) -> bool {
        match node {
            Node::Slot(Source { slot, .. }) => {
                self.slots.borrow().0.get(*slot).is_none_or(Option::is_none)
            }
            _ => false,
        }
    }

    /// What a slot holds: moved out of it when nothing else reads it.
    fn take(&self, slot: usize) -> Result<Option<Value>, MapError> {
        let mut slots = self.slots.borrow_mut();
        let Some(held) = slots.0.get_mut(slot) else { return Ok(None) };
        self.weigh(held.as_ref().map(Held::value))?;
        let held = if self.uses.get(slot) == Some(&1) { held.take() } else { held.clone() };
        Ok(held.map(Held::into_value))
    }

    /// The reference that a node holds, when what it holds was read as one.
    fn shared(&self, node: &Node) -> Option<Arc<Value>> {
        let Node::Slot(Source { slot, .. }) = node else { return None };
        match self.slots.borrow().0.get(*slot) {
            Some(Some(Held::Shared(value))) => Some(value.clone()),
            _ => None,
        }
    }

    fn weigh(&self, value: Option<&Value>) -> Result<(), MapError> {
        let left = self.left.get().checked_sub(value.map_or(0, weight));
        self.left.set(left.ok_or_else(too_large)?);
        Ok(())
    }

    /// The value of a node; `None` when its path led nowhere.
    fn value(&self, node: &Node) -> Result<Option<Value>, MapError> {
        Ok(Some(match node {
            Node::Literal(value) => value.clone(),
            Node::Slot(Source { slot, .. }) => return self.take(*slot),
            Node::Text(pieces) => {
                let text = text::joined(pieces, &self.slots.borrow(), self.left.get())?;
                let text = Value::from(text.ok_or_else(too_large)?);
                self.weigh(Some(&text))?;
                text
            }
            Node::List(items) => {
                let items =
                    items.iter().map(|item| self.value(item).map(Option::unwrap_or_default));
                items.collect::<Result<Vec<_>, _>>()?.into()
            }
            Node::Object(fields) => {
                let mut map = Map::with_capacity(fields.len());
                for (key, node) in fields {
                    if let Some(value) = self.value(node)? {
                        map.insert(key.clone(), value);
                    }
                }
                map.into()
            }
        }))
    }
}

pub(super) fn too_large() -> MapError {
    MapError(format!("the mapped message is larger than {} MiB", LIMIT / 1024 / 1024))
}

/// About the bytes of a value as JSON.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| weight(item) + 1).sum::<usize>() + 2,
        Value::Object(map) => {
            map.iter().map(|(key, value)| key.len() + 4 + weight(value)).sum::<usize>() + 2
        }
    }
}

/// One node, ready to be deserialized.
#[derive(Clone, Copy)]
struct Fed<'a> {
    node: &'a Node,
    feed: &'a Feed<'a>,
}

impl Fed<'_> {
    /// The value of a node that is not taken apart.
    fn whole(self) -> Result<Value, Error> {
        let value = self.feed.value(self.node).map_err(Error::custom)?;
        value.ok_or_else(|| match self.node {
            Node::Slot(source) => {
                Error::custom(format!("`{{{{ {} }}}}` gives nothing", source.text))
            }
            _ => Error::custom("there is nothing"),
        })
    }
}

/// Literals lend themselves, everything else is built: each is a deserializer of its own.
macro_rules! forward {
    ($($method:ident($($arg:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, Error> {
            match self.node {
                Node::Literal(value) => value.$method($($arg,)* visitor),
                _ => self.whole()?.$method($($arg,)* visitor),
            }
        }
    )*};
}

/// Objects and lists are visited node by node.
macro_rules! structured {
    ($($method:ident($($arg:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, Error> {
            match self.node {
                Node::Object(fields) => visitor.visit_map(Fields::of(fields, self.feed)),
                Node::List(items) => visitor.visit_seq(Items { items: items.iter(), feed: self.feed }),
                Node::Literal(value) => value.$method($($arg,)* visitor),
                _ => self.whole()?.$method($($arg,)* visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Fed<'de> {
    type Error = Error;

    forward! {
        deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128() deserialize_f32()
        deserialize_f64() deserialize_char() deserialize_str() deserialize_string() deserialize_bytes()
        deserialize_byte_buf() deserialize_unit() deserialize_identifier()
        deserialize_unit_struct(name: &'static str)
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }

    structured! {
        deserialize_any() deserialize_seq() deserialize_map()
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node {
            _ if self.feed.is_missing(self.node) => visitor.visit_none(),
            Node::Literal(value) => value.deserialize_option(visitor),
            Node::Slot(_) if self.feed.shared(self.node).is_some_and(|value| !value.is_null()) => {
                visitor.visit_some(self)
            }
            Node::Slot(_) => self.whole()?.deserialize_option(visitor),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == json::NAME
            && let Some(value) = self.feed.shared(self.node)
        {
            json::hand(value);
            return visitor.visit_unit();
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

/// The fields of an object. One whose path led nowhere is left out, so that its default or `None` takes its place.
struct Fields<'a> {
    rest: std::slice::Iter<'a, (String, Node)>,
    next: Option<&'a Node>,
    feed: &'a Feed<'a>,
}

impl<'a> Fields<'a> {
    fn of(fields: &'a [(String, Node)], feed: &'a Feed<'a>) -> Self {
        Self { rest: fields.iter(), next: None, feed }
    }
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let feed = self.feed;
        let Some((key, node)) = self.rest.by_ref().find(|(_, node)| !feed.is_missing(node)) else {
            return Ok(None);
        };
        self.next = Some(node);
        seed.deserialize(Key(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let node = self.next.take().ok_or_else(|| Error::custom("a value before its key"))?;
        seed.deserialize(Fed { node, feed: self.feed })
    }
}

/// The key of a field, or of a map: there numbers and booleans are text, as in JSON.
struct Key<'a>(&'a str);

macro_rules! as_text {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0.parse() {
                Ok(key) => visitor.$visit(key),
                Err(_) => visitor.visit_borrowed_str(self.0),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = Error;

    as_text! {
        deserialize_bool visit_bool deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32
        deserialize_i64 visit_i64 deserialize_i128 visit_i128 deserialize_u8 visit_u8 deserialize_u16 visit_u16
        deserialize_u32 visit_u32 deserialize_u64 visit_u64 deserialize_u128 visit_u128 deserialize_f32 visit_f32
        deserialize_f64 visit_f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let key: StrDeserializer<'_, Error> = self.0.into_deserializer();
        key.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The elements of a list.
struct Items<'a> {
    items: std::slice::Iter<'a, Node>,
    feed: &'a Feed<'a>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(node) = self.items.next() else { return Ok(None) };
        // An element cannot be left out: those after it would move.
        if self.feed.is_missing(node) {
            return seed.deserialize(Missing(node)).map(Some);
        }
        seed.deserialize(Fed { node, feed: self.feed }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// An element whose path led nowhere: null where that fits.
struct Missing<'a>(&'a Node);

impl<'de> Deserializer<'de> for Missing<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit().map_err(|e: Error| match self.0 {
            Node::Slot(source) => {
                Error::custom(format!("`{{{{ {} }}}}` gives nothing", source.text))
            }
            _ => e,
        })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_none()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
