//! A process that is killed loses nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::Value;
use tiny_tests::{Desk, eventually, flow};

fn status(desk: &Desk) -> Value {
    let text = desk.call(&["get", "signal", "hello-input", "-o", "json"]).ok();
    serde_json::from_str::<Value>(&text).unwrap()["status"].clone()
}

/// The flow, whose second node has not come yet: a message for it waits.
fn without_show(desk: &Desk) -> String {
    let text = std::fs::read_to_string(flow()).unwrap();
    let first = text.split("---\n").filter(|document| !document.contains("name: show\n"));
    desk.file("first.yaml", &first.collect::<Vec<_>>().join("---\n")).to_str().unwrap().to_owned()
}

#[test]
fn a_signal_that_was_pending_when_the_process_was_killed_runs_after_the_next_start() {
    let desk = Desk::new();
    let first = without_show(&desk);
    let mut module = desk.run(&["--apply", &first]);
    module.line("next ");
    desk.call(&["signal", "hello", "input", r#"{"name":"World"}"#]).ok();
    eventually("the run", || (status(&desk)["phase"] == "Running").then_some(()));
    module.kill();

    let flow = flow();
    let mut again = desk.run(&["--apply", flow.to_str().unwrap()]);
    again.line("nodes ");
    let ended = eventually("the reply", || {
        Some(status(&desk)).filter(|status| status["phase"] == "Succeeded")
    });
    assert_eq!(ended["reply"], "Hello, World!");
    assert_eq!(ended["attempts"], 2);
    assert!(!again.has("next  "), "what is under way is nothing to type");
    assert!(again.interrupt().success());
}

#[test]
fn what_was_written_before_a_kill_is_there() {
    let desk = Desk::new();
    for round in 0..5 {
        let mut module = desk.run(&[]);
        module.line("nodes ");
        let name = format!("project-{round}");
        let file = desk.file(
            "project.yaml",
            &format!("apiVersion: operator.tinysystems.io/v1alpha1\nkind: TinyProject\nmetadata: {{name: {name}}}\n"),
        );
        desk.call(&["apply", "-f", file.to_str().unwrap()]).ok();
        module.kill();
    }
    let mut module = desk.run(&[]);
    module.line("nodes ");
    let projects = desk.call(&["get", "projects"]).ok();
    assert!((0..5).all(|round| projects.contains(&format!("project-{round}"))), "{projects}");
}
