//! `apply`: objects of files, written to the plane.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use kube::api::PostParams;
use kube::core::{DynamicObject, Request};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tiny_crds::{labels, names};

use super::documents::{self, Document};
use super::plane::PlaneArgs;
use super::survey::{self, Found, Grade, Stored, Survey, Told};
use super::{Binary, print};
use crate::registry::Registry;

/// Who writes, as `managedFields` name it.
const FIELD_MANAGER: &str = "tiny-apply";
/// How often a write is tried again because somebody else wrote meanwhile.
const TRIES: u32 = 3;

/// Writes flows, nodes and other objects from files to the plane
#[derive(Debug, clap::Args)]
pub(super) struct Apply {
    /// File or folder of YAML or JSON; `-` is stdin
    #[arg(short = 'f', long = "filename", required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    /// Name of the module whose nodes are checked against the components of this binary
    #[arg(short, long)]
    name: Option<String>,
    #[command(flatten)]
    plane: PlaneArgs,
}

impl Apply {
    pub(super) async fn carry_out(self, binary: Binary, registry: &Registry) -> Result<()> {
        let documents = documents::read(&self.files)?;
        let module = self.name.as_deref().unwrap_or(binary.name);
        let plane = self.plane.connect().await?;
        let namespace = &self.plane.namespace;
        let files = Files { client: &plane.client, namespace, module, registry };
        let Applied { lines, refuted } = files.apply(documents, None).await?;
        for line in lines {
            print(&line)?;
        }
        match refuted {
            0 => Ok(()),
            1 => bail!(
                "applied, but 1 mapping cannot be right: until it is corrected, its edge goes on with its last good mapping, and where it had none, no message passes"
            ),
            many => bail!(
                "applied, but {many} mappings cannot be right: until they are corrected, their edges go on with their last good mappings, and where they had none, no message passes"
            ),
        }
    }
}

/// What became of the objects of files.
pub(super) struct Applied {
    /// A line for each, and before them what is odd.
    pub(super) lines: Vec<String>,
    /// Mappings that cannot be right.
    pub(super) refuted: usize,
}

/// Objects on their way from files to a plane.
pub(super) struct Files<'a> {
    pub(super) client: &'a Client,
    pub(super) namespace: &'a str,
    pub(super) module: &'a str,
    pub(super) registry: &'a Registry,
}

impl Files<'_> {
    /// Checks all of `documents`, and only then writes them; `mark` is the label by which `--prune` knows them. Says what
    /// became of each.
    pub(super) async fn apply(
        &self,
        mut documents: Vec<Document>,
        mark: Option<&str>,
    ) -> Result<Applied> {
        for document in &mut documents {
            self.place(document)?;
            if let Some(module) = mark {
                document.object["metadata"]["labels"][labels::APPLIED_BY] = module.into();
            }
        }
        let (mut lines, refuted) = self.check(&documents).await?;
        // The plane's own rules, for all of them, before the first is written.
        for document in &documents {
            self.write(document, true).await?;
        }
        for document in &documents {
            let done = self.write(document, false).await?;
            lines.push(format!("{}: {done}", document.title()));
        }
        Ok(Applied { lines, refuted })
    }

    /// What the plane's own rules say of a document, where they refuse it.
    pub(super) async fn refusal(&self, document: &mut Document) -> Option<String> {
        if let Err(why) = self.place(document) {
            return Some(format!("{why:#}"));
        }
        self.write(document, true).await.err().map(|why| format!("{why:#}"))
    }

    /// Puts a document into the namespace; one that names another is refused.
    fn place(&self, document: &mut Document) -> Result<()> {
        match document.object.pointer("/metadata/namespace").and_then(Value::as_str) {
            Some(other) if other != self.namespace => bail!(
                "{} ({}): it names namespace `{other}`, and this is `{}`; leave it out, or say --namespace {other}",
                document.place,
                document.title(),
                self.namespace
            ),
            _ => {
                document.object["metadata"]["namespace"] = self.namespace.into();
                Ok(())
            }
        }
    }

    /// Judges the nodes as their modules would when they ran them. Returns what is odd but allowed, and how many edges are refuted.
    async fn check(&self, documents: &[Document]) -> Result<(Vec<String>, usize)> {
        let stored = Stored::of(self.client, self.namespace).await?;
        let told = Told::by(&stored.modules);
        let survey = Survey::of(documents, &stored.nodes, &told, self.module, self.registry)?;
        let (mut faults, mut remarks, mut refuted) = (Vec::new(), Vec::new(), 0);
        for Found { grade, place, text } in survey.findings() {
            match grade {
                Grade::Fault => faults.push(format!("{place}: {text}")),
                Grade::Refuted => {
                    refuted += 1;
                    remarks.push(format!("refuted: {place}: {text}"));
                }
                Grade::Warning => remarks.push(format!("warning: {text}")),
                Grade::Unknown => {}
            }
        }
        let known =
            stored.modules.iter().map(ResourceExt::name_any).chain([self.module.to_owned()]);
        remarks.extend(survey::strangers(&survey.modules(), &known.collect::<Vec<_>>()));
        match faults.as_slice() {
            [] => Ok((remarks, refuted)),
            [fault] => bail!("{fault}; nothing was applied"),
            faults => bail!("nothing was applied, because\n  {}", faults.join("\n  ")),
        }
    }

    /// Makes the stored object what the document says; labels and annotations of others stay. Returns what was done.
    async fn write(&self, document: &Document, dry: bool) -> Result<&'static str> {
        let api = document.kind.api(self.client, self.namespace);
        let title = || format!("{} ({})", document.place, document.title());
        let mut tries = 0;
        loop {
            let stored = api.get_opt(&document.name).await.with_context(title)?;
            let (request, done) = match &stored {
                None => (self.create(document, dry)?, "created"),
                Some(stored) => {
                    let stored = serde_json::to_value(stored)?;
                    let Some(merged) = merged(&stored, &document.object) else {
                        return Ok("unchanged");
                    };
                    (self.replace(document, &merged, dry)?, "changed")
                }
            };
            match self.client.request::<DynamicObject>(request).await {
                Ok(_) => return Ok(done),
                Err(kube::Error::Api(status))
                    if (status.is_conflict() || status.is_already_exists()) && tries < TRIES =>
                {
                    tries += 1;
                }
                Err(kube::Error::Api(status)) => {
                    bail!("{}: the plane refuses it: {}", title(), status.message)
                }
                Err(e) => return Err(e).with_context(title),
            }
        }
    }

    fn create(&self, document: &Document, dry: bool) -> Result<http::Request<Vec<u8>>> {
        let path = document.kind.path(self.namespace);
        let body = serde_json::to_vec(&document.object)?;
        strict(Request::new(path).create(&params(dry), body)?)
    }

    fn replace(
        &self,
        document: &Document,
        merged: &Value,
        dry: bool,
    ) -> Result<http::Request<Vec<u8>>> {
        let path = document.kind.path(self.namespace);
        let body = serde_json::to_vec(merged)?;
        strict(Request::new(path).replace(&document.name, &params(dry), body)?)
    }
}

/// The label value under which a module's files are known.
pub(super) fn mark(module: &str) -> String {
    names::sanitise(module)
}

fn params(dry: bool) -> PostParams {
    PostParams { dry_run: dry, field_manager: Some(FIELD_MANAGER.into()) }
}

/// Asks the plane to refuse unknown fields; kube has no word for it beside server-side apply.
fn strict(mut request: http::Request<Vec<u8>>) -> Result<http::Request<Vec<u8>>> {
    let uri = request.uri().to_string();
    let joint = match (uri.contains('?'), uri.ends_with(['?', '&'])) {
        (_, true) => "",
        (true, false) => "&",
        (false, false) => "?",
    };
    *request.uri_mut() = format!("{uri}{joint}fieldValidation=Strict").parse()?;
    Ok(request)
}

/// The stored object with the document's spec, labels and annotations; `None` when it has them.
fn merged(stored: &Value, document: &Value) -> Option<Value> {
    let mut merged = stored.clone();
    if let Some(spec) = document.get("spec") {
        merged["spec"] = spec.clone();
    }
    for field in ["labels", "annotations"] {
        let Some(Value::Object(wanted)) = document["metadata"].get(field) else { continue };
        if !merged["metadata"][field].is_object() {
            merged["metadata"][field] = json!({});
        }
        for (key, value) in wanted {
            merged["metadata"][field][key] = value.clone();
        }
    }
    (completed(&merged) != completed(stored)).then_some(merged)
}

/// The object with the keys that a server fills in by itself.
fn completed(object: &Value) -> Value {
    let mut object = object.clone();
    for (list, keys) in [("edges", ["id", "flowID"]), ("ports", ["from", "flowID"])] {
        let items = object.pointer_mut(&format!("/spec/{list}")).and_then(Value::as_array_mut);
        for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
            for key in keys {
                item.entry(key).or_insert_with(|| "".into());
            }
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_already_is_not_written() {
        let document =
            json!({"metadata": {"labels": {"a": "1"}}, "spec": {"edges": [{"port": "out"}]}});
        let stored = json!({
            "metadata": {"labels": {"a": "1", "b": "2"}, "resourceVersion": "7"},
            "spec": {"edges": [{"port": "out", "id": "", "flowID": ""}]},
            "status": {"status": "OK"}
        });
        assert_eq!(merged(&stored, &document), None);
    }

    #[test]
    fn an_empty_text_is_not_absence() {
        let with =
            json!({"metadata": {}, "spec": {"ports": [{"port": "p", "configuration": {"a": ""}}]}});
        let without =
            json!({"metadata": {}, "spec": {"ports": [{"port": "p", "configuration": {}}]}});
        assert!(merged(&with, &without).is_some());
        assert!(merged(&without, &with).is_some());
    }

    #[test]
    fn a_change_keeps_what_others_wrote_beside_the_spec() {
        let document = json!({"metadata": {"labels": {"a": "2"}}, "spec": {"component": "d"}});
        let stored = json!({
            "metadata": {"labels": {"a": "1", "b": "2"}, "resourceVersion": "7"},
            "spec": {"component": "c", "edges": []}
        });
        let merged = merged(&stored, &document).unwrap();
        assert_eq!(merged["metadata"]["labels"], json!({"a": "2", "b": "2"}));
        assert_eq!(merged["metadata"]["resourceVersion"], "7");
        assert_eq!(merged["spec"], json!({"component": "d"}));
    }

    #[test]
    fn a_mark_is_a_label() {
        let mark = mark(&format!("Acme/{}", "long name ".repeat(20)));
        assert!(mark.starts_with("acme-long-name"), "{mark}");
        assert!(mark.len() <= 63, "{mark}");
    }
}
