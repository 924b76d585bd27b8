//! What holds for all mappings and messages.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-c]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-c]", inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn any_path() -> impl Strategy<Value = String> {
    let step = prop_oneof!["\\.[a-c]", "\\['[a-c]'\\]", "\\[[0-3]\\]", "\\[-[1-3]\\]"];
    prop::collection::vec(step, 0..4).prop_map(|steps| format!("{{{{ ${} }}}}", steps.concat()))
}

fn any_mapping() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![any_path().prop_map(Value::from), any_json()];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[x-z]", inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn reading_a_value_as_a_type_or_as_json_is_the_same(mapping in any_mapping(), message in any_json()) {
        let mapping = compiled(&mapping);
        let typed = mapping.value(mapping.read(&message).unwrap());
        prop_assert_eq!(typed, mapping.value(mapping.read_value(&message).unwrap()));
    }

    #[test]
    fn decoding_and_building_json_agree(mapping in any_mapping(), message in any_json()) {
        // Inside an object, because nothing at all is no message.
        let mapping = compiled(&json!({"root": mapping}));
        let decoded: Value = mapping.decode(|| mapping.read_value(&message)).unwrap();
        prop_assert_eq!(decoded, mapping.value(mapping.read_value(&message).unwrap()).unwrap());
    }

    #[test]
    fn the_text_and_the_json_agree(mapping in any_mapping(), message in any_json()) {
        let mapping = compiled(&mapping);
        let slots = mapping.read_value(&message).unwrap();
        let text = String::from_utf8(mapping.text(&slots).unwrap()).unwrap();
        prop_assert_eq!(text, mapping.value(slots).unwrap().to_string());
    }

    #[test]
    fn what_has_no_braces_is_a_literal(literal in any_json()) {
        prop_assert_eq!(mapped(&literal, &json!({})).unwrap(), literal);
    }

    #[test]
    fn no_text_makes_the_parser_fall(text in "(\\{\\{|\\}\\}|[$.\\[\\]'\"`\\\\u0-9a-z*?:,+ -]|\\PC){0,24}") {
        if let Err(faults) = Mapping::compile(&json!(text)) {
            for fault in faults {
                prop_assert!(text.get(fault.range.clone()).is_some(), "{:?} of {:?}", fault, text);
            }
        }
    }
}
