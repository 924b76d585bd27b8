//! Holding a value against a schema.

use serde_json::{Map, Number, Value};

use super::{Limits, List, Schema, Type, member};
use crate::local::failure::{Cause, type_word};

impl Schema {
    /// Everything that is wrong with a value.
    pub(in crate::local) fn validate(&self, value: &Value) -> Vec<Cause> {
        let mut causes = Vec::new();
        self.check("", value, &mut causes);
        causes
    }

    fn check(&self, path: &str, value: &Value, causes: &mut Vec<Cause>) {
        if value.is_null() && self.nullable {
            return;
        }
        if !self.kind.takes(value) {
            causes.push(Cause::wrong_type(path, value, self.kind.word()));
            return;
        }
        if let Some(choices) = self.choices.as_ref().filter(|choices| !choices.contains(value)) {
            causes.push(Cause::unsupported(path, value, choices));
        }
        match value {
            Value::Object(map) => self.check_object(path, map, causes),
            Value::Array(list) => self.check_list(path, list, causes),
            Value::String(text) => self.limits.check_text(path, text, causes),
            Value::Number(number) => self.limits.check_number(path, number, causes),
            _ => {}
        }
        self.check_combined(path, value, causes);
    }

    fn check_object(&self, path: &str, map: &Map<String, Value>, causes: &mut Vec<Cause>) {
        for name in self.required.iter().filter(|name| !map.contains_key(*name)) {
            causes.push(Cause::required(&member(path, name), ""));
        }
        for (name, value) in map {
            if let Some(schema) = self.property(name).or(self.additional.as_deref()) {
                schema.check(&member(path, name), value, causes);
            }
        }
        let (least, most) = self.limits.properties;
        let count = i64::try_from(map.len()).unwrap_or(i64::MAX);
        let whole = || Value::Object(map.clone());
        if least.is_some_and(|least| count < least) {
            let why = format!(
                "{path} in body should have at least {} properties",
                least.unwrap_or_default()
            );
            causes.push(Cause::invalid(path, &whole(), &why));
        }
        if let Some(most) = most.filter(|most| count > *most) {
            causes.push(Cause::too_many(path, count, most));
        }
    }

    fn check_list(&self, path: &str, list: &[Value], causes: &mut Vec<Cause>) {
        if let Some(items) = &self.items {
            for (at, item) in list.iter().enumerate() {
                items.check(&format!("{path}[{at}]"), item, causes);
            }
        }
        let count = i64::try_from(list.len()).unwrap_or(i64::MAX);
        let (least, most) = self.limits.items;
        if let Some(least) = least.filter(|least| count < *least) {
            let why = format!("{path} in body should have at least {least} items");
            causes.push(Cause::invalid(path, &count.into(), &why));
        }
        if let Some(most) = most.filter(|most| count > *most) {
            causes.push(Cause::too_many(path, count, most));
        }
        self.check_twins(path, list, causes);
    }

    /// Items of sets and maps are there once.
    fn check_twins(&self, path: &str, list: &[Value], causes: &mut Vec<Cause>) {
        if let List::Map(_) = self.list {
            for (at, item) in list.iter().enumerate().filter(|(_, item)| !item.is_object()) {
                let why = "must be an object for an array of list-type map";
                causes.push(Cause::invalid(&format!("{path}[{at}]"), item, why));
            }
        }
        let identity = |item: &Value| match &self.list {
            List::Atomic => None,
            List::Set => Some(item.clone()),
            List::Map(keys) => {
                let keys =
                    keys.iter().filter_map(|key| Some((key.clone(), item.get(key)?.clone())));
                let mut keys: Vec<_> = keys.collect();
                keys.sort_by(|one, other| one.0.cmp(&other.0));
                Some(Value::Object(keys.into_iter().collect()))
            }
        };
        let mut seen = std::collections::HashSet::new();
        for (at, item) in list.iter().enumerate() {
            let Some(identity) = identity(item) else { return };
            if !seen.insert(identity.to_string()) {
                causes.push(Cause::duplicate(&format!("{path}[{at}]"), &identity));
            }
        }
    }

    fn check_combined(&self, path: &str, value: &Value, causes: &mut Vec<Cause>) {
        let fits = |schema: &Schema| {
            let mut causes = Vec::new();
            schema.check(path, value, &mut causes);
            causes.is_empty()
        };
        for schema in &self.all_of {
            schema.check(path, value, causes);
        }
        if !self.any_of.is_empty() && !self.any_of.iter().any(fits) {
            let why = format!("{path} in body must validate at least one schema (anyOf)");
            causes.push(Cause::invalid(path, value, &why));
        }
        if !self.one_of.is_empty() && self.one_of.iter().filter(|schema| fits(schema)).count() != 1
        {
            let why = format!("{path} in body must validate one and only one schema (oneOf)");
            causes.push(Cause::invalid(path, value, &why));
        }
        if self.not.as_deref().is_some_and(fits) {
            let why = format!("{path} in body must not validate the schema (not)");
            causes.push(Cause::invalid(path, value, &why));
        }
    }
}

impl Type {
    fn takes(self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
            Self::String => value.is_string(),
            Self::Integer => type_word(value) == "integer" || is_whole(value),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::IntOrString => value.is_string() || type_word(value) == "integer",
        }
    }
}

/// `1.0` is an integer too.
fn is_whole(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

impl Limits {
    fn check_text(&self, path: &str, text: &str, causes: &mut Vec<Cause>) {
        let value = Value::from(text);
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        if let Some(least) = self.length.0.filter(|least| length < *least) {
            let why = format!("{path} in body should be at least {least} chars long");
            causes.push(Cause::invalid(path, &value, &why));
        }
        if let Some(most) = self.length.1.filter(|most| length > *most) {
            causes.push(Cause::too_long(path, most));
        }
        if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
            let why = format!("{path} in body should match '{pattern}'");
            causes.push(Cause::invalid(path, &value, &why));
        }
        if self.format.as_deref() == Some("date-time") && !is_date_time(text) {
            let why = format!("{path} in body must be of type date-time: {value}");
            causes.push(Cause::invalid(path, &value, &why));
        }
    }

    fn check_number(&self, path: &str, number: &Number, causes: &mut Vec<Cause>) {
        let value = Value::Number(number.clone());
        let Some(size) = number.as_f64() else { return };
        let mut wrong = |why: String| causes.push(Cause::invalid(path, &value, &why));
        if let Some(least) = self.minimum.filter(|least| match self.above {
            true => size <= *least,
            false => size < *least,
        }) {
            let or = if self.above { "" } else { " or equal to" };
            wrong(format!("{path} in body should be greater than{or} {least}"));
        }
        if let Some(most) = self.maximum.filter(|most| match self.below {
            true => size >= *most,
            false => size > *most,
        }) {
            let or = if self.below { "" } else { " or equal to" };
            wrong(format!("{path} in body should be less than{or} {most}"));
        }
        if let Some(step) = self.multiple_of.filter(|step| (size / step).fract() != 0.0) {
            wrong(format!("{path} in body should be a multiple of {step}"));
        }
        let range = match self.format.as_deref() {
            Some("int32") => f64::from(i32::MIN)..=f64::from(i32::MAX),
            Some("uint32") => 0.0..=f64::from(u32::MAX),
            _ => f64::MIN..=f64::MAX,
        };
        if !range.contains(&size) {
            let format = self.format.as_deref().unwrap_or_default();
            wrong(format!("{path} in body must be of type {format}: \"{number}\""));
        }
    }
}

fn is_date_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}
