//! Steps into a shape: to a member, an element, all that is below.

use super::shape::{Doubt, Form, List, Object, Possible, Rest, Shape};
use super::truth::changed;
use crate::words;

/// Of more places than this nothing is known: any JSON may be there.
const REACHED: usize = 256;

impl Shape {
    /// What each form gives; the doubt of a form is one of what it gives.
    pub(super) fn each(&self, of: impl Fn(&Form) -> Shape) -> Shape {
        let mut all = Shape::none();
        for it in self.forms() {
            let given = of(&it.form);
            let untyped = matches!(it.form, Form::Any | Form::Odd).then_some(Doubt::Untyped);
            all.join(&match it.doubt.or(untyped) {
                Some(doubt) => given.doubted(&doubt),
                None => given,
            });
        }
        all
    }

    /// The member `name` of it.
    pub(super) fn member(&self, name: &str) -> Shape {
        self.each(|form| match form {
            Form::Object(object) => object.member(name),
            Form::Any | Form::Odd => anything_or_nothing(),
            Form::Nothing(_) => form.clone().into(),
            other => {
                Form::nothing(format!("{} has no `{name}`", Shape::from(other.clone()))).into()
            }
        })
    }

    /// The element at `index` of it.
    pub(super) fn element(&self, index: i64) -> Shape {
        self.each(|form| match form {
            Form::List(list) => list.at(index),
            Form::Any | Form::Odd => anything_or_nothing(),
            Form::Nothing(_) => form.clone().into(),
            other => {
                Form::nothing(format!("{} has no elements", Shape::from(other.clone()))).into()
            }
        })
    }

    /// The same, where one of its members is known better. What cannot be an object with such a member is left out.
    pub(super) fn with_member(&self, name: &str, known: impl Fn(&Shape) -> Shape) -> Shape {
        changed(self, |form| {
            let Form::Object(object) = form else {
                return matches!(form, Form::Any | Form::Odd).then(|| form.clone());
            };
            let Some(at) = object.fields.iter().position(|(key, _)| **key == *name) else {
                return (!known(&Shape::from(form.clone()).member(name)).is_none())
                    .then(|| form.clone());
            };
            let mut object = (**object).clone();
            let field = &mut object.fields[at].1;
            let whole = Shape::from(form.clone()).member(name);
            let better = known(&whole);
            // Where nothing is not among what may stand there, the member is there.
            let is_nothing = |it: &Possible| matches!(it.form, Form::Nothing(_));
            field.sent = !better.0.iter().any(is_nothing);
            field.shape = better.without(|form| matches!(form, Form::Nothing(_)));
            (!field.shape.is_none()).then(|| Form::Object(object.into()))
        })
    }

    /// What the elements of its lists are. Of what is no list there are none.
    pub(super) fn elements(&self) -> Shape {
        self.each(|form| match form {
            Form::List(list) => list.any(),
            Form::Any | Form::Odd => Form::Any.into(),
            _ => Shape::none(),
        })
    }

    /// What the values of its objects are.
    pub(super) fn values(&self) -> Shape {
        self.each(|form| match form {
            Form::Object(object) => object.values(),
            Form::Any | Form::Odd => Form::Any.into(),
            _ => Shape::none(),
        })
    }

    /// All that is in it, at any depth, and itself.
    pub(super) fn reached(&self) -> Vec<Shape> {
        let (mut seen, mut open, mut reached) = (Vec::new(), vec![self.clone()], Vec::new());
        while let Some(mut shape) = open.pop() {
            shape.0.retain(|it| match &it.form {
                Form::Named(named) => {
                    let new = !seen.contains(&named.key());
                    seen.extend(new.then(|| named.key()));
                    new
                }
                _ => true,
            });
            if shape.is_none() {
                continue;
            }
            let below = [shape.elements(), shape.values()];
            if is_any(&shape) || reached.len() > REACHED {
                return vec![Shape::any()];
            }
            open.extend(below);
            reached.push(shape);
        }
        reached
    }
}

fn is_any(shape: &Shape) -> bool {
    shape.0.iter().any(|it| matches!(it.form, Form::Any | Form::Odd))
}

/// What is in something of which nothing is known; the doubt is that of the whole.
fn anything_or_nothing() -> Shape {
    let nothing = Form::nothing(Doubt::Untyped.to_string());
    [Form::Any, nothing].into_iter().map(|form| Possible { form, doubt: None }).collect()
}

impl Object {
    fn member(&self, name: &str) -> Shape {
        if let Some(field) = self.field(name) {
            let shape = field.shape.clone();
            return if field.sent {
                shape
            } else {
                shape.perhaps(Form::nothing(Doubt::LeftOut.to_string()), Doubt::LeftOut)
            };
        }
        let of_key = |values: &Shape| {
            values.clone().perhaps(Form::nothing(Doubt::Key.to_string()), Doubt::Key)
        };
        match &self.rest {
            Rest::Keys(values) | Rest::Like(_, values) => of_key(values),
            Rest::Ignored | Rest::Denied => {
                let names = || self.fields.iter().map(|(key, _)| &**key);
                let own =
                    self.name.as_ref().map_or_else(|| "it".to_owned(), |name| format!("`{name}`"));
                let near = words::did_you_mean(name, names());
                Form::nothing(format!("{own} has no `{name}`{near}, only {}", words::list(names())))
                    .into()
            }
        }
    }

    /// What any of its values may be.
    fn values(&self) -> Shape {
        let mut all: Shape =
            self.fields.iter().flat_map(|(_, field)| field.shape.0.iter().cloned()).collect();
        if let Rest::Keys(values) | Rest::Like(_, values) = &self.rest {
            all.join(values);
        }
        all.without(|form| matches!(form, Form::Nothing(_)))
    }
}

impl List {
    fn at(&self, index: i64) -> Shape {
        let shorter =
            |shape: Shape| shape.perhaps(Form::nothing(Doubt::Shorter.to_string()), Doubt::Shorter);
        let none = || Shape::from(Form::nothing("the list has not as many elements"));
        let count = index.unsigned_abs().saturating_add(u64::from(index >= 0));
        if self.most.is_some_and(|most| most < count) {
            return none();
        }
        if index < 0 {
            let fixed = self.most == Some(self.least);
            let place = usize::try_from(self.least.saturating_sub(count)).unwrap_or(usize::MAX);
            let shape = if fixed { self.element(place).clone() } else { self.any() };
            return if self.least >= count { shape } else { shorter(shape) };
        }
        let shape = self.element(usize::try_from(index).unwrap_or(usize::MAX)).clone();
        if self.least >= count { shape } else { shorter(shape) }
    }
}

/// Forms of which something is asked, told apart.
pub(super) fn split(shape: &Shape, is: impl Fn(&Form) -> bool) -> (Shape, Shape) {
    let (yes, no): (Vec<Possible>, Vec<Possible>) =
        shape.forms().into_iter().partition(|it| is(&it.form));
    (Shape(yes), Shape(no))
}
