//! Objects in the form in which they are asked for.

use axum::body::Bytes;
use serde_json::{Map, Value};

use super::index::Stored;
use super::kinds::{Form, Kind};

/// Fields of a core Event and what `events.k8s.io/v1` calls them.
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

/// The text of an object in the form of this kind.
pub(super) fn text(kind: &Kind, stored: &Stored) -> Bytes {
    match kind.form {
        Form::Own => stored.text.clone(),
        Form::NewEvent => Bytes::from(shown(kind, stored).to_string()),
    }
}

/// An object as a tree in the form of this kind.
pub(super) fn shown(kind: &Kind, stored: &Stored) -> Value {
    renamed(stored.value(), kind, |core, new| (core, new))
}

/// An object that came in the form of this kind, as it is kept.
pub(super) fn kept(kind: &Kind, object: Value) -> Value {
    renamed(object, kind, |core, new| (new, core))
}

fn renamed(
    object: Value,
    kind: &Kind,
    direction: fn(&'static str, &'static str) -> (&'static str, &'static str),
) -> Value {
    let Value::Object(fields) = object else { return object };
    if kind.form == Form::Own {
        return Value::Object(fields);
    }
    let (_, version) = direction("v1", "events.k8s.io/v1");
    let name = |field: String| {
        let pair = EVENT_FIELDS.iter().map(|(core, new)| direction(core, new));
        pair.into_iter().find(|(from, _)| *from == field).map_or(field, |(_, to)| to.to_owned())
    };
    let mut fields: Map<_, _> =
        fields.into_iter().map(|(field, value)| (name(field), value)).collect();
    fields.insert("apiVersion".to_owned(), version.into());
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::kinds::Kinds;
    use serde_json::json;

    #[test]
    fn an_event_reads_the_same_in_both_of_its_forms() {
        let kinds = Kinds::new(&[]).unwrap();
        let kind = kinds.find("events.k8s.io", "v1", "events").unwrap();
        let event = json!({
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": { "name": "e" },
            "note": "n", "regarding": { "name": "x" }, "reason": "r", "reportingController": "c",
        });
        let core = kept(kind, event.clone());
        assert_eq!(core["message"], "n");
        assert_eq!(core["involvedObject"]["name"], "x");
        assert_eq!(core["apiVersion"], "v1");
        let mut back = shown(kind, &Stored::new(1, core));
        back["metadata"] = json!({ "name": "e" });
        assert_eq!(back, event);
    }
}
