//! The first ten minutes: a greeting travels through the real binary, on the local plane.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::Value;
use tiny_tests::{Desk, eventually, flow};

const WORLD: &str = r#"{"name":"World"}"#;

fn greet(desk: &Desk) -> String {
    desk.call(&["signal", "hello", "input", WORLD, "--wait"]).ok()
}

fn json(desk: &Desk, args: &[&str]) -> Value {
    let text = desk.call(args).ok();
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn run_says_what_there_is_and_a_signal_prints_the_greeting() {
    let desk = Desk::new();
    let mut module = desk.greeting();
    let said = module.printed.join("\n");
    for part in [
        "plane      local, .tiny at https://127.0.0.1:",
        "namespace  tinysystems",
        "applied    node hello: created",
        "module     hello-module 0.1.0: `hello` and `show`",
        "nodes      2 of 2 ready",
        "signal hello input '{\"name\":\"World\"}' --wait",
    ] {
        assert!(said.contains(part), "no `{part}` in\n{said}");
    }
    assert_eq!(greet(&desk), "Hello, World!\n");
    // One line a run: trigger, path, hops, duration, fate.
    let run = module.line("signal hello-input: ");
    assert!(run.contains("hello:input → show:input, 2 hops in "), "{run}");
    assert!(run.ends_with(", ok"), "{run}");
    let ended = module.interrupt();
    assert!(ended.success(), "{ended}");
}

#[test]
fn without_data_a_signal_says_what_the_message_lacks() {
    let desk = Desk::new();
    let _module = desk.greeting();
    let said = desk.call(&["signal", "hello", "input", "--wait"]).refused();
    assert_eq!(
        said,
        "the run failed: the message for node `hello` does not fit: missing field `name`"
    );
}

#[test]
fn a_failure_of_the_component_is_the_answer() {
    let desk = Desk::new();
    let _module = desk.greeting();
    let said = desk.call(&["signal", "hello", "input", r#"{"name":""}"#, "--wait"]).refused();
    assert_eq!(said, "the run failed: a greeting needs a name");
}

#[test]
fn get_shows_tables_and_whole_objects() {
    let desk = Desk::new();
    let _module = desk.greeting();
    greet(&desk);
    let nodes = desk.call(&["get", "nodes"]).ok();
    assert!(nodes.starts_with("NAME    MODULE         COMPONENT   READY"), "{nodes}");
    let all = desk.call(&["get"]).ok();
    for name in [
        "project/greetings",
        "flow/greet",
        "module/hello-module",
        "node/show",
        "signal/hello-input",
    ] {
        assert!(all.contains(name), "no {name} in\n{all}");
    }
    let signal = json(&desk, &["get", "signal", "hello-input", "-o", "json"]);
    assert_eq!(signal["status"]["reply"], "Hello, World!");
    assert!(
        desk.call(&["get", "signal", "hello-input", "-o", "yaml"])
            .ok()
            .contains("reply: Hello, World!")
    );
    assert_eq!(
        desk.call(&["get", "node", "nobody"]).refused(),
        "tinynodes.operator.tinysystems.io \"nobody\" not found"
    );
}

#[test]
fn new_settings_reach_the_live_node() {
    let desk = Desk::new();
    let _module = desk.greeting();
    let text = std::fs::read_to_string(flow()).unwrap();
    let file =
        desk.file("flow.yaml", &text.replace("salutation: Hello", "salutation: Good morning"));
    let done = desk.call(&["apply", "-f", file.to_str().unwrap()]).ok();
    assert_eq!(
        done,
        "project greetings: unchanged\nflow greet: unchanged\nnode hello: changed\nnode show: unchanged\n"
    );
    let greeted = eventually("the new salutation", || {
        Some(greet(&desk)).filter(|greeting| greeting == "Good morning, World!\n")
    });
    assert_eq!(greeted, "Good morning, World!\n");
}

#[test]
fn what_was_applied_is_there_after_a_restart_and_prune_removes_only_that() {
    let desk = Desk::new();
    let module = desk.greeting();
    let other = desk.file(
        "other.yaml",
        "apiVersion: operator.tinysystems.io/v1alpha1\nkind: TinyProject\nmetadata: {name: kept}\n",
    );
    desk.call(&["apply", "-f", other.to_str().unwrap()]).ok();
    assert!(module.interrupt().success());

    let mut again = desk.run(&[]);
    again.line("2 of 2 ready");
    assert_eq!(greet(&desk), "Hello, World!\n");
    assert!(again.interrupt().success());

    let text = std::fs::read_to_string(flow()).unwrap();
    let fewer = text.split("---\n").filter(|document| !document.contains("name: show\n"));
    let fewer = fewer
        .collect::<Vec<_>>()
        .join("---\n")
        .replace("      to: show:input", "      to: hello:input");
    let fewer = fewer.replace("text: \"{{ $.greeting }}\"", "name: \"\"");
    let file = desk.file("fewer.yaml", &fewer);
    let mut pruned = desk.run(&["--apply", file.to_str().unwrap(), "--prune"]);
    pruned.line("node show: pruned");
    pruned.line("1 of 1 ready");
    assert!(desk.call(&["get", "projects"]).ok().contains("kept"));
    assert!(pruned.interrupt().success());
}

#[test]
fn components_and_crds_need_no_plane() {
    let desk = Desk::new();
    assert!(desk.call(&["components"]).ok().contains("Greets a person by name."));
    let all = json(&desk, &["components", "-o", "json"]);
    assert_eq!(all[0]["ports"][0]["name"], "input");
    let node = desk.call(&["components", "hello", "-o", "yaml"]).ok();
    let file = desk.file("node.yaml", &node);
    let crds = desk.call(&["crds"]).ok();
    assert_eq!(crds.matches("kind: CustomResourceDefinition").count(), 7);
    assert!(!desk.path().join(".tiny").exists(), "nothing was written");
    let mut module = desk.run(&["--apply", file.to_str().unwrap()]);
    module.line("1 of 1 ready");
}

#[test]
fn quiet_prints_nothing() {
    let desk = Desk::new();
    let module = desk.run(&["--quiet"]);
    eventually("the plane", || desk.kubeconfig().exists().then_some(()));
    eventually("an answer", || (desk.call(&["get", "modules"]).code == 0).then_some(()));
    assert_eq!(module.printed, Vec::<String>::new());
    assert!(module.interrupt().success());
}
