//! The way to some place of a message.

use serde_json::{Map, Value};

use super::super::path::Segment;
use super::super::plan::Plan;
use super::shape::Shape;

/// The way to some place of a message, as definitions tell it: `$.order.item`.
#[derive(Clone, Debug, PartialEq)]
pub struct Way(pub(super) Vec<Segment>);

impl Way {
    /// The way that is written so; `None` where it leads to more than one place, or nowhere.
    pub fn of(path: &str) -> Option<Self> {
        let plan = Plan::expression(path).ok()?;
        match (&*plan.paths, &*plan.computed) {
            ([Some(path)], []) => Some(Self(path.clone())),
            _ => None,
        }
    }
}

impl Way {
    /// The part of a mapping, as it is written, that makes what is at this place; all of it where that cannot be told.
    pub fn part<'v>(&self, written: &'v Value) -> &'v Value {
        let older = |map: &Map<String, Value>| map.contains_key("expression");
        match (written, &*self.0) {
            (Value::Object(map), [Segment::Key(key), ..]) if !older(map) => {
                map.get(key).unwrap_or(&Value::Null)
            }
            _ => written,
        }
    }
}

impl Shape {
    /// What stands at some place of it.
    #[must_use]
    pub fn at(&self, way: &Way) -> Self {
        way.0.iter().fold(self.clone(), |shape, segment| shape.step(segment))
    }

    pub(super) fn step(&self, segment: &Segment) -> Self {
        match segment {
            Segment::Key(key) => self.member(key),
            Segment::Index(index) => self.element(*index),
        }
    }
}
