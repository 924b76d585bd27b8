//! Helm, and what it makes of the charts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tiny_tests::{Called, root};

pub(crate) fn chart(name: &str) -> PathBuf {
    root().join("charts").join(name)
}

pub(crate) fn bless() -> bool {
    std::env::var_os("BLESS").is_some_and(|value| value == "1")
}

pub(crate) fn tool(variable: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        eprintln!("skipped: {variable} names no program");
    }
    found
}

/// Helm with folders of its own.
pub(crate) struct Helm {
    program: PathBuf,
    pub(crate) home: tempfile::TempDir,
}

impl Helm {
    pub(crate) fn of(variable: &str) -> Option<Self> {
        tool(variable).map(|program| Self { program, home: tempfile::tempdir().unwrap() })
    }

    /// Without a cluster, unless the arguments name one.
    pub(crate) fn call(&self, args: &[&str]) -> Called {
        let home = self.home.path();
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .current_dir(root())
            .env("HELM_CACHE_HOME", home.join("cache"))
            .env("HELM_CONFIG_HOME", home.join("config"))
            .env("HELM_DATA_HOME", home.join("data"))
            .env("KUBECONFIG", home.join("none"));
        command.output().unwrap().into()
    }

    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        self.call(args).ok()
    }

    /// What it says when it refuses.
    #[track_caller]
    pub(crate) fn refused(&self, args: &[&str]) -> String {
        self.call(args).refused()
    }

    pub(crate) fn render(&self, values: &Path, more: &[&str]) -> String {
        let chart = chart("tiny-operator");
        let mut args = vec!["template", "hello", text(&chart), "--namespace", "tinysystems"];
        args.extend(["--kube-version", "1.37.0", "--values", text(values)]);
        args.extend(more);
        self.ok(&args)
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The files of values with their names, in order.
pub(crate) fn sets() -> BTreeMap<String, PathBuf> {
    let files = fs::read_dir(chart("tiny-operator").join("ci")).unwrap();
    let named = |path: PathBuf| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path);
    files.map(|entry| named(entry.unwrap().path())).collect()
}

pub(crate) fn golden(name: &str) -> PathBuf {
    root().join("tests/tests/charts/renders").join(name).with_extension("yaml")
}

pub(crate) fn objects(text: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
    all.into_iter().filter(|object| !object.is_null()).collect()
}

/// What was rendered last of each set of values.
pub(crate) fn renders() -> BTreeMap<String, Vec<Value>> {
    let read = |name: String| {
        let text = fs::read_to_string(golden(&name)).unwrap();
        (name, objects(&text))
    };
    sets().into_keys().map(read).collect()
}

pub(crate) fn is(object: &Value, kind: &str) -> bool {
    object["kind"] == kind
}

pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The template of the pods of this object, or the pod.
pub(crate) fn pod(object: &Value) -> Option<&Value> {
    match object["kind"].as_str()? {
        "Pod" => Some(object),
        "Deployment" | "Job" => object.pointer("/spec/template"),
        _ => None,
    }
}
