//! A mapping that cannot be right is named before it runs, and what runs goes on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;

use serde_json::Value;
use tiny_tests::{Desk, eventually, flow, has_kubectl};

const WORLD: &str = r#"{"name":"World"}"#;
const GOOD: &str = "{{ $.greeting }}";
const BAD: &str = "{{ $.greting }}";
const WHY: &str = "`text`: `{{ $.greting }}` leads nowhere: `Hellooutput` has no `greting` (did you mean `greeting`?), only `greeting`; and the field is required";

/// The flow of hello-module with another mapping.
fn with(mapping: &str) -> String {
    let text = fs::read_to_string(flow()).unwrap();
    assert!(text.contains(GOOD));
    text.replace(GOOD, mapping)
}

fn greet(desk: &Desk) -> String {
    desk.call(&["signal", "hello", "input", WORLD, "--wait"]).ok()
}

fn edges_valid(desk: &Desk, status: &str) -> String {
    eventually(&format!("EdgesValid={status}"), || {
        let node: Value =
            serde_json::from_str(&desk.call(&["get", "node", "hello", "-o", "json"]).ok()).unwrap();
        let generation = &node["metadata"]["generation"];
        let conditions = node["status"]["conditions"].as_array()?;
        let found = conditions.iter().find(|it| it["type"] == "EdgesValid")?;
        let is_it = found["status"] == status && found["observedGeneration"] == *generation;
        is_it.then(|| found["message"].as_str().unwrap().to_owned())
    })
}

#[test]
fn check_needs_no_plane_and_names_the_edge_the_field_and_the_nearest_name() {
    let desk = Desk::new();
    desk.file("flow.yaml", &with(GOOD));
    let said = desk.call(&["check", "-f", "flow.yaml"]).ok();
    assert_eq!(said, "1 edge: 1 proved, 0 refuted, 0 unknown\n");

    desk.file("flow.yaml", &with(BAD));
    let called = desk.call(&["check", "-f", "flow.yaml"]);
    let place = "flow.yaml, document 3: node `hello`, edge `output-to-show`";
    assert_eq!(
        called.stdout,
        format!("refuted: {place}: {WHY}\n1 edge: 0 proved, 1 refuted, 0 unknown\n")
    );
    assert_eq!(called.refused(), "1 finding must be corrected");
    assert!(!desk.path().join(".tiny").exists(), "nothing is made");
}

#[test]
fn of_other_modules_tell_the_files_that_their_binaries_have_printed() {
    let desk = Desk::new();
    let elsewhere = with(BAD).replace("module: hello-module", "module: other/module");
    desk.file("flow.yaml", &elsewhere);
    let unknown = desk.call(&["check", "-f", "flow.yaml"]).ok();
    assert!(unknown.contains("nothing is known of the ports of node `show`"), "{unknown}");
    assert!(unknown.ends_with("1 edge: 0 proved, 0 refuted, 1 unknown\n"), "{unknown}");

    desk.file("components.json", &desk.call(&["components", "-o", "json"]).ok());
    for schemas in ["components.json", "other/module=components.json"] {
        let called = desk.call(&["check", "-f", "flow.yaml", "--schemas", schemas]);
        assert!(called.stdout.contains(WHY), "{called:?}");
        assert_eq!(called.code, 1);
    }
    let said = desk.call(&["check", "-f", "flow.yaml", "--schemas", "flow.yaml"]).refused();
    assert!(said.starts_with("`flow.yaml` is not what `components -o json` prints: "), "{said}");
}

#[test]
fn explain_has_a_row_for_each_field() {
    let desk = Desk::new();
    desk.file("flow.yaml", &with(BAD));
    let said = desk.call(&["explain", "hello/output-to-show", "-f", "flow.yaml"]).ok();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "edge output-to-show: hello:output → show:input");
    let words = |line: &str| {
        line.split("  ")
            .map(str::trim)
            .filter(|it| !it.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(words(lines[1]), ["FIELD", "EXPRESSION", "GIVES", "TAKES", "VERDICT"]);
    assert_eq!(words(lines[2]), ["text", BAD, "nothing", "a text", "refuted"]);
    assert_eq!(lines[4], format!("refuted: {WHY}"));
    assert_eq!(lines[5], r#"  for example: {"greeting":"a"}"#);

    let said = desk.call(&["explain", "output-to-shwo", "-f", "flow.yaml"]).refused();
    assert_eq!(
        said,
        "there is no edge `output-to-shwo` (did you mean `hello/output-to-show`?); there are `hello/output-to-show`"
    );
    let said = desk.call(&["explain", "output-to-show"]).refused();
    assert!(said.starts_with("there is no edge to explain"), "{said}");
}

#[test]
fn the_last_good_mapping_goes_on_also_across_a_restart() {
    let desk = Desk::new();
    let module = desk.greeting();
    assert_eq!(greet(&desk), "Hello, World!\n");

    desk.file("bad.yaml", &with(BAD));
    let called = desk.call(&["apply", "-f", "bad.yaml"]);
    assert!(called.stdout.contains(&format!("edge `output-to-show`: {WHY}\n")), "{called:?}");
    assert!(called.stdout.contains("node hello: changed"), "{called:?}");
    let said = called.refused();
    let why =
        "1 mapping cannot be right: until it is corrected, its edge goes on with its last good";
    assert!(said.contains(why), "{said}");

    let goes_on = format!(
        "node `hello`, edge `output-to-show`: its mapping: {WHY}; its last good mapping goes on"
    );
    assert_eq!(edges_valid(&desk, "False"), goes_on);
    assert_eq!(greet(&desk), "Hello, World!\n");
    if has_kubectl() {
        let described = desk.kubectl(&["describe", "tn", "hello"]).ok();
        assert!(described.contains("did you mean `greeting`?"), "{described}");
        assert!(described.contains("MappingRefuted"), "{described}");
    }

    // The process is killed, and comes again: the plane has the bad mapping, and the status the good one.
    module.kill();
    let mut module = desk.run(&[]);
    module.line("nodes ");
    assert_eq!(greet(&desk), "Hello, World!\n");
    assert_eq!(edges_valid(&desk, "False"), goes_on);

    desk.file("good.yaml", &with("{{ upper($.greeting) }}"));
    desk.call(&["apply", "-f", "good.yaml"]).ok();
    assert_eq!(edges_valid(&desk, "True"), "every edge leads to a port, and its mapping fits");
    assert_eq!(greet(&desk), "HELLO, WORLD!\n");
}

#[test]
fn without_a_good_mapping_before_it_a_message_is_refused_with_the_reason() {
    let desk = Desk::new();
    let flow = desk.file("flow.yaml", &with(BAD));
    let mut module = desk.run(&["--apply", flow.to_str().unwrap()]);
    module.line("refuted: ");
    edges_valid(&desk, "False");
    let said = desk.call(&["signal", "hello", "input", WORLD, "--wait"]).refused();
    assert!(said.contains(WHY), "{said}");
    assert!(said.ends_with("until it is corrected, no message passes this edge"), "{said}");
}
