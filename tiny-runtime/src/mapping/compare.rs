//! Equality and order of JSON values.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::tree::Comparison;

/// Equality by value: `1` and `1.0` are the same, objects are in any order.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => order(one, other) == Some(Ordering::Equal),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let matches = |(key, value)| other.get(key).is_some_and(|other| same(value, other));
            one.len() == other.len() && one.iter().all(matches)
        }
        _ => one == other,
    }
}

/// The order of two numbers: exact for whole ones.
pub(super) fn order(one: &Number, other: &Number) -> Option<Ordering> {
    let whole = |number: &Number| number.as_i128();
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

/// A comparison of RFC 9535: nothing equals nothing only, numbers and texts have an order, all else has none.
pub(super) fn rfc(comparison: Comparison, one: Option<&Value>, other: Option<&Value>) -> bool {
    let equal = || match (one, other) {
        (Some(one), Some(other)) => same(one, other),
        (None, None) => true,
        _ => false,
    };
    let ordered = || match (one?, other?) {
        (Value::Number(one), Value::Number(other)) => order(one, other),
        // By Unicode scalar values, which the bytes of UTF-8 follow.
        (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
        _ => None,
    };
    match comparison {
        Comparison::Equal => equal(),
        Comparison::Unequal => !equal(),
        Comparison::Less => ordered() == Some(Ordering::Less),
        Comparison::Greater => ordered() == Some(Ordering::Greater),
        Comparison::LessOrEqual => ordered() == Some(Ordering::Less) || equal(),
        Comparison::GreaterOrEqual => ordered() == Some(Ordering::Greater) || equal(),
    }
}

/// A comparison of JMESPath: only numbers have an order, and what has none gives nothing.
pub(super) fn jmes(comparison: Comparison, one: &Value, other: &Value) -> Option<bool> {
    let ordered = || match (one, other) {
        (Value::Number(one), Value::Number(other)) => order(one, other),
        _ => None,
    };
    Some(match comparison {
        Comparison::Equal => same(one, other),
        Comparison::Unequal => !same(one, other),
        Comparison::Less => ordered()?.is_lt(),
        Comparison::LessOrEqual => ordered()?.is_le(),
        Comparison::Greater => ordered()?.is_gt(),
        Comparison::GreaterOrEqual => ordered()?.is_ge(),
    })
}
