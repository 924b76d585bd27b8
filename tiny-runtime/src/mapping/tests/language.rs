//! What the language gives, and what it says where it gives nothing.

use serde::Serialize;
use serde_json::{Value, json};

use super::super::{FUNCTIONS, Mapping};
use super::{mapped, target};

fn given(expression: &str, message: &Value) -> Value {
    let mapping = Mapping::expression(expression).unwrap_or_else(|e| panic!("{expression}: {e}"));
    mapping.value(mapping.read_value(message).unwrap_or_else(|e| panic!("{e}"))).unwrap()
}

/// The same, in the language with `$` even where none stands in it: the older form.
fn given_with_dollar(expression: &str, message: &Value) -> Value {
    let older = json!({"expression": expression, "value": null});
    mapped(&older, message).unwrap_or_else(|e| panic!("{expression}: {e}"))
}

fn failed(expression: &str, message: &Value) -> String {
    let mapping = Mapping::expression(expression).unwrap_or_else(|e| panic!("{expression}: {e}"));
    mapping.read_value(message).unwrap_err().to_string()
}

fn shop() -> Value {
    json!({
        "price": 10, "rate": 0.5, "name": "Ada", "none": null, "on": true, "off": false, "big": i64::MAX,
        "items": [{"sku": "a", "price": 5, "tags": ["x"]}, {"sku": "b", "price": 20, "tags": ["x", "y"]}],
    })
}

#[test]
fn operators_bind_as_in_any_language() {
    let cases = [
        ("1 + 2 * 3", json!(7)),
        ("$.price - 2 - 3", json!(5)),
        ("($.price - 2) * 3", json!(24)),
        ("7 / 2", json!(3.5)),
        ("6 / 2", json!(3)),
        ("-7 % 3", json!(-1)),
        ("-$.price + 1", json!(-9)),
        ("$.price * $.rate", json!(5)),
        ("$.price-1", json!(9)),
        ("$.big + 1", json!(9_223_372_036_854_775_808_u64)),
        ("1 + 1 == 2 && 2 < 3", json!(true)),
        ("$.off || $.price > 5 && $.on", json!(true)),
        ("!$.off == true", json!(true)),
        ("$.price > 5 ? 'much' : 'little'", json!("much")),
        ("$.off ? 1 : $.on ? 2 : 3", json!(2)),
        ("$.name + ' ' + string($.price)", json!("Ada 10")),
        ("$.none == null", json!(true)),
        ("$.nowhere == null", json!(false)),
        ("$.nowhere == $.elsewhere", json!(true)),
        ("1 == 1.0", json!(true)),
        ("'b' > 'a'", json!(true)),
        ("$.name < 3", json!(false)),
        ("$.items == $.items", json!(true)),
    ];
    for (expression, expected) in cases {
        assert_eq!(given_with_dollar(expression, &shop()), expected, "{expression}");
    }
}

#[test]
fn a_query_gives_a_list_and_a_path_its_value() {
    let cases = [
        ("$.items[?@.price > 10].sku", json!(["b"])),
        ("$.items[*].price", json!([5, 20])),
        ("$.items[?@.price > $.price].sku", json!(["b"])),
        ("$..tags[0]", json!(["x", "x"])),
        ("$.items[-1].sku", json!("b")),
        ("sum($.items[*].price)", json!(25)),
        ("first($.items[?@.sku == 'b']).price", json!(null)),
        ("length($.items[?@.sku == 'z'])", json!(0)),
    ];
    for (expression, expected) in cases {
        match expression {
            // What a function gives has no path behind it.
            "first($.items[?@.sku == 'b']).price" => {
                assert!(Mapping::expression(expression).is_err())
            }
            _ => assert_eq!(given(expression, &shop()), expected, "{expression}"),
        }
    }
}

#[test]
fn without_a_dollar_it_is_jmespath() {
    let cases = [
        ("items[?price > `10`].sku | [0]", json!("b")),
        (
            "{name: name, first: items[0].sku, inner: {on: on}}",
            json!({"name": "Ada", "first": "a", "inner": {"on": true}}),
        ),
        ("sort_by(items, &price)[-1].sku", json!("b")),
        ("items[].tags[]", json!(["x", "x", "y"])),
        ("nowhere.at.all", Value::Null),
        ("items[*].{s: sku}", json!([{"s": "a"}, {"s": "b"}])),
        ("upper(name)", json!("ADA")),
        ("'text'", json!("text")),
        ("42", json!(42)),
        ("`{\"a\": [1]}`", json!({"a": [1]})),
        // A `$` in quotes is none.
        ("join(' $ ', items[*].sku)", json!("a $ b")),
    ];
    for (expression, expected) in cases {
        assert_eq!(given(expression, &shop()), expected, "{expression}");
        let braced = json!(format!("{{{{{expression}}}}}"));
        let in_braces = mapped(&braced, &shop()).unwrap_or_else(|e| panic!("{braced}: {e}"));
        assert_eq!(in_braces, expected, "{expression}");
    }
}

#[test]
fn an_expression_ends_at_its_own_braces() {
    let text = json!("<{{ {a: {b: name}} }}> {{ '}}' }} {{ `\"}}\"` }} {{$.name}}!");
    assert_eq!(mapped(&text, &shop()).unwrap(), json!("<{\"a\":{\"b\":\"Ada\"}}> }} }} Ada!"));
}

#[test]
fn whitespace_inside_braces_means_nothing() {
    for expression in
        ["{{$.name}}", "{{ $.name }}", "{{  $.name\n}}", "{{\t$ .name }}", "{{ $['name'] }}"]
    {
        assert_eq!(mapped(&json!(expression), &shop()).unwrap(), json!("Ada"), "{expression:?}");
        let text = json!(format!("Hello, {expression}!"));
        assert_eq!(mapped(&text, &shop()).unwrap(), json!("Hello, Ada!"), "{expression:?}");
    }
}

#[test]
fn a_misspelt_path_is_told_where_it_is_needed_and_absent_where_it_is_not() {
    let message = json!({"name": "Ada"});
    let required = target(&json!({"text": "{{ $.nme }}"}), &message).unwrap_err();
    assert_eq!(required, "`text`: `{{ $.nme }}` gives nothing, and the field is required");
    let optional = target(&json!({"text": "x", "count": "{{ $.cuont }}"}), &message).unwrap();
    assert_eq!(optional.count, None);
    let text = target(&json!({"text": "Hello, {{ $.nme }}"}), &message).unwrap_err();
    assert_eq!(text, "`text`: `{{ $.nme }}` gives nothing, and it stands in text");
    let jmes = target(&json!({"text": "Hello, {{ nme }}"}), &message).unwrap_err();
    assert_eq!(jmes, "`text`: `{{ nme }}` gives nothing, and it stands in text");
}

#[test]
fn what_cannot_be_evaluated_says_field_expression_and_kinds_but_no_value() {
    let cases = [
        (
            "$.name + 1",
            "`+` takes two numbers or two texts, and here are a text and a number; `string(…)` makes a text of anything",
        ),
        (
            "$.name + $.nowhere",
            "`+` takes two numbers or two texts, and here are a text and nothing; `string(…)` makes a text of anything",
        ),
        ("$.on * 2", "`*` takes two numbers, and here are a boolean and a number"),
        ("1 / ($.price - 10)", "`/` by zero"),
        ("upper($.price)", "`upper` takes a text, and here is a number"),
        ("join($.name, $.items)", "`join` takes a list of texts as argument 2, and here is a list"),
        ("parse_json($.name)", "`parse_json` takes a text that is JSON, and this is none"),
        (
            "sort_by(items, &tags)",
            "the expression of `sort_by` must give numbers only or texts only, and here it gives a list",
        ),
    ];
    for (expression, expected) in cases {
        assert_eq!(failed(expression, &shop()), format!("`{{{{ {expression} }}}}`: {expected}"));
    }
    let nested = json!({"a": [{"b": "{{ $.name - 1 }}"}]});
    let said = mapped(&nested, &shop()).unwrap_err().to_string();
    assert!(said.starts_with("`a.0.b`: `{{ $.name - 1 }}`: "), "{said}");
}

/// A message as a component sends it.
#[derive(Serialize)]
struct Order {
    id: u64,
    lines: Vec<Line>,
    note: Option<String>,
}

#[derive(Serialize)]
struct Line {
    sku: String,
    count: u32,
}

#[test]
fn a_typed_message_gives_what_its_json_gives() {
    let line = |sku: &str, count| Line { sku: sku.into(), count };
    let order = Order { id: 7, lines: vec![line("a", 1), line("b", 3)], note: None };
    let json = serde_json::to_value(&order).unwrap();
    let mapping = json!({
        "total": "{{ sum($.lines[*].count) }}",
        "most": "{{ max_by(lines, &count).sku }}",
        "text": "{{ $.id + 1 }} of {{ length($.lines) }}",
        "plain": "{{ $.lines[1].sku }}",
        "both": ["{{ $.lines[0].count + $.lines[1].count }}", "{{ coalesce($.note, 'no note') }}"],
    });
    let mapping = Mapping::compile(&mapping).unwrap();
    let typed = mapping.value(mapping.read(&order).unwrap()).unwrap();
    assert_eq!(typed, mapping.value(mapping.read_value(&json).unwrap()).unwrap());
    assert_eq!(
        typed,
        json!({"total": 4, "most": "b", "text": "8 of 2", "plain": "b", "both": [4, "no note"]})
    );
}

#[test]
fn every_function_does_what_its_example_says() {
    for function in FUNCTIONS {
        let (expression, expected) = function.example;
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(given(expression, &json!({})), expected, "{expression}");
        assert!(expression.contains(&format!("{}(", function.name)), "{expression}");
    }
    let names: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
    assert!(names.is_sorted(), "the table is in the order of the names: {names:?}");
}

#[test]
fn functions_are_found_by_the_names_of_the_original() {
    for (expression, expected) in [
        ("size($.items)", json!(2)),
        ("Length($.items)", json!(2)),
        ("b64encode('hello')", json!("aGVsbG8=")),
        ("b64decode('aGVsbG8')", json!("hello")),
        ("RFC3339(0)", json!("1970-01-01T00:00:00Z")),
    ] {
        assert_eq!(given_with_dollar(expression, &shop()), expected, "{expression}");
    }
}
