//! `get`: the server's own tables, as kubectl shows them.

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use http::header::ACCEPT;
use serde::Deserialize;
use serde_json::Value;

use super::kinds::Kind;
use super::plane::{Plane, PlaneArgs};
use super::print;

const AS_TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/// Lists objects of the plane
#[derive(Debug, clap::Args)]
pub(super) struct Get {
    /// Kind, such as node, module, flow or signal; all of them when left out
    kind: Option<String>,
    /// Name of one object
    name: Option<String>,
    /// Print whole objects, or more columns
    #[arg(short, long, value_name = "FORM")]
    output: Option<Output>,
    #[command(flatten)]
    plane: PlaneArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Json,
    Yaml,
    Wide,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Table {
    column_definitions: Vec<Column>,
    #[serde(default)]
    rows: Option<Vec<Row>>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    #[serde(default)]
    priority: i32,
}

#[derive(Deserialize)]
struct Row {
    cells: Vec<Value>,
}

impl Get {
    pub(super) async fn carry_out(self) -> Result<()> {
        // `node/hello`, as the tables print it, is `node hello`.
        let split = self.kind.as_deref().filter(|kind| !kind.starts_with(['/', '.']));
        let split = split.and_then(|kind| kind.split_once('/'));
        let (kind, name) = match (split, &self.name) {
            (Some((kind, name)), None) => (Some(kind.to_owned()), Some(name.to_owned())),
            (_, name) => (self.kind.clone(), name.clone()),
        };
        let kinds = match &kind {
            Some(kind) => vec![Kind::named(kind)?],
            None => Kind::all().into(),
        };
        let plane = self.plane.connect().await?;
        let mut parts = Vec::new();
        for kind in &kinds {
            let mut path = kind.path(&self.plane.namespace);
            if let Some(name) = &name {
                path += &format!("/{name}");
            }
            parts.extend(self.part(&plane, kind, &path).await?);
        }
        if parts.is_empty() {
            let what = self.kind.as_deref().unwrap_or("object");
            eprintln!("there is no {what} in namespace {}", self.plane.namespace);
            return Ok(());
        }
        print(&parts.join(if self.output == Some(Output::Yaml) { "---\n" } else { "\n" }))
    }

    /// What there is to print of one kind; `None` when there is nothing.
    async fn part(&self, plane: &Plane, kind: &Kind, path: &str) -> Result<Option<String>> {
        let accept = match self.output {
            None | Some(Output::Wide) => AS_TABLE,
            Some(Output::Json | Output::Yaml) => "application/json",
        };
        let request = http::Request::get(path).header(ACCEPT, accept).body(Vec::new())?;
        let answer: Value = match plane.client.request(request).await {
            Err(kube::Error::Api(status)) => bail!("{}", status.message),
            answer => answer.with_context(|| format!("cannot get {}s", kind.word()))?,
        };
        match self.output {
            Some(Output::Json) => Ok(Some(format!("{answer:#}\n"))),
            Some(Output::Yaml) => Ok(Some(serde_saphyr::to_string(&answer)?)),
            None | Some(Output::Wide) => {
                let table: Table = serde_json::from_value(answer)
                    .context("the plane did not answer with a table")?;
                let prefix = if self.kind.is_none() { Some(kind.word()) } else { None };
                Ok(rendered(&table, self.output == Some(Output::Wide), prefix.as_deref()))
            }
        }
    }
}

fn rendered(table: &Table, wide: bool, prefix: Option<&str>) -> Option<String> {
    let rows = table.rows.as_deref().filter(|rows| !rows.is_empty())?;
    let shown = table.column_definitions.iter().enumerate();
    let shown: Vec<_> = shown.filter(|(_, column)| wide || column.priority == 0).collect();
    let mut lines = vec![shown.iter().map(|(_, c)| c.name.to_uppercase()).collect::<Vec<_>>()];
    for row in rows {
        let cell = |(place, index): (usize, usize)| {
            let text = row.cells.get(index).map(text).unwrap_or_default();
            match prefix {
                Some(prefix) if place == 0 => format!("{prefix}/{text}"),
                _ => text,
            }
        };
        lines.push(shown.iter().map(|(index, _)| *index).enumerate().map(cell).collect());
    }
    Some(aligned(&lines))
}

fn text(cell: &Value) -> String {
    match cell {
        Value::Null => "<none>".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Columns as wide as their widest cell, three spaces apart.
pub(super) fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for line in lines {
        let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        out += padded.collect::<Vec<_>>().join("   ").trim_end();
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_aligned_and_less_important_columns_wait_for_wide() {
        let table: Table = serde_json::from_value(json!({
            "columnDefinitions": [{"name": "Name"}, {"name": "Ready"}, {"name": "Flow", "priority": 1}],
            "rows": [{"cells": ["hello", "True", "f"]}, {"cells": ["x", null, "f"]}]
        }))
        .unwrap();
        let narrow = rendered(&table, false, None).unwrap();
        assert_eq!(narrow, "NAME    READY\nhello   True\nx       <none>\n");
        let wide = rendered(&table, true, Some("node")).unwrap();
        assert_eq!(
            wide,
            "NAME         READY    FLOW\nnode/hello   True     f\nnode/x       <none>   f\n"
        );
    }
}
