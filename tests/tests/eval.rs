//! `eval`: an expression in a terminal.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::{Value, json};
use tiny_tests::Desk;

const DOCUMENT: &str = r#"{"price": 2, "items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 3}]}"#;

#[test]
fn a_result_is_json_on_stdout() {
    let desk = Desk::new();
    let given = |args: &[&str]| desk.call_with(&[&["eval"], args].concat(), DOCUMENT).ok();
    assert_eq!(given(&["$.price * 2"]), "4\n");
    assert_eq!(given(&["items[?n > `1`].sku | [0]"]), "\"b\"\n");
    assert_eq!(given(&["$.nowhere"]), "null\n");
    let mapping = r#"{"text": "{{ $.price }} of {{ length($.items) }}", "all": "{{ $..sku }}"}"#;
    assert_eq!(given(&["--mapping", mapping]), "{\"text\":\"2 of 2\",\"all\":[\"a\",\"b\"]}\n");
}

#[test]
fn a_mistake_has_a_caret_under_it() {
    let desk = Desk::new();
    let refused = |args: &[&str]| desk.call_with(&[&["eval"], args].concat(), DOCUMENT).refused();
    assert_eq!(
        refused(&["1 + uper($.price)"]),
        "there is no function `uper` (did you mean `upper`?)\n  | 1 + uper($.price)\n  |     ^^^^\n  = docs/mappings.md lists them"
    );
    let both = refused(&["--mapping", r#"{"a": "{{ $.n + }}", "b": "{{ true }}"}"#]);
    assert!(both.contains("at `/a`: ") && both.contains("\nerror: at `/b`: "), "{both}");
    assert!(refused(&["$.price + 'x'"]).contains("here are a number and a text"));
    assert!(refused(&["--mapping", "{"]).starts_with("`--mapping` takes JSON"));
}

#[test]
fn what_is_wrong_is_json_for_programs() {
    let desk = Desk::new();
    let called = desk.call_with(&["eval", "--json", "$.a ="], DOCUMENT);
    assert_eq!(called.code, 1, "{called:?}");
    let faults: Value = serde_json::from_str(&called.stdout).unwrap();
    assert_eq!(faults[0]["code"], "unsupported");
    assert_eq!(faults[0]["range"], json!({"start": 4, "end": 5}));
}

#[test]
fn a_document_is_json_on_stdin() {
    let desk = Desk::new();
    assert!(desk.call_with(&["eval", "$"], " ").refused().contains("there is nothing on stdin"));
    assert!(desk.call_with(&["eval", "$"], "{").refused().contains("is not JSON"));
}
