//! The common module as its README tells of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::Value;
use tiny_tests::{Desk, eventually, root};

/// What stands in the code blocks of its README after `$ cargo run -p common-module -- `.
fn commands() -> Vec<String> {
    let readme = root().join("examples/common-module/README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let lines =
        text.lines().filter_map(|line| line.strip_prefix("$ cargo run -p common-module -- "));
    lines.map(ToOwned::to_owned).collect()
}

/// The words of a command, as a shell reads them where single quotes are all there is.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (at, part) in command.split('\'').enumerate() {
        if at % 2 == 1 {
            words.last_mut().unwrap().push_str(part);
            continue;
        }
        for (at, word) in part.split(' ').enumerate() {
            if at > 0 {
                words.push(String::new());
            }
            words.last_mut().unwrap().push_str(word);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

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
    let mut typed =
        commands().into_iter().map(|command| words(&command).iter().map(here).collect::<Vec<_>>());
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
