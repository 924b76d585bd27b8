//! Definitions that travel, against the recordings of the original's functions.

use std::path::PathBuf;

use serde_json::{Map, Value, json};
use tiny_runtime::schema::{Flag, Schema};

/// Cases that we judge otherwise, and why.
const OTHERWISE: &[(&str, &str)] = &[
    ("empty schema is an error", "a schema is parsed before it comes here"),
    (
        "a schema without $defs is an error",
        "it has no definitions: nothing is done, and its port stays",
    ),
    (
        "shared of the original is lost in the seed era",
        "`shared` belongs to the place, and is kept",
    ),
    ("empty text is an error", "a schema is parsed before it comes here"),
    ("no $defs is an error", "it has no definitions: none are found"),
];

fn recorded() -> Option<Value> {
    let Some(folder) = std::env::var_os("TINY_VECTORS").map(PathBuf::from) else {
        eprintln!("skipped: TINY_VECTORS is not set, so there are no recordings to compare with");
        return None;
    };
    let text = std::fs::read_to_string(folder.join("schema_definitions.json")).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// The cases of `kind` that we judge alike, each with its schema.
fn cases(recorded: &Value, kind: &str) -> Vec<(String, Value, Schema)> {
    let mut cases = Vec::new();
    for case in recorded[kind].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        if let Some((_, why)) = OTHERWISE.iter().find(|(other, _)| *other == name) {
            eprintln!("{name}: judged otherwise, {why}");
            continue;
        }
        let schema: Value = serde_json::from_str(case["schema_text"].as_str().unwrap()).unwrap();
        cases.push((name.to_owned(), case.clone(), Schema::from(schema)));
    }
    assert!(cases.len() > 4, "{}", cases.len());
    cases
}

#[test]
fn definitions_are_found_as_recorded() {
    let Some(recorded) = recorded() else { return };
    for (name, case, schema) in cases(&recorded, "collect") {
        let all = Value::from(schema.clone())["$defs"].clone();
        let found = |flag| -> Map<String, Value> {
            schema.definitions(flag).map(|(name, it)| (name.to_owned(), it.clone())).collect()
        };
        let found: Map<String, Value> = match case["filter"].as_str().unwrap() {
            "configurable" => found(Flag::Configurable),
            "shared" => found(Flag::Shared),
            "either" => found(Flag::Configurable).into_iter().chain(found(Flag::Shared)).collect(),
            _ => all.as_object().unwrap().clone(),
        };
        assert_eq!(Value::from(found), case["expected"], "{name}");
    }
}

#[test]
fn definitions_are_taken_as_recorded() {
    let Some(recorded) = recorded() else { return };
    for (name, case, schema) in cases(&recorded, "update") {
        let offers = Schema::from(json!({ "$defs": case["definitions"] }));
        let names = case["definitions"].as_object().unwrap().keys();
        let taken =
            names.fold(schema, |schema, name| schema.take(name, &offers.share(name).unwrap()));
        assert_eq!(Value::from(taken), case["expected"], "{name}");
    }
}

#[test]
fn what_belongs_to_the_place_stays() {
    let offers = Schema::from(json!({"$defs": {"C": {"type": "object"}}}));
    let place = Schema::from(json!({"$defs": {"C": {"shared": true, "path": "$.c"}}}));
    let taken = place.take("C", &offers.share("C").unwrap());
    let expected = json!({"type": "object", "path": "$.c", "configurable": false, "shared": true});
    assert_eq!(*taken.definition("C").unwrap(), expected);
}
