//! What a condition tells of the paths in it, for what stands behind it.

use serde_json::Value;

use super::super::path::Segment;
use super::super::tree::{Comparison, Expr, Logic};
use super::infer::Infer;
use super::shape::{Doubt, Form, Shape};
use super::truth::{holding, is_empty, kept, not_holding, something};

/// What is known of a value while one side of a condition is looked at.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Known {
    Is(Value),
    IsNot(Value),
    Holds(Logic),
    HoldsNot(Logic),
    Null,
    NotNull,
}

impl Infer<'_> {
    /// The shape at a path, without the forms whose members are others than a condition around has told.
    pub(super) fn chosen(&self, path: &[Segment], shape: Shape) -> Shape {
        let known = self.known.borrow();
        known.iter().fold(shape, |shape, (at, known)| match (&**at, known) {
            ([above @ .., Segment::Key(key)], Known::Is(value)) if above == path => {
                kept(&shape, |form| Shape::from(form.clone()).member(key).has(value))
            }
            ([above @ .., Segment::Key(key)], Known::IsNot(value)) if above == path => {
                kept(&shape, |form| Shape::from(form.clone()).member(key) != Shape::value(value))
            }
            _ => shape,
        })
    }

    /// The shape at a path, with what a condition around has told of it.
    pub(super) fn learned(&self, path: &[Segment], shape: Shape) -> Shape {
        let known = self.known.borrow();
        known.iter().filter(|(at, _)| at == path).fold(shape, |shape, (_, known)| match known {
            Known::Is(_) | Known::IsNot(_) => shape,
            Known::Holds(logic) => holding(*logic, &shape),
            Known::HoldsNot(logic) => not_holding(*logic, &shape),
            Known::Null => kept(&shape, |form| {
                matches!(form, Form::Null | Form::Nothing(_) | Form::Any | Form::Odd)
            }),
            Known::NotNull => {
                something(&shape).or(&kept(&shape, |form| matches!(form, Form::Nothing(_))))
            }
        })
    }

    /// What a condition tells of paths where it holds, or where it does not.
    pub(super) fn lesson(
        &self,
        test: &Expr,
        logic: Logic,
        holds: bool,
    ) -> Vec<(Vec<Segment>, Known)> {
        let path = |expr: &Expr| match expr {
            Expr::Slot(slot) => self.plan.paths.get(*slot).cloned().flatten(),
            _ => None,
        };
        match test {
            Expr::Slot(_) => {
                let known = if holds { Known::Holds(logic) } else { Known::HoldsNot(logic) };
                path(test).into_iter().map(|path| (path, known.clone())).collect()
            }
            Expr::Not(of) => self.lesson(of, Logic::Jmes, !holds),
            Expr::Call(function, args) if function.name == "not" => match &**args {
                [of] => self.lesson(of, Logic::Dollar, !holds),
                _ => Vec::new(),
            },
            Expr::And(inner, one, other) if holds => {
                [self.lesson(one, *inner, true), self.lesson(other, *inner, true)].concat()
            }
            Expr::Or(inner, one, other) if !holds => {
                [self.lesson(one, *inner, false), self.lesson(other, *inner, false)].concat()
            }
            Expr::Compare(
                _,
                comparison @ (Comparison::Equal | Comparison::Unequal),
                one,
                other,
            ) => {
                let (literal, of) = match (&**one, &**other) {
                    (Expr::Literal(literal), of) | (of, Expr::Literal(literal)) => {
                        (literal, path(of))
                    }
                    _ => return Vec::new(),
                };
                let equal = (*comparison == Comparison::Equal) == holds;
                let known = match (literal, equal) {
                    (Value::Null, true) => Known::Null,
                    (Value::Null, false) => Known::NotNull,
                    // Numbers are equal that are not written the same.
                    (Value::String(_) | Value::Bool(_), true) => Known::Is(literal.clone()),
                    (Value::String(_) | Value::Bool(_), false) => Known::IsNot(literal.clone()),
                    _ => return Vec::new(),
                };
                of.into_iter().map(|path| (path, known.clone())).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What `expr` gives where a condition holds, or where it does not.
    pub(super) fn knowing(
        &self,
        lesson: Vec<(Vec<Segment>, Known)>,
        of: impl FnOnce() -> Shape,
    ) -> Shape {
        let before = self.known.borrow().len();
        self.known.borrow_mut().extend(lesson);
        let shape = of();
        self.known.borrow_mut().truncate(before);
        shape
    }

    /// Why one side of a test whether something is null need not be met: it is null only where that is doubtful itself.
    pub(super) fn rare(&self, test: &Expr, holds: bool, current: &Shape) -> Option<Doubt> {
        let Expr::Compare(_, comparison, one, other) = test else { return None };
        let of = match (&**one, &**other) {
            (Expr::Literal(Value::Null), of) | (of, Expr::Literal(Value::Null)) => of,
            _ => return None,
        };
        if (*comparison == Comparison::Equal) != holds {
            return None;
        }
        let faults = self.faults.borrow().len();
        let forms = self.expr(of, current).forms();
        self.faults.borrow_mut().truncate(faults);
        let mut empty = forms.into_iter().filter(|it| is_empty(&it.form));
        let first = empty.next()?.doubt?;
        empty.all(|it| it.doubt.is_some()).then_some(first)
    }
}

/// What is looked at where a test of it holds, or where it does not: of a test whether it, or a member of it, is null or counts as true.
pub(super) fn looked_at(test: &Expr, logic: Logic, holds: bool, current: &Shape) -> Shape {
    let is_equality = |it: &Comparison| matches!(it, Comparison::Equal | Comparison::Unequal);
    match test {
        Expr::And(inner, one, other) if holds => {
            let current = looked_at(one, *inner, true, current);
            looked_at(other, *inner, true, &current)
        }
        Expr::Compare(_, comparison, one, other) if is_equality(comparison) => {
            let null = (*comparison == Comparison::Equal) == holds;
            let known = |shape: &Shape| if null { kept(shape, is_empty) } else { something(shape) };
            match (&**one, &**other) {
                (of, Expr::Literal(Value::Null)) | (Expr::Literal(Value::Null), of) => {
                    of_current(of, current, known)
                }
                _ => current.clone(),
            }
        }
        test if holds => of_current(test, current, |shape| holding(logic, shape)),
        _ => current.clone(),
    }
}

/// What is looked at, where it, or a member of it, is known better.
fn of_current(of: &Expr, current: &Shape, known: impl Fn(&Shape) -> Shape) -> Shape {
    match of {
        Expr::Current => known(current),
        Expr::Field(of, name) if matches!(**of, Expr::Current) => current.with_member(name, known),
        _ => current.clone(),
    }
}
