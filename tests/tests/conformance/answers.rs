//! Requests and the answers that a real server gave to them, word for word.
//!
//! `requests.json` is the play; `answers.json` was recorded from a real server with
//! `TINY_TEST_KUBECONFIG=… TINY_RECORD=1`.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::stage::{Answer, Stage, stages};

#[tokio::test]
async fn every_answer_is_that_of_a_real_server() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let requests: Vec<Value> = read(&folder.join("requests.json"));
    let file = folder.join("answers.json");
    let mut wrong = Vec::new();
    let mut stages = stages("answers").await;
    // What is recorded is recorded before anything is compared with it.
    stages.reverse();
    for stage in stages {
        let answers = play(&stage, &requests).await;
        if stage.plane == "real" && std::env::var_os("TINY_RECORD").is_some() {
            let lines: Vec<_> = answers.iter().map(Value::to_string).collect();
            std::fs::write(&file, format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
        }
        let expected: Vec<Value> = read(&file);
        assert_eq!(expected.len(), answers.len(), "answers.json is not of these requests");
        for ((request, answer), expected) in requests.iter().zip(answers).zip(expected) {
            let (answer, expected) = (without(answer, request), without(expected, request));
            if answer != expected {
                let plane = stage.plane;
                wrong.push(format!(
                    "{plane}: {request}\n  answered {answer}\n  expected {expected}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn read<T: serde::de::DeserializeOwned>(file: &Path) -> T {
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// An answer without what the request says may differ: texts of parsers, and fields that say
/// nothing.
fn without(mut answer: Value, request: &Value) -> Value {
    for pointer in request["but"].as_array().into_iter().flatten() {
        let (parent, name) = pointer.as_str().unwrap().rsplit_once('/').unwrap();
        let parent = answer.pointer_mut(parent).and_then(Value::as_object_mut);
        parent.map(|map| map.shift_remove(name));
    }
    answer
}

async fn play(stage: &Stage, requests: &[Value]) -> Vec<Value> {
    let mut answers = Vec::new();
    let mut seen = Map::new();
    for request in requests {
        let text = |field: &str| request[field].as_str().unwrap_or_default().to_owned();
        let mut headers = vec![("accept", "application/json".to_owned())];
        for name in ["accept", "content-type"] {
            if request[name].is_string() {
                headers.retain(|(known, _)| *known != name);
                headers.push((name, text(name)));
            }
        }
        if request["content-type"].is_null() && !request["body"].is_null() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        // `$name.field` in a body is a field of the metadata of an earlier answer.
        let mut body = request["body"].clone();
        recall(&mut body, &seen);
        let path = text("path");
        let answer = stage.ask(&text("method"), &path, &headers, &body).await;
        if let Some(name) = request["as"].as_str() {
            seen.insert(name.to_owned(), answer.body["metadata"].clone());
        }
        answers.push(shown(answer, stage));
    }
    answers
}

fn recall(value: &mut Value, seen: &Map<String, Value>) {
    match value {
        Value::String(text) => {
            let found = text.strip_prefix('$').and_then(|rest| rest.split_once('.'));
            if let Some((name, field)) = found {
                *value = seen.get(name).map_or(Value::Null, |metadata| metadata[field].clone());
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|item| recall(item, seen)),
        Value::Object(map) => map.values_mut().for_each(|item| recall(item, seen)),
        _ => {}
    }
}

/// An answer without what differs each time.
fn shown(answer: Answer, stage: &Stage) -> Value {
    let mut body = answer.body;
    steady(&mut body, stage);
    let warnings: Vec<_> =
        answer.headers.get_all("warning").iter().map(|value| value.to_str().unwrap()).collect();
    match warnings.is_empty() {
        true => json!({ "code": answer.code, "body": body }),
        false => json!({ "code": answer.code, "warnings": warnings, "body": body }),
    }
}

fn steady(value: &mut Value, stage: &Stage) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Array(cells)) = map.get_mut("cells") {
                cells
                    .iter_mut()
                    .filter(|cell| is_age(cell))
                    .for_each(|cell| *cell = "<age>".into());
            }
            map.shift_remove("managedFields");
            map.shift_remove("storageVersionHash");
            if map.get("continue").is_some_and(|token| token == "") {
                map.shift_remove("continue");
            }
            if map.contains_key("priority") {
                // A column of a table: the server's words for its own columns are its own.
                map.shift_remove("description");
            }
            for (name, value) in map.iter_mut() {
                let changes = match name.as_str() {
                    "uid" => "uid",
                    "resourceVersion" => "version",
                    name if name.ends_with("Timestamp") || name.ends_with("Time") => "time",
                    _ => "",
                };
                match value {
                    Value::String(text) if !changes.is_empty() && !text.is_empty() => {
                        *value = format!("<{changes}>").into();
                    }
                    other => steady(other, stage),
                }
            }
        }
        Value::Array(list) => {
            list.iter_mut().for_each(|item| steady(item, stage));
            // Verbs and resources come in no order that means anything.
            if !list.is_empty() && list.iter().all(|item| item["verbs"].is_array() || is_verb(item))
            {
                list.sort_by_key(Value::to_string);
            }
        }
        Value::String(text) => *text = steady_text(text).replace(&stage.namespace, "{ns}"),
        _ => {}
    }
}

fn is_age(cell: &Value) -> bool {
    let seconds = cell.as_str().and_then(|text| text.strip_suffix('s'));
    seconds.is_some_and(|seconds| seconds.parse::<u32>().is_ok())
}

fn is_verb(value: &Value) -> bool {
    let verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
    value.as_str().is_some_and(|text| verbs.contains(&text))
}

/// A message without ids and versions.
fn steady_text(text: &str) -> String {
    let word = |word: &str| {
        let inner = word.trim_start_matches('(').trim_end_matches(['.', ')']);
        let id = inner.len() == 36 && inner.split('-').count() == 5;
        let version = word.starts_with('(') && inner.parse::<u64>().is_ok();
        match (id, version) {
            (true, _) => word.replace(inner, "<uid>"),
            (_, true) => word.replace(inner, "<version>"),
            _ => word.to_owned(),
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}
