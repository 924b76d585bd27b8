//! What a YAML editor says of flows, by the schema that `schema` writes.
//!
//! `jsonschema` judges always. yaml-language-server, which editors use, is asked where `TINY_YAML_LS` names its script; it also tells
//! the lines.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};

use serde_json::{Value, json};
use tiny_tests::{Desk, PATIENCE, root};

/// What is written for what, in the flow of hello-module, and the words that stand in the line that is wrong then.
const MISTAKES: [(&str, &str, &str); 12] = [
    ("kind: TinyFlow", "kind: TinyFlo", "kind: TinyFlo"),
    ("v1alpha1\nkind: TinyNode", "v1beta1\nkind: TinyNode", "v1beta1"),
    ("component: hello", "component: helo", "component: helo"),
    ("salutation: Hello", "salutaton: Hello", "salutaton: Hello"),
    ("salutation: Hello", "salutation: [Hello]", "salutation: [Hello]"),
    ("port: _settings", "port: _setings", "port: _setings"),
    ("port: output", "port: outputt", "port: outputt"),
    ("to: show:input", "to: show", "to: show"),
    ("configuration:\n        text", "configuraton:\n        text", "configuraton:"),
    ("to: show:input", "to: show:input\n      retry: { maxAttempts: many }", "maxAttempts: many"),
    ("  name: show", "  name: Show It", "name: Show It"),
    ("spec:\n  module: hello-module\n  component: show", "spec:\n  module: hello-module", "spec:"),
];

/// All flows of the examples.
fn flows() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join("examples")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.extension().and_then(|it| it.to_str()) {
                _ if entry.is_dir() => open.push(entry),
                _ if entry.to_string_lossy().ends_with(".test.yaml") => {}
                Some("yaml" | "yml") => found.push(entry),
                _ => {}
            }
        }
    }
    found.sort();
    assert!(found.len() > 5, "{found:?}");
    found
}

/// The schema that the modelines of a flow name.
fn its_schema(flow: &Path, text: &str) -> PathBuf {
    // An editor looks at each document by itself.
    let modelines = text.split("\n---\n").map(|document| {
        let first = document.lines().next().unwrap_or_default();
        let path = first.strip_prefix("# yaml-language-server: $schema=");
        path.unwrap_or_else(|| panic!("a document of {} has no modeline", flow.display()))
    });
    let paths: BTreeSet<&str> = modelines.collect();
    assert_eq!(paths.len(), 1, "{}: {paths:?}", flow.display());
    flow.parent().unwrap().join(paths.first().unwrap())
}

/// The flow with one text in the place of another.
fn planted(right: &str, wrong: &str) -> String {
    let flow = std::fs::read_to_string(tiny_tests::flow()).unwrap();
    assert!(flow.contains(right), "{right:?} is not in the flow");
    flow.replacen(right, wrong, 1)
}

fn documents(text: &str) -> Vec<Value> {
    text.split("\n---\n").map(|part| serde_saphyr::from_str(part).unwrap()).collect()
}

fn written(desk: &Desk) -> Value {
    let called = desk.call(&["schema", "flow.schema.json"]);
    assert_eq!(called.code, 0, "{called:?}");
    assert!(called.stderr.contains("the first line of each document"), "{called:?}");
    assert!(called.stdout.contains("$schema=flow.schema.json"), "{called:?}");
    let text = std::fs::read_to_string(desk.path().join("flow.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_schema_takes_every_example_and_no_mistake() {
    let desk = Desk::new();
    let schema = written(&desk);
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    let validator = jsonschema::validator_for(&schema).unwrap();
    for flow in flows() {
        let text = std::fs::read_to_string(&flow).unwrap();
        let own = std::fs::read_to_string(its_schema(&flow, &text)).unwrap();
        let own = jsonschema::validator_for(&serde_json::from_str(&own).unwrap()).unwrap();
        for document in documents(&text) {
            let faults: Vec<String> =
                own.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(faults.is_empty(), "{}: {faults:#?}", flow.display());
        }
    }
    for (right, wrong, _) in MISTAKES {
        let all = documents(&planted(right, wrong));
        let refused = all.iter().filter(|document| !validator.is_valid(document)).count();
        assert_eq!(refused, 1, "{wrong}");
    }
}

#[test]
fn every_example_points_to_its_schema_which_is_the_one_that_its_binary_writes() {
    let modules = ["hello-module", "common-module", "http-module", "gateway"];
    let fresh = modules.map(|module| (module, written(&Desk::of(module))));
    for flow in flows() {
        let text = std::fs::read_to_string(&flow).unwrap();
        let file = its_schema(&flow, &text);
        let kept =
            std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let is_its = |module: &str| file.starts_with(root().join("examples").join(module));
        if let Some((_, fresh)) = fresh.iter().find(|(module, _)| is_its(module)) {
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(&file, format!("{fresh:#}\n")).unwrap();
                continue;
            }
            let kept: Value = serde_json::from_str(&kept).unwrap();
            assert!(kept == *fresh, "{} is not up to date: BLESS=1 writes it", file.display());
        }
    }
}

#[test]
fn with_a_plane_the_schema_knows_its_other_modules() {
    let desk = Desk::new();
    let refused = desk.call(&["schema", "--plane"]).refused();
    assert!(refused.contains("run"), "it says how a plane is started: {refused}");
    let module = desk.greeting();
    // The module leads first, and then says what it offers.
    let began = std::time::Instant::now();
    let told = || desk.call(&["get", "module", "hello-module", "-o", "json"]).stdout;
    while !told().contains("salutation") {
        assert!(began.elapsed() < PATIENCE, "the module should say what it offers");
        std::thread::yield_now();
    }
    let called = desk.call(&["schema", "--name", "mine", "--plane"]);
    let schema: Value = serde_json::from_str(&called.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let node = |module: &str, component: &str, settings: Value| {
        json!({
            "apiVersion": "operator.tinysystems.io/v1alpha1", "kind": "TinyNode", "metadata": {"name": "a"},
            "spec": {"module": module, "component": component, "ports": [
                {"port": "_settings", "configuration": settings}
            ]}
        })
    };
    for module in ["mine", "hello-module"] {
        assert!(
            validator.is_valid(&node(module, "hello", json!({"salutation": "Hi"}))),
            "{module}"
        );
        assert!(
            !validator.is_valid(&node(module, "hello", json!({"salutaton": "Hi"}))),
            "{module}"
        );
        assert!(!validator.is_valid(&node(module, "helo", json!({}))), "{module}");
    }
    assert!(validator.is_valid(&node("of-nobody", "x", json!({}))), "nobody told of this module");
    assert!(module.interrupt().success());
}

/// yaml-language-server, as an editor talks to it.
struct Server {
    child: Child,
    stdin: ChildStdin,
    messages: Receiver<Value>,
}

impl Server {
    fn start(script: &Path) -> Self {
        let mut command = Command::new("node");
        command.arg(script).arg("--stdio").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().expect("node should start");
        let stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, messages) = mpsc::channel();
        std::thread::spawn(move || {
            while let Some(message) = received(&mut stdout) {
                if send.send(message).is_err() {
                    return;
                }
            }
        });
        let mut server = Self { child, stdin, messages };
        let capabilities = json!({"workspace": {"configuration": true}});
        let params = json!({"processId": null, "rootUri": null, "capabilities": capabilities});
        server.send(&json!({"id": 1, "method": "initialize", "params": params}));
        server.until(|message| message["id"] == 1);
        server.send(&json!({"method": "initialized", "params": {}}));
        server
    }

    fn send(&mut self, message: &Value) {
        let mut message = message.clone();
        message["jsonrpc"] = "2.0".into();
        let text = message.to_string();
        write!(self.stdin, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.stdin.flush().unwrap();
    }

    /// The next message that is meant; the server's own questions are answered on the way.
    fn until(&mut self, meant: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.messages.recv_timeout(PATIENCE).expect("the server should answer");
            if meant(&message) {
                return message;
            }
            if message.get("method").is_some() && message.get("id").is_some() {
                let items = message["params"]["items"].as_array().map_or(0, Vec::len);
                let settings = json!({"validate": true, "schemaStore": {"enable": false}});
                let result = (0..items).map(|_| settings.clone()).collect::<Vec<_>>();
                self.send(&json!({"id": message["id"], "result": result}));
            }
        }
    }

    /// What is wrong with a file: the lines, from 0, and what is said of them.
    fn faults(&mut self, file: &Path, text: &str) -> Vec<(u64, String)> {
        let uri = format!("file://{}", file.display());
        let document = json!({"uri": uri, "languageId": "yaml", "version": 1, "text": text});
        self.send(&json!({"method": "textDocument/didOpen", "params": {"textDocument": document}}));
        let told = self.until(|message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == *uri
        });
        let faults = told["params"]["diagnostics"].as_array().unwrap().iter();
        let fault = |fault: &Value| {
            let line = fault["range"]["start"]["line"].as_u64().unwrap();
            (line, fault["message"].as_str().unwrap().to_owned())
        };
        faults.map(fault).collect()
    }
}

impl Server {
    /// What the server offers to write at the place of `|` in a document.
    fn offers(&mut self, file: &Path, text: &str) -> Vec<String> {
        let before = text.split('|').next().unwrap();
        let line = before.matches('\n').count();
        let character = before.rsplit('\n').next().unwrap().chars().count();
        self.faults(file, &text.replacen('|', "", 1));
        let uri = format!("file://{}", file.display());
        let position = json!({"line": line, "character": character});
        let params = json!({"textDocument": {"uri": uri}, "position": position});
        self.send(&json!({"id": "offers", "method": "textDocument/completion", "params": params}));
        let told = self.until(|message| message["id"] == "offers");
        let items = told["result"]["items"].as_array().unwrap().iter();
        items.map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        drop(self.child.wait());
    }
}

fn received(stdout: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stdout.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stdout.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

#[test]
fn an_editor_offers_components_ports_and_settings() {
    let Some(script) = std::env::var_os("TINY_YAML_LS").map(PathBuf::from) else {
        eprintln!("skipped: TINY_YAML_LS is not set, so there is no yaml-language-server to ask");
        return;
    };
    let desk = Desk::new();
    written(&desk);
    let mut server = Server::start(&script);
    let head = "# yaml-language-server: $schema=flow.schema.json\n\
        apiVersion: operator.tinysystems.io/v1alpha1\nkind: TinyNode\nmetadata:\n  name: a\nspec:\n";
    let of_module = format!("{head}  module: hello-module\n");
    let of_hello = format!("{of_module}  component: hello\n");
    let cases = [
        (format!("{head}  module: |\n"), &["hello-module"][..]),
        (format!("{of_module}  component: |\n"), &["hello", "show"]),
        (format!("{of_hello}  ports:\n    - port: |\n"), &["_settings", "input"]),
        (format!("{of_hello}  edges:\n    - port: |\n"), &["error", "output"]),
        (
            format!("{of_hello}  ports:\n    - port: _settings\n      configuration:\n        |\n"),
            &["salutation"],
        ),
    ];
    for (number, (text, expected)) in cases.into_iter().enumerate() {
        let offers = server.offers(&desk.path().join(format!("offer-{number}.yaml")), &text);
        for word in expected {
            assert!(offers.iter().any(|offer| offer == word), "{text}\n{offers:?}");
        }
    }
}

#[test]
fn an_editor_takes_every_example_and_points_at_the_line_of_each_mistake() {
    let Some(script) = std::env::var_os("TINY_YAML_LS").map(PathBuf::from) else {
        eprintln!("skipped: TINY_YAML_LS is not set, so there is no yaml-language-server to ask");
        return;
    };
    let desk = Desk::new();
    written(&desk);
    let mut server = Server::start(&script);
    for flow in flows() {
        let text = std::fs::read_to_string(&flow).unwrap();
        let faults = server.faults(&flow, &text);
        assert!(faults.is_empty(), "{}: {faults:#?}", flow.display());
    }
    for (number, (right, wrong, words)) in MISTAKES.into_iter().enumerate() {
        let text = planted(right, wrong);
        let file = desk.file(&format!("mistake-{number}.yaml"), &text);
        let faults = server.faults(&file, &text);
        let lines: Vec<&str> = text.lines().collect();
        let told: Vec<String> = faults
            .iter()
            .map(|(line, fault)| {
                format!("{}: {fault}", lines[usize::try_from(*line).unwrap()].trim())
            })
            .collect();
        eprintln!("{wrong:?}: {told:#?}");
        assert!(told.iter().any(|told| told.contains(words)), "{wrong:?}: {told:#?}");
        assert!(told.len() <= 2, "one mistake is told once: {told:#?}");
    }
}
