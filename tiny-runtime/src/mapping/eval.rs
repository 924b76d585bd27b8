//! Evaluation: a tree over the values of a message, borrowed wherever nothing new is made.

use std::cell::Cell;

use serde_json::{Map, Number, Value};

use super::compare;
use super::functions::{self, Arg, Function};
use super::query::{self, Query, Scope};
use super::tree::{Comparison, Expr, Logic, Operator};

/// The steps that one evaluation may take: each part of a tree, each value that is looked at, each few bytes of text is one.
const STEPS: usize = 400_000;
/// The largest text that an evaluation makes, in bytes.
pub(super) const TEXT: usize = 4 * 1024 * 1024;

/// Why an expression has no value. Says kinds, never contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure(pub(super) String);

impl Failure {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// What is left of the steps.
#[derive(Debug)]
pub(super) struct Steps(Cell<usize>);

impl Default for Steps {
    fn default() -> Self {
        Self(Cell::new(STEPS))
    }
}

impl Steps {
    pub(super) fn take(&self, count: usize) -> Result<(), Failure> {
        let left = self.0.get().checked_sub(count);
        let over = || Failure::new(format!("it takes more than {STEPS} steps"));
        self.0.set(left.ok_or_else(over)?);
        Ok(())
    }

    /// For a text of so many bytes.
    pub(super) fn text(&self, bytes: usize) -> Result<(), Failure> {
        if bytes > TEXT {
            return Err(Failure::new(format!(
                "it makes a text of more than {} MiB",
                TEXT / 1024 / 1024
            )));
        }
        self.take(bytes / 32)
    }
}

/// What an expression gives.
#[derive(Debug)]
pub(super) enum Got<'a> {
    /// A path that leads nowhere.
    Nothing,
    There(&'a Value),
    Made(Value),
}

static NULL: Value = Value::Null;

impl<'a> Got<'a> {
    pub(super) fn value(&self) -> Option<&Value> {
        match self {
            Self::Nothing => None,
            Self::There(value) => Some(value),
            Self::Made(value) => Some(value),
        }
    }

    /// The value, or null.
    pub(super) fn or_null(&self) -> &Value {
        self.value().unwrap_or(&NULL)
    }

    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Nothing => Value::Null,
            Self::There(value) => value.clone(),
            Self::Made(value) => value,
        }
    }

    fn map(self, steps: &Steps, part: impl Fn(&Value) -> Option<&Value>) -> Result<Self, Failure> {
        Ok(match self {
            Self::Nothing => Self::Nothing,
            Self::There(value) => part(value).map_or(Self::Nothing, Self::There),
            Self::Made(value) => match part(&value) {
                None => Self::Nothing,
                Some(value) => {
                    steps.take(weight(value))?;
                    Self::Made(value.clone())
                }
            },
        })
    }
}

/// About the steps that a copy of a value is worth.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => 1 + text.len() / 32,
        Value::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Object(map) => {
            1 + map.iter().map(|(key, value)| key.len() / 32 + weight(value)).sum::<usize>()
        }
        _ => 1,
    }
}

/// One evaluation.
#[derive(Debug)]
pub(super) struct Eval<'a> {
    pub(super) slots: &'a [Option<&'a Value>],
    pub(super) steps: &'a Steps,
}

impl<'a> Eval<'a> {
    /// What `expr` gives where `current` is looked at.
    ///
    /// Each kind has a function of its own: an expression may be nested 64 deep, and one function for all would have their frames
    /// all at once on each level of the stack.
    pub(super) fn of(&self, expr: &'a Expr, current: &'a Value) -> Result<Got<'a>, Failure> {
        self.steps.take(1)?;
        match expr {
            Expr::Literal(value) => Ok(Got::There(value)),
            Expr::Slot(slot) => Ok(self.slot(*slot)),
            Expr::Current => Ok(Got::There(current)),
            Expr::Field(of, name) => self.field(of, name, current),
            Expr::Index(of, index) => self.index(of, *index, current),
            Expr::Query(query) => self.query(query, current),
            Expr::Then(first, then) => self.then(first, then, current),
            Expr::Project(list, each) => self.project(list, each, current),
            Expr::Values(of) => self.values(of, current),
            Expr::Flatten(of) => self.flatten(of, current),
            Expr::Slice(of, from, to, by) => self.slice(of, (*from, *to, *by), current),
            Expr::When(test, then) => self.when(test, then, current),
            Expr::List(items) => self.items(items, current),
            Expr::Object(fields) => self.object(fields, current),
            Expr::Not(of) => self.not(of, current),
            Expr::And(logic, one, other) => self.and(*logic, one, other, current),
            Expr::Or(logic, one, other) => self.or(*logic, one, other, current),
            Expr::Compare(logic, comparison, one, other) => {
                self.compare((*logic, *comparison), one, other, current)
            }
            Expr::Negate(of) => self.negate(of, current),
            Expr::Arithmetic(operator, one, other) => {
                self.arithmetic(*operator, one, other, current)
            }
            Expr::Choose(test, one, other) => self.choose(test, one, other, current),
            Expr::Call(function, args) => self.call(function, args, current),
            // Only a function can do something with it.
            Expr::Deferred(_) => Ok(Got::Made(Value::Null)),
        }
    }

    fn slot(&self, slot: usize) -> Got<'a> {
        self.slots.get(slot).copied().flatten().map_or(Got::Nothing, Got::There)
    }

    fn field(&self, of: &'a Expr, name: &str, current: &'a Value) -> Result<Got<'a>, Failure> {
        self.of(of, current)?.map(self.steps, |value| value.as_object()?.get(name))
    }

    fn index(&self, of: &'a Expr, index: i64, current: &'a Value) -> Result<Got<'a>, Failure> {
        self.of(of, current)?.map(self.steps, |value| {
            let items = value.as_array()?;
            items.get(super::path::position(index, items.len())?)
        })
    }

    fn query(&self, query: &'a Query, current: &'a Value) -> Result<Got<'a>, Failure> {
        let scope = Scope { slots: self.slots, current: Some(current), steps: self.steps };
        self.list(query.select(scope)?.into_iter())
    }

    fn then(
        &self,
        first: &'a Expr,
        then: &'a Expr,
        current: &'a Value,
    ) -> Result<Got<'a>, Failure> {
        match self.of(first, current)? {
            Got::There(value) => self.of(then, value),
            Got::Nothing => self.of(then, &NULL),
            Got::Made(value) => self.made(then, &value),
        }
    }

    fn values(&self, of: &'a Expr, current: &'a Value) -> Result<Got<'a>, Failure> {
        match self.of(of, current)?.or_null() {
            Value::Object(map) => self.list(map.values()),
            _ => Ok(Got::Made(Value::Null)),
        }
    }

    fn slice(
        &self,
        of: &'a Expr,
        (from, to, by): (Option<i64>, Option<i64>, i64),
        current: &'a Value,
    ) -> Result<Got<'a>, Failure> {
        match self.of(of, current)?.or_null() {
            Value::Array(items) => {
                let places = query::slice(items.len(), from, to, by);
                self.list(places.filter_map(|at| items.get(at)))
            }
            _ => Ok(Got::Made(Value::Null)),
        }
    }

    fn when(&self, test: &'a Expr, then: &'a Expr, current: &'a Value) -> Result<Got<'a>, Failure> {
        match holds(Logic::Jmes, &self.of(test, current)?) {
            true => self.of(then, current),
            false => Ok(Got::Made(Value::Null)),
        }
    }

    fn items(&self, items: &'a [Expr], current: &'a Value) -> Result<Got<'a>, Failure> {
        let items = items.iter().map(|item| self.owned(item, current));
        Ok(Got::Made(Value::Array(items.collect::<Result<_, _>>()?)))
    }

    fn object(&self, fields: &'a [(String, Expr)], current: &'a Value) -> Result<Got<'a>, Failure> {
        let mut map = Map::with_capacity(fields.len());
        for (key, field) in fields {
            map.insert(key.clone(), self.owned(field, current)?);
        }
        Ok(Got::Made(map.into()))
    }

    fn not(&self, of: &'a Expr, current: &'a Value) -> Result<Got<'a>, Failure> {
        Ok(Got::Made((!holds(Logic::Jmes, &self.of(of, current)?)).into()))
    }

    fn and(
        &self,
        logic: Logic,
        one: &'a Expr,
        other: &'a Expr,
        current: &'a Value,
    ) -> Result<Got<'a>, Failure> {
        let one = self.of(one, current)?;
        let got = if holds(logic, &one) { self.of(other, current)? } else { one };
        Ok(truth(logic, got))
    }

    fn or(
        &self,
        logic: Logic,
        one: &'a Expr,
        other: &'a Expr,
        current: &'a Value,
    ) -> Result<Got<'a>, Failure> {
        let one = self.of(one, current)?;
        let got = if holds(logic, &one) { one } else { self.of(other, current)? };
        Ok(truth(logic, got))
    }

    fn negate(&self, of: &'a Expr, current: &'a Value) -> Result<Got<'a>, Failure> {
        match self.of(of, current)?.or_null() {
            Value::Number(number) => {
                arithmetic(Operator::Subtract, &Number::from(0), number).map(Got::Made)
            }
            other => Err(Failure::new(format!("`-` takes a number, and here is {}", kind(other)))),
        }
    }

    fn choose(
        &self,
        test: &'a Expr,
        one: &'a Expr,
        other: &'a Expr,
        current: &'a Value,
    ) -> Result<Got<'a>, Failure> {
        let chosen = if holds(Logic::Dollar, &self.of(test, current)?) { one } else { other };
        self.of(chosen, current)
    }

    fn call(
        &self,
        function: &'static Function,
        args: &'a [Expr],
        current: &'a Value,
    ) -> Result<Got<'a>, Failure> {
        let mut given = Vec::with_capacity(args.len());
        for arg in args {
            given.push(match arg {
                Expr::Deferred(each) => Arg::Deferred(each),
                arg => Arg::Value(self.of(arg, current)?),
            });
        }
        functions::call(self, function, given)
    }

    /// What `expr` gives where something that was made is looked at.
    pub(super) fn made(&self, expr: &'a Expr, current: &Value) -> Result<Got<'a>, Failure> {
        let shorter: Eval<'_> = Eval { slots: self.slots, steps: self.steps };
        let got = shorter.of(expr, current)?;
        if let Got::There(value) = &got {
            self.steps.take(weight(value))?;
        }
        Ok(match got {
            Got::Nothing => Got::Nothing,
            other => Got::Made(other.into_value()),
        })
    }

    fn owned(&self, expr: &'a Expr, current: &'a Value) -> Result<Value, Failure> {
        let got = self.of(expr, current)?;
        if let Got::There(value) = &got {
            self.steps.take(weight(value))?;
        }
        Ok(got.into_value())
    }

    fn list<'v>(&self, items: impl Iterator<Item = &'v Value>) -> Result<Got<'a>, Failure> {
        let copy = |item: &Value| {
            self.steps.take(weight(item))?;
            Ok(item.clone())
        };
        Ok(Got::Made(Value::Array(items.map(copy).collect::<Result<_, _>>()?)))
    }

    fn project(
        &self,
        list: &'a Expr,
        each: &'a Expr,
        current: &'a Value,
    ) -> Result<Got<'a>, Failure> {
        let list = self.of(list, current)?;
        let mut projected = Vec::new();
        match &list {
            Got::There(Value::Array(items)) => {
                for item in items {
                    let got = self.owned(each, item)?;
                    projected.extend((!got.is_null()).then_some(got));
                }
            }
            Got::Made(Value::Array(items)) => {
                for item in items {
                    let got = self.made(each, item)?.into_value();
                    projected.extend((!got.is_null()).then_some(got));
                }
            }
            _ => return Ok(Got::Made(Value::Null)),
        }
        Ok(Got::Made(projected.into()))
    }

    fn flatten(&self, of: &'a Expr, current: &'a Value) -> Result<Got<'a>, Failure> {
        let list = self.of(of, current)?;
        let Value::Array(items) = list.or_null() else { return Ok(Got::Made(Value::Null)) };
        let flat = items.iter().flat_map(|item| match item {
            Value::Array(inner) => inner.as_slice(),
            other => std::slice::from_ref(other),
        });
        self.list(flat)
    }

    fn compare(
        &self,
        (logic, comparison): (Logic, Comparison),
        one: &'a Expr,
        other: &'a Expr,
        current: &'a Value,
    ) -> Result<Got<'a>, Failure> {
        let (one, other) = (self.of(one, current)?, self.of(other, current)?);
        self.steps.take(one.value().map_or(0, weight).min(other.value().map_or(0, weight)))?;
        Ok(Got::Made(match logic {
            Logic::Dollar => compare::rfc(comparison, one.value(), other.value()).into(),
            Logic::Jmes => compare::jmes(comparison, one.or_null(), other.or_null()).into(),
        }))
    }

    fn arithmetic(
        &self,
        operator: Operator,
        one: &'a Expr,
        other: &'a Expr,
        current: &'a Value,
    ) -> Result<Got<'a>, Failure> {
        let (one, other) = (self.of(one, current)?, self.of(other, current)?);
        match (operator, one.or_null(), other.or_null()) {
            (Operator::Add, Value::String(one), Value::String(other)) => {
                self.steps.text(one.len() + other.len())?;
                Ok(Got::Made(format!("{one}{other}").into()))
            }
            (_, Value::Number(one), Value::Number(other)) => {
                arithmetic(operator, one, other).map(Got::Made)
            }
            _ => Err(misfit(operator, &one, &other)),
        }
    }
}

/// What an operator has to say of what it cannot take.
fn misfit(operator: Operator, one: &Got<'_>, other: &Got<'_>) -> Failure {
    let kind = |got: &Got<'_>| got.value().map_or("nothing", kind);
    let takes = match operator {
        Operator::Add => "two numbers or two texts",
        _ => "two numbers",
    };
    let (one, other, sign) = (kind(one), kind(other), operator.sign());
    let mut why = format!("`{sign}` takes {takes}, and here are {one} and {other}");
    if operator == Operator::Add && [one, other].contains(&"a text") {
        why += "; `string(…)` makes a text of anything";
    }
    Failure::new(why)
}

/// What `&&` and `||` give: with `$`, true or false.
fn truth(logic: Logic, got: Got<'_>) -> Got<'_> {
    match logic {
        Logic::Dollar => Got::Made(holds(logic, &got).into()),
        Logic::Jmes => got,
    }
}

/// Whether a value counts as true.
pub(super) fn holds(logic: Logic, got: &Got<'_>) -> bool {
    match got.or_null() {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => logic == Logic::Jmes || number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Two numbers: whole ones stay whole while they can.
pub(super) fn arithmetic(
    operator: Operator,
    one: &Number,
    other: &Number,
) -> Result<Value, Failure> {
    if let (Some(one), Some(other)) = (one.as_i128(), other.as_i128()) {
        if other == 0 && matches!(operator, Operator::Divide | Operator::Remainder) {
            return Err(Failure::new(format!("`{}` by zero", operator.sign())));
        }
        let whole = match operator {
            Operator::Add => one.checked_add(other),
            Operator::Subtract => one.checked_sub(other),
            Operator::Multiply => one.checked_mul(other),
            Operator::Divide => (one % other == 0).then(|| one / other),
            Operator::Remainder => Some(one % other),
        };
        let fits = whole.and_then(|whole| match i64::try_from(whole) {
            Ok(whole) => Some(Value::from(whole)),
            Err(_) => u64::try_from(whole).ok().map(Value::from),
        });
        if let Some(value) = fits {
            return Ok(value);
        }
    }
    let (one, other) = (one.as_f64().unwrap_or(f64::NAN), other.as_f64().unwrap_or(f64::NAN));
    let result = match operator {
        Operator::Add => one + other,
        Operator::Subtract => one - other,
        Operator::Multiply => one * other,
        Operator::Divide => one / other,
        Operator::Remainder => one % other,
    };
    number(result).ok_or_else(|| {
        let why = if other == 0.0 { "by zero" } else { "gives a number that JSON has not" };
        Failure::new(format!("`{}` {why}", operator.sign()))
    })
}

/// The largest real number up to which all whole ones are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number as JSON: whole where it is whole.
pub(super) fn number(number: f64) -> Option<Value> {
    if number.fract() == 0.0 && number.abs() <= EXACT {
        #[allow(clippy::cast_possible_truncation, reason = "it is whole, and within the bounds")]
        let whole = number as i64;
        return Some(whole.into());
    }
    Number::from_f64(number).map(Value::Number)
}
