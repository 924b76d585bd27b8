//! What queries of RFC 9535 select.

use serde_json::Value;

use super::super::query::{Operand, Query, Segment, Selector, Start, Test};
use super::super::tree::Comparison;
use super::infer::Infer;
use super::shape::{Form, Shape};
use super::truth::kept;

impl Infer<'_> {
    /// The list that a query gives.
    pub(super) fn query(&self, query: &Query, current: &Shape) -> Shape {
        let start = match query.start {
            Start::Slot(slot) => self.slot(slot),
            Start::Current => current.clone(),
        };
        if start.is_none() {
            return start;
        }
        let mut found = there(&start);
        for segment in &query.segments {
            found = match segment {
                Segment::Child(selectors) => below(&found, selectors),
                Segment::Descend(selectors) => {
                    let mut all = Shape::none();
                    for shape in found.reached() {
                        all.join(&below(&shape, selectors));
                    }
                    all
                }
            };
        }
        Form::list(found).into()
    }
}

/// What of it is a value.
fn there(shape: &Shape) -> Shape {
    kept(shape, |form| !matches!(form, Form::Nothing(_)))
}

fn below(shape: &Shape, selectors: &[Selector]) -> Shape {
    let mut all = Shape::none();
    for selector in selectors {
        let found = match selector {
            Selector::Name(name) => shape.member(name),
            Selector::Index(index) => shape.element(*index),
            Selector::Slice { .. } => shape.elements(),
            Selector::All => shape.elements().or(&shape.values()),
            Selector::Filter(test) => filtered(&shape.elements().or(&shape.values()), test),
        };
        all.join(&there(&found));
    }
    all
}

/// Those of which a test may hold, with what it tells of their members.
fn filtered(shape: &Shape, test: &Test) -> Shape {
    match test {
        Test::All(tests) => tests.iter().fold(shape.clone(), |shape, test| filtered(&shape, test)),
        Test::Exists(query) => match member(query) {
            Some(name) => shape.with_member(name, there),
            None => shape.clone(),
        },
        Test::Compare(comparison, Operand::One(query), Operand::Literal(literal)) => {
            match (member(query), comparison, literal) {
                // What is not there is not null either.
                (Some(name), Comparison::Unequal, Value::Null) => shape
                    .with_member(name, |member| kept(member, |form| !matches!(form, Form::Null))),
                // What is not there equals nothing.
                (Some(name), Comparison::Equal, Value::String(_) | Value::Bool(_)) => {
                    let is_it = |form: &Form| {
                        !matches!(form, Form::Nothing(_)) && Shape::from(form.clone()).has(literal)
                    };
                    shape.with_member(name, |member| kept(member, is_it))
                }
                _ => shape.clone(),
            }
        }
        _ => shape.clone(),
    }
}

/// The member that a query from what is looked at means.
fn member(query: &Query) -> Option<&str> {
    match (query.start, &*query.segments) {
        (Start::Current, [Segment::Child(selectors)]) => match &**selectors {
            [Selector::Name(name)] => Some(name),
            _ => None,
        },
        _ => None,
    }
}
