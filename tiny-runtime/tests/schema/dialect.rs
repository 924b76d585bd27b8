//! The dialect, where Rust has what Go has not.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tiny_runtime::jiff::{SignedDuration, Timestamp};
use tiny_runtime::prelude::*;
use tiny_runtime::schema::of;

/// What the documentation of the original has as its example.
#[message]
struct Config {
    /// Shown as it is.
    name: String,
    /// Filled by whoever wires the flow.
    #[ui(configurable)]
    user_id: String,
    /// Offered to those behind.
    #[ui(shared)]
    result: String,
    /// Comes first.
    #[ui(order = 1, tab = "auth")]
    api_key: Secret<String>,
    /// A list to fill.
    #[ui(configurable)]
    items: Vec<String>,
}

#[test]
fn two_fields_never_meet_in_one_definition_for_being_text() {
    assert_eq!(
        of::<Config>(),
        json!({
            "$ref": "#/$defs/Config",
            "$defs": {
                "Config": {
                    "type": "object",
                    "properties": {
                        "apiKey": {
                            "type": "string", "format": "password", "writeOnly": true,
                            "description": "Comes first.", "tab": "auth", "propertyOrder": 1
                        },
                        "name": {"type": "string", "description": "Shown as it is.", "propertyOrder": 2},
                        "userId": {"$ref": "#/$defs/Userid", "propertyOrder": 3},
                        "result": {"$ref": "#/$defs/Result", "propertyOrder": 4},
                        "items": {"$ref": "#/$defs/Items", "propertyOrder": 5}
                    },
                    "required": ["name", "userId", "result", "apiKey", "items"],
                    "description": "What the documentation of the original has as its example.",
                    "path": "$"
                },
                "Userid": {
                    "type": "string", "configurable": true, "path": "$.userId",
                    "description": "Filled by whoever wires the flow."
                },
                "Result": {
                    "type": "string", "shared": true, "path": "$.result",
                    "description": "Offered to those behind."
                },
                "Items": {
                    "type": "array", "configurable": true, "path": "$.items",
                    "description": "A list to fill.", "items": {"$ref": "#/$defs/String"}
                },
                "String": {"type": "string", "path": "$.items[0]"}
            }
        })
    );
}

/// Moments.
#[message]
struct Times {
    /// When.
    at: Timestamp,
    /// For how long.
    lasting: SignedDuration,
    /// The same, as the standard library has it.
    plain: Option<Duration>,
}

#[test]
fn moments_and_durations_are_texts() {
    let times = of::<Times>();
    let field = |name: &str| times["$defs"]["Times"]["properties"][name].clone();
    assert_eq!(
        (&field("at")["type"], &field("at")["format"]),
        (&json!("string"), &json!("date-time"))
    );
    assert_eq!(field("lasting")["format"], json!("timespan"));
    assert_eq!(field("plain"), json!({"$ref": "#/$defs/Duration", "propertyOrder": 3}));
    assert_eq!(times["$defs"]["Duration"]["type"], json!(["object", "null"]));
    let read: Times =
        serde_json::from_value(json!({"at": "2024-05-01T10:00:00Z", "lasting": "1h 30m"})).unwrap();
    assert_eq!(read.lasting, SignedDuration::from_mins(90));
    assert_eq!(serde_json::to_value(&read).unwrap()["lasting"], json!("PT1H30M"));
}

/// A choice with words for each.
#[message]
enum Pace {
    /// Takes its time.
    Slow,
    /// Hurries.
    VeryFast,
}

/// Where to.
#[message]
#[serde(tag = "kind")]
enum Way {
    /// By road.
    Road {
        /// How fast.
        pace: Pace,
    },
    /// Wherever it is.
    Place(Place),
}

/// A place.
#[message]
struct Place {
    /// What is there.
    inside: Option<Box<Place>>,
    /// The ways from it.
    ways: BTreeMap<String, Way>,
}

#[test]
fn choices_have_titles_and_forms_have_branches() {
    let way = of::<Way>();
    let road = &way["$defs"]["Way"]["oneOf"][0];
    assert_eq!(
        road["properties"]["pace"],
        json!({
            "type": "string",
            "enum": ["slow", "veryFast"],
            "enumTitles": ["Takes its time.", "Hurries."],
            "description": "How fast.",
            "propertyOrder": 2
        })
    );
    assert_eq!(road["properties"]["kind"]["propertyOrder"], json!(1));
    assert_eq!(way["$defs"]["Way"]["oneOf"][1]["$ref"], json!("#/$defs/Place"));
    let place = &way["$defs"]["Place"]["properties"];
    assert_eq!(place["inside"]["$ref"], json!("#/$defs/Place_inside"));
    assert_eq!(way["$defs"]["Place_inside"]["path"], json!("$.inside"));
    assert_eq!(way["$defs"]["Place_inside"]["type"], json!(["object", "null"]));
    assert_eq!(place["ways"]["additionalProperties"]["$ref"], json!("#/$defs/Way"));
}

/// Two types of one name.
mod other {
    use tiny_runtime::prelude::*;

    /// Another place.
    #[message]
    pub(super) struct Place {
        /// Its name.
        name: String,
    }
}

/// Holds both.
#[message]
struct Both {
    /// One.
    one: Place,
    /// The other one.
    other: other::Place,
}

#[test]
fn types_of_one_name_have_two_definitions() {
    let both = of::<Both>();
    let reference = |name: &str| both["$defs"]["Both"]["properties"][name]["$ref"].clone();
    assert_eq!(
        (reference("one"), reference("other")),
        (json!("#/$defs/Place"), json!("#/$defs/Place2"))
    );
    assert!(both["$defs"]["Place2"]["properties"].get("name").is_some());
}

#[test]
fn whole_numbers_have_the_bounds_of_their_types() {
    let bounds = |schema: Value| {
        let number =
            schema.pointer("/$defs").unwrap().as_object().unwrap().values().next().unwrap().clone();
        (number["minimum"].clone(), number["maximum"].clone(), number.get("format").cloned())
    };
    assert_eq!(bounds(of::<i32>()), (json!(i32::MIN), json!(i32::MAX), None));
    assert_eq!(bounds(of::<u64>()), (json!(0), json!(u64::MAX), None));
    assert_eq!(bounds(of::<f32>()), (Value::Null, Value::Null, None));
}

/// Each level holds the next twice.
macro_rules! levels {
    ($($name:ident $next:ident)*) => { $(
        /// A level.
        #[message]
        struct $name {
            /// Left.
            left: $next,
            /// Right.
            right: $next,
        }
    )* };
}

levels! { L0 L1  L1 L2  L2 L3  L3 L4  L4 L5  L5 L6  L6 L7  L7 L8  L8 L9  L9 L10  L10 L11  L11 L12  L12 L13  L13 L14  L14 L15  L15 Pace }

#[test]
fn many_ways_to_one_type_do_not_multiply() {
    let levels = of::<L0>();
    let definitions = levels["$defs"].as_object().unwrap();
    assert_eq!(definitions.len(), 31, "the root, and two uses of each of fifteen types");
    assert_eq!(definitions["L15_right"]["path"], json!(format!("${}.right", ".left".repeat(14))));
}

/// Fields with names that need quotes.
#[message]
struct Odd {
    /// One.
    #[serde(rename = "odd name's #1")]
    one: Json,
    /// Another one.
    #[serde(rename = "größe")]
    #[ui(shared)]
    other: Vec<Place>,
}

#[test]
fn a_name_of_any_letters_is_a_valid_reference_and_path() {
    let odd = of::<Odd>();
    let names: Vec<&String> = odd["$defs"].as_object().unwrap().keys().collect();
    assert_eq!(names[..4], ["Odd", "Odd_name_s__1", "Place", "Gr__e"]);
    assert_eq!(odd["$defs"]["Odd_name_s__1"]["path"], json!(r"$['odd name\'s #1']"));
    assert_eq!(odd["$defs"]["Gr__e"]["path"], json!("$.größe"));
    assert_eq!(odd["$defs"]["Place"]["path"], json!("$.größe[0]"));
    let validator = jsonschema::validator_for(&odd).unwrap();
    assert!(validator.is_valid(&json!({"odd name's #1": 1, "größe": []})));
}
