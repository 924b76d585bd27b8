//! Shapes in words.

use std::fmt;

use super::fit::range;
use super::shape::{Form, List, Numbers, Object, Possible, Rest, Shape, Texts};
use crate::component::rules::Bound;

/// Forms and choices that are named; of more there is an ellipsis.
const SHOWN: usize = 4;

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&said(self, 0))
    }
}

fn said(shape: &Shape, depth: usize) -> String {
    // What may be null is that after all else.
    let (nulls, others): (Vec<&Possible>, Vec<&Possible>) =
        shape.0.iter().partition(|it| matches!(it.form, Form::Null | Form::Nothing(_)));
    let mut names: Vec<String> = Vec::new();
    for it in others.into_iter().chain(nulls) {
        let name = form(&it.form, depth);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return "nothing at all".to_owned();
    }
    joined(&names)
}

/// `a, b or c`
fn joined(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        names if names.len() > SHOWN => format!("{}, …", names[..SHOWN].join(", ")),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

fn form(form: &Form, depth: usize) -> String {
    match form {
        Form::Nothing(_) => "nothing".to_owned(),
        Form::Null => "null".to_owned(),
        Form::Bool(None) => "true or false".to_owned(),
        Form::Bool(Some(truth)) => truth.to_string(),
        Form::Number(numbers) => number(*numbers),
        Form::Text(texts) => text(texts),
        Form::List(list) => self::list(list, depth),
        Form::Object(object) => self::object(object, depth),
        Form::Any | Form::Odd => "any JSON".to_owned(),
        Form::Named(named) => {
            let shape = named.shape();
            // A definition of a field that is a plain value is called for the field, which tells nothing.
            let is_plain = shape.0.iter().all(|it| !matches!(it.form, Form::Object(_)));
            if is_plain && depth < 3 {
                said(&shape, depth + 1)
            } else {
                format!("`{}`", named.name())
            }
        }
    }
}

/// Of a kind of value, more than one.
fn several(of: &str) -> String {
    if of.contains(" or ") {
        return format!("values that are {of}");
    }
    let plain = ["a text", "a number", "a whole number", "a list", "a map", "an object"];
    let known =
        plain.iter().find(|it| of.strip_prefix(**it).is_some_and(|rest| !rest.starts_with('s')));
    match known {
        Some(it) => {
            let word = it.split_once(' ').map_or(*it, |(_, word)| word);
            format!("{word}s{}", &of[it.len()..])
        }
        None => of.to_owned(),
    }
}

/// Whether a range is that of a large type of Rust, which its name says better than its bounds.
fn is_of_a_type(from: i128, to: i128) -> bool {
    let signed = [(i32::MIN.into(), i32::MAX.into()), (i64::MIN.into(), i64::MAX.into())];
    let all = [(0, u32::MAX.into()), (0, u64::MAX.into()), (i64::MIN.into(), u64::MAX.into())];
    signed.contains(&(from, to)) || all.contains(&(from, to))
}

fn number(numbers: Numbers) -> String {
    let word = if numbers.whole { "a whole number" } else { "a number" };
    match (numbers.from, numbers.to) {
        (Some(one), Some(other)) if one == other => one.to_string(),
        (Some(Bound::Whole(from)), Some(Bound::Whole(to))) if is_of_a_type(from, to) => {
            word.to_owned()
        }
        (None, None) => word.to_owned(),
        _ => format!("{word} {}", range(numbers)),
    }
}

fn text(texts: &Texts) -> String {
    if let Some(choices) = &texts.choices {
        let names: Vec<String> = choices.iter().map(|choice| format!("`{choice}`")).collect();
        return joined(&names);
    }
    match (&texts.format, &texts.pattern) {
        (Some(format), _) => format!("a text of the format `{format}`"),
        (None, Some(pattern)) => format!("a text like `{pattern}`"),
        _ => "a text".to_owned(),
    }
}

fn list(list: &List, depth: usize) -> String {
    if depth > 3 {
        return "a list".to_owned();
    }
    if !list.first.is_empty() {
        let count = list.first.len();
        return if list.most == Some(count as u64) {
            format!("a list of {count} values")
        } else {
            "a list".to_owned()
        };
    }
    let of = said(&list.rest, depth + 1);
    match &*of {
        "any JSON" | "nothing at all" => "a list".to_owned(),
        of => format!("a list of {}", several(of)),
    }
}

fn object(object: &Object, depth: usize) -> String {
    if let Some(name) = &object.name {
        return format!("`{name}`");
    }
    match (&*object.fields, &object.rest) {
        ([], Rest::Keys(values) | Rest::Like(_, values)) if depth < 3 => {
            match &*said(values, depth + 1) {
                "any JSON" => "an object".to_owned(),
                values => format!("a map of {}", several(values)),
            }
        }
        ([], _) => "an object".to_owned(),
        (fields, _) => {
            let names: Vec<String> =
                fields.iter().take(SHOWN).map(|(key, _)| format!("`{key}`")).collect();
            let more = if fields.len() > SHOWN { ", …" } else { "" };
            format!("an object of {}{more}", names.join(", "))
        }
    }
}
