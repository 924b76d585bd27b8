//! The functions of expressions: one closed table, of both languages.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{
    GeneralPurpose, GeneralPurposeConfig, STANDARD, STANDARD_NO_PAD,
};
use jiff::Timestamp;
use serde_json::{Map, Number, Value};

use super::compare;
use super::eval::{Eval, Failure, Got, holds, kind, number, weight};
use super::query;
use super::tree::{Expr, Logic, Operator};

/// One function.
pub struct Function {
    /// What it is called.
    pub name: &'static str,
    /// What else it is called, in flows of the original.
    pub aliases: &'static [&'static str],
    /// Its arguments; the last one may come more than once where `many` says so.
    pub takes: &'static [Takes],
    /// How many of the arguments may be left out, from the end.
    pub optional: usize,
    /// Whether the last argument may come again and again.
    pub many: bool,
    /// What it gives, in a few words.
    pub gives: &'static str,
    /// What it does, in one sentence.
    pub does: &'static str,
    /// An expression and what it gives.
    pub example: (&'static str, &'static str),
    run: Run,
}

type Run = for<'a> fn(&Eval<'a>, Vec<Arg<'a>>) -> Result<Got<'a>, Failure>;

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// An argument of a call.
pub(super) enum Arg<'a> {
    Value(Got<'a>),
    Deferred(&'a Expr),
}

/// What an argument must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Any value.
    Any,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A list.
    List,
    /// An object.
    Object,
    /// A list of numbers.
    Numbers,
    /// A list of texts.
    Texts,
    /// A list of numbers, or one of texts.
    Ordered,
    /// A text, a list or an object.
    Countable,
    /// A text or a list.
    TextOrList,
    /// An expression with `&` before it.
    Expression,
}

impl Takes {
    fn takes(self, value: &Value) -> bool {
        let all =
            |of: fn(&Value) -> bool| value.as_array().is_some_and(|items| items.iter().all(of));
        match self {
            Self::Any => true,
            Self::Number => value.is_number(),
            Self::Text => value.is_string(),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
            Self::Numbers => all(Value::is_number),
            Self::Texts => all(Value::is_string),
            Self::Ordered => all(Value::is_number) || all(Value::is_string),
            Self::Countable => value.is_string() || value.is_array() || value.is_object(),
            Self::TextOrList => value.is_string() || value.is_array(),
            Self::Expression => false,
        }
    }

    /// In words, with an article.
    pub fn words(self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Object => "an object",
            Self::Numbers => "a list of numbers",
            Self::Texts => "a list of texts",
            Self::Ordered => "a list of numbers or of texts",
            Self::Countable => "a text, a list or an object",
            Self::TextOrList => "a text or a list",
            Self::Expression => "an expression with `&` before it",
        }
    }
}

/// The function of this name, in any spelling of an alias.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    let exact = ALL.iter().find(|function| function.name == name);
    let alias = |function: &&Function| {
        let lower = name.to_lowercase();
        function.name == lower || function.aliases.contains(&&*lower)
    };
    exact.or_else(|| ALL.iter().find(alias))
}

/// Whether a call with so many arguments fits; else how many it takes.
pub(super) fn arity(function: &Function, count: usize) -> Result<(), String> {
    let most = function.takes.len();
    let least = most - function.optional;
    if count >= least && (count <= most || function.many) {
        return Ok(());
    }
    Err(match (least, most) {
        _ if function.many => format!("at least {least}"),
        (least, most) if least == most => least.to_string(),
        _ => format!("{least} to {most}"),
    })
}

pub(super) fn call<'a>(
    eval: &Eval<'a>,
    function: &'static Function,
    args: Vec<Arg<'a>>,
) -> Result<Got<'a>, Failure> {
    for (number, arg) in args.iter().enumerate() {
        let takes = *function.takes.get(number).or(function.takes.last()).unwrap_or(&Takes::Any);
        let found = match arg {
            Arg::Deferred(_) if takes == Takes::Expression => continue,
            Arg::Deferred(_) => "an expression with `&`",
            Arg::Value(got) if takes.takes(got.or_null()) => continue,
            Arg::Value(Got::Nothing) => "nothing",
            Arg::Value(got) => kind(got.or_null()),
        };
        let (name, words, place) = (function.name, takes.words(), number + 1);
        let which = if args.len() == 1 { String::new() } else { format!(" as argument {place}") };
        return Err(Failure::new(format!("`{name}` takes {words}{which}, and here is {found}")));
    }
    (function.run)(eval, args)
}

/// The arguments as what the table says that they are.
struct Args<'a>(std::vec::IntoIter<Arg<'a>>);

impl<'a> Args<'a> {
    fn of(args: Vec<Arg<'a>>) -> Self {
        Self(args.into_iter())
    }

    fn got(&mut self) -> Got<'a> {
        match self.0.next() {
            Some(Arg::Value(got)) => got,
            _ => Got::Nothing,
        }
    }

    fn deferred(&mut self) -> Option<&'a Expr> {
        match self.0.next() {
            Some(Arg::Deferred(expr)) => Some(expr),
            _ => None,
        }
    }
}

fn text<'v>(got: &'v Got<'_>) -> &'v str {
    got.value().and_then(Value::as_str).unwrap_or_default()
}

fn items<'v>(got: &'v Got<'_>) -> &'v [Value] {
    got.value().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn real(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

fn made<'a>(value: impl Into<Value>) -> Result<Got<'a>, Failure> {
    Ok(Got::Made(value.into()))
}

fn made_number<'a>(result: f64) -> Result<Got<'a>, Failure> {
    number(result).map(Got::Made).ok_or_else(|| Failure::new("it gives a number that JSON has not"))
}

/// A number that is made of one, whole ones staying as they are.
fn rounded<'a>(args: Vec<Arg<'a>>, round: fn(f64) -> f64) -> Result<Got<'a>, Failure> {
    let number = Args::of(args).got();
    match number.or_null() {
        Value::Number(whole) if !whole.is_f64() => Ok(number),
        other => made_number(round(real(other))),
    }
}

fn made_text<'a>(eval: &Eval<'_>, text: String) -> Result<Got<'a>, Failure> {
    eval.steps.text(text.len())?;
    made(text)
}

/// A value as text: texts as they are, all else as JSON.
pub(super) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn sum(numbers: &[Value]) -> Result<Value, Failure> {
    let zero = Number::from(0);
    let add = |sum: Value, next: &Value| match (&sum, next) {
        (Value::Number(sum), Value::Number(next)) => {
            super::eval::arithmetic(Operator::Add, sum, next)
        }
        _ => Ok(sum),
    };
    numbers.iter().try_fold(Value::Number(zero), add)
}

fn order(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            compare::order(one, other).unwrap_or(Ordering::Equal)
        }
        (Value::String(one), Value::String(other)) => one.cmp(other),
        _ => Ordering::Equal,
    }
}

/// The first of the largest, or of the smallest.
fn extreme<'a>(eval: &Eval<'a>, list: &Got<'_>, wanted: Ordering) -> Result<Got<'a>, Failure> {
    let mut best: Option<&Value> = None;
    for item in items(list) {
        eval.steps.take(1)?;
        if best.is_none_or(|best| order(item, best) == wanted) {
            best = Some(item);
        }
    }
    made(best.cloned().unwrap_or_default())
}

/// Each element with the key that the expression gives for it; the keys are all numbers, or all texts.
fn keyed<'v, 'a>(
    eval: &Eval<'a>,
    name: &str,
    list: &'v Got<'a>,
    by: Option<&'a Expr>,
) -> Result<Vec<(Value, &'v Value)>, Failure> {
    let mut keyed: Vec<(Value, &Value)> = Vec::new();
    for item in items(list) {
        let key = match by {
            Some(by) => eval.made(by, item)?.into_value(),
            None => Value::Null,
        };
        let first = keyed.first().map(|(first, _)| first.is_number());
        let fits = match first {
            None => key.is_number() || key.is_string(),
            Some(true) => key.is_number(),
            Some(false) => key.is_string(),
        };
        if !fits {
            let kind = kind(&key);
            return Err(Failure::new(format!(
                "the expression of `{name}` must give numbers only or texts only, and here it gives {kind}"
            )));
        }
        keyed.push((key, item));
    }
    Ok(keyed)
}

fn extreme_by<'a>(
    eval: &Eval<'a>,
    name: &str,
    args: Vec<Arg<'a>>,
    wanted: Ordering,
) -> Result<Got<'a>, Failure> {
    let mut args = Args::of(args);
    let (list, by) = (args.got(), args.deferred());
    let mut best: Option<(Value, &Value)> = None;
    for (key, item) in keyed(eval, name, &list, by)? {
        if best.as_ref().is_none_or(|(best, _)| order(&key, best) == wanted) {
            best = Some((key, item));
        }
    }
    made(best.map(|(_, item)| item.clone()).unwrap_or_default())
}

fn encoded<'a>(
    eval: &Eval<'a>,
    args: Vec<Arg<'a>>,
    engine: &GeneralPurpose,
) -> Result<Got<'a>, Failure> {
    let got = Args::of(args).got();
    eval.steps.text(text(&got).len() * 4 / 3)?;
    made_text(eval, engine.encode(text(&got)))
}

/// Reads with and without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The text from one character to another.
fn characters(text: &str, from: i64, count: Option<i64>) -> String {
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let from = if from < 0 { length.saturating_add(from).max(0) } else { from };
    let count =
        count.map_or(usize::MAX, |count| usize::try_from(count.max(0)).unwrap_or(usize::MAX));
    text.chars().skip(usize::try_from(from).unwrap_or(usize::MAX)).take(count).collect()
}

fn whole(value: &Value) -> Result<i64, Failure> {
    let number = real(value);
    #[allow(clippy::cast_possible_truncation, reason = "it saturates, and so does the text")]
    let whole = number as i64;
    value
        .as_i64()
        .or((number.fract() == 0.0).then_some(whole))
        .ok_or_else(|| Failure::new("it takes a whole number"))
}

macro_rules! functions {
    ($($name:literal $(or $alias:literal)* ($($takes:ident),* $(; $optional:literal)? $(, many $many:ident)?) -> $gives:literal,
        $does:literal, $example:literal => $result:literal, $run:expr;)*) => {
        /// All functions, by name.
        pub static ALL: &[Function] = &[$(Function {
            name: $name,
            aliases: &[$($alias),*],
            takes: &[$(Takes::$takes,)* $(Takes::$many,)?],
            optional: 0 $(+ $optional)?,
            many: false $(|| { let _ = Takes::$many; true })?,
            gives: $gives,
            does: $does,
            example: ($example, $result),
            run: $run,
        }),*];
    };
}

functions! {
    "abs" (Number) -> "number", "The number without its sign.", "abs(`-2`)" => "2", |_, args| {
        let got = Args::of(args).got();
        match got.or_null() {
            Value::Number(whole) if whole.is_u64() => Ok(got),
            Value::Number(whole) if whole.is_i64() => made(whole.as_i64().unwrap_or_default().unsigned_abs()),
            other => made_number(real(other).abs()),
        }
    };
    "avg" (Numbers) -> "number or null", "The mean of the numbers; null of none.", "avg(`[1, 2]`)" => "1.5", |eval, args| {
        let list = Args::of(args).got();
        let numbers = items(&list);
        eval.steps.take(numbers.len())?;
        if numbers.is_empty() {
            return made(Value::Null);
        }
        #[allow(clippy::cast_precision_loss, reason = "no list is that long")]
        let count = numbers.len() as f64;
        made_number(real(&sum(numbers)?) / count)
    };
    "b64encoden" (Text) -> "text", "The text in base64 without padding.", "b64encoden('hi')" => "\"aGk\"", |eval, args| {
        encoded(eval, args, &STANDARD_NO_PAD)
    };
    "base64_decode" or "b64decode" (Text) -> "text", "The text behind its base64, with or without padding.",
        "base64_decode('aGk=')" => "\"hi\"", |eval, args| {
        let got = Args::of(args).got();
        let bytes = LENIENT.decode(text(&got)).map_err(|_| Failure::new("`base64_decode` takes base64, and this is none"))?;
        let decoded = String::from_utf8(bytes);
        made_text(eval, decoded.map_err(|_| Failure::new("`base64_decode` gives a text, and these bytes are none in UTF-8"))?)
    };
    "base64_encode" or "b64encode" (Text) -> "text", "The text in base64.", "base64_encode('hi')" => "\"aGk=\"", |eval, args| {
        encoded(eval, args, &STANDARD)
    };
    "ceil" (Number) -> "number", "The next whole number above.", "ceil(`1.2`)" => "2", |_, args| rounded(args, f64::ceil);
    "coalesce" or "not_null" (, many Any) -> "anything", "The first that is there and not null.",
        "coalesce(`null`, 'a')" => "\"a\"", |_, args| {
        let mut args = args.into_iter().filter_map(|arg| match arg { Arg::Value(got) => Some(got), Arg::Deferred(_) => None });
        Ok(args.find(|got| !got.or_null().is_null()).unwrap_or(Got::Made(Value::Null)))
    };
    "contains" (TextOrList, Any) -> "boolean", "Whether the text or list has the other in it.", "contains('hay', 'a')" => "true", |eval, args| {
        let mut args = Args::of(args);
        let (within, what) = (args.got(), args.got());
        made(match (within.or_null(), what.or_null()) {
            (Value::String(text), Value::String(part)) => {
                eval.steps.text(text.len())?;
                text.contains(&**part)
            }
            (Value::Array(items), what) => {
                eval.steps.take(items.len())?;
                items.iter().any(|item| compare::same(item, what))
            }
            _ => false,
        })
    };
    "ends_with" (Text, Text) -> "boolean", "Whether the text ends with the other.", "ends_with('hay', 'ay')" => "true", |_, args| {
        let mut args = Args::of(args);
        let (text_of, end) = (args.got(), args.got());
        made(text(&text_of).ends_with(text(&end)))
    };
    "first" (List) -> "anything", "The first element; nothing of an empty list.", "first(`[1, 2]`)" => "1", |_, args| {
        let list = Args::of(args).got();
        Ok(items(&list).first().cloned().map_or(Got::Nothing, Got::Made))
    };
    "floor" (Number) -> "number", "The next whole number below.", "floor(`1.8`)" => "1", |_, args| rounded(args, f64::floor);
    "join" (Text, Texts) -> "text", "The texts with the first one between them.", "join(', ', `[\"a\", \"b\"]`)" => "\"a, b\"", |eval, args| {
        let mut args = Args::of(args);
        let (between, list) = (args.got(), args.got());
        let texts: Vec<&str> = items(&list).iter().filter_map(Value::as_str).collect();
        let size = texts.iter().map(|text| text.len()).sum::<usize>();
        eval.steps.text(size.saturating_add(text(&between).len().saturating_mul(texts.len())))?;
        made(texts.join(text(&between)))
    };
    "json" (Any) -> "text", "The value as JSON text.", "json(`[1]`)" => "\"[1]\"", |eval, args| {
        let got = Args::of(args).got();
        eval.steps.take(weight(got.or_null()))?;
        made_text(eval, got.or_null().to_string())
    };
    "keys" (Object) -> "list of texts", "The names in the object.", "keys(`{\"a\": 1}`)" => "[\"a\"]", |eval, args| {
        let got = Args::of(args).got();
        let map = got.value().and_then(Value::as_object);
        eval.steps.take(map.map_or(0, Map::len))?;
        made(map.into_iter().flat_map(Map::keys).cloned().map(Value::from).collect::<Vec<_>>())
    };
    "last" (List) -> "anything", "The last element; nothing of an empty list.", "last(`[1, 2]`)" => "2", |_, args| {
        let list = Args::of(args).got();
        Ok(items(&list).last().cloned().map_or(Got::Nothing, Got::Made))
    };
    "length" or "size" (Countable) -> "number", "The number of characters, elements or names.", "length('hay')" => "3", |eval, args| {
        let got = Args::of(args).got();
        eval.steps.text(got.value().and_then(Value::as_str).map_or(0, str::len))?;
        made(query::length(got.or_null()))
    };
    "log10" (Number) -> "number", "The logarithm to the base of ten.", "log10(`1000`)" => "3", |_, args| {
        made_number(real(Args::of(args).got().or_null()).log10())
    };
    "lower" (Text) -> "text", "The text in small letters.", "lower('Hay')" => "\"hay\"", |eval, args| {
        let got = Args::of(args).got();
        eval.steps.text(text(&got).len())?;
        made_text(eval, text(&got).to_lowercase())
    };
    "map" (Expression, List) -> "list", "What the expression gives for each element.", "map(&a, `[{\"a\": 1}]`)" => "[1]", |eval, args| {
        let mut args = Args::of(args);
        let (each, list) = (args.deferred(), args.got());
        let Some(each) = each else { return made(Value::Null) };
        let mapped = items(&list).iter().map(|item| Ok(eval.made(each, item)?.into_value()));
        made(mapped.collect::<Result<Vec<Value>, Failure>>()?)
    };
    "max" (Ordered) -> "number, text or null", "The largest; null of none.", "max(`[1, 2]`)" => "2", |eval, args| {
        extreme(eval, &Args::of(args).got(), Ordering::Greater)
    };
    "max_by" (List, Expression) -> "anything", "The element for which the expression gives most.",
        "max_by(`[{\"a\": 1}, {\"a\": 2}]`, &a)" => "{\"a\":2}", |eval, args| {
        extreme_by(eval, "max_by", args, Ordering::Greater)
    };
    "merge" (, many Object) -> "object", "All objects as one; later ones win.", "merge(`{\"a\": 1}`, `{\"b\": 2}`)" => "{\"a\":1,\"b\":2}", |eval, args| {
        let mut merged = Map::new();
        for arg in args {
            let Arg::Value(got) = arg else { continue };
            eval.steps.take(weight(got.or_null()))?;
            if let Value::Object(map) = got.into_value() {
                merged.extend(map);
            }
        }
        made(merged)
    };
    "min" (Ordered) -> "number, text or null", "The smallest; null of none.", "min(`[1, 2]`)" => "1", |eval, args| {
        extreme(eval, &Args::of(args).got(), Ordering::Less)
    };
    "min_by" (List, Expression) -> "anything", "The element for which the expression gives least.",
        "min_by(`[{\"a\": 1}, {\"a\": 2}]`, &a)" => "{\"a\":1}", |eval, args| {
        extreme_by(eval, "min_by", args, Ordering::Less)
    };
    "not" (Any) -> "boolean", "Whether the value is false, null, zero, empty or not there.", "not(`0`)" => "true", |_, args| {
        made(!holds(Logic::Dollar, &Args::of(args).got()))
    };
    "now" () -> "number", "The time, in seconds since 1970.", "`0` < now()" => "true", |_, _| made(Timestamp::now().as_second());
    "number" or "to_number" (Any) -> "number or null", "The number that a text says; null where it says none.",
        "number('1.5')" => "1.5", |eval, args| {
        let got = Args::of(args).got();
        eval.steps.text(got.value().and_then(Value::as_str).map_or(0, str::len))?;
        match got.or_null() {
            Value::Number(_) => Ok(got),
            Value::String(text) => {
                let number = serde_json::from_str::<Number>(text.trim()).ok();
                made(number.map_or(Value::Null, Value::Number))
            }
            _ => made(Value::Null),
        }
    };
    "parse_json" (Text) -> "anything", "The JSON that a text holds.", "parse_json('[1]')" => "[1]", |eval, args| {
        let got = Args::of(args).got();
        eval.steps.text(text(&got).len())?;
        let parsed = serde_json::from_str(text(&got)).map(Got::Made);
        parsed.map_err(|_| Failure::new("`parse_json` takes a text that is JSON, and this is none"))
    };
    "replace" (Text, Text, Text) -> "text", "The text with the third for each of the second.",
        "replace('hay', 'a', 'o')" => "\"hoy\"", |eval, args| {
        let mut args = Args::of(args);
        let (of, from, to) = (args.got(), args.got(), args.got());
        let (of, from, to) = (text(&of), text(&from), text(&to));
        eval.steps.text(of.len())?;
        if from.is_empty() {
            return made(of);
        }
        let count = of.matches(from).count();
        eval.steps.text(of.len().saturating_add(count.saturating_mul(to.len())))?;
        made(of.replace(from, to))
    };
    "reverse" (TextOrList) -> "text or list", "The text or list, the other way round.", "reverse(`[1, 2]`)" => "[2,1]", |eval, args| {
        let got = Args::of(args).got();
        eval.steps.take(weight(got.or_null()))?;
        match got.into_value() {
            Value::Array(mut items) => {
                items.reverse();
                made(items)
            }
            Value::String(text) => made(text.chars().rev().collect::<String>()),
            other => made(other),
        }
    };
    "rfc3339" (Number) -> "text", "The time that is so many seconds after 1970, in UTC.",
        "rfc3339(`0`)" => "\"1970-01-01T00:00:00Z\"", |_, args| {
        let seconds = real(Args::of(args).got().or_null());
        let out = || Failure::new("`rfc3339` takes seconds of a time that the calendar has");
        #[allow(clippy::cast_possible_truncation, reason = "it saturates, and no such time is taken")]
        let nanos = (seconds * 1e9) as i128;
        made(Timestamp::from_nanosecond(nanos).map_err(|_| out())?.to_string())
    };
    "round" (Number) -> "number", "The nearest whole number, a half away from zero.", "round(`2.5`)" => "3", |_, args| rounded(args, f64::round);
    "sort" (Ordered) -> "list", "The numbers or texts in order.", "sort(`[2, 1]`)" => "[1,2]", |eval, args| {
        let got = Args::of(args).got();
        eval.steps.take(4 * weight(got.or_null()))?;
        let Value::Array(mut items) = got.into_value() else { return made(Value::Null) };
        items.sort_by(order);
        made(items)
    };
    "sort_by" (List, Expression) -> "list", "The elements in the order of what the expression gives.",
        "sort_by(`[{\"a\": 2}, {\"a\": 1}]`, &a)" => "[{\"a\":1},{\"a\":2}]", |eval, args| {
        let mut args = Args::of(args);
        let (list, by) = (args.got(), args.deferred());
        let mut keyed = keyed(eval, "sort_by", &list, by)?;
        eval.steps.take(4 * weight(list.or_null()))?;
        keyed.sort_by(|(one, _), (other, _)| order(one, other));
        made(keyed.into_iter().map(|(_, item)| item.clone()).collect::<Vec<_>>())
    };
    "split" (Text, Text) -> "list of texts", "The parts of the text between the other.", "split('a,b', ',')" => "[\"a\",\"b\"]", |eval, args| {
        let mut args = Args::of(args);
        let (of, by) = (args.got(), args.got());
        let (of, by) = (text(&of), text(&by));
        eval.steps.text(of.len())?;
        let parts: Vec<Value> = if by.is_empty() {
            of.chars().map(|c| c.to_string().into()).collect()
        } else {
            of.split(by).map(Value::from).collect()
        };
        eval.steps.take(parts.len())?;
        made(parts)
    };
    "starts_with" (Text, Text) -> "boolean", "Whether the text starts with the other.", "starts_with('hay', 'ha')" => "true", |_, args| {
        let mut args = Args::of(args);
        let (text_of, start) = (args.got(), args.got());
        made(text(&text_of).starts_with(text(&start)))
    };
    "string" or "to_string" (Any) -> "text", "The value as text: a text as it is, all else as JSON.", "string(`1`)" => "\"1\"", |eval, args| {
        let got = Args::of(args).got();
        eval.steps.take(weight(got.or_null()))?;
        made_text(eval, as_text(got.or_null()))
    };
    "substr" (Text, Number, Number; 1) -> "text", "The text from a character on, and so many of them; from the end where it is negative.",
        "substr('hello', `1`, `3`)" => "\"ell\"", |eval, args| {
        let mut args = Args::of(args);
        let (of, from, count) = (args.got(), args.got(), args.got());
        eval.steps.text(text(&of).len())?;
        let count = count.value().map(whole).transpose()?;
        made(characters(text(&of), whole(from.or_null())?, count))
    };
    "sum" (Numbers) -> "number", "The sum of the numbers.", "sum(`[1, 2]`)" => "3", |eval, args| {
        let list = Args::of(args).got();
        eval.steps.take(items(&list).len())?;
        sum(items(&list)).map(Got::Made)
    };
    "to_array" (Any) -> "list", "The list itself, or a list of the value.", "to_array(`1`)" => "[1]", |_, args| {
        let got = Args::of(args).got();
        match got.or_null() {
            Value::Array(_) => Ok(got),
            _ => made(vec![got.into_value()]),
        }
    };
    "trim" (Text) -> "text", "The text without space around it.", "trim(' a ')" => "\"a\"", |_, args| {
        made(text(&Args::of(args).got()).trim())
    };
    "trunc" (Number) -> "number", "The number without its fraction.", "trunc(`-2.7`)" => "-2", |_, args| rounded(args, f64::trunc);
    "type" (Any) -> "text", "`number`, `string`, `boolean`, `array`, `object` or `null`.", "type(`1`)" => "\"number\"", |_, args| {
        made(match Args::of(args).got().or_null() {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        })
    };
    "upper" (Text) -> "text", "The text in large letters.", "upper('Hay')" => "\"HAY\"", |eval, args| {
        let got = Args::of(args).got();
        eval.steps.text(text(&got).len())?;
        made_text(eval, text(&got).to_uppercase())
    };
    "values" (Object) -> "list", "The values in the object.", "values(`{\"a\": 1}`)" => "[1]", |eval, args| {
        let got = Args::of(args).got();
        eval.steps.take(weight(got.or_null()))?;
        let map = got.value().and_then(Value::as_object);
        made(map.into_iter().flat_map(Map::values).cloned().collect::<Vec<_>>())
    };
}
