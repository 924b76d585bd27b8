use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::*;

mod conformance;
mod docs;
mod fuzz;
mod hostile;
mod language;
mod properties;

fn compiled(mapping: &Value) -> Mapping {
    Mapping::compile(mapping).unwrap_or_else(|faults| panic!("{mapping}: {faults:?}"))
}

fn mapped(mapping: &Value, message: &Value) -> Result<Value, MapError> {
    let mapping = compiled(mapping);
    let text = mapping.read_value(message).and_then(|slots| mapping.text(&slots));
    let value = mapping.value(mapping.read_value(message)?);
    // The text says the same, faults included.
    assert_eq!(text.map(|text| serde_json::from_slice::<Value>(&text).unwrap()), value);
    value
}

fn refused(mapping: &Value) -> String {
    let faults = Mapping::compile(mapping).expect_err("should not compile");
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults[0].to_string()
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    text: String,
    count: Option<i64>,
    #[serde(default)]
    tags: Vec<String>,
}

fn target(mapping: &Value, message: &Value) -> Result<Target, String> {
    let mapping = compiled(mapping);
    mapping.decode(|| mapping.read_value(message)).map_err(|e| e.to_string())
}

#[test]
fn a_lone_expression_keeps_its_type_and_text_interpolates() {
    let message = json!({"n": 5, "s": "x", "b": true, "l": [1, "a"], "z": null, "big": u64::MAX});
    let cases = [
        (json!("{{ $.n }}"), json!(5)),
        (json!("{{$}}"), message.clone()),
        (json!("{{ $.z }}"), Value::Null),
        (json!("{{ $.big }}"), json!(u64::MAX)),
        (json!("n={{ $.n }}, s={{ $.s }}, b={{ $.b }}"), json!("n=5, s=x, b=true")),
        (json!("{{ $.n }}{{ $.s }}"), json!("5x")),
        (json!("l={{ $.l }}"), json!("l=[1,\"a\"]")),
        (
            json!({"a": ["{{ $.l[-1] }}", 1, {"b": "{{ $['s'] }}"}]}),
            json!({"a": ["a", 1, {"b": "x"}]}),
        ),
        (json!("no expression }} here {"), json!("no expression }} here {")),
    ];
    for (mapping, expected) in cases {
        assert_eq!(mapped(&mapping, &message).unwrap(), expected, "{mapping}");
    }
}

#[test]
fn literals_stand_for_themselves_and_braces_can_be_written() {
    let message = json!({});
    assert_eq!(mapped(&json!("{{ '{{' }} and {{ '}}' }}"), &message).unwrap(), json!("{{ and }}"));
    assert_eq!(mapped(&json!("{{ `null` }}"), &message).unwrap(), Value::Null);
    assert_eq!(mapped(&json!("{{ `{\"a\": [1]}` }}"), &message).unwrap(), json!({"a": [1]}));
    assert_eq!(mapped(&json!("{{ -1.5e3 }}"), &message).unwrap(), json!(-1.5e3));
    assert_eq!(mapped(&json!("{{ $.a || '\\u263a \\'' }}"), &message).unwrap(), json!(true));
    assert_eq!(mapped(&json!("{{ '\\u263a \\'' }}"), &message).unwrap(), json!("\\u263a '"));
}

#[test]
fn the_form_of_older_flows_works() {
    let message = json!({"n": 5});
    let cases = [
        (json!({"expression": "$.n", "value": 1}), json!(5)),
        (json!({"expression": " $.n ", "title": "x"}), json!(5)),
        (json!({"expression": "", "value": {"expression": "$.n", "value": 0}}), json!(5)),
        (json!({"expression": "", "title": "x"}), Value::Null),
        (json!({"expression": 1, "value": 2}), json!(2)),
        (json!({"expression": "x"}), json!({"expression": "x"})),
        (
            json!({"expression": "x", "value": 1, "more": 2}),
            json!({"expression": "x", "value": 1, "more": 2}),
        ),
    ];
    for (mapping, expected) in cases {
        assert_eq!(mapped(&mapping, &message).unwrap(), expected, "{mapping}");
    }
}

#[test]
fn a_path_that_leads_nowhere_is_absence_where_that_fits() {
    let message = json!({"greeting": "Hello"});
    let mapping =
        json!({"text": "{{ $.greeting }}", "count": "{{ $.count }}", "tags": "{{ $.tags }}"});
    let expected = Target { text: "Hello".into(), count: None, tags: Vec::new() };
    assert_eq!(target(&mapping, &message).unwrap(), expected);
    assert_eq!(mapped(&mapping, &message).unwrap(), json!({"text": "Hello"}));
}

#[test]
fn a_required_field_that_nothing_feeds_names_field_and_expression() {
    let message = json!({"greeting": "Hello"});
    assert_eq!(
        target(&json!({"text": "{{ $.greting }}"}), &message).unwrap_err(),
        "`text`: `{{ $.greting }}` gives nothing, and the field is required"
    );
    assert_eq!(
        target(&json!({"text": "say {{ $.greting }}"}), &message).unwrap_err(),
        "`text`: `{{ $.greting }}` gives nothing, and it stands in text"
    );
    assert_eq!(target(&json!({"count": 1}), &message).unwrap_err(), "missing field `text`");
}

#[test]
fn a_value_that_does_not_fit_names_field_and_expression() {
    let said = target(&json!({"text": "{{ $.n }}"}), &json!({"n": 5})).unwrap_err();
    assert_eq!(said, "`text`: invalid type: integer, expected a string (from `{{ $.n }}`)");
    let said =
        target(&json!({"text": "x", "tags": "{{ $.l }}"}), &json!({"l": ["a", 1]})).unwrap_err();
    assert_eq!(said, "`tags[1]`: invalid type: integer, expected a string (from `{{ $.l }}`)");
}

#[test]
fn mistakes_say_what_to_do() {
    let cases = [
        (
            "{{ true }}",
            "`true` alone is not a value in an expression: it would be a field called so; write it in backticks: `` `true` ``",
        ),
        (
            "{{ $.a",
            "`{{` is not closed by `}}`; end the expression with `}}`, or write a literal `{{` as `{{ '{{' }}`",
        ),
        ("{{ }}", "the expression is empty; write a path, such as `$.name`"),
        ("{{ $.a + }}", "an expression is missing here; write a path, such as `$.name`"),
        (
            "{{ a + 1 }}",
            "this is no JMESPath: Invalid character: +; operators stand around paths with `$`, such as `$.a + 1`; without `$` an expression is JMESPath",
        ),
        (
            "{{ $.a ** 2 }}",
            "`**` is no operator here; multiply instead, or compute the value in a component",
        ),
        (
            "{{ $.a | length }}",
            "`|` is no operator here; the logical or is `||`; a pipe belongs to JMESPath, which has no `$`",
        ),
        ("{{ $.a-b }}", "`a-b` is not a name after a dot; quote it: `['a-b']` in place of `.a-b`"),
        ("{{ $.a + b }}", "`b` is neither a path nor a call; write `$.b`, or `'b'` for the text"),
        (
            "{{ uper($.a) }}",
            "there is no function `uper` (did you mean `upper`?); docs/mappings.md lists them",
        ),
        ("{{ upper($.a, $.b) }}", "`upper` takes 1 argument, not 2"),
        ("{{ upper() }}", "`upper` takes 1 argument, not 0"),
        (
            "{{ $.a[01] }}",
            "`01` is not an index; write a whole number without leading zeros: `[0]`, `[-1]`",
        ),
        (
            "{{ $.['a'] }}",
            "a name cannot start with `[`; write a letter or `_` first, or quote the name: `$['odd name']`",
        ),
        ("{{ 'a }}", "what begins with ' is not closed; end it with '"),
        (
            "{{ $.a == `x` }}",
            "what stands in backticks is not JSON: expected value at line 1 column 1; a text in backticks needs its quotes: `\"text\"`",
        ),
        ("a {{ `null` }}", "`{{ `null` }}` is null, and it stands in text"),
        (
            "{{ $.items[?@.price] > 1 && $.a[?1] }}",
            "a value alone is no test; compare it, such as `@.price > 10`",
        ),
    ];
    for (mapping, expected) in cases {
        assert_eq!(refused(&json!(mapping)), expected, "{mapping}");
    }
    let said = refused(&json!({"a/b": ["{{ $x }}"]}));
    assert!(said.starts_with("at `/a~1b/0`: `x` is not expected after the expression"), "{said}");
    let all = Mapping::compile(&json!(["{{ $x }}", "{{ true }}"])).unwrap_err();
    assert_eq!(all.len(), 2, "all at once: {all:?}");
}

#[test]
fn size_and_depth_are_bounded() {
    let deep = (0..100).fold(json!("{{ $.a }}"), |inner, _| json!([inner]));
    assert!(refused(&deep).contains("nested deeper than 64"), "{}", refused(&deep));
    let long = json!(format!("{{{{ ${} }}}}", "[0]".repeat(1000)));
    assert_eq!(refused(&long), "the query has more than 256 steps");
    let long = json!(format!("{{{{ ${} }}}}", "[0]".repeat(100)));
    assert_eq!(refused(&long), "the path has more than 64 steps");
    let large = json!("x".repeat(70_000));
    assert!(refused(&large).contains("more than 65536"), "{}", refused(&large));
}

#[test]
fn a_result_is_bounded_however_often_a_large_value_is_named() {
    let message = json!({"large": "x".repeat(1024 * 1024)});
    let often = json!(vec!["{{ $.large }}"; 5]);
    let text = json!("{{ $.large }}".repeat(5));
    for mapping in [often, text] {
        let said = mapped(&mapping, &message).unwrap_err().to_string();
        assert_eq!(said, "the mapped message is larger than 4 MiB");
    }
    assert!(mapped(&json!(vec!["{{ $.large }}"; 3]), &message).is_ok());
}

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
enum Shape {
    Unit,
    New(Inner),
    Tuple(i64, Inner),
    Struct { inner: Inner },
}

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
struct Inner {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<char>,
}

#[derive(Clone, Debug, Serialize)]
struct Message {
    shapes: Vec<Shape>,
    by_number: BTreeMap<u8, Inner>,
    pair: (i64, f64),
    #[serde(flatten)]
    rest: BTreeMap<String, Inner>,
}

fn message() -> Message {
    let inner = |name: &str| Inner { name: name.into(), note: None };
    Message {
        shapes: vec![
            Shape::Unit,
            Shape::New(inner("n")),
            Shape::Tuple(7, Inner { name: "t".into(), note: Some('é') }),
            Shape::Struct { inner: inner("s") },
        ],
        by_number: BTreeMap::from([(3, inner("three"))]),
        pair: (1, 2.5),
        rest: BTreeMap::from([("flat".into(), inner("f"))]),
    }
}

/// Whatever path is read of a Rust value is what the same path of its JSON holds.
#[test]
fn a_typed_message_is_read_like_its_json() {
    let paths = [
        "$",
        "$.shapes[0]",
        "$.shapes[1].New.name",
        "$.shapes[2].Tuple[1].note",
        "$.shapes[2].Tuple",
        "$.shapes[3].Struct.inner",
        "$.shapes[-1].Struct.inner.name",
        "$.shapes[9]",
        "$.by_number['3'].name",
        "$.pair[1]",
        "$.flat.name",
        "$.flat.note",
        "$.none",
        "$.pair.x",
        "$.shapes.x",
    ];
    let message = message();
    let json = serde_json::to_value(&message).unwrap();
    for path in paths {
        let mapping = compiled(&json!([format!("{{{{ {path} }}}}"), "{{ $.pair[0] }}"]));
        let typed = mapping.value(mapping.read(&message).unwrap()).unwrap();
        let untyped = mapping.value(mapping.read_value(&json).unwrap()).unwrap();
        assert_eq!(typed, untyped, "{path}");
    }
}

#[test]
fn enums_tuples_and_newtypes_decode_like_json() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapped(u8);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Many {
        shape: Shape,
        unit: Shape,
        wrapped: Wrapped,
        pair: (u8, Option<u8>),
        float: f64,
    }
    let mapping = compiled(&json!({
        "shape": {"New": {"name": "{{ $.name }}"}}, "unit": "Unit", "wrapped": "{{ $.n }}",
        "pair": ["{{ $.n }}", "{{ $.none }}"], "float": "{{ $.n }}"
    }));
    let message = json!({"name": "a", "n": 5});
    let many: Many = mapping.decode(|| mapping.read_value(&message)).unwrap();
    let inner = Inner { name: "a".into(), note: None };
    let expected = Many {
        shape: Shape::New(inner),
        unit: Shape::Unit,
        wrapped: Wrapped(5),
        pair: (5, None),
        float: 5.0,
    };
    assert_eq!(many, expected);
}

/// Recorded results of the system that this one follows, where `TINY_VECTORS` names their folder.
#[test]
fn recorded_mappings_come_out_as_recorded() {
    let Some(folder) = std::env::var_os("TINY_VECTORS") else {
        eprintln!("skipped: TINY_VECTORS names no folder of recorded mappings");
        return;
    };
    let file = std::path::Path::new(&folder).join("mappings.json");
    let vectors: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut compared = 0;
    for vector in &vectors {
        let Some(mapping) = vector["config_text"]
            .as_str()
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
        else {
            continue;
        };
        let (Some(message), Some(expected)) = (vector.get("data"), vector.get("expected")) else {
            continue;
        };
        // Operators and functions come with a later version of the language.
        let compiled = match Mapping::compile(&mapping) {
            Err(faults) if faults.iter().all(|fault| fault.code == Code::Unsupported) => continue,
            compiled => compiled.unwrap_or_else(|faults| panic!("{mapping}: {faults:?}")),
        };
        let found = compiled.value(compiled.read_value(message).unwrap()).unwrap();
        // A path that leads nowhere leaves its field out, where the record has null.
        prop_same(&found, expected, vector);
        compared += 1;
    }
    assert!(compared > 10, "only {compared} of {} could be compared", vectors.len());
}

fn prop_same(found: &Value, expected: &Value, vector: &Value) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            for (key, value) in expected {
                match found.get(key) {
                    Some(found) => prop_same(found, value, vector),
                    None => assert!(value.is_null(), "`{key}` is missing: {vector}"),
                }
            }
        }
        (found, expected) => assert!(
            found == expected || found.as_f64() == expected.as_f64() && found.is_number(),
            "{found} is not {expected}: {vector}"
        ),
    }
}
