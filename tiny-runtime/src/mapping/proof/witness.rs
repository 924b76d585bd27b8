//! Messages that a shape allows, one after the other, until one shows what was inferred.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Map, Number, Value, json};

use super::super::path::Segment;
use super::super::plan::{Node, Piece, Plan};
use super::super::{Mapping, Slots};
use super::fit::{self, Cause, Fit, Misfit, Place};
use super::shape::{Form, List, Numbers, Object, Rest, Shape, Texts};
use crate::component::rules::Bound;

/// Messages that are tried for one finding.
const TRIES: usize = 400;
/// From this depth on everything is as small as it may be.
const DEEP: usize = 6;
/// Deeper than this nothing is made.
const DEEPEST: usize = 48;

/// A message of `source` for which `node` gives what shows `misfit` where `wanted` is wanted; `None` where none was found.
pub(super) fn of(
    plan: &Plan,
    node: &Node,
    source: &Shape,
    (wanted, place): (&Shape, Place),
    misfit: &Misfit,
) -> Option<Value> {
    let one = part(plan, node);
    let paths: Vec<&[Segment]> = one.0.paths.iter().flatten().map(Vec::as_slice).collect();
    messages(source, &paths, |message| shows(&one, node, message, (wanted, place), misfit))
}

/// Any message of `source`.
pub(super) fn any(source: &Shape) -> Option<Value> {
    messages(source, &[], |_| true)
}

/// A message of `source` that shows `misfit` where `wanted` is wanted.
pub(super) fn of_itself(source: &Shape, wanted: &Shape, misfit: &Misfit) -> Option<Value> {
    messages(source, &[&[]], |message| is_refused(message, wanted, misfit))
}

/// Whether a value is refused for the reason that was inferred, and for no other one.
fn is_refused(value: &Value, wanted: &Shape, misfit: &Misfit) -> bool {
    if wanted.refusal(value).is_none() {
        return false;
    }
    match fit::fit(&Shape::value(value), wanted, Place::Optional) {
        Fit::Misfit(found) => found.cause == misfit.cause,
        // Nobody knows better.
        Fit::Fits | Fit::Doubtful(_) => true,
    }
}

/// The mapping of one node of a plan.
fn part(plan: &Plan, node: &Node) -> Mapping {
    let mut slots = Vec::new();
    slots_of(node, &mut slots);
    let computed: Vec<_> =
        plan.computed.iter().filter(|it| slots.contains(&it.slot)).cloned().collect();
    let mut paths = plan.paths.clone();
    if computed.is_empty() {
        for (slot, path) in paths.iter_mut().enumerate() {
            if !slots.contains(&slot) {
                *path = None;
            }
        }
    }
    Mapping(Plan { root: node.clone(), paths, computed, ..plan.clone() })
}

fn slots_of(node: &Node, slots: &mut Vec<usize>) {
    match node {
        Node::Literal(_) => {}
        Node::Slot(source) => slots.push(source.slot),
        Node::Text(pieces) => slots.extend(pieces.iter().filter_map(|piece| match piece {
            Piece::Slot(source) => Some(source.slot),
            Piece::Text(_) => None,
        })),
        Node::Object(fields) => fields.iter().for_each(|(_, node)| slots_of(node, slots)),
        Node::List(items) => items.iter().for_each(|node| slots_of(node, slots)),
    }
}

fn shows(
    one: &Mapping,
    node: &Node,
    message: &Value,
    (wanted, place): (&Shape, Place),
    misfit: &Misfit,
) -> bool {
    let by_expression = misfit.cause == Cause::Expression;
    let Ok(slots) = one.read_value(message) else { return by_expression };
    let is_missing = matches!(node, Node::Slot(source) if missing(&slots, source.slot));
    if is_missing && !by_expression {
        return match place {
            Place::Required => true,
            Place::Optional => false,
            // Where anything is wanted, and where null is, a path that leads nowhere is null.
            Place::Top | Place::Element => !wanted.has(&Value::Null),
        };
    }
    match one.value(slots) {
        Ok(value) => !by_expression && is_refused(&value, wanted, misfit),
        // Of an object for one of several variants some fields may not be read, and their texts are not made then.
        Err(_) => by_expression && !matches!(node, Node::Object(_) | Node::List(_)),
    }
}

fn missing(slots: &Slots, slot: usize) -> bool {
    slots.0.get(slot).is_none_or(Option::is_none)
}

/// The first message of `source` for which `shows` holds. Only what lies on `paths` is varied: first one choice at a time, then more.
fn messages(source: &Shape, paths: &[&[Segment]], shows: impl Fn(&Value) -> bool) -> Option<Value> {
    let mut open = VecDeque::from([Vec::new()]);
    let mut tries = 0;
    while let Some(picks) = open.pop_front() {
        tries += 1;
        if tries > TRIES {
            return None;
        }
        let mut maker = Maker { picks: &picks, options: Vec::new(), paths };
        let made = maker.shape(source, &mut Vec::new(), 0);
        for (point, options) in maker.options.iter().enumerate().skip(picks.len()) {
            for pick in 1..*options {
                let mut next = picks.clone();
                next.resize(point, 0);
                next.push(pick);
                if open.len() < TRIES {
                    open.push_back(next);
                }
            }
        }
        if let Some(message) = made
            && shows(&message)
            && source.has(&message)
        {
            return Some(message);
        }
    }
    None
}

struct Maker<'a> {
    /// What was chosen at each point, in the order in which they are met; the first option beyond.
    picks: &'a [usize],
    /// How many options each point had.
    options: Vec<usize>,
    paths: &'a [&'a [Segment]],
}

impl Maker<'_> {
    fn pick(&mut self, options: usize, path: &[Segment]) -> usize {
        let same = |one: &Segment, other: &Segment| match (one, other) {
            (Segment::Index(_), Segment::Index(_)) => true,
            (one, other) => one == other,
        };
        let is_on =
            |wanted: &&[Segment]| wanted.iter().zip(path).all(|(one, other)| same(one, other));
        if options < 2 || !self.paths.iter().any(is_on) {
            return 0;
        }
        self.options.push(options);
        self.picks.get(self.options.len() - 1).copied().unwrap_or(0).min(options - 1)
    }

    fn shape(&mut self, shape: &Shape, path: &mut Vec<Segment>, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        let mut forms: Vec<Form> = shape.forms().into_iter().map(|it| it.form).collect();
        forms.retain(|form| !matches!(form, Form::Nothing(_)));
        // What ends a recursion comes first where it must end.
        let ends = |form: &Form| {
            !matches!(form, Form::Null | Form::Bool(_) | Form::Number(_) | Form::Text(_))
        };
        if depth > DEEP {
            forms.sort_by_key(ends);
        } else {
            forms.sort_by_key(|form| matches!(form, Form::Null));
        }
        let first = self.pick(forms.len(), path);
        // Of a form of which no value can be made here, another one stands in the place.
        let (before, from) = forms.split_at(first.min(forms.len()));
        from.iter().chain(before).find_map(|form| self.form(form, path, depth))
    }

    fn form(&mut self, form: &Form, path: &mut Vec<Segment>, depth: usize) -> Option<Value> {
        match form {
            Form::Null | Form::Nothing(_) => Some(Value::Null),
            Form::Bool(only) => Some(only.unwrap_or_else(|| self.pick(2, path) == 1).into()),
            Form::Number(it) => self.one_of(&numbers(*it), path),
            Form::Text(it) => self.one_of(&texts(it), path),
            Form::List(it) => self.list(it, path, depth),
            Form::Object(it) => self.object(it, path, depth),
            Form::Any | Form::Odd => {
                let all = [json!({}), Value::Null, json!("a"), json!(1), json!([]), json!(true)];
                self.one_of(&all, path)
            }
            Form::Named(_) => None,
        }
    }

    fn one_of(&mut self, all: &[Value], path: &[Segment]) -> Option<Value> {
        all.get(self.pick(all.len(), path)).cloned()
    }

    fn list(&mut self, list: &List, path: &mut Vec<Segment>, depth: usize) -> Option<Value> {
        let most = list.most.unwrap_or(u64::MAX);
        let mut counts: Vec<u64> = [1, 0, 2, list.least, most.min(list.least + 3)].into();
        if depth > DEEP {
            counts.insert(0, list.least);
        }
        counts.retain(|count| (list.least..=most).contains(count) && *count < 64);
        let mut seen = Vec::new();
        counts.retain(|count| {
            !seen.contains(count) && {
                seen.push(*count);
                true
            }
        });
        let count = *counts.get(self.pick(counts.len(), path))?;
        let mut items = Vec::new();
        for at in 0..usize::try_from(count).ok()? {
            path.push(Segment::Index(i64::try_from(at).ok()?));
            let item = self.shape(list.element(at), path, depth + 1);
            path.pop();
            let mut item = item?;
            if list.unique && items.contains(&item) {
                item = other(&item, at)?;
            }
            items.push(item);
        }
        Some(items.into())
    }

    fn object(&mut self, object: &Object, path: &mut Vec<Segment>, depth: usize) -> Option<Value> {
        let mut map = Map::new();
        for (key, field) in &object.fields {
            path.push(Segment::Key(key.to_string()));
            // There first, and absent then; the other way round where it is deep.
            let optional = !field.sent;
            let absent = optional && (depth > DEEP || self.pick(2, path) == 1);
            let value = if absent { None } else { self.shape(&field.shape, path, depth + 1) };
            path.pop();
            match value {
                Some(value) => drop(map.insert(key.to_string(), value)),
                None if absent || optional => {}
                None => return None,
            }
        }
        if let Rest::Keys(values) | Rest::Like(_, values) = &object.rest
            && depth <= DEEP
        {
            let names: Vec<String> = self.names(object);
            let count = self.pick(names.len() + 1, path);
            for name in names.into_iter().take(count) {
                path.push(Segment::Key(name.clone()));
                let value = self.shape(values, path, depth + 1);
                path.pop();
                if let Some(value) = value {
                    map.insert(name, value);
                }
            }
        }
        Some(map.into())
    }

    /// Keys that a map may have: those that a path asks for, and one more.
    fn names(&self, object: &Object) -> Vec<String> {
        let asked = self.paths.iter().flat_map(|path| path.iter());
        let asked = asked.filter_map(|segment| match segment {
            Segment::Key(key) => Some(key.clone()),
            Segment::Index(_) => None,
        });
        let mut names: Vec<String> = asked.chain(["1".to_owned(), "key".to_owned()]).collect();
        names.retain(|name| object.field(name).is_none());
        if let Rest::Like(pattern, _) = &object.rest {
            names.retain(|name| pattern.is_in(name) == Some(true));
        }
        names.truncate(4);
        names
    }
}

/// Another value of the same kind, for lists that have none twice.
fn other(value: &Value, at: usize) -> Option<Value> {
    match value {
        Value::Number(number) => Some((number.as_i64()? + i64::try_from(at).ok()?).into()),
        Value::String(text) => Some(format!("{text}{at}").into()),
        Value::Bool(truth) => Some((!truth).into()),
        _ => None,
    }
}

fn numbers(it: Numbers) -> Vec<Value> {
    let mut all: Vec<Value> = vec![1.into(), 0.into(), (-1).into(), 2.into()];
    if !it.whole {
        // What is a real number is written as one.
        all.splice(0..0, [json!(0.5), json!(1.0), json!(-0.5)]);
    }
    for bound in [it.from, it.to].into_iter().flatten() {
        match bound {
            Bound::Whole(whole) => {
                let value = i64::try_from(whole)
                    .map(Value::from)
                    .or_else(|_| u64::try_from(whole).map(Value::from));
                all.extend(value);
            }
            Bound::Real(real) => all.extend(Number::from_f64(real).map(Value::Number)),
        }
    }
    let form = Shape::from(Form::Number(it));
    all.retain(|value| form.has(value));
    all
}

fn texts(it: &Texts) -> Vec<Value> {
    if let Some(choices) = &it.choices {
        return choices.iter().map(|choice| Value::from(&**choice)).collect();
    }
    let all: Vec<String> = match it.format.as_deref() {
        None => {
            let least = usize::try_from(it.least).unwrap_or(0).min(4096);
            ["a", "", "0"]
                .iter()
                .map(|text| format!("{text}{}", "a".repeat(least.saturating_sub(text.len()))))
                .collect()
        }
        Some(format) => sample(format).map(str::to_owned).into_iter().collect(),
    };
    let form = Shape::from(Form::Text(Arc::new(it.clone())));
    all.into_iter().map(Value::from).filter(|value| form.has(value)).collect()
}

/// A text of a format; none of one that is not known.
fn sample(format: &str) -> Option<&'static str> {
    Some(match format {
        "date-time" => "2026-01-02T03:04:05Z",
        "date" => "2026-01-02",
        "time" | "partial-time" => "03:04:05",
        "partial-date-time" => "2026-01-02T03:04:05",
        "timespan" => "PT1S",
        "uuid" => "6f2f1f0e-8a1f-4b6c-9d39-0d2a9a0f5b11",
        "ipv4" | "ip" => "127.0.0.1",
        "ipv6" => "::1",
        "uri" => "http://localhost/",
        "email" => "a@localhost",
        _ => return None,
    })
}
