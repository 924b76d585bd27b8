//! kubectl against the local plane. Skipped where there is no kubectl.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::BufRead;
use std::process::{Command, Stdio};

use tiny_tests::{Desk, eventually, flow, has_kubectl, root};

const SIGNAL: &str = "apiVersion: operator.tinysystems.io/v1alpha1
kind: TinySignal
metadata: {name: greet, namespace: tinysystems}
spec: {node: hello, port: input, data: {name: World}, nonce: \"1\"}
";

#[test]
fn an_applied_signal_runs_and_its_status_holds_the_reply() {
    if !has_kubectl() {
        return;
    }
    let desk = Desk::new();
    let _module = desk.greeting();
    let file = desk.file("signal.yaml", SIGNAL);
    let file = file.to_str().unwrap();
    assert!(desk.kubectl(&["apply", "-f", file]).ok().contains("greet created"));
    let phase = "--for=jsonpath={.status.phase}=Succeeded";
    desk.kubectl(&["wait", "tinysignal/greet", phase, "--timeout=30s"]).ok();
    let reply = desk.kubectl(&["get", "ts", "greet", "-o", "jsonpath={.status.reply}"]).ok();
    assert_eq!(reply, "Hello, World!");
    assert!(desk.kubectl(&["apply", "-f", file]).ok().contains("greet unchanged"));
}

#[test]
fn tables_descriptions_and_watches_work() {
    if !has_kubectl() {
        return;
    }
    let desk = Desk::new();
    let _module = desk.greeting();
    let all = desk.kubectl(&["get", "tn,tm,ts", "-A"]).ok();
    assert!(all.contains("tinynode.operator.tinysystems.io/hello"), "{all}");
    assert!(all.contains("tinymodule.operator.tinysystems.io/hello-module"), "{all}");
    let described = desk.kubectl(&["describe", "tn", "hello"]).ok();
    assert!(described.contains("Salutation:  Hello"), "{described}");
    assert!(described.contains("the node takes messages"), "{described}");
    desk.kubectl(&["wait", "--for=condition=Ready", "tn", "--all", "--timeout=30s"]).ok();

    let mut watch = Command::new("kubectl")
        .arg("--kubeconfig")
        .arg(desk.kubeconfig())
        .args(["get", "tn", "-w", "--request-timeout=60s"])
        .env("HOME", desk.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut until = |part: &str| loop {
        let line = lines.next().expect("the watch ended").unwrap();
        if line.contains(part) {
            return line;
        }
    };
    until("show");
    let patch = r#"{"spec":{"component":"nobody"}}"#;
    desk.kubectl(&["patch", "tn", "show", "--type=merge", "-p", patch]).ok();
    assert!(until("False").starts_with("show"));
    watch.kill().unwrap();
    watch.wait().unwrap();
}

#[test]
fn default_validation_refuses_unknown_fields_and_samples_are_accepted() {
    if !has_kubectl() {
        return;
    }
    let desk = Desk::new();
    let _module = desk.greeting();
    let bad = desk.file("bad.yaml", &SIGNAL.replace("nonce", "nonse"));
    let refused = desk.kubectl(&["apply", "-f", bad.to_str().unwrap()]);
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("nonse"), "{refused:?}");
    assert!(desk.kubectl(&["get", "ts"]).ok().is_empty(), "nothing was written");

    let samples = root().join("examples/samples");
    desk.kubectl(&["apply", "-f", samples.to_str().unwrap()]).ok();
    let flow = flow();
    assert!(
        desk.kubectl(&["apply", "-f", flow.to_str().unwrap()])
            .ok()
            .contains("tinynode.operator.tinysystems.io/hello")
    );
    desk.kubectl(&["wait", "--for=condition=Ready", "tn/greeter", "--timeout=30s"]).ok();
    desk.kubectl(&["delete", "-f", samples.to_str().unwrap(), "--wait"]).ok();
    let left = eventually("the end of greeter", || {
        Some(desk.kubectl(&["get", "tn", "-o", "name"]).ok())
            .filter(|names| !names.contains("greeter"))
    });
    assert_eq!(left, "tinynode.operator.tinysystems.io/hello\n");
}
