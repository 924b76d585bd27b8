//! The part of JSONPath that printer columns use.

use serde_json::Value;

/// A compiled path.
#[derive(Debug)]
pub(super) struct JsonPath(Vec<Step>);

#[derive(Debug, PartialEq)]
enum Step {
    Member(String),
    Index(i64),
    Every,
    /// `[?(@.a.b=="x")]`: items whose member compares so; without a comparison, items that have it.
    Filter(Vec<String>, Option<(bool, Value)>),
}

impl JsonPath {
    /// Reads `.a.b\.c['d'][0][*][?(@.type=="Ready")]`, with or without braces around it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
        let mut rest = inner.strip_prefix('$').unwrap_or(inner);
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let wrong = || format!("`{text}` is not a path: `{rest}` cannot be read");
            let (step, after) = match rest.as_bytes().first() {
                Some(b'.') => member(&rest[1..]).ok_or_else(wrong)?,
                Some(b'[') => bracket(&rest[1..]).ok_or_else(wrong)?,
                _ => return Err(wrong()),
            };
            steps.push(step);
            rest = after;
        }
        Ok(Self(steps))
    }

    /// The first value that the path finds.
    pub(super) fn first<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        let start = vec![value];
        let found = self.0.iter().fold(start, |found, step| {
            found.into_iter().flat_map(|value| step.follow(value)).collect()
        });
        found.into_iter().next()
    }
}

impl Step {
    fn follow<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match (self, value) {
            (Self::Member(name), Value::Object(map)) => map.get(name).into_iter().collect(),
            (Self::Index(at), Value::Array(list)) => {
                let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
                let at = if *at < 0 { at + length } else { *at };
                usize::try_from(at).ok().and_then(|at| list.get(at)).into_iter().collect()
            }
            (Self::Every, Value::Array(list)) => list.iter().collect(),
            (Self::Every, Value::Object(map)) => map.values().collect(),
            (Self::Filter(path, rule), Value::Array(list)) => list
                .iter()
                .filter(|item| {
                    let found = path.iter().try_fold(*item, |value, name| value.get(name));
                    match (rule, found) {
                        (None, found) => found.is_some(),
                        (Some((equal, wanted)), Some(found)) => (found == wanted) == *equal,
                        (Some(_), None) => false,
                    }
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// A member name after a dot, with `\.` for a dot in it.
fn member(text: &str) -> Option<(Step, &str)> {
    let mut name = String::new();
    let mut letters = text.char_indices();
    let end = loop {
        match letters.next() {
            Some((_, '\\')) => name.push(letters.next()?.1),
            Some((at, '.' | '[')) => break at,
            Some((_, letter)) => name.push(letter),
            None => break text.len(),
        }
    };
    let step = match name.as_str() {
        "" => return None,
        "*" => Step::Every,
        _ => Step::Member(name),
    };
    Some((step, &text[end..]))
}

/// What stands in brackets, after the opening one.
fn bracket(text: &str) -> Option<(Step, &str)> {
    if let Some(rest) = text.strip_prefix("?(@") {
        let (condition, after) = rest.split_once(")]")?;
        return Some((filter(condition)?, after));
    }
    if let Some(quote) = text.chars().next().filter(|letter| "'\"".contains(*letter)) {
        let (name, after) = text[1..].split_once(quote)?;
        return Some((Step::Member(name.to_owned()), after.strip_prefix(']')?));
    }
    let (inner, after) = text.split_once(']')?;
    let step = match inner.trim() {
        "*" => Step::Every,
        number => Step::Index(number.parse().ok()?),
    };
    Some((step, after))
}

fn filter(condition: &str) -> Option<Step> {
    let operators = [("==", true), ("!=", false)];
    let split =
        operators.iter().find_map(|(sign, equal)| Some((condition.split_once(sign)?, *equal)));
    let (path, rule) = match split {
        Some(((path, wanted), equal)) => (path, Some((equal, literal(wanted.trim())?))),
        None => (condition, None),
    };
    let JsonPath(steps) = JsonPath::parse(path.trim()).ok()?;
    let names = steps.into_iter().map(|step| match step {
        Step::Member(name) => Some(name),
        _ => None,
    });
    Some(Step::Filter(names.collect::<Option<_>>()?, rule))
}

fn literal(text: &str) -> Option<Value> {
    match text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        Some(inner) => Some(inner.into()),
        None => serde_json::from_str(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn first(path: &str) -> Option<Value> {
        let object = json!({
            "metadata": { "labels": { "tinysystems.io/flow-name": "f" } },
            "status": {
                "conditions": [
                    { "type": "Stalled", "status": "False" },
                    { "type": "Ready", "status": "True", "code": 3 },
                ],
            },
        });
        JsonPath::parse(path).unwrap().first(&object).cloned()
    }

    #[test]
    fn paths_of_printer_columns_find_their_value() {
        assert_eq!(first(r#".status.conditions[?(@.type=="Ready")].status"#), Some(json!("True")));
        assert_eq!(first(".status.conditions[?(@.type!='Ready')].status"), Some(json!("False")));
        assert_eq!(first(".status.conditions[?(@.code==3)].type"), Some(json!("Ready")));
        assert_eq!(first(".status.conditions[?(@.code)].type"), Some(json!("Ready")));
        assert_eq!(first(r".metadata.labels.tinysystems\.io/flow-name"), Some(json!("f")));
        assert_eq!(first("{.metadata.labels['tinysystems.io/flow-name']}"), Some(json!("f")));
        assert_eq!(first(".status.conditions[-1].type"), Some(json!("Ready")));
        assert_eq!(first(".status.conditions[*].type"), Some(json!("Stalled")));
        assert_eq!(first(".status.nothing[0].here"), None);
    }

    #[test]
    fn what_is_not_a_path_is_refused() {
        for path in ["status", ".a..b", ".a[", ".a[x]", ".a[?(@.b==)]", ".a\\"] {
            assert!(JsonPath::parse(path).is_err(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in r#"[\.\[\]\?\(\)@='"\\a-z0-9\*é{}$-]{0,24}"#) {
            if let Ok(path) = JsonPath::parse(&text) {
                let _found = path.first(&json!({ "a": [{ "b": 1 }] }));
            }
        }
    }
}
