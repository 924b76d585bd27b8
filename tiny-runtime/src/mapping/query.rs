//! Queries of RFC 9535: any number of values of a message.

use std::sync::Arc;

use regex::Regex;
use serde_json::Value;

use super::compare;
use super::eval::{Failure, Steps};
use super::tree::Comparison;

/// A query: where it starts, and its segments.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) start: Start,
    pub(super) segments: Vec<Segment>,
}

/// Where a query starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// At a slot of the message.
    Slot(usize),
    /// At the value that a filter looks at.
    Current,
}

/// A step to the values below.
#[derive(Clone, Debug)]
pub(super) enum Segment {
    Child(Vec<Selector>),
    /// Here and at all depths below.
    Descend(Vec<Selector>),
}

/// Which of the values below.
#[derive(Clone, Debug)]
pub(super) enum Selector {
    Name(String),
    All,
    Index(i64),
    Slice { from: Option<i64>, to: Option<i64>, by: i64 },
    Filter(Test),
}

/// What a filter asks of each value.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Any(Vec<Test>),
    All(Vec<Test>),
    Not(Box<Test>),
    /// The query selects something.
    Exists(Query),
    Compare(Comparison, Operand, Operand),
    Matches(Operand, Pattern, Extent),
}

/// One side of a comparison.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Literal(Value),
    /// A query that selects one value at most.
    One(Query),
    /// The number of characters, elements or members.
    Length(Box<Operand>),
    /// How many values a query selects.
    Count(Query),
    /// The value of a query that selects exactly one.
    Only(Query),
}

/// How much of a text a pattern must match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Whole,
    Part,
}

/// A pattern of RFC 9485.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    /// Written out, and compiled once; `None` when it is none, which matches nothing.
    Fixed(Option<Arc<Regex>>),
    /// Found in the message.
    Found(Operand),
}

impl Pattern {
    /// Compiles a pattern.
    pub(super) fn of(written: &str, extent: Extent) -> Self {
        Self::Fixed(compiled(written, extent).map(Arc::new))
    }
}

/// The largest compiled pattern, in bytes.
const PATTERN: usize = 1 << 18;

/// RFC 9485 in the words of the crate: a dot is no line end.
fn compiled(written: &str, extent: Extent) -> Option<Regex> {
    let mut pattern = String::with_capacity(written.len() + 8);
    let (mut escaped, mut in_class) = (false, false);
    for c in written.chars() {
        match c {
            '.' if !escaped && !in_class => pattern += r"[^\n\r]",
            _ => pattern.push(c),
        }
        in_class = match c {
            '[' if !escaped => true,
            ']' if !escaped => false,
            _ => in_class,
        };
        escaped = c == '\\' && !escaped;
    }
    if extent == Extent::Whole {
        pattern = format!("^(?:{pattern})$");
    }
    regex::RegexBuilder::new(&pattern).size_limit(PATTERN).build().ok()
}

/// What a query needs to know.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) slots: &'a [Option<&'a Value>],
    pub(super) current: Option<&'a Value>,
    pub(super) steps: &'a Steps,
}

impl Query {
    /// The values that it selects, in the order of the RFC.
    pub(super) fn select<'a>(&'a self, scope: Scope<'a>) -> Result<Vec<&'a Value>, Failure> {
        let start = match self.start {
            Start::Slot(slot) => scope.slots.get(slot).copied().flatten(),
            Start::Current => scope.current,
        };
        let mut found: Vec<&Value> = start.into_iter().collect();
        for segment in &self.segments {
            let mut next = Vec::new();
            match segment {
                Segment::Child(selectors) => {
                    for value in found {
                        below(value, selectors, scope, &mut next)?;
                    }
                }
                Segment::Descend(selectors) => {
                    for value in found {
                        descend(value, selectors, scope, &mut next)?;
                    }
                }
            }
            found = next;
        }
        Ok(found)
    }

    fn one<'a>(&'a self, scope: Scope<'a>) -> Result<Option<&'a Value>, Failure> {
        Ok(self.select(scope)?.first().copied())
    }
}

/// The value itself, and all below it, each before those below it.
fn descend<'a>(
    value: &'a Value,
    selectors: &'a [Selector],
    scope: Scope<'a>,
    found: &mut Vec<&'a Value>,
) -> Result<(), Failure> {
    below(value, selectors, scope, found)?;
    match value {
        Value::Array(items) => items.iter().try_for_each(|it| descend(it, selectors, scope, found)),
        Value::Object(map) => map.values().try_for_each(|it| descend(it, selectors, scope, found)),
        _ => Ok(()),
    }
}

fn below<'a>(
    value: &'a Value,
    selectors: &'a [Selector],
    scope: Scope<'a>,
    found: &mut Vec<&'a Value>,
) -> Result<(), Failure> {
    for selector in selectors {
        scope.steps.take(1)?;
        match (selector, value) {
            (Selector::Name(name), Value::Object(map)) => found.extend(map.get(name)),
            (Selector::Index(index), Value::Array(items)) => {
                found.extend(
                    super::path::position(*index, items.len()).and_then(|at| items.get(at)),
                );
            }
            (Selector::All, Value::Array(items)) => {
                scope.steps.take(items.len())?;
                found.extend(items);
            }
            (Selector::All, Value::Object(map)) => {
                scope.steps.take(map.len())?;
                found.extend(map.values());
            }
            (Selector::Slice { from, to, by }, Value::Array(items)) => {
                for at in slice(items.len(), *from, *to, *by) {
                    scope.steps.take(1)?;
                    found.extend(items.get(at));
                }
            }
            (Selector::Filter(test), Value::Array(items)) => {
                test.filter(items.iter(), scope, found)?;
            }
            (Selector::Filter(test), Value::Object(map)) => {
                test.filter(map.values(), scope, found)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The places of a slice.
pub(super) fn slice(
    length: usize,
    from: Option<i64>,
    to: Option<i64>,
    by: i64,
) -> impl Iterator<Item = usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let normal = |at: i64| if at >= 0 { at } else { length.saturating_add(at) };
    let (mut at, end) = if by >= 0 {
        let from = normal(from.unwrap_or(0)).clamp(0, length);
        (from, normal(to.unwrap_or(length)).clamp(0, length))
    } else {
        let from = normal(from.unwrap_or(length - 1)).clamp(-1, length - 1);
        (from, to.map_or(-1, |to| normal(to).clamp(-1, length - 1)))
    };
    std::iter::from_fn(move || {
        let more = if by > 0 { at < end } else { by < 0 && at > end };
        if !more {
            return None;
        }
        let here = at;
        at = at.saturating_add(by);
        usize::try_from(here).ok()
    })
}

impl Test {
    /// The values of which the test holds.
    fn filter<'a>(
        &'a self,
        values: impl Iterator<Item = &'a Value>,
        scope: Scope<'a>,
        found: &mut Vec<&'a Value>,
    ) -> Result<(), Failure> {
        for value in values {
            if self.holds(Scope { current: Some(value), ..scope })? {
                found.push(value);
            }
        }
        Ok(())
    }

    fn holds(&self, scope: Scope<'_>) -> Result<bool, Failure> {
        scope.steps.take(1)?;
        Ok(match self {
            Self::Any(tests) => {
                for test in tests {
                    if test.holds(scope)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::All(tests) => {
                for test in tests {
                    if !test.holds(scope)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Not(test) => !test.holds(scope)?,
            Self::Exists(query) => !query.select(scope)?.is_empty(),
            Self::Compare(comparison, one, other) => {
                let (one, other) = (one.value(scope)?, other.value(scope)?);
                compare::rfc(*comparison, one.as_deref(), other.as_deref())
            }
            Self::Matches(text, pattern, extent) => {
                let text = text.value(scope)?;
                let Some(text) = text.as_deref().and_then(Value::as_str) else { return Ok(false) };
                scope.steps.take(text.len() / 16)?;
                match pattern {
                    Pattern::Fixed(regex) => regex.as_ref().is_some_and(|it| it.is_match(text)),
                    Pattern::Found(operand) => {
                        let pattern = operand.value(scope)?;
                        let Some(pattern) = pattern.as_deref().and_then(Value::as_str) else {
                            return Ok(false);
                        };
                        // To compile one costs far more than to match it.
                        scope.steps.take(1000 + pattern.len())?;
                        compiled(pattern, *extent).is_some_and(|it| it.is_match(text))
                    }
                }
            }
        })
    }
}

/// A value that is there, or was made.
enum Side<'a> {
    There(&'a Value),
    Made(Value),
}

impl std::ops::Deref for Side<'_> {
    type Target = Value;

    fn deref(&self) -> &Value {
        match self {
            Self::There(value) => value,
            Self::Made(value) => value,
        }
    }
}

impl Operand {
    fn value<'a>(&'a self, scope: Scope<'a>) -> Result<Option<Side<'a>>, Failure> {
        Ok(match self {
            Self::Literal(value) => Some(Side::There(value)),
            Self::One(query) => query.one(scope)?.map(Side::There),
            Self::Length(of) => {
                of.value(scope)?.and_then(|it| length(&it)).map(|it| Side::Made(it.into()))
            }
            Self::Count(query) => Some(Side::Made(query.select(scope)?.len().into())),
            Self::Only(query) => match query.select(scope)?.as_slice() {
                [only] => Some(Side::There(only)),
                _ => None,
            },
        })
    }
}

/// The number of characters, elements or members; of anything else there is none.
pub(super) fn length(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.chars().count()),
        Value::Array(items) => Some(items.len()),
        Value::Object(map) => Some(map.len()),
        _ => None,
    }
}
