//! What an expression gives, told from what its message may be.

use std::cell::RefCell;
use std::sync::Arc;

use super::super::path::Segment;
use super::super::plan::{Node, Piece, Plan, Source};
use super::super::tree::{Comparison, Expr, Logic, Operator};
use super::calls;
use super::narrow::{Known, looked_at};
use super::shape::{Doubt, Field, Form, List, Numbers, Possible, Shape, Texts};
use super::steps::split;
use super::truth::{always_holds, holding, is_null, kept, never_holds, not_holding};
use crate::component::rules::Bound;

/// An expression may have no value at all.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    /// In words that follow the expression.
    pub(super) why: String,
    /// `None` where declared types clash.
    pub(super) doubt: Option<Doubt>,
}

/// One inference over one message.
pub(super) struct Infer<'a> {
    message: &'a Shape,
    pub(super) plan: &'a Plan,
    pub(super) known: RefCell<Vec<(Vec<Segment>, Known)>>,
    pub(super) faults: RefCell<Vec<Fault>>,
}

impl<'a> Infer<'a> {
    pub(super) fn of(plan: &'a Plan, message: &'a Shape) -> Self {
        Self { message, plan, known: RefCell::default(), faults: RefCell::default() }
    }

    /// What has gone wrong since this was asked last.
    pub(super) fn faults(&self) -> Vec<Fault> {
        self.faults.take()
    }

    pub(super) fn fault(&self, why: impl Into<String>, doubt: Option<Doubt>) {
        let fault = Fault { why: why.into(), doubt };
        let mut faults = self.faults.borrow_mut();
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }

    /// What a part of the result is.
    pub(super) fn node(&self, node: &Node) -> Shape {
        match node {
            Node::Literal(value) => Shape::value(value),
            Node::Slot(source) => self.source(source),
            Node::Text(pieces) => {
                let sources = pieces.iter().filter_map(|piece| match piece {
                    Piece::Slot(source) => Some(source),
                    Piece::Text(_) => None,
                });
                // Each is looked at, also where one is nothing already.
                let shapes: Vec<Shape> = sources.map(|source| self.in_text(source)).collect();
                let plain = pieces.iter().map(|piece| match piece {
                    Piece::Text(text) => text.chars().count() as u64,
                    Piece::Slot(_) => 0,
                });
                let least = plain.sum::<u64>() + shapes.iter().map(shortest).sum::<u64>();
                strict(&shapes, || Form::Text(Arc::new(Texts { least, ..Texts::default() })).into())
            }
            Node::List(items) => {
                list_of(items.iter().map(|item| self.node(item).null_for_nothing()).collect())
            }
            Node::Object(fields) => {
                let field = |(key, node): &(String, Node)| {
                    let shape = self.node(node);
                    // What gives nothing is left out.
                    let required =
                        shape.forms().iter().all(|it| !matches!(it.form, Form::Nothing(_)));
                    (key.as_str().into(), Field { shape, required, sent: true })
                };
                object_of(fields.iter().map(field).collect())
            }
        }
    }

    /// What is at some place of the result.
    pub(super) fn at(&self, node: &Node, way: &[Segment]) -> Shape {
        match (node, way) {
            (node, []) => self.node(node),
            (Node::Object(fields), [Segment::Key(key), rest @ ..]) => {
                match fields.iter().find(|(own, _)| own == key) {
                    Some((_, node)) => self.at(node, rest),
                    None => Form::nothing("nothing feeds it").into(),
                }
            }
            (node, way) => way.iter().fold(self.node(node), |shape, segment| shape.step(segment)),
        }
    }

    /// What fills a slot.
    pub(super) fn source(&self, source: &Source) -> Shape {
        self.slot(source.slot)
    }

    pub(super) fn slot(&self, slot: usize) -> Shape {
        match self.plan.paths.get(slot).and_then(Option::as_ref) {
            Some(path) => self.path(path),
            None => {
                let computed = self.plan.computed.iter().find(|it| it.slot == slot);
                computed.map_or_else(Shape::any, |it| self.expr(&it.expr, &Form::Null.into()))
            }
        }
    }

    /// In text a value must be there.
    fn in_text(&self, source: &Source) -> Shape {
        let shape = self.source(source);
        let of = format!("`{{{{ {} }}}}`", source.text);
        for it in shape.forms() {
            let (may, doubt) = match &it.form {
                Form::Nothing(why) => (format!("nothing ({why})"), it.doubt),
                Form::Null => ("null".to_owned(), it.doubt),
                Form::Any | Form::Odd => {
                    let doubt = it.doubt.unwrap_or(Doubt::Untyped);
                    (format!("any JSON, null among it ({doubt})"), Some(doubt))
                }
                _ => continue,
            };
            self.fault(format!("has no text: {of} may be {may}"), doubt);
        }
        shape
    }

    fn path(&self, path: &[Segment]) -> Shape {
        let mut shape = self.learned(&[], self.message.clone());
        for (at, segment) in path.iter().enumerate() {
            shape = self.chosen(&path[..at], shape);
            shape = self.learned(&path[..=at], shape.step(segment));
        }
        shape
    }

    /// What `expr` gives where `current` is looked at.
    pub(super) fn expr(&self, expr: &Expr, current: &Shape) -> Shape {
        match expr {
            Expr::Literal(value) => Shape::value(value),
            Expr::Slot(slot) => self.slot(*slot),
            Expr::Current => current.clone(),
            Expr::Field(of, name) => self.expr(of, current).member(name),
            Expr::Index(of, index) => self.expr(of, current).element(*index),
            Expr::Query(query) => self.query(query, current),
            Expr::Then(first, then) => {
                let first = self.expr(first, current).null_for_nothing();
                self.expr(then, &first)
            }
            Expr::Project(list, each) => self.project(list, each, current),
            Expr::Values(of) => self.or_null(&self.expr(of, current), |form| match form {
                Form::Object(_) => Some(Form::list(Shape::from(form.clone()).values())),
                _ => None,
            }),
            Expr::Flatten(of) => self.or_null(&self.expr(of, current), |form| match form {
                Form::List(list) => {
                    let (lists, others) = split(&list.any(), |form| {
                        matches!(form, Form::List(_) | Form::Any | Form::Odd)
                    });
                    Some(Form::list(lists.elements().or(&others)))
                }
                _ => None,
            }),
            Expr::Slice(of, ..) => self.or_null(&self.expr(of, current), |form| match form {
                Form::List(list) => Some(Form::list(list.any())),
                _ => None,
            }),
            Expr::When(test, then) => {
                let tested = self.expr(test, current);
                let lesson = self.lesson(test, Logic::Jmes, true);
                let current = &looked_at(test, Logic::Jmes, true, current);
                let mut all = if never_holds(Logic::Jmes, &tested) {
                    Shape::none()
                } else {
                    self.knowing(lesson, || self.expr(then, current))
                };
                if !always_holds(Logic::Jmes, &tested) {
                    all.join(&Form::Null.into());
                }
                all
            }
            Expr::List(items) => list_of(
                items.iter().map(|item| self.expr(item, current).null_for_nothing()).collect(),
            ),
            Expr::Object(fields) => {
                let field = |(key, field): &(String, Expr)| {
                    let shape = self.expr(field, current).null_for_nothing();
                    (key.as_str().into(), Field::there(shape))
                };
                object_of(fields.iter().map(field).collect())
            }
            Expr::Not(of) => strict(&[self.expr(of, current)], || Form::Bool(None).into()),
            Expr::And(logic, one, other) => self.both(*logic, one, other, current),
            Expr::Or(logic, one, other) => self.either(*logic, one, other, current),
            Expr::Compare(logic, comparison, one, other) => {
                let sides = [self.expr(one, current), self.expr(other, current)];
                strict(&sides, || compared(*logic, *comparison, &sides[0], &sides[1]))
            }
            Expr::Negate(of) => {
                let of = self.expr(of, current).null_for_nothing();
                self.arithmetic(Operator::Subtract, &Shape::value(&0.into()), &of)
            }
            Expr::Arithmetic(operator, one, other) => {
                let one = self.expr(one, current).null_for_nothing();
                let other = self.expr(other, current).null_for_nothing();
                self.arithmetic(*operator, &one, &other)
            }
            Expr::Choose(test, one, other) => {
                let tested = self.expr(test, current);
                let branch = |expr: &Expr, holds: bool| {
                    let current = looked_at(test, Logic::Dollar, holds, current);
                    self.knowing(self.lesson(test, Logic::Dollar, holds), || {
                        self.expr(expr, &current)
                    })
                };
                let mut all = Shape::none();
                let doubted = |shape: Shape, holds: bool| match self.rare(test, holds, current) {
                    Some(doubt) => shape.doubted(&doubt),
                    None => shape,
                };
                if !never_holds(Logic::Dollar, &tested) {
                    all.join(&doubted(branch(one, true), true));
                }
                if !always_holds(Logic::Dollar, &tested) {
                    all.join(&doubted(branch(other, false), false));
                }
                all
            }
            Expr::Call(function, args) => calls::call(self, function, args, current),
            Expr::Deferred(_) => Form::Null.into(),
        }
    }

    fn project(&self, list: &Expr, each: &Expr, current: &Shape) -> Shape {
        let list = self.expr(list, current);
        self.or_null(&list, |form| match form {
            Form::List(list) => {
                let each = self.expr(each, &list.any());
                Some(Form::list(kept(&each, |form| !matches!(form, Form::Null | Form::Nothing(_)))))
            }
            _ => None,
        })
    }

    /// What is made of each form; null of those that do not fit, anything of those that may.
    fn or_null(&self, of: &Shape, made: impl Fn(&Form) -> Option<Form>) -> Shape {
        of.each(|form| match form {
            Form::Any | Form::Odd => {
                let list = Possible { form: Form::list(Shape::any()), doubt: Some(Doubt::Untyped) };
                Shape(vec![list]).perhaps(Form::Null, Doubt::Untyped)
            }
            form => made(form).unwrap_or(Form::Null).into(),
        })
    }

    fn both(&self, logic: Logic, one: &Expr, other: &Expr, current: &Shape) -> Shape {
        let first = self.expr(one, current);
        let second = if never_holds(logic, &first) {
            Shape::none()
        } else {
            self.knowing(self.lesson(one, logic, true), || self.expr(other, current))
        };
        match logic {
            Logic::Dollar => strict(&[first], || Form::Bool(None).into()),
            Logic::Jmes => not_holding(logic, &first).or(&second),
        }
    }

    fn either(&self, logic: Logic, one: &Expr, other: &Expr, current: &Shape) -> Shape {
        let first = self.expr(one, current);
        let second = if always_holds(logic, &first) {
            Shape::none()
        } else {
            self.knowing(self.lesson(one, logic, false), || self.expr(other, current))
        };
        match logic {
            Logic::Dollar => strict(&[first], || Form::Bool(None).into()),
            Logic::Jmes => holding(logic, &first).or(&second),
        }
    }

    /// What an operator gives; for numbers that have bounds the result has some.
    pub(super) fn arithmetic(&self, operator: Operator, one: &Shape, other: &Shape) -> Shape {
        let takes =
            if operator == Operator::Add { "two numbers or two texts" } else { "two numbers" };
        let mut all = Shape::none();
        for one in one.forms() {
            for other in other.forms() {
                let doubt = one.doubt.clone().or_else(|| other.doubt.clone());
                let given = match (&one.form, &other.form) {
                    (Form::Text(_), Form::Text(_)) if operator == Operator::Add => {
                        Form::text().into()
                    }
                    (Form::Number(one), Form::Number(other)) => {
                        self.calculated(operator, *one, *other)
                    }
                    (
                        Form::Any | Form::Odd,
                        Form::Any | Form::Odd | Form::Number(_) | Form::Text(_),
                    )
                    | (Form::Number(_) | Form::Text(_), Form::Any | Form::Odd) => {
                        self.fault(
                            format!("takes {takes} for `{}`: {}", operator.sign(), Doubt::Untyped),
                            Some(Doubt::Untyped),
                        );
                        let text = matches!(one.form, Form::Text(_))
                            || matches!(other.form, Form::Text(_));
                        let number = matches!(one.form, Form::Number(_))
                            || matches!(other.form, Form::Number(_));
                        let mut any = Shape::none();
                        if !text {
                            any = any.perhaps(Form::real(), Doubt::Untyped);
                        }
                        if !number && operator == Operator::Add {
                            any = any.perhaps(Form::text(), Doubt::Untyped);
                        }
                        any
                    }
                    (one, other) => {
                        let shown = |form: &Form| Shape::from(form.clone()).to_string();
                        let (sign, one, other) = (operator.sign(), shown(one), shown(other));
                        let mut why = format!(
                            "has no value: `{sign}` takes {takes}, and here may be {one} and {other}"
                        );
                        if let Some(doubt) = &doubt {
                            why = format!("{why}: {doubt}");
                        }
                        self.fault(why, doubt.clone());
                        Shape::none()
                    }
                };
                all.join(&match doubt {
                    Some(doubt) => given.doubted(&doubt),
                    None => given,
                });
            }
        }
        all
    }

    fn calculated(&self, operator: Operator, one: Numbers, other: Numbers) -> Shape {
        if matches!(operator, Operator::Divide | Operator::Remainder) {
            let zero =
                Numbers { whole: true, from: Some(Bound::Whole(0)), to: Some(Bound::Whole(0)) };
            if !zero.are_outside(other) {
                let sign = if operator == Operator::Divide { "/" } else { "%" };
                let always = other.are_within(zero);
                let doubt = if always { None } else { Some(Doubt::Partial(sign)) };
                self.fault(
                    format!("divides by what may be zero: `{sign}` has no value then"),
                    doubt,
                );
            }
        }
        let whole = one.whole && other.whole && operator != Operator::Divide;
        let bounds = bounded(operator, one, other);
        match bounds {
            Some((from, to))
                if whole && from >= i128::from(i64::MIN) && to <= i128::from(u64::MAX) =>
            {
                Form::Number(Numbers {
                    whole,
                    from: Some(Bound::Whole(from)),
                    to: Some(Bound::Whole(to)),
                })
                .into()
            }
            // Whole numbers never leave what a real one holds.
            _ if whole => Shape::from(Form::whole()).perhaps(Form::real(), Doubt::Overflow),
            _ => {
                if !(one.whole && other.whole) {
                    self.fault("may be larger than any number of JSON", Some(Doubt::Overflow));
                }
                Form::real().into()
            }
        }
    }
}

/// The bounds of a result of whole numbers.
fn bounded(operator: Operator, one: Numbers, other: Numbers) -> Option<(i128, i128)> {
    let whole = |bound: Option<Bound>| match bound {
        Some(Bound::Whole(whole)) => Some(whole),
        _ => None,
    };
    let (a, b, c, d) = (whole(one.from)?, whole(one.to)?, whole(other.from)?, whole(other.to)?);
    let ends = match operator {
        Operator::Add => vec![a.checked_add(c)?, b.checked_add(d)?],
        Operator::Subtract => vec![a.checked_sub(d)?, b.checked_sub(c)?],
        Operator::Multiply => {
            vec![a.checked_mul(c)?, a.checked_mul(d)?, b.checked_mul(c)?, b.checked_mul(d)?]
        }
        Operator::Remainder => {
            let most = c.checked_abs()?.max(d.checked_abs()?) - 1;
            vec![if a < 0 { -most } else { 0 }, if b > 0 { most } else { 0 }]
        }
        Operator::Divide => return None,
    };
    Some((*ends.iter().min()?, *ends.iter().max()?))
}

/// The characters that a value has in text, at least.
fn shortest(shape: &Shape) -> u64 {
    let of = |it: &Possible| match &it.form {
        Form::Text(texts) => match &texts.choices {
            Some(choices) => choices.iter().map(|it| it.chars().count() as u64).min().unwrap_or(0),
            None => texts.least,
        },
        Form::Nothing(_) | Form::Null | Form::Any | Form::Odd | Form::Named(_) => 0,
        // As JSON all else has some.
        Form::Bool(_) | Form::Number(_) | Form::List(_) | Form::Object(_) => 1,
    };
    shape.forms().iter().map(of).min().unwrap_or(0)
}

/// What is made of all of these; nothing where one of them cannot be.
pub(super) fn strict(of: &[Shape], made: impl FnOnce() -> Shape) -> Shape {
    if of.iter().any(Shape::is_none) { Shape::none() } else { made() }
}

/// An object of exactly these.
fn object_of(fields: Vec<(Arc<str>, Field)>) -> Shape {
    if fields.iter().any(|(_, field)| field.shape.is_none()) {
        return Shape::none();
    }
    Form::object(fields).into()
}

/// A list of exactly these.
pub(super) fn list_of(first: Vec<Shape>) -> Shape {
    if first.iter().any(Shape::is_none) {
        return Shape::none();
    }
    let count = first.len() as u64;
    Form::List(Arc::new(List {
        first,
        rest: Shape::none(),
        least: count,
        most: Some(count),
        unique: false,
    }))
    .into()
}

fn compared(logic: Logic, comparison: Comparison, one: &Shape, other: &Shape) -> Shape {
    let is_equality = matches!(comparison, Comparison::Equal | Comparison::Unequal);
    let only_null = |shape: &Shape| matches!(&*shape.0, [Possible { form: Form::Null, .. }]);
    if is_equality && (only_null(one) || only_null(other)) {
        let both = is_null(logic, one).zip(is_null(logic, other));
        let equal = both.map(|(one, other)| one == other);
        return Form::Bool(equal.map(|equal| equal == (comparison == Comparison::Equal))).into();
    }
    if logic == Logic::Dollar || is_equality {
        return Form::Bool(None).into();
    }
    // Only numbers have an order; all else gives null.
    let mut all = Shape::none();
    for one in one.forms() {
        for other in other.forms() {
            let doubt = one.doubt.clone().or_else(|| other.doubt.clone());
            let form = match (&one.form, &other.form) {
                (Form::Number(_), Form::Number(_)) => Form::Bool(None),
                (Form::Any | Form::Odd, Form::Any | Form::Odd | Form::Number(_))
                | (Form::Number(_), Form::Any | Form::Odd) => {
                    all.add(Possible { form: Form::Bool(None), doubt: doubt.clone() });
                    Form::Null
                }
                _ => Form::Null,
            };
            all.add(Possible { form, doubt });
        }
    }
    all
}
