//! What functions give.

use std::sync::Arc;

use super::super::functions::{Function, Takes};
use super::super::tree::Expr;
use super::infer::Infer;
use super::shape::{Doubt, Field, Form, List, Numbers, Object, Possible, Rest, Shape, Texts};
use super::steps::split;
use super::truth::something;
use crate::component::rules::Bound;

/// What the call of a function gives. What it does not take is a fault of the expression.
pub(super) fn call(
    infer: &Infer<'_>,
    function: &Function,
    args: &[Expr],
    current: &Shape,
) -> Shape {
    let mut given = Vec::with_capacity(args.len());
    for (number, arg) in args.iter().enumerate() {
        let takes = *function.takes.get(number).or(function.takes.last()).unwrap_or(&Takes::Any);
        given.push(match arg {
            Expr::Deferred(_) => Shape::none(),
            arg => taken(
                infer,
                function,
                takes,
                infer.expr(arg, current).null_for_nothing_unless(takes),
            ),
        });
    }
    let is_none =
        |(arg, shape): (&Expr, &Shape)| !matches!(arg, Expr::Deferred(_)) && shape.is_none();
    if args.iter().zip(&given).any(is_none) {
        return Shape::none();
    }
    let each = |list: usize| {
        let deferred = args
            .iter()
            .find_map(|arg| if let Expr::Deferred(each) = arg { Some(each) } else { None });
        let elements = given.get(list).map(Shape::elements).unwrap_or_default();
        deferred.map_or_else(Shape::none, |each| infer.expr(each, &elements))
    };
    let first = given.first().cloned().unwrap_or_default();
    match function.name {
        "ceil" | "floor" | "round" | "trunc" => rounded(&first),
        "abs" => absolute(&first),
        "avg" => {
            // Whole numbers have a mean in any case.
            let is_real =
                |it: &Possible| !matches!(&it.form, Form::Number(numbers) if numbers.whole);
            if first.elements().forms().iter().any(is_real) {
                numbers_may_grow(infer, function);
            }
            or_null_of_none(&first, Form::real())
        }
        "sum" => sum(infer, function, &first),
        "log10" => {
            infer.fault(
                "has no value: `log10` takes a number above zero",
                Some(Doubt::Partial("log10")),
            );
            Form::real().into()
        }
        "max" | "min" => {
            let mut all = first.elements();
            if may_be_empty(&first) {
                all = all.perhaps(Form::Null, Doubt::Shorter);
            }
            all
        }
        "max_by" | "min_by" => {
            keys(infer, function, &each(0));
            let mut all = first.elements();
            if may_be_empty(&first) {
                all = all.perhaps(Form::Null, Doubt::Shorter);
            }
            all
        }
        "sort_by" => {
            keys(infer, function, &each(0));
            reordered(&first)
        }
        "sort" => reordered(&first),
        "reverse" => first.each(|form| match form {
            Form::List(_) => reordered(&form.clone().into()),
            Form::Text(texts) => Form::Text(Arc::new(Texts {
                least: texts.least,
                most: texts.most,
                ..Texts::default()
            }))
            .into(),
            _ => Shape::from(Form::list(Shape::any()))
                .perhaps(Form::text(), Doubt::Untyped)
                .doubted(&Doubt::Untyped),
        }),
        "first" | "last" => first.element(if function.name == "first" { 0 } else { -1 }),
        "map" => {
            let mapped = each(1).null_for_nothing();
            given.get(1).cloned().unwrap_or_default().each(|form| match form {
                Form::List(list) => Form::List(Arc::new(List {
                    first: Vec::new(),
                    rest: mapped.clone(),
                    least: list.least,
                    most: list.most,
                    unique: false,
                }))
                .into(),
                _ => Form::list(mapped.clone()).into(),
            })
        }
        "keys" => Form::list(Form::text().into()).into(),
        "values" => Form::list(first.values()).into(),
        "to_array" => first.each(|form| match form {
            Form::List(_) => form.clone().into(),
            Form::Any | Form::Odd => Form::list(Shape::any()).into(),
            form => super::infer::list_of(vec![Shape::from(form.clone())]),
        }),
        "merge" => {
            given.iter().fold(Form::object(Vec::new()).into(), |all, next| merged(&all, next))
        }
        "coalesce" => coalesced(&given),
        "split" => Form::list(Form::text().into()).into(),
        "length" => at_least_zero(),
        "now" => Form::whole().into(),
        "contains" | "ends_with" | "starts_with" | "not" => Form::Bool(None).into(),
        "number" => first.each(|form| match form {
            Form::Number(_) => form.clone().into(),
            Form::Text(_) => Shape::default()
                .perhaps(Form::real(), Doubt::Partial("number"))
                .perhaps(Form::Null, Doubt::Partial("number")),
            Form::Any | Form::Odd => Shape::default()
                .perhaps(Form::real(), Doubt::Untyped)
                .perhaps(Form::Null, Doubt::Untyped),
            _ => Form::Null.into(),
        }),
        "type" => Form::Text(Arc::new(Texts {
            choices: Some(
                ["null", "boolean", "number", "string", "array", "object"].map(Arc::from).into(),
            ),
            ..Texts::default()
        }))
        .into(),
        "parse_json" => {
            infer.fault(
                "has no value: `parse_json` takes a text that is JSON",
                Some(Doubt::Partial("parse_json")),
            );
            Shape::any()
        }
        "base64_decode" => {
            infer.fault(
                "has no value: `base64_decode` takes base64",
                Some(Doubt::Partial("base64_decode")),
            );
            Form::text().into()
        }
        "rfc3339" => {
            infer.fault(
                "has no value: `rfc3339` takes seconds of a time that the calendar has",
                Some(Doubt::Partial("rfc3339")),
            );
            Form::Text(Arc::new(Texts { format: Some("date-time".into()), ..Texts::default() }))
                .into()
        }
        "substr" => {
            let is_whole =
                |it: &Possible| matches!(&it.form, Form::Number(numbers) if numbers.whole);
            if !given.iter().skip(1).all(|it| it.forms().iter().all(is_whole)) {
                let why = "has no value: `substr` takes whole numbers";
                infer.fault(why, Some(Doubt::Partial("substr")));
            }
            Form::text().into()
        }
        "string" => first.each(|form| match form {
            Form::Text(_) => form.clone().into(),
            _ => Form::text().into(),
        }),
        "lower" => texts(&first, str::to_lowercase),
        "upper" => texts(&first, str::to_uppercase),
        "trim" => texts(&first, |text| text.trim().to_owned()),
        "b64encoden" | "base64_encode" | "join" | "json" | "replace" => Form::text().into(),
        _ => Shape::any(),
    }
}

/// What is made of texts: of those that are known, one for each.
fn texts(of: &Shape, made: impl Fn(&str) -> String) -> Shape {
    of.each(|form| match form {
        Form::Text(texts) => match &texts.choices {
            Some(choices) => {
                let choices = choices.iter().map(|choice| made(choice).into()).collect();
                Form::Text(Arc::new(Texts { choices: Some(choices), ..Texts::default() })).into()
            }
            None => Form::text().into(),
        },
        _ => Form::text().into(),
    })
}

impl Shape {
    fn null_for_nothing_unless(self, takes: Takes) -> Self {
        // A function that takes anything takes a path that leads nowhere as null.
        if takes == Takes::Any { self.null_for_nothing() } else { self }
    }
}

/// What of an argument a function takes; the rest is a fault.
fn taken(infer: &Infer<'_>, function: &Function, takes: Takes, given: Shape) -> Shape {
    let mut all = Shape::none();
    for it in given.forms() {
        let untyped = matches!(it.form, Form::Any | Form::Odd);
        if let Form::List(list) = &it.form
            && accepted(takes, &it.form).is_some()
        {
            let (form, others) = uniform(takes, list);
            all.0.extend(form.map(|form| Possible { form, doubt: it.doubt.clone() }));
            if let Some(doubt) = others {
                let shown = list.any();
                let why = format!(
                    "has no value: `{}` takes {}, and here the elements may be {shown}",
                    function.name,
                    takes.words()
                );
                infer.fault(why, it.doubt.or(doubt));
            }
            continue;
        }
        match accepted(takes, &it.form) {
            Some(form) if !untyped || takes == Takes::Any => {
                all.add(Possible { form, doubt: it.doubt })
            }
            Some(form) => {
                let why = format!(
                    "has no value: `{}` takes {}, and {}",
                    function.name,
                    takes.words(),
                    Doubt::Untyped
                );
                infer.fault(why, Some(Doubt::Untyped));
                all.add(Possible { form, doubt: Some(Doubt::Untyped) });
            }
            None => {
                let shown = Shape::from(it.form.clone());
                let mut why = format!(
                    "has no value: `{}` takes {}, and here may be {shown}",
                    function.name,
                    takes.words()
                );
                if let Form::Nothing(lost) = &it.form {
                    why = format!("{why} ({lost})");
                }
                infer.fault(why, it.doubt);
            }
        }
    }
    all
}

/// A form as what a function takes.
fn accepted(takes: Takes, form: &Form) -> Option<Form> {
    let list = |of: Shape| Form::list(of);
    let numbers = || Shape::from(Form::real());
    match (takes, form) {
        (Takes::Any, form) => Some(form.clone()),
        (Takes::Number, Form::Any | Form::Odd) => Some(Form::real()),
        (Takes::Text, Form::Any | Form::Odd) => Some(Form::text()),
        (Takes::List, Form::Any | Form::Odd) => Some(list(Shape::any())),
        (Takes::Object, Form::Any | Form::Odd) => Some(Form::Object(Arc::new(Object {
            name: None,
            fields: Vec::new(),
            rest: Rest::Keys(Shape::any()),
        }))),
        (Takes::Numbers, Form::Any | Form::Odd) => Some(list(numbers())),
        (Takes::Texts, Form::Any | Form::Odd) => Some(list(Form::text().into())),
        (Takes::Ordered, Form::Any | Form::Odd) => Some(list(numbers().or(&Form::text().into()))),
        (Takes::Countable | Takes::TextOrList, Form::Any | Form::Odd) => Some(Form::Any),
        (Takes::Number, Form::Number(_))
        | (Takes::Text | Takes::Countable | Takes::TextOrList, Form::Text(_))
        | (Takes::List | Takes::Countable | Takes::TextOrList, Form::List(_))
        | (Takes::Object | Takes::Countable, Form::Object(_)) => Some(form.clone()),
        (Takes::Numbers | Takes::Texts | Takes::Ordered, Form::List(_)) => Some(form.clone()),
        _ => None,
    }
}

/// Of a list whose elements must be of one kind: the list of those that are, and of the others why they may be there.
fn uniform(takes: Takes, list: &List) -> (Option<Form>, Option<Option<Doubt>>) {
    let is_number = |form: &Form| matches!(form, Form::Number(_));
    let is_text = |form: &Form| matches!(form, Form::Text(_));
    let elements = list.any();
    let (fit, others) = match takes {
        Takes::Numbers => split(&elements, is_number),
        Takes::Texts => split(&elements, is_text),
        Takes::Ordered => {
            let (numbers, others) = split(&elements, is_number);
            let (texts, others) = split(&others, is_text);
            // Both at once are as wrong as anything else.
            let mixed = if numbers.is_none() { others } else { texts.clone().or(&others) };
            (numbers.or(&texts), mixed)
        }
        _ => return (Some(Form::List(Arc::new(list.clone()))), None),
    };
    if others.is_none() {
        return (Some(Form::List(Arc::new(list.clone()))), None);
    }
    let untyped = |it: &Possible| matches!(it.form, Form::Any | Form::Odd);
    let mut fit = fit;
    if others.0.iter().any(untyped) {
        let kinds = [(Form::real(), Takes::Texts), (Form::text(), Takes::Numbers)];
        for (form, but) in kinds {
            if takes != but {
                fit = fit.perhaps(form, Doubt::Untyped);
            }
        }
    }
    let doubt = |it: &Possible| it.doubt.clone().or_else(|| untyped(it).then_some(Doubt::Untyped));
    let declared = others.0.iter().any(|it| doubt(it).is_none());
    let doubt = if declared { None } else { others.0.first().and_then(doubt) };
    let none = fit.is_none();
    let most = if none { Some(0) } else { list.most };
    let taken = (list.least == 0 || !none).then(|| {
        Form::List(Arc::new(List {
            first: Vec::new(),
            rest: fit,
            least: list.least,
            most,
            unique: list.unique,
        }))
    });
    (taken, Some(doubt))
}

fn rounded(of: &Shape) -> Shape {
    of.each(|form| match form {
        Form::Number(numbers) if numbers.whole => form.clone().into(),
        // Beyond what is exact a whole number stays written as a real one.
        _ => Shape::default()
            .perhaps(Form::whole(), Doubt::Overflow)
            .perhaps(Form::real(), Doubt::Overflow),
    })
}

fn absolute(of: &Shape) -> Shape {
    of.each(|form| match form {
        Form::Number(numbers) if numbers.whole => {
            let ends = [numbers.from, numbers.to].map(|bound| match bound {
                Some(Bound::Whole(whole)) => whole.checked_abs(),
                _ => None,
            });
            let to = ends[0].zip(ends[1]).map(|(one, other)| Bound::Whole(one.max(other)));
            let to = to.or(Some(Bound::Whole(i128::from(u64::MAX))));
            Form::Number(Numbers { whole: true, from: Some(Bound::Whole(0)), to }).into()
        }
        _ => Form::real().into(),
    })
}

fn may_be_empty(lists: &Shape) -> bool {
    lists.forms().iter().any(|it| !matches!(&it.form, Form::List(list) if list.least > 0))
}

fn or_null_of_none(lists: &Shape, form: Form) -> Shape {
    let shape = Shape::from(form);
    if may_be_empty(lists) { shape.perhaps(Form::Null, Doubt::Shorter) } else { shape }
}

fn numbers_may_grow(infer: &Infer<'_>, function: &Function) {
    infer.fault(
        format!("has no value where `{}` leaves the numbers of JSON", function.name),
        Some(Doubt::Overflow),
    );
}

fn sum(infer: &Infer<'_>, function: &Function, lists: &Shape) -> Shape {
    let is_real = |it: &Possible| !matches!(&it.form, Form::Number(numbers) if numbers.whole);
    if lists.elements().forms().iter().any(is_real) {
        numbers_may_grow(infer, function);
        return Form::real().into();
    }
    // Sums of whole numbers leave 64 bits at worst.
    Shape::from(Form::whole()).perhaps(Form::real(), Doubt::Overflow)
}

fn at_least_zero() -> Shape {
    Form::Number(Numbers {
        whole: true,
        from: Some(Bound::Whole(0)),
        to: Some(Bound::Whole(i128::from(u32::MAX))),
    })
    .into()
}

/// The same elements in another order.
fn reordered(lists: &Shape) -> Shape {
    lists.each(|form| match form {
        Form::List(list) => {
            Form::List(Arc::new(List { first: Vec::new(), rest: list.any(), ..(**list).clone() }))
                .into()
        }
        _ => Form::list(Shape::any()).into(),
    })
}

/// The keys by which elements are ordered: numbers only, or texts only.
fn keys(infer: &Infer<'_>, function: &Function, keys: &Shape) {
    let forms = keys.forms();
    let are = |is: fn(&Form) -> bool| forms.iter().all(|it| is(&it.form));
    if are(|form| matches!(form, Form::Number(_))) || are(|form| matches!(form, Form::Text(_))) {
        return;
    }
    let untyped = forms.iter().any(|it| matches!(it.form, Form::Any | Form::Odd));
    let doubt = forms.iter().find_map(|it| it.doubt.clone()).or(untyped.then_some(Doubt::Untyped));
    let why = format!(
        "has no value: the expression of `{}` must give numbers only or texts only, and here it may give {keys}",
        function.name
    );
    infer.fault(why, doubt);
}

fn coalesced(given: &[Shape]) -> Shape {
    let mut all = Shape::none();
    for shape in given {
        all.join(&something(shape));
        let is_there = shape
            .forms()
            .iter()
            .all(|it| !matches!(it.form, Form::Null | Form::Nothing(_) | Form::Any | Form::Odd));
        if is_there && !shape.is_none() {
            return all;
        }
    }
    all.join(&Form::Null.into());
    all
}

/// The fields of both, those of the second over those of the first.
fn merged(one: &Shape, other: &Shape) -> Shape {
    let mut all = Shape::none();
    for first in one.forms() {
        for second in other.forms() {
            let (Form::Object(below), Form::Object(above)) = (&first.form, &second.form) else {
                continue;
            };
            let doubt = first.doubt.clone().or_else(|| second.doubt.clone());
            all.add(Possible { form: over(below, above), doubt });
        }
    }
    all
}

fn over(below: &Object, above: &Object) -> Form {
    let extra = |object: &Object| rest(object).cloned();
    let above_rest = extra(above);
    let mut fields: Vec<(Arc<str>, Field)> = Vec::new();
    for (key, field) in &below.fields {
        let mut field = field.clone();
        match above.field(key) {
            Some(new) if new.sent => field = new.clone(),
            Some(new) => field.shape.join(&new.shape),
            None => {
                if let Some(rest) = &above_rest {
                    field.shape.join(&rest.clone().doubted(&Doubt::Key));
                }
            }
        }
        fields.push((key.clone(), field));
    }
    let below_rest = extra(below);
    for (key, field) in above.fields.iter().filter(|(key, _)| below.field(key).is_none()) {
        let mut field = field.clone();
        if let Some(rest) = &below_rest
            && !field.sent
        {
            field.shape.join(&rest.clone().doubted(&Doubt::Key));
        }
        fields.push((key.clone(), field));
    }
    let rest = match (below_rest, above_rest) {
        (None, None) => Rest::Ignored,
        (one, other) => Rest::Keys(one.unwrap_or_default().or(&other.unwrap_or_default())),
    };
    Form::Object(Arc::new(Object { name: None, fields, rest }))
}

/// The rest of an object, where it has one.
fn rest(object: &Object) -> Option<&Shape> {
    match &object.rest {
        Rest::Keys(values) | Rest::Like(_, values) => Some(values),
        Rest::Ignored | Rest::Denied => None,
    }
}
