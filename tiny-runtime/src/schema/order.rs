//! The order in which a form shows the fields of an object.

use serde_json::{Map, Value};

const PLACE: &str = "propertyOrder";

/// Gives each property its place, from 1, and brings them into that order. A `propertyOrder` that stands there already is what its
/// author wished for; all others keep the order of their declaration.
pub(super) fn settle(properties: &mut Map<String, Value>) {
    let mut wished = Vec::new();
    let mut others = Vec::new();
    for (key, property) in std::mem::take(properties) {
        match property.get(PLACE).and_then(Value::as_u64) {
            Some(place) => wished.push((place, key, property)),
            None => others.push((key, property)),
        }
    }
    // Stable: of two with one wish, the first that was declared comes first.
    wished.sort_by_key(|(place, ..)| *place);
    let (mut wished, mut others) = (wished.into_iter().peekable(), others.into_iter());
    for place in 1_u64.. {
        let due =
            wished.next_if(|(wish, ..)| *wish <= place).map(|(_, key, property)| (key, property));
        let next = due.or_else(|| others.next());
        let next = next.or_else(|| wished.next().map(|(_, key, property)| (key, property)));
        let Some((key, mut property)) = next else { return };
        if let Value::Object(property) = &mut property {
            property.insert(PLACE.into(), place.into());
        }
        properties.insert(key, property);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settled(properties: Value) -> Vec<(String, u64)> {
        let Value::Object(mut properties) = properties else { panic!() };
        settle(&mut properties);
        let place = |property: &Value| property[PLACE].as_u64().unwrap();
        properties.iter().map(|(key, property)| (key.clone(), place(property))).collect()
    }

    #[test]
    fn fields_keep_the_order_of_declaration_around_those_with_a_wish() {
        let places =
            settled(json!({"a": {}, "b": {}, "c": {PLACE: 1}, "d": {}, "e": {PLACE: 99}, "f": {}}));
        let expected = [("c", 1), ("a", 2), ("b", 3), ("d", 4), ("f", 5), ("e", 6)];
        assert_eq!(places, expected.map(|(key, place)| (key.to_owned(), place)));
    }

    #[test]
    fn two_wishes_for_one_place_are_met_in_turn() {
        let places = settled(json!({"a": {}, "b": {PLACE: 1}, "c": {PLACE: 1}}));
        assert_eq!(
            places,
            [("b", 1), ("c", 2), ("a", 3)].map(|(key, place)| (key.to_owned(), place))
        );
    }
}
