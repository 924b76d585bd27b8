//! The common module as its README tells of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::{Value, json};
use tiny_tests::{Desk, Running, Typed, eventually, root};

#[test]
fn a_ticker_that_sleeps_keeps_no_process() {
    let desk = Desk::of("common-module");
    let node = "apiVersion: operator.tinysystems.io/v1alpha1\nkind: TinyNode\nmetadata:\n  name: tick\nspec:\n  module: common-module\n  \
                component: ticker\n  ports:\n    - port: _settings\n      configuration: { delay: 3600000 }\n";
    let file = desk.file("tick.yaml", node);
    let mut module = desk.start(&["run", "--apply", file.to_str().unwrap()]);
    module.line("1 of 1 ready");
    desk.call(&["signal", "tick", "_control", r#"{"start":true}"#, "--wait"]).ok();
    assert!(module.interrupt().success(), "it ends in order, although it was asleep");
}

#[test]
fn a_module_tells_of_no_choices_that_depend_on_a_node() {
    let desk = Desk::of("common-module");
    let told: Value = serde_json::from_str(&desk.call(&["components", "-o", "json"]).ok()).unwrap();
    let components = told.as_array().unwrap();
    let router = components.iter().find(|it| it["name"] == "router").unwrap();
    let ports = router["ports"].as_array().unwrap();
    let input = ports.iter().find(|it| it["name"] == "input").unwrap();
    assert!(input["schema"].to_string().contains("\"route\""));
    // Those of the default settings would refute edges to every other router.
    assert!(!input["schema"].to_string().contains("\"enum\""), "{input}");
}

/// What the dashboard of a node shows, once it holds something.
fn shown(node: &str, said: impl Fn() -> String) -> Value {
    // It is refreshed at most once a second.
    eventually(&format!("`{node}` shows what came"), || {
        let node: Value = serde_json::from_str(&said()).ok()?;
        let ports = node["status"]["ports"].as_array()?;
        let control = ports.iter().find(|port| port["name"] == "_control")?;
        let context = control["configuration"]["context"].clone();
        (!context.is_null()).then_some(context)
    })
}

#[test]
fn what_the_readme_types_works() {
    let desk = Desk::of("common-module");
    // Files are named from the root of the repository.
    let flow = root().join("examples/common-module");
    let here = |word: &String| word.replace("examples/common-module", flow.to_str().unwrap());
    let mut module: Option<Running> = None;
    let mut counted = 0;
    for typed in Typed::of("examples/common-module/README.md") {
        let (_, args) = typed.binary().unwrap();
        let args: Vec<String> = args.iter().map(here).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let call = || desk.call(&args).ok();
        counted += 1;
        match args[0] {
            "run" => {
                // One after the other: the second finds the nodes of the first as well.
                if let Some(before) = module.take() {
                    assert!(before.terminate().success());
                }
                let mut running = desk.start(&args);
                running.line(" ready");
                module = Some(running);
            }
            "signal" => drop(call()),
            "get" if args[2] == "end" => {
                let end = shown("end", call);
                assert_eq!(end["customer"], "Ada");
                assert_eq!(end["lines"].as_array().unwrap().len(), 3);
            }
            "get" if args[2] == "found" => {
                let readings = json!([{"id": "r1", "value": 21}, {"id": "r3", "value": 22}]);
                let last = json!({"id": "last", "count": 2, "readings": readings});
                // Who types by hand is slower than what goes on aside.
                let asked_again = || {
                    let query = r#"{"query":"$.count > 1"}"#;
                    desk.call(&["signal", "kept", "query", query, "--wait"]).ok();
                    call()
                };
                assert_eq!(shown("found", asked_again), last);
            }
            "get" => {
                let seen = shown("seen", call);
                assert_eq!(seen["contextclock"]["says"], "tick");
                assert_eq!(seen["contextreadings"].as_array().unwrap().len(), 2);
            }
            "test" => assert!(call().ends_with("5 tests passed\n")),
            _ => assert_eq!(call(), "18 edges: 18 proved, 0 refuted, 0 unknown\n"),
        }
    }
    assert_eq!(counted, 14);
    assert!(module.unwrap().interrupt().success());
}
