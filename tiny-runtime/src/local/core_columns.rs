//! The columns of the kinds of Kubernetes itself, as the real server prints them.

use serde_json::Value;

use super::object;
use super::table::{Column, age, since};

/// The columns after the name; an event has no name column of its own in front.
pub(super) fn of(kind: &str) -> Vec<Column> {
    let word = Column::word;
    match kind {
        "Namespace" => vec![word("Status", |o| o["status"]["phase"].clone()), word("Age", age)],
        "Lease" => {
            vec![word("Holder", |o| text(&o["spec"]["holderIdentity"])), word("Age", age)]
        }
        "Event" => event(),
        "CustomResourceDefinition" => {
            vec![word("Created At", |o| object::meta_text(o, "creationTimestamp").into())]
        }
        "ConfigMap" => vec![word("Data", |o| count(o, &["data", "binaryData"])), word("Age", age)],
        "Secret" => vec![
            word("Type", |o| text(&o["type"])),
            word("Data", |o| count(o, &["data"])),
            word("Age", age),
        ],
        _ => vec![word("Age", age)],
    }
}

fn event() -> Vec<Column> {
    let wide = |column| Column { priority: 1, ..column };
    vec![
        Column::word("Last Seen", last_seen),
        Column::word("Type", |o| text(&o["type"])),
        Column::word("Reason", |o| text(&o["reason"])),
        Column::word("Object", |o| about(o).into()),
        wide(Column::word("Subobject", |o| text(&o["involvedObject"]["fieldPath"]))),
        wide(Column::word("Source", |o| text(&o["source"]["component"]))),
        Column::word("Message", |o| o["message"].as_str().unwrap_or_default().trim().into()),
        wide(Column::word("First Seen", |o| seen(o, &["firstTimestamp", "eventTime"]))),
        wide(Column::word("Count", |o| o["count"].as_i64().unwrap_or(1).into())),
        wide(Column::word("Name", |o| object::name(o).into())),
    ]
}

fn text(value: &Value) -> Value {
    value.as_str().unwrap_or_default().into()
}

fn count(object: &Value, fields: &[&str]) -> Value {
    let sizes =
        fields.iter().map(|field| object[*field].as_object().map_or(0, serde_json::Map::len));
    sizes.sum::<usize>().into()
}

fn about(event: &Value) -> String {
    let object = &event["involvedObject"];
    let kind = object["kind"].as_str().unwrap_or_default().to_lowercase();
    format!("{kind}/{}", object["name"].as_str().unwrap_or_default())
}

fn last_seen(event: &Value) -> Value {
    match event["series"]["lastObservedTime"].as_str() {
        Some(time) => since(time).into(),
        None => seen(event, &["lastTimestamp", "eventTime", "firstTimestamp"]),
    }
}

fn seen(event: &Value, fields: &[&str]) -> Value {
    let time = fields.iter().find_map(|field| event[*field].as_str());
    since(time.unwrap_or_default()).into()
}
