//! The common module as its README tells of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::Value;
use tiny_tests::{Desk, Typed, eventually, root};

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
fn what_the_readme_types_works() {
    let desk = Desk::of("common-module");
    // Files are named from the root of the repository.
    let flow = root().join("examples/common-module");
    let here = |word: &String| word.replace("examples/common-module", flow.to_str().unwrap());
    let typed = Typed::of("examples/common-module/README.md");
    let mut typed = typed.iter().filter_map(|typed| Some(typed.binary()?.1));
    let mut typed = std::iter::from_fn(|| Some(typed.next()?.iter().map(here).collect::<Vec<_>>()));
    let mut next = |verb: &str| {
        let command = typed.next().unwrap();
        assert_eq!(command[0], verb);
        command
    };
    let call =
        |command: &[String]| desk.call(&command.iter().map(String::as_str).collect::<Vec<_>>());
    let run = next("run");
    let mut module = desk.start(&run.iter().map(String::as_str).collect::<Vec<_>>());
    module.line("7 of 7 ready");
    call(&next("signal")).ok();
    let shown = next("get");
    // A dashboard is refreshed at most once a second.
    let end = eventually("the end shows what came", || {
        let node: Value = serde_json::from_str(&call(&shown).ok()).ok()?;
        let ports = node["status"]["ports"].as_array()?;
        let control = ports.iter().find(|port| port["name"] == "_control")?;
        let context = control["configuration"]["context"].clone();
        (!context.is_null()).then_some(context)
    });
    assert_eq!(end["customer"], "Ada");
    assert_eq!(end["lines"].as_array().unwrap().len(), 3);
    assert!(call(&next("test")).ok().ends_with("3 tests passed\n"));
    assert_eq!(call(&next("check")).ok(), "7 edges: 7 proved, 0 refuted, 0 unknown\n");
    assert!(module.interrupt().success());
}
