//! What counts as true, as null, as something.

use std::sync::Arc;

use super::super::tree::Logic;
use super::shape::{Doubt, Form, Numbers, Possible, Shape, Texts};
use crate::component::rules::Bound;

/// Whether a value is null, where that is known. In JMESPath what is not there is null as well.
pub(super) fn is_null(logic: Logic, shape: &Shape) -> Option<bool> {
    let of = |it: &Possible| match &it.form {
        Form::Null => Some(true),
        Form::Nothing(_) => Some(logic == Logic::Jmes),
        Form::Any | Form::Odd => None,
        _ => Some(false),
    };
    let forms = shape.forms();
    let first = of(forms.first()?)?;
    forms.iter().all(|it| of(it) == Some(first)).then_some(first)
}

/// The forms of which `keep` holds. Definitions of which it holds whole stay what they are.
pub(super) fn kept(shape: &Shape, keep: impl Fn(&Form) -> bool) -> Shape {
    changed(shape, |form| keep(form).then(|| form.clone()))
}

pub(super) fn changed(shape: &Shape, change: impl Fn(&Form) -> Option<Form>) -> Shape {
    let mut all = Shape::none();
    for it in &shape.0 {
        let one = Shape(vec![it.clone()]);
        let forms = one.forms();
        if forms.iter().all(|it| change(&it.form).as_ref() == Some(&it.form)) {
            all.add(it.clone());
            continue;
        }
        for it in forms {
            if let Some(form) = change(&it.form) {
                all.add(Possible { form, doubt: it.doubt });
            }
        }
    }
    all
}

/// What of it is a value, and not null.
pub(super) fn something(shape: &Shape) -> Shape {
    let mut all = kept(shape, |form| !is_empty(form));
    for it in shape.forms() {
        if matches!(it.form, Form::Any | Form::Odd) {
            all.join(&Shape::something(it.doubt.or(Some(Doubt::Untyped))));
        }
    }
    all
}

/// Whether a form has, or may have, no value.
pub(super) fn is_empty(form: &Form) -> bool {
    matches!(form, Form::Nothing(_) | Form::Null | Form::Any | Form::Odd)
}

/// What of it counts as true.
pub(super) fn holding(logic: Logic, shape: &Shape) -> Shape {
    changed(&something(shape), |form| match form {
        Form::Nothing(_) | Form::Null | Form::Bool(Some(false)) => None,
        Form::Bool(None) => Some(Form::Bool(Some(true))),
        Form::Number(numbers) if logic == Logic::Dollar && is_zero(*numbers) => None,
        Form::Text(texts) => {
            let Some(choices) = &texts.choices else { return Some(form.clone()) };
            let choices: Vec<_> = choices.iter().filter(|it| !it.is_empty()).cloned().collect();
            if choices.is_empty() {
                return None;
            }
            Some(Form::Text(Arc::new(Texts { choices: Some(choices), ..(**texts).clone() })))
        }
        Form::List(list) if list.most == Some(0) => None,
        form => Some(form.clone()),
    })
}

/// What of it does not.
pub(super) fn not_holding(logic: Logic, shape: &Shape) -> Shape {
    changed(shape, |form| match form {
        Form::Bool(Some(true)) => None,
        Form::Bool(None) => Some(Form::Bool(Some(false))),
        Form::Number(numbers) => {
            let zero = Bound::Whole(0);
            let zero = Numbers { whole: numbers.whole, from: Some(zero), to: Some(zero) };
            let may_be = logic == Logic::Dollar && !zero.are_outside(*numbers);
            may_be.then_some(Form::Number(zero))
        }
        Form::Text(texts) => {
            let may_be = match &texts.choices {
                Some(choices) => choices.iter().any(|it| it.is_empty()),
                None => texts.least == 0,
            };
            may_be.then(|| {
                Form::Text(Arc::new(Texts { choices: Some(vec!["".into()]), ..Texts::default() }))
            })
        }
        Form::List(list) if list.least > 0 => None,
        Form::Object(object) if object.fields.iter().any(|(_, field)| field.sent) => {
            // A member that is always written may still be nothing where an expression made the object.
            let is_there =
                |shape: &Shape| shape.forms().iter().all(|it| !matches!(it.form, Form::Nothing(_)));
            let full = object.fields.iter().any(|(_, field)| field.sent && is_there(&field.shape));
            (!full).then(|| form.clone())
        }
        form => Some(form.clone()),
    })
}

fn is_zero(numbers: Numbers) -> bool {
    let zero = Bound::Whole(0);
    numbers.are_within(Numbers { whole: false, from: Some(zero), to: Some(zero) })
}

pub(super) fn never_holds(logic: Logic, shape: &Shape) -> bool {
    holding(logic, shape).is_none()
}

pub(super) fn always_holds(logic: Logic, shape: &Shape) -> bool {
    not_holding(logic, shape).is_none()
}
