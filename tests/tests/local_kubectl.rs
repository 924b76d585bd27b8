//! kubectl against the local plane. Says so and passes where there is no kubectl.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use tiny_crds::manifest;
use tiny_runtime::local::LocalPlane;

/// A plane and a kubectl that finds it.
struct Stage {
    plane: LocalPlane,
    folder: TempDir,
}

/// What kubectl said.
struct Said {
    fine: bool,
    out: String,
    err: String,
}

impl Stage {
    async fn new() -> Option<Self> {
        let found = Command::new("kubectl").args(["version", "--client"]).output();
        if !found.is_ok_and(|output| output.status.success()) {
            eprintln!("there is no kubectl here: skipped");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let plane = LocalPlane::open(folder.path(), manifest::crds()).unwrap();
        plane.ensure_namespace("demo").await.unwrap();
        plane.serve("demo", None).await.unwrap();
        Some(Self { plane, folder })
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new("kubectl");
        // The caches of discovery must not come from elsewhere.
        command.arg("--cache-dir").arg(self.folder.path().join("cache"));
        command.arg("--kubeconfig").arg(self.folder.path().join("kubeconfig"));
        command.args(arguments.split(' '));
        command
    }

    async fn say(&self, arguments: &str) -> Said {
        let mut command = self.command(arguments);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { fine: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
    }

    async fn fine(&self, arguments: &str) -> String {
        let said = self.say(arguments).await;
        assert!(said.fine, "`kubectl {arguments}` failed: {}{}", said.out, said.err);
        said.out
    }

    fn file(&self, name: &str, object: &serde_json::Value) -> String {
        let path: PathBuf = self.folder.path().join(name);
        std::fs::write(&path, object.to_string()).unwrap();
        Path::display(&path).to_string()
    }
}

fn node(spec: serde_json::Value) -> serde_json::Value {
    json!({
        "apiVersion": "operator.tinysystems.io/v1alpha1", "kind": "TinyNode",
        "metadata": { "name": "x", "labels": { "tinysystems.io/flow-name": "f1" } },
        "spec": spec,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_applies_shows_patches_waits_and_deletes() {
    let Some(stage) = Stage::new().await else { return };
    let edges = json!([{ "id": "e", "port": "output", "to": "y:input", "configuration": { "a": "{{ $.b }}" } }]);
    let file = stage
        .file("node.json", &node(json!({ "module": "m", "component": "hello", "edges": edges })));
    let apply = format!("apply -f {file}");
    assert!(stage.fine(&apply).await.contains("tinynode.operator.tinysystems.io/x created"));
    stage.fine(&apply).await;
    let table = stage.fine("get tn,tm,ts -A").await;
    assert!(table.starts_with("NAMESPACE   NAME"), "{table}");
    assert!(
        table.contains("demo        tinynode.operator.tinysystems.io/x   m        hello"),
        "{table}"
    );
    assert!(stage.fine("get tn -o wide").await.contains("f1"));
    assert!(stage.fine("get tiny").await.contains("tinynode.operator.tinysystems.io/x"));
    let described = stage.fine("describe tn x").await;
    assert!(described.contains("Configuration:") && described.contains("{{ $.b }}"), "{described}");
    let explained = stage.fine("explain tn.spec.edges").await;
    assert!(explained.contains("configuration") && explained.contains("-required-"), "{explained}");
    let resources = stage.fine("api-resources").await;
    assert!(resources.contains("tinywidgetpages") && resources.contains("twp"), "{resources}");
    stage.fine(r#"patch tn x --type merge -p {"spec":{"component":"other"}}"#).await;
    let conditions = json!([{ "type": "Ready", "status": "True", "reason": "Fine", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 2 }]);
    let status = json!({ "status": { "observedGeneration": 2, "conditions": conditions } });
    stage.fine(&format!("patch tn x --subresource status --type merge -p {status}")).await;
    stage.fine("wait --for=condition=Ready tn/x --timeout=20s").await;
    assert!(stage.fine("get tn x").await.contains("True"));
    stage.fine("label tn x a=b").await;
    let mut edit = stage.command("edit tn x");
    edit.env("KUBE_EDITOR", "sed -i s/other/edited/");
    let edited = tokio::task::spawn_blocking(move || edit.output().unwrap()).await.unwrap();
    assert!(edited.status.success());
    let component = stage.fine("get tn x -o jsonpath={.spec.component}").await;
    assert_eq!(component, "edited");
    assert!(stage.fine("delete tn x --wait").await.contains("deleted"));
    let gone = stage.say("get tn x").await;
    assert!(!gone.fine && gone.err.contains("(NotFound)"), "{}", gone.err);
    stage.plane.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_names_unknown_fields_and_what_it_cannot_do_here() {
    let Some(stage) = Stage::new().await else { return };
    let file =
        stage.file("bad.json", &node(json!({ "module": "m", "component": "c", "extra": 1 })));
    let said = stage.say(&format!("apply -f {file}")).await;
    assert!(!said.fine && said.err.contains(r#"unknown field "spec.extra""#), "{}", said.err);
    let said = stage.say(&format!("apply --validate=warn -f {file}")).await;
    assert!(said.fine && said.err.contains("Warning: unknown field"), "{}", said.err);
    let said = stage.say(&format!("apply --server-side -f {file}")).await;
    assert!(!said.fine && said.err.contains("not available on the server"), "{}", said.err);
    let said = stage.say("get pods").await;
    assert!(!said.fine && said.err.contains("doesn't have a resource type"), "{}", said.err);
    stage.plane.shutdown().await;
}

/// Ends kubectl with the test.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_watches_rows_come_and_change() {
    let Some(stage) = Stage::new().await else { return };
    let file = stage.file("node.json", &node(json!({ "module": "m", "component": "first" })));
    stage.fine(&format!("apply -f {file}")).await;
    let child = stage.command("get tn -w").stdout(Stdio::piped()).spawn().unwrap();
    let mut watching = Watching(child);
    let output = watching.0.stdout.take().unwrap();
    let (lines, mut seen) = tokio::sync::mpsc::channel(64);
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                return;
            }
        }
    });
    let mut next = async |word: &str| {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = tokio::time::timeout(left, seen.recv()).await.expect("nothing came");
            if line.expect("kubectl ended").contains(word) {
                return;
            }
        }
    };
    next("COMPONENT").await;
    next("first").await;
    stage.fine(r#"patch tn x --type merge -p {"spec":{"component":"second"}}"#).await;
    next("second").await;
    drop(watching);
    stage.plane.shutdown().await;
}
