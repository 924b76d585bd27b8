//! The recorded schemas of the system that we are compatible with, against those of the same types written in Rust.
//!
//! Needs the recordings: `TINY_VECTORS=DIR cargo test -p tiny-runtime --test schema`.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use serde_json::{Value, json};
use tiny_runtime::prelude::*;
use tiny_runtime::schema::of;

mod types;
use types::*;

/// How ours stands to what was recorded.
enum Verdict {
    /// The same.
    Same(Value),
    /// The same but for the names of definitions: theirs, ours.
    Renamed(Value, &'static [(&'static str, &'static str)]),
    /// Another one, on purpose: why, and what it is.
    Other(Value, &'static str, Value),
    /// Nothing in Rust is written so.
    None(&'static str),
}

use Verdict::{None as Nothing, Other, Renamed, Same};

const FLAGGED_SCALAR: &[(&str, &str)] = &[("String", "Name")];
const NO_LITERALS: &str = "Rust has no struct without a name";
const NO_LIVE_VALUES: &str = "a schema comes from the type alone: it does not change with data";
const DEFINED_LISTS: &str = "a list that is configurable or shared has a definition, and its named elements have the flag: else they could not be shared";
const EVERY_USE: &str = "one definition for each use that says something else: no title overwrites another, and each has its path";

fn verdicts() -> Vec<(&'static str, Verdict)> {
    vec![
        ("nil object", Nothing("a port has a type")),
        ("empty anonymous struct", Nothing(NO_LITERALS)),
        ("an any field is a definition; scalar tags are kept", Same(of::<ModifyInMessage>())),
        ("a non-configurable any is still a definition", Same(of::<ModifyInMessageF>())),
        ("enumTitles is an array", Same(of::<Request>())),
        ("root is a pointer to a named any", Same(of::<Json>())),
        ("array of a named any", Same(of::<InMessage>())),
        ("README HelloInput", Renamed(of::<HelloInput>(), FLAGGED_SCALAR)),
        ("README HelloInput by pointer", Renamed(of::<HelloInput>(), FLAGGED_SCALAR)),
        (
            "README Config",
            Nothing("the recorded ones collide on `String`; see the one of dialect.rs"),
        ),
        ("scalars", Same(of::<Scalars>())),
        ("tags", Same(of::<Tagged>())),
        ("deep", Same(of::<Deep>())),
        ("anonymous struct field", Nothing(NO_LITERALS)),
        ("two anonymous struct fields", Nothing(NO_LITERALS)),
        (
            "pointers",
            Other(
                of::<Ptrs>(),
                "an optional value of any type may be anything; elements of an optional list are those of a list",
                json!({
                    "$ref": "#/$defs/Ptrs",
                    "$defs": {
                        "Ptrs": {"type": "object", "path": "$", "properties": {
                            "s": {"type": ["null", "string"], "propertyOrder": 1},
                            "i": {"type": ["integer", "null"], "propertyOrder": 2},
                            "st": {"$ref": "#/$defs/Inner", "propertyOrder": 3},
                            "any": {"$ref": "#/$defs/Any", "propertyOrder": 4},
                            "arr": {"type": ["array", "null"], "items": {"$ref": "#/$defs/String"}, "propertyOrder": 5}
                        }},
                        "Inner": {"type": ["null", "object"], "path": "$.st", "properties": {
                            "a": {"title": "A", "type": "string", "propertyOrder": 1},
                            "b": {"type": "integer", "propertyOrder": 2}
                        }},
                        "Any": {"path": "$.any"},
                        "String": {"type": "string", "path": "$.arr[0]"}
                    }
                }),
            ),
        ),
        (
            "arrays",
            Other(
                of::<Arrays>(),
                "a list in a list has named elements too, and a list of a known length says it",
                json!({
                    "$ref": "#/$defs/Arrays",
                    "$defs": {
                        "Arrays": {"type": "object", "path": "$", "properties": {
                            "strs": {"type": "array", "items": {"$ref": "#/$defs/String"}, "propertyOrder": 1},
                            "ints": {"type": "array", "items": {"$ref": "#/$defs/Int"}, "propertyOrder": 2},
                            "structs": {"type": "array", "items": {"$ref": "#/$defs/Inner"}, "propertyOrder": 3},
                            "ptrStructs": {"type": "array", "items": {"$ref": "#/$defs/Inner_ptrStructs"}, "propertyOrder": 4},
                            "any": {"type": "array", "items": {}, "propertyOrder": 5},
                            "named": {"type": "array", "items": {"$ref": "#/$defs/Itemcontext"}, "propertyOrder": 6},
                            "nested": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}, "propertyOrder": 7},
                            "fixed": {"type": "array", "items": {"$ref": "#/$defs/Int"}, "minItems": 2, "maxItems": 2, "propertyOrder": 8}
                        }},
                        "String": {"type": "string", "path": "$.strs[0]"},
                        "Int": {"type": "integer", "path": "$.ints[0]"},
                        "Inner": {"type": "object", "path": "$.structs[0]", "properties": {
                            "a": {"title": "A", "type": "string", "propertyOrder": 1},
                            "b": {"type": "integer", "propertyOrder": 2}
                        }},
                        "Inner_ptrStructs": {"type": ["null", "object"], "path": "$.ptrStructs[0]", "properties": {
                            "a": {"title": "A", "type": "string", "propertyOrder": 1},
                            "b": {"type": "integer", "propertyOrder": 2}
                        }},
                        "Itemcontext": {"path": "$.named[0]"}
                    }
                }),
            ),
        ),
        ("one array of strings", Same(of::<ArrOnly>())),
        ("two arrays of strings", Same(of::<ArrTwoOfSame>())),
        ("array of structs", Same(of::<ArrOfStructs>())),
        (
            "configurable array of structs",
            Other(
                of::<ArrCfg>(),
                DEFINED_LISTS,
                json!({
                    "$ref": "#/$defs/Arrcfg",
                    "$defs": {
                        "Arrcfg": {"type": "object", "path": "$", "properties": {
                            "items": {"$ref": "#/$defs/Items", "propertyOrder": 1}
                        }},
                        "Items": {"type": "array", "title": "Items", "configurable": true, "path": "$.items", "items": {"$ref": "#/$defs/Inner"}},
                        "Inner": {"type": "object", "configurable": true, "path": "$.items[0]", "properties": {
                            "a": {"title": "A", "type": "string", "propertyOrder": 1},
                            "b": {"type": "integer", "propertyOrder": 2}
                        }}
                    }
                }),
            ),
        ),
        (
            "shared array of any",
            Other(
                of::<ArrShared>(),
                DEFINED_LISTS,
                json!({
                    "$ref": "#/$defs/Arrshared",
                    "$defs": {
                        "Arrshared": {"type": "object", "path": "$", "properties": {
                            "items": {"$ref": "#/$defs/Items", "propertyOrder": 1}
                        }},
                        "Items": {"type": "array", "shared": true, "path": "$.items", "items": {"$ref": "#/$defs/Itemcontext"}},
                        "Itemcontext": {"shared": true, "path": "$.items[0]"}
                    }
                }),
            ),
        ),
        (
            "maps",
            Other(
                of::<Maps>(),
                "the values of a map have a definition like all that has a name: a type may hold a map of itself",
                json!({
                    "$ref": "#/$defs/Maps",
                    "$defs": {
                        "Maps": {"type": "object", "path": "$", "properties": {
                            "ss": {"type": "object", "additionalProperties": {"type": "string"}, "propertyOrder": 1},
                            "si": {"type": "object", "additionalProperties": {"type": "integer"}, "propertyOrder": 2},
                            "sa": {"type": "object", "additionalProperties": {}, "propertyOrder": 3},
                            "sst": {"type": "object", "additionalProperties": {"$ref": "#/$defs/Inner"}, "propertyOrder": 4}
                        }},
                        "Inner": {"type": "object", "path": "$.sst.*", "properties": {
                            "a": {"title": "A", "type": "string", "propertyOrder": 1},
                            "b": {"type": "integer", "propertyOrder": 2}
                        }}
                    }
                }),
            ),
        ),
        ("one map", Same(of::<OneMap>())),
        ("map with live data", Same(of::<OneMap>())),
        ("bytes and raw JSON", Same(of::<Bytes>())),
        ("embedded struct", Same(of::<Embedded>())),
        (
            "two configurable unnamed any fields",
            Other(
                of::<TwoAny>(),
                "any JSON has a definition, called for its field",
                json!({
                    "$ref": "#/$defs/Twoany",
                    "$defs": {
                        "Twoany": {"type": "object", "path": "$", "properties": {
                            "v": {"$ref": "#/$defs/V", "propertyOrder": 1},
                            "w": {"$ref": "#/$defs/W", "propertyOrder": 2}
                        }},
                        "V": {"title": "V", "configurable": true, "path": "$.v"},
                        "W": {"title": "W", "configurable": true, "path": "$.w"}
                    }
                }),
            ),
        ),
        ("shared scalars", Renamed(of::<SharedScalar>(), &[("Int", "A"), ("Bool", "B")])),
        (
            "one struct type in two fields",
            Other(
                of::<SameTypeTwice>(),
                EVERY_USE,
                json!({
                    "$ref": "#/$defs/Sametypetwice",
                    "$defs": {
                        "Sametypetwice": {"type": "object", "path": "$", "properties": {
                            "a": {"$ref": "#/$defs/Inner", "propertyOrder": 1},
                            "b": {"$ref": "#/$defs/Inner_b", "propertyOrder": 2}
                        }},
                        "Inner": {"title": "First", "type": "object", "path": "$.a", "properties": {
                            "a": {"title": "A", "type": "string", "propertyOrder": 1},
                            "b": {"type": "integer", "propertyOrder": 2}
                        }},
                        "Inner_b": {"title": "Second", "type": "object", "path": "$.b", "properties": {
                            "a": {"title": "A", "type": "string", "propertyOrder": 1},
                            "b": {"type": "integer", "propertyOrder": 2}
                        }}
                    }
                }),
            ),
        ),
        (
            "recursive through an array",
            Other(
                of::<Recursive>(),
                "theirs never ends",
                json!({
                    "$ref": "#/$defs/Recursive",
                    "$defs": {"Recursive": {"type": "object", "path": "$", "properties": {
                        "name": {"type": "string", "propertyOrder": 1},
                        "children": {"type": "array", "items": {"$ref": "#/$defs/Recursive"}, "propertyOrder": 2}
                    }}}
                }),
            ),
        ),
        (
            "recursive through a pointer",
            Other(
                of::<RecursivePtr>(),
                "theirs never ends",
                json!({
                    "$ref": "#/$defs/Recursiveptr",
                    "$defs": {
                        "Recursiveptr": {"type": "object", "path": "$", "properties": {
                            "name": {"type": "string", "propertyOrder": 1},
                            "next": {"$ref": "#/$defs/Recursiveptr_next", "propertyOrder": 2}
                        }},
                        "Recursiveptr_next": {"type": ["null", "object"], "path": "$.next", "properties": {
                            "name": {"type": "string", "propertyOrder": 1},
                            "next": {"$ref": "#/$defs/Recursiveptr_next", "propertyOrder": 2}
                        }}
                    }
                }),
            ),
        ),
        ("field that is an empty struct", Same(of::<HoldsEmpty>())),
        ("property order", Same(of::<Order>())),
        ("required", Same(of::<RequiredMix>())),
        ("url.Values", Same(of::<UrlPair>())),
        ("values are not defaults", Nothing(NO_LIVE_VALUES)),
        ("any with a live object", Nothing(NO_LIVE_VALUES)),
        ("any with a live array of numbers", Nothing(NO_LIVE_VALUES)),
        ("root scalar", Same(of::<String>())),
        (
            "root slice",
            Other(
                of::<Vec<Inner>>(),
                "the elements have a definition",
                json!({
                    "type": "array",
                    "items": {"$ref": "#/$defs/Inner"},
                    "$defs": {"Inner": {"type": "object", "path": "$[0]", "properties": {
                        "a": {"title": "A", "type": "string", "propertyOrder": 1},
                        "b": {"type": "integer", "propertyOrder": 2}
                    }}}
                }),
            ),
        ),
        ("root map", Same(of::<HashMap<String, String>>())),
        ("root named scalar", Same(of::<NamedScalar>())),
        ("root time", Nothing("a moment is what its crate calls it; see dialect.rs")),
        ("delay: in", Same(of::<DelayRequest>())),
        ("router: in", Same(of::<RouterInMessage>())),
        ("router: settings", Same(of::<RouterSettings>())),
        ("split: in", Same(of::<SplitInMessage>())),
        ("split: out", Same(of::<SplitOutMessage>())),
        ("debug: control", Same(of::<DebugControl>())),
        ("debug: control with data", Nothing(NO_LIVE_VALUES)),
        ("signal: settings", Same(of::<SignalSettings>())),
        ("signal: control, reset", Nothing("a property that is not there is not required")),
        ("http server: request", Same(of::<ServerRequest>())),
        ("http server: response", Same(of::<ServerResponse>())),
        ("http client: request", Same(of::<ClientRequest>())),
        ("http client: response", Same(of::<ClientResponse>())),
        ("grpc client: settings", Same(of::<GrpcSettings>())),
    ]
}

/// Rust says more than Go did; this is taken out of both sides before they are compared.
///
/// - Comments are mandatory: those of these types are `-`.
/// - What an absent field becomes (`#[serde(default)]`) is published as its default.
/// - Whole numbers have the bounds of their types.
/// - The types of an optional value stand in another order.
/// - What is always sent although it need not be there is said.
fn common(value: Value) -> Value {
    const DEFAULTS: [&str; 5] = ["\"\"", "0", "0.0", "false", "[]"];
    let bounds = json!([
        i8::MIN,
        i8::MAX,
        i32::MIN,
        i32::MAX,
        i64::MIN,
        i64::MAX,
        u8::MAX,
        u16::MAX,
        u64::MAX
    ]);
    let bounds = bounds.as_array().unwrap();
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(key, value)| match &**key {
                "description" => value != "-",
                "alwaysSent" => false,
                "default" => !DEFAULTS.contains(&&*value.to_string()) && !value.is_object(),
                "minimum" | "maximum" => !bounds.contains(value),
                _ => true,
            });
            kept.map(|(key, value)| match (&*key, value) {
                ("type", Value::Array(mut types)) => {
                    types.sort_by_key(Value::to_string);
                    (key, types.into())
                }
                (_, value) => (key, common(value)),
            })
            .collect()
        }
        Value::Array(items) => items.into_iter().map(common).collect(),
        other => other,
    }
}

fn renamed(value: &Value, names: &[(&str, &str)]) -> Value {
    let mut text = value.to_string();
    for (theirs, ours) in names {
        text = text.replace(&format!("#/$defs/{theirs}\""), &format!("#/$defs/{ours}\""));
        text = text.replace(&format!("\"{theirs}\":"), &format!("\"{ours}\":"));
    }
    serde_json::from_str(&text).unwrap()
}

#[test]
fn schemas_are_those_that_were_recorded() {
    let Some(folder) = std::env::var_os("TINY_VECTORS").map(PathBuf::from) else {
        eprintln!("skipped: TINY_VECTORS is not set, so there are no recordings to compare with");
        return;
    };
    let text = std::fs::read_to_string(folder.join("schema_generation.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut verdicts: BTreeMap<_, _> = verdicts().into_iter().collect();
    let mut wrong = Vec::new();
    let (mut same, mut count) = (0, 0);
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let Some(verdict) = verdicts.remove(name) else {
            wrong.push(format!("{name}: nobody judged it"));
            continue;
        };
        count += 1;
        let recorded = || match case.get("expected_one_of") {
            Some(Value::Array(several)) => several.clone(),
            _ => vec![case["expected"].clone()],
        };
        let (ours, allowed) = match verdict {
            Nothing(why) => {
                eprintln!("{name}: left out, {why}");
                continue;
            }
            Same(ours) => (ours, recorded()),
            Renamed(ours, names) => {
                (ours, recorded().iter().map(|it| renamed(it, names)).collect())
            }
            Other(ours, why, expected) => {
                eprintln!("{name}: another one, {why}");
                (ours, vec![expected])
            }
        };
        let ours = common(ours);
        if allowed.iter().any(|allowed| common(allowed.clone()) == ours) {
            same += 1;
        } else {
            let pretty =
                |value: &Value| serde_json::to_string_pretty(&common(value.clone())).unwrap();
            wrong.push(format!(
                "{name}\nours: {}\nrecorded: {}",
                pretty(&ours),
                pretty(&allowed[0])
            ));
        }
    }
    assert!(verdicts.is_empty(), "not recorded: {:?}", verdicts.keys());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    eprintln!("{same} of {count} recorded schemas compared");
}
