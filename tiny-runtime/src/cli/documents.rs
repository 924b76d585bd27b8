//! Objects in files.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use tiny_crds::{API_VERSION, TinyNode, TinySignal, names};

use super::kinds::Kind;
use crate::words;

/// The largest file that is read.
const LIMIT: u64 = 16 * 1024 * 1024;

/// How the names of files of tests end.
pub(crate) const TESTS: &str = ".test.yaml";

/// How the names of files end that `schema` writes, for editors.
const SCHEMAS: &str = ".schema.json";

/// One object of a file.
pub(crate) struct Document {
    /// Where it stands: `flow.yaml, document 2`.
    pub(super) place: String,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) object: Value,
}

impl Document {
    /// The node that it is, if it is one.
    pub(crate) fn node(&self) -> Option<TinyNode> {
        let is_node = self.kind.resource.kind == "TinyNode";
        is_node.then(|| serde_json::from_value(self.object.clone()).ok())?
    }

    /// The signal that it is, if it is one.
    pub(super) fn signal(&self) -> Option<TinySignal> {
        let is_signal = self.kind.resource.kind == "TinySignal";
        is_signal.then(|| serde_json::from_value(self.object.clone()).ok())?
    }

    /// `node greeter`.
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.kind.word(), self.name)
    }
}

/// Reads all objects of these files and folders; `-` is stdin. Of a folder every `.yaml`, `.yml` and `.json` is read, in the order
/// of their names, without folders below it and without files of tests and of schemas.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<Document>> {
    let mut documents = Vec::new();
    for path in paths {
        for file in files(path)? {
            documents.append(&mut parse(&file)?);
        }
    }
    let mut seen = std::collections::BTreeMap::new();
    for document in &documents {
        let key = (document.kind.resource.kind.clone(), document.name.clone());
        if let Some(first) = seen.insert(key, &document.place) {
            bail!("{} stands twice: in {first} and in {}", document.title(), document.place);
        }
    }
    Ok(documents)
}

fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path == Path::new("-") {
        return Ok(vec![path.to_owned()]);
    }
    let shown = path.display();
    let metadata = fs::metadata(path).with_context(|| format!("cannot read `{shown}`"))?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot read folder `{shown}`"))?;
    let mut files = Vec::new();
    for entry in entries {
        let file = entry.with_context(|| format!("cannot read folder `{shown}`"))?.path();
        let extension = file.extension().and_then(|extension| extension.to_str());
        let name = file.to_string_lossy();
        let is_beside = name.ends_with(TESTS) || name.ends_with(SCHEMAS);
        if matches!(extension, Some("yaml" | "yml" | "json")) && !is_beside {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        bail!("folder `{shown}` holds no .yaml, .yml or .json file");
    }
    Ok(files)
}

fn parse(file: &Path) -> Result<Vec<Document>> {
    let (name, text) = if file == Path::new("-") {
        ("stdin".to_owned(), text(std::io::stdin()).context("cannot read stdin")?)
    } else {
        let shown = file.display().to_string();
        let opened = fs::File::open(file).with_context(|| format!("cannot read `{shown}`"))?;
        let text = text(opened).with_context(|| format!("cannot read `{shown}`"))?;
        (shown, text)
    };
    let values: Vec<Value> = serde_saphyr::from_multiple(&text)
        .map_err(|e| anyhow!("{name} is not YAML: {}", first_line(&e.to_string())))?;
    let flat = values.into_iter().flat_map(|value| match value {
        Value::Object(mut list) if is_list(&list) => match list.remove("items") {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        },
        Value::Null => Vec::new(),
        value => vec![value],
    });
    let documents = flat.enumerate();
    let documents = documents.map(|(index, value)| document(&name, index, value));
    let documents = documents.collect::<Result<Vec<_>>>()?;
    if documents.is_empty() {
        // An empty file with --prune would delete everything that was applied before.
        bail!("{name} holds no object");
    }
    Ok(documents)
}

/// `List`, or the `TinyNodeList` that `get -o yaml` prints.
fn is_list(object: &serde_json::Map<String, Value>) -> bool {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    kind.ends_with("List") && object.get("items").is_some_and(Value::is_array)
}

fn text(mut from: impl Read) -> Result<String> {
    let mut text = String::new();
    let size = from.by_ref().take(LIMIT + 1).read_to_string(&mut text)?;
    if size as u64 > LIMIT {
        bail!("it is larger than {} MiB", LIMIT / 1024 / 1024);
    }
    Ok(text)
}

/// The parser quotes the lines around the fault; one sentence is enough.
fn first_line(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or(text).trim();
    let line = line.trim_start_matches("error: ");
    // What the parser could be told to do is nothing that a reader of this sentence can do.
    line.split(", set DuplicateKeyPolicy").next().unwrap_or(line).to_owned()
}

fn document(file: &str, index: usize, mut object: Value) -> Result<Document> {
    let place = format!("{file}, document {}", index + 1);
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (version, kind) = (text("/apiVersion").to_owned(), text("/kind").to_owned());
    let name = text("/metadata/name").to_owned();
    if version.is_empty() {
        bail!("{place}: this is not a Kubernetes object: apiVersion is missing");
    }
    if version != API_VERSION {
        bail!(
            "{place}: apiVersion is `{version}`, and this applies `{API_VERSION}` only; use kubectl for other kinds"
        );
    }
    let all = Kind::all();
    let Some(kind) = all.into_iter().find(|known| known.resource.kind == kind) else {
        let known: Vec<String> = Kind::all().map(|kind| kind.resource.kind).into();
        let known = || known.iter().map(String::as_str);
        bail!(
            "{place}: there is no kind `{kind}`{}; the kinds are {}",
            words::did_you_mean(&kind, known()),
            words::list(known())
        );
    };
    if name.is_empty() {
        bail!("{place}: metadata.name is missing");
    }
    names::check_dns_name(&name).with_context(|| place.clone())?;
    kind.check(&object).map_err(|e| anyhow!("{place} ({} {name}): {e}", kind.word()))?;
    name_edges(&mut object);
    Ok(Document { place, kind, name, object })
}

/// Gives each edge without an id the one it is known by.
fn name_edges(object: &mut Value) {
    let edges = object.pointer_mut("/spec/edges").and_then(Value::as_array_mut);
    for edge in edges.into_iter().flatten() {
        let text = |key: &str| edge.get(key).and_then(Value::as_str).unwrap_or_default();
        if text("id").is_empty() {
            let id = names::edge_id(text("port"), text("to"));
            if let Some(edge) = edge.as_object_mut() {
                edge.insert("id".into(), id.into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<Document>> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("flow.yaml");
        fs::write(&file, text).unwrap();
        read(&[file])
    }

    fn refused(text: &str) -> String {
        format!("{:#}", read_text(text).err().expect("should be refused"))
    }

    const NODE: &str = "apiVersion: operator.tinysystems.io/v1alpha1\nkind: TinyNode\nmetadata: {name: a}\nspec: {module: m, component: c, edges: [{port: out, to: 'b:in'}]}\n";

    #[test]
    fn edges_without_an_id_get_one() {
        let documents = read_text(NODE).unwrap();
        assert_eq!(documents[0].object["spec"]["edges"][0]["id"], "out-b:in");
    }

    #[test]
    fn what_cannot_be_read_names_file_and_document() {
        let said = refused(&format!(
            "{NODE}---\napiVersion: operator.tinysystems.io/v1alpha1\nkind: TinyNod\n"
        ));
        assert!(
            said.contains(
                "flow.yaml, document 2: there is no kind `TinyNod` (did you mean `TinyNode`?)"
            ),
            "{said}"
        );
        assert!(refused("a: [").contains("flow.yaml is not YAML: "), "{}", refused("a: ["));
        assert!(refused(&format!("{NODE}---\n{NODE}")).contains("node a stands twice"));
        let said = refused("apiVersion: v1\nkind: Secret\n");
        assert!(said.contains("apiVersion is `v1`"), "{said}");
        let said = refused(&NODE.replace("module: m", "module: [1]"));
        assert!(said.contains("document 1 (node a): `spec.module`"), "{said}");
    }
}
