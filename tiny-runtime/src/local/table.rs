//! Objects as rows, for `kubectl get`.

use jiff::Timestamp;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceColumnDefinition;
use serde_json::{Value, json};

use super::core_columns;
use super::jsonpath::JsonPath;
use super::object;

/// The columns of one kind; the first is always the name.
#[derive(Debug)]
pub(super) struct Columns(Vec<Column>);

/// One column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) format: String,
    pub(super) description: String,
    pub(super) priority: i32,
    pub(super) cell: Cell,
}

/// Where the cell of a column comes from.
#[derive(Debug)]
pub(super) enum Cell {
    Path(JsonPath),
    Word(fn(&Value) -> Value),
}

impl Columns {
    /// The columns of a CRD: the name, then those it defines, or else the age.
    pub(super) fn defined(columns: &[CustomResourceColumnDefinition]) -> Result<Self, String> {
        let mut all = vec![Column::name()];
        for column in columns {
            let path = JsonPath::parse(&column.json_path)?;
            let described = format!(
                "Custom resource definition column (in JSONPath format): {}",
                column.json_path
            );
            all.push(Column {
                name: column.name.clone(),
                kind: column.type_.clone(),
                format: column.format.clone().unwrap_or_default(),
                description: column.description.clone().unwrap_or(described),
                priority: column.priority.unwrap_or_default(),
                cell: Cell::Path(path),
            });
        }
        if columns.is_empty() {
            all.push(Column::word("Age", age));
        }
        Ok(Self(all))
    }

    /// The columns of a kind of Kubernetes itself.
    pub(super) fn core(kind: &str) -> Self {
        let mut all = core_columns::of(kind);
        if kind != "Event" {
            all.insert(0, Column::name());
        }
        Self(all)
    }

    /// A table of these objects; `definitions` says whether the columns are described in it.
    pub(super) fn table(
        &self,
        objects: &[Value],
        version: Option<u64>,
        include: Include,
        definitions: bool,
    ) -> Value {
        let columns: Vec<_> = self.0.iter().map(Column::definition).collect();
        let rows: Vec<_> = objects.iter().map(|object| self.row(object, include)).collect();
        let version = version.map(|version| version.to_string()).unwrap_or_default();
        json!({
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": { "resourceVersion": version },
            "columnDefinitions": definitions.then_some(columns),
            "rows": rows,
        })
    }

    fn row(&self, object: &Value, include: Include) -> Value {
        let cells: Vec<_> = self.0.iter().map(|column| column.value(object)).collect();
        let shown = match include {
            Include::Nothing => Value::Null,
            Include::Metadata => partial(object),
            Include::Object => object.clone(),
        };
        json!({ "cells": cells, "object": shown })
    }
}

/// What a row tells about its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Include {
    Nothing,
    Metadata,
    Object,
}

impl Include {
    /// Reads the parameter `includeObject`.
    pub(super) fn parse(text: &str) -> Self {
        match text {
            "None" => Self::Nothing,
            "Object" => Self::Object,
            _ => Self::Metadata,
        }
    }
}

/// An object without all but its metadata.
pub(super) fn partial(object: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object["metadata"],
    })
}

impl Column {
    fn name() -> Self {
        let cell = Cell::Word(|object| object::name(object).into());
        let description = "The name of the object, unique within a namespace.".to_owned();
        Self { cell, description, format: "name".to_owned(), ..Self::word("Name", age) }
    }

    pub(super) fn word(name: &str, cell: fn(&Value) -> Value) -> Self {
        Self {
            name: name.to_owned(),
            kind: "string".to_owned(),
            format: String::new(),
            description: name.to_owned(),
            priority: 0,
            cell: Cell::Word(cell),
        }
    }

    fn definition(&self) -> Value {
        json!({
            "name": self.name, "type": self.kind, "format": self.format,
            "description": self.description, "priority": self.priority,
        })
    }

    fn value(&self, object: &Value) -> Value {
        let path = match &self.cell {
            Cell::Word(cell) => return cell(object),
            Cell::Path(path) => path,
        };
        let Some(found) = path.first(object) else { return Value::Null };
        match (self.kind.as_str(), found) {
            ("date", found) => since(found.as_str().unwrap_or_default()).into(),
            ("string", Value::String(_)) => found.clone(),
            ("string", Value::Null) => "".into(),
            ("string", other) => other.to_string().into(),
            ("integer", Value::Number(number)) => number.as_i64().map_or(Value::Null, Value::from),
            ("number", Value::Number(_)) | ("boolean", Value::Bool(_)) => found.clone(),
            _ => Value::Null,
        }
    }
}

/// How old an object is.
pub(super) fn age(object: &Value) -> Value {
    since(object::meta_text(object, "creationTimestamp")).into()
}

/// How long ago that was, as people say it.
pub(super) fn since(time: &str) -> String {
    match time.parse::<Timestamp>() {
        Ok(then) => human(Timestamp::now().as_second() - then.as_second()),
        Err(_) => "<unknown>".to_owned(),
    }
}

/// Seconds in the two largest units that matter: `5m`, `2h3m`, `4d`.
fn human(seconds: i64) -> String {
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let (days, years) = (hours / 24, hours / 24 / 365);
    let pair = |big: i64, big_unit: char, small: i64, small_unit: char| match small {
        0 => format!("{big}{big_unit}"),
        small => format!("{big}{big_unit}{small}{small_unit}"),
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1..=0 => "0s".to_owned(),
        1..120 => format!("{seconds}s"),
        120..600 => pair(minutes, 'm', seconds % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => pair(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => pair(days, 'd', hours % 24, 'h'),
        _ if days < 2 * 365 => format!("{days}d"),
        _ if years < 8 => pair(years, 'y', days % 365, 'd'),
        _ => format!("{years}y"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_reads_as_kubectl_writes_it() {
        let cases = [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (305, "5m5s"),
            (3_600, "60m"),
            (10_860, "3h1m"),
            (100_000, "27h"),
            (172_800, "2d"),
            (176_400, "2d1h"),
            (8 * 86_400, "8d"),
            (730 * 86_400, "2y"),
            (3_000 * 86_400, "8y"),
        ];
        for (seconds, text) in cases {
            assert_eq!(human(seconds), text, "{seconds}");
        }
    }
}
