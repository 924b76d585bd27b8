//! Rules are said in the schema and kept when a message is read.

use serde_json::{Value, json};
use tiny_runtime::component::{Body, Message};
use tiny_runtime::prelude::*;
use tiny_runtime::schema::of;

/// An order.
#[message]
struct Order {
    /// Who ordered.
    #[ui(minLength = 2, maxLength = 5, pattern = "^[a-z]+$")]
    name: String,
    /// What was ordered.
    #[ui(minItems = 1, maxItems = 2, uniqueItems)]
    items: Vec<Item>,
    /// What else there is to say.
    #[ui(maxLength = 3)]
    note: Option<String>,
}

/// One thing.
#[message]
struct Item {
    /// How many of it.
    #[ui(minimum = 1, maximum = 9)]
    count: u32,
    /// Part of the price that is taken off.
    #[ui(minimum = 0.0, maximum = 0.5)]
    #[serde(default)]
    discount: f64,
}

/// One of two.
#[message]
#[serde(tag = "kind")]
enum Choice {
    /// A number.
    Few {
        /// The number.
        #[ui(maximum = 3)]
        count: u8,
    },
    /// A text.
    Named {
        /// The text.
        #[ui(minLength = 1)]
        name: Secret<String>,
    },
}

/// What an author says about a list of anything.
#[message]
struct Several<T> {
    /// The things.
    #[ui(minItems = 1, uniqueItems)]
    things: Vec<T>,
}

/// Settings that keep a rule where they say nothing else.
#[message(default)]
struct Limits {
    /// How many.
    #[ui(maximum = 10)]
    most: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { most: Some(7) }
    }
}

fn read<T: Message>(message: Value) -> Result<T, String> {
    Body::json(message).decode().map_err(|e| e.to_string())
}

fn refused<T: Message>(message: Value) -> String {
    read::<T>(message).err().unwrap_or_else(|| "taken".to_owned())
}

#[test]
fn a_rule_that_is_broken_is_one_sentence_that_names_the_field() {
    let order = |name: &str, items: Value| refused::<Order>(json!({"name": name, "items": items}));
    let one = json!([{"count": 1}]);
    assert_eq!(order("ada", one.clone()), "taken");
    assert_eq!(order("a", one.clone()), "`name` must have at least 2 characters");
    assert_eq!(order("adalove", one.clone()), "`name` must have at most 5 characters");
    assert_eq!(order("Ada", one), "`name` must match the pattern `^[a-z]+$`");
    assert_eq!(order("ada", json!([])), "`items` must have at least 1 element");
    let twice = json!([{"count": 1}, {"count": 1, "discount": 0.0}]);
    assert_eq!(order("ada", twice), "`items` must not have an element twice");
    assert_eq!(order("ada", json!([{"count": 0}])), "`items[0].count` must be at least 1");
    let cheap = json!([{"count": 1}, {"count": 2, "discount": 0.75}]);
    assert_eq!(order("ada", cheap), "`items[1].discount` must be at most 0.5");
    let three = json!([{"count": 1}, {"count": 2}, {"count": 3}]);
    assert_eq!(order("ada", three), "`items` must have at most 2 elements");
}

#[test]
fn an_optional_field_may_be_absent_and_keeps_its_rule_where_it_is_not() {
    let order = |note: Value| {
        refused::<Order>(json!({"name": "ada", "items": [{"count": 1}], "note": note}))
    };
    assert_eq!(order(Value::Null), "taken");
    assert_eq!(order(json!("abc")), "taken");
    assert_eq!(order(json!("abcd")), "`note` must have at most 3 characters");
    assert!(read::<Order>(json!({"name": "ada", "items": [{"count": 1}]})).unwrap().note.is_none());
    assert_eq!(read::<Limits>(json!({})).unwrap().most, Some(7));
    assert_eq!(read::<Limits>(json!({"most": null})).unwrap().most, None);
    assert_eq!(refused::<Limits>(json!({"most": 11})), "`most` must be at most 10");
}

#[test]
fn variants_secrets_and_lists_of_anything_have_rules_too() {
    assert_eq!(refused::<Choice>(json!({"kind": "few", "count": 4})), "`count` must be at most 3");
    let name = refused::<Choice>(json!({"kind": "named", "name": ""}));
    assert_eq!(name, "`name` must have at least 1 character");
    assert_eq!(
        refused::<Several<u8>>(json!({"things": []})),
        "`things` must have at least 1 element"
    );
    assert_eq!(refused::<Several<u8>>(json!({"things": [1]})), "taken");
    let twice = refused::<Several<u8>>(json!({"things": [1, 1]}));
    assert_eq!(twice, "`things` must not have an element twice");
}

#[test]
fn the_schema_says_what_is_checked() {
    let order = of::<Order>();
    let field = |name: &str| &order["$defs"]["Order"]["properties"][name];
    let name = field("name");
    assert_eq!((&name["minLength"], &name["pattern"]), (&json!(2), &json!("^[a-z]+$")));
    assert_eq!(field("items")["uniqueItems"], json!(true));
    assert_eq!(field("note")["type"], json!(["string", "null"]));
    let count = &order["$defs"]["Item"]["properties"]["count"];
    assert_eq!((&count["minimum"], &count["maximum"]), (&json!(1), &json!(9)));
    assert_eq!(order["$defs"]["Order"]["required"], json!(["name", "items"]));
}
