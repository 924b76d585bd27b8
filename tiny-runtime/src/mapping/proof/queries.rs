//! What queries of RFC 9535 select.

use super::super::query::{Query, Segment, Selector, Start};
use super::infer::{Infer, kept};
use super::shape::{Form, Shape};

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
            Selector::All | Selector::Filter(_) => shape.elements().or(&shape.values()),
        };
        all.join(&there(&found));
    }
    all
}
