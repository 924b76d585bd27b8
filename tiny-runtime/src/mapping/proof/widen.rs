//! What becomes of shapes that go around: they must come to an end.

use std::sync::Arc;

use super::shape::{Doubt, Form, List, Numbers, Object, Possible, Rest, Shape};

/// Deeper than this nothing is followed around a circle of edges.
const DEEPEST: usize = 12;

impl Shape {
    /// The same as it comes out of a component that takes it in and passes it on: what is not there is null. What has grown too deep is
    /// any JSON.
    #[must_use]
    pub fn passed(self) -> Self {
        if self.depth() > DEEPEST {
            return Self::grown();
        }
        self.null_for_nothing()
    }

    /// The same, where numbers that are others than `before` have no bounds any more.
    #[must_use]
    pub fn widened(self, before: &Self) -> Self {
        let widened = |it: Possible| {
            let form = match it.form {
                Form::Number(numbers) if !before.0.iter().any(|other| other.form == it.form) => {
                    Form::Number(Numbers { from: None, to: None, ..numbers })
                }
                Form::List(list) => Form::List(Arc::new(list.widened(before))),
                Form::Object(object) => Form::Object(Arc::new(object.widened(before))),
                form => form,
            };
            Possible { form, ..it }
        };
        self.0.into_iter().map(widened).collect()
    }

    /// Any JSON, because it grows with each turn of a circle.
    pub fn grown() -> Self {
        Self(vec![Possible { form: Form::Any, doubt: Some(Doubt::Grows) }])
    }

    /// How deep it is nested: forms in forms, and definitions that were filled in definitions.
    pub(super) fn depth(&self) -> usize {
        let of = |it: &Possible| match &it.form {
            Form::List(list) => {
                1 + list.first.iter().chain([&list.rest]).map(Self::depth).max().unwrap_or(0)
            }
            Form::Object(object) => {
                let rest = match &object.rest {
                    Rest::Keys(shape) | Rest::Like(_, shape) => shape.depth(),
                    Rest::Ignored | Rest::Denied => 0,
                };
                1 + object
                    .fields
                    .iter()
                    .map(|(_, field)| field.shape.depth())
                    .max()
                    .unwrap_or(0)
                    .max(rest)
            }
            Form::Named(named) => 1 + named.depth(),
            _ => 1,
        };
        self.0.iter().map(of).max().unwrap_or(0)
    }
}

impl List {
    /// See [`Shape::widened`].
    fn widened(&self, before: &Shape) -> Self {
        let same = before.0.iter().find_map(|it| match &it.form {
            Form::List(list) if list.first.len() == self.first.len() => Some(list),
            _ => None,
        });
        let Some(same) = same else { return self.clone() };
        let mut list = self.clone();
        for (own, before) in list.first.iter_mut().zip(&same.first) {
            *own = std::mem::take(own).widened(before);
        }
        list.rest = std::mem::take(&mut list.rest).widened(&same.rest);
        list
    }
}

impl Object {
    /// See [`Shape::widened`]: beside the object of the same fields.
    fn widened(&self, before: &Shape) -> Self {
        let names =
            |object: &Self| object.fields.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
        let own = names(self);
        let same = before.0.iter().find_map(|it| match &it.form {
            Form::Object(object) if names(object) == own => Some(object),
            _ => None,
        });
        let Some(same) = same else { return self.clone() };
        let mut object = self.clone();
        for ((_, field), (_, before)) in object.fields.iter_mut().zip(&same.fields) {
            field.shape = std::mem::take(&mut field.shape).widened(&before.shape);
        }
        if let (Rest::Keys(own) | Rest::Like(_, own), Rest::Keys(before) | Rest::Like(_, before)) =
            (&mut object.rest, &same.rest)
        {
            *own = std::mem::take(own).widened(before);
        }
        object
    }
}
