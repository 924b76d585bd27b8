//! Whether a value is one of a shape's.

use serde_json::{Map, Value};

use super::fit::{Fit, chosen, depth};
use super::shape::{Form, Object, Possible, Rest, Shape};

impl Shape {
    /// Whether a value is one of these.
    pub fn has(&self, value: &Value) -> bool {
        self.refusal(value).is_none()
    }

    /// Where, in `value`, something does not belong, as a JSON pointer; `None` where all does. It refuses no value that serde reads: a
    /// struct is read of a list as well, and what is odd cannot be told.
    pub(super) fn refusal(&self, value: &Value) -> Option<String> {
        let mut deepest: Option<String> = None;
        for it in self.forms() {
            let refused = it.form.refusal(value)?;
            if deepest.as_ref().is_none_or(|other| depth(&refused) > depth(other)) {
                deepest = Some(refused);
            }
        }
        Some(deepest.unwrap_or_default())
    }
}

impl Form {
    fn refusal(&self, value: &Value) -> Option<String> {
        let here = || Some(String::new());
        match (self, value) {
            (Self::Any | Self::Odd, _) | (Self::Null, Value::Null) => None,
            (Self::Bool(only), Value::Bool(truth)) if only.is_none_or(|only| only == *truth) => {
                None
            }
            (Self::Number(numbers), Value::Number(number)) => {
                if numbers.whole && number.is_f64() {
                    return here();
                }
                let exact = Shape::value(value);
                let Some(Possible { form: Self::Number(given), .. }) = exact.0.first() else {
                    return here();
                };
                if given.are_within(*numbers) { None } else { here() }
            }
            (Self::Text(texts), Value::String(text)) => match chosen(text, texts) {
                Fit::Misfit(_) => here(),
                _ => None,
            },
            // `{"variant": null}` is read as a variant without content.
            (Self::Text(texts), Value::Object(map)) if map.len() == 1 => {
                let choices = texts.choices.iter().flatten();
                let is_variant =
                    |(key, _): (&String, &Value)| choices.clone().any(|it| **it == **key);
                if map.iter().any(is_variant) { None } else { here() }
            }
            (Self::List(list), Value::Array(items)) => {
                let count = items.len() as u64;
                if count < list.least || list.most.is_some_and(|most| count > most) {
                    return here();
                }
                let mut refused = items.iter().enumerate();
                refused.find_map(|(at, item)| {
                    Some(format!("/{at}{}", list.element(at).refusal(item)?))
                })
            }
            (Self::Object(object), Value::Object(map)) => object.refusal(map),
            (Self::Object(object), Value::Array(items)) => {
                let required = object.fields.iter().any(|(_, field)| field.required);
                let fits =
                    |item: &Value| object.fields.iter().any(|(_, field)| field.shape.has(item));
                // By some ways to tag, one more element is the content of a variant that has none.
                let long = items.len() > object.fields.len().max(2);
                let never = long || items.first().map_or(required, |first| !fits(first));
                if never { here() } else { None }
            }
            _ => here(),
        }
    }
}

impl Object {
    fn refusal(&self, map: &Map<String, Value>) -> Option<String> {
        for (key, field) in &self.fields {
            match map.get(&**key) {
                None if field.required => return Some(format!("/{key}")),
                None => {}
                Some(value) => {
                    if let Some(below) = field.shape.refusal(value) {
                        return Some(format!("/{key}{below}"));
                    }
                }
            }
        }
        let mut others = map.iter().filter(|(key, _)| self.field(key).is_none());
        others.find_map(|(key, value)| {
            let below = match &self.rest {
                Rest::Ignored => return None,
                Rest::Denied => String::new(),
                Rest::Keys(values) => values.refusal(value)?,
                Rest::Like(pattern, values) => match pattern.is_in(key) {
                    Some(false) => String::new(),
                    _ => values.refusal(value)?,
                },
            };
            Some(format!("/{key}{below}"))
        })
    }
}
