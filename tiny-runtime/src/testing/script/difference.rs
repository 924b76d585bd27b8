//! Where two JSON values differ.

use serde_json::Value;

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// All of it.
    Whole,
    /// What is wanted must be there; objects may have more.
    Part,
}

/// The first place where `got` is not what is `wanted`, as a JSON pointer. Numbers are the same when their values are: 3 is 3.0.
pub(super) fn difference(got: &Value, wanted: &Value, measure: Measure) -> Option<String> {
    match (got, wanted) {
        (Value::Object(got), Value::Object(wanted)) => {
            let missing = wanted.iter().find_map(|(key, wanted)| match got.get(key) {
                Some(got) => difference(got, wanted, measure).map(|at| below(key, &at)),
                None => Some(below(key, "")),
            });
            let more = || {
                let more = got.keys().find(|key| !wanted.contains_key(*key))?;
                Some(below(more, ""))
            };
            missing.or_else(|| if measure == Measure::Whole { more() } else { None })
        }
        (Value::Array(got), Value::Array(wanted)) => {
            if got.len() != wanted.len() {
                return Some(String::new());
            }
            let mut pairs = got.iter().zip(wanted).enumerate();
            pairs.find_map(|(index, (got, wanted))| {
                difference(got, wanted, measure).map(|at| format!("/{index}{at}"))
            })
        }
        (Value::Number(got), Value::Number(wanted)) => {
            let same = got == wanted || got.as_f64() == wanted.as_f64();
            (!same).then(String::new)
        }
        _ => (got != wanted).then(String::new),
    }
}

fn below(key: &str, at: &str) -> String {
    format!("/{}{at}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(got: &Value, wanted: &Value, measure: Measure) -> Option<String> {
        difference(got, wanted, measure)
    }

    #[test]
    fn the_first_place_is_told() {
        let got = json!({"a": {"b": [1, {"c/d": "x"}]}, "n": 3});
        assert_eq!(at(&got, &got, Measure::Whole), None);
        assert_eq!(at(&got, &json!({"n": 3.0}), Measure::Part), None);
        assert_eq!(at(&got, &json!({"n": 3}), Measure::Whole).as_deref(), Some("/a"));
        let other = json!({"a": {"b": [1, {"c/d": "y"}]}});
        assert_eq!(at(&got, &other, Measure::Part).as_deref(), Some("/a/b/1/c~1d"));
        assert_eq!(at(&got, &json!({"a": {"b": [1]}}), Measure::Part).as_deref(), Some("/a/b"));
        assert_eq!(at(&got, &json!({"z": null}), Measure::Part).as_deref(), Some("/z"));
        assert_eq!(at(&got, &json!("a"), Measure::Part).as_deref(), Some(""));
    }
}
