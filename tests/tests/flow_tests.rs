//! `test FILE`: the tests of a flow in a terminal and in CI.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;

use tiny_tests::{Desk, root};

const FLOW: &str = "flow: flow.yaml\n";

/// A desk with hello-module's flow and these tests.
fn desk(tests: &str) -> Desk {
    let desk = Desk::new();
    let flow = fs::read_to_string(root().join("examples/hello-module/flow.yaml")).unwrap();
    fs::write(desk.path().join("flow.yaml"), flow).unwrap();
    fs::write(desk.path().join("a.test.yaml"), tests).unwrap();
    desk
}

/// What is said of one test with these lines.
fn told(lines: &str) -> String {
    let indented = lines.replace('\n', "\n    ");
    let desk = desk(&format!("{FLOW}tests:\n  - name: it\n    {indented}\n"));
    let called = desk.call(&["test", "a.test.yaml"]);
    assert_eq!(called.code, 1, "{called:?}");
    let fails = called.stdout.contains("FAIL");
    let text = if fails { called.stdout } else { called.stderr };
    text.lines().last().unwrap().trim().trim_start_matches("error: ").to_owned()
}

#[test]
fn the_tests_of_the_example_pass_and_take_no_time() {
    let desk = Desk::new();
    let folder = root().join("examples/hello-module");
    let said = desk.call(&["test", folder.to_str().unwrap()]).ok();
    assert!(said.ends_with("5 tests passed\n"), "{said}");
    assert!(
        said.contains("  ok    survives the end of its process  (10s in the flow)\n"),
        "{said}"
    );
    let one = desk.call(&["test", folder.to_str().unwrap(), "--only", "needs"]).ok();
    assert!(one.ends_with("1 test passed\n"), "{one}");
}

#[test]
fn what_fails_says_what_was_there_and_what_is_wanted() {
    let send = "steps:\n- send: hello:input\n  data: {name: Ada}\n";
    let cases = [
        ("  reply: Hullo\n", r#"steps[0]: the reply is "Hello, Ada!", and the test wants "Hullo""#),
        ("  reply: null\n", r#"steps[0]: the reply is "Hello, Ada!", and the test wants null"#),
        (
            "  fails: closed\n",
            "steps[0]: it succeeded, and the test wants it to fail with `closed`",
        ),
        (
            "- silent: show:input\n",
            r#"steps[1]: `show:input` should be silent, and there was {"text":"Hello, Ada!"}"#,
        ),
        ("- expect: hello:error\n", "steps[1]: there was no message at `hello:error`"),
        (
            "- expect: hello:output\n  is: {greeting: Hi}\n",
            r#"steps[1]: message 1 at `hello:output` is "Hello, Ada!" at `/greeting`, and the test wants "Hi""#,
        ),
        (
            "- expect: hello:output\n  has: {greetings: Hi}\n",
            r#"steps[1]: message 1 at `hello:output` has nothing at `/greetings`, and the test wants "Hi""#,
        ),
        (
            "- expect: hello:output\n- expect: hello:output\n",
            "steps[2]: there was no message at `hello:output` after the first 1",
        ),
        (
            "- send: hello:input\n  data: {nam: Ada}\n",
            "steps[1]: it failed: the message for node `hello` does not fit: missing field `name`",
        ),
        (
            "faults:\n- {at: show:input, fail: permanent, text: no ink}\n",
            "steps[0]: it failed: no ink",
        ),
        (
            "faults:\n- {at: show:input, fail: panic, text: ouch}\n",
            "steps[0]: it failed: the component of node `show` panicked: ouch",
        ),
    ];
    for (more, said) in cases {
        let lines = if more.starts_with("faults") {
            format!("{more}{send}")
        } else {
            format!("{send}{more}")
        };
        assert_eq!(told(&lines), said, "{lines}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    let cases = [
        ("steps: []", "tests[0] (it): it has no step, so it cannot fail"),
        ("steps: [{sent: a}]", "tests[0].steps[0]"),
        (
            "steps: [{send: 'hello:input', expect: 'a:b'}]",
            "steps[0]: it says `send` and `expect`: make two steps of it",
        ),
        ("steps: [{expect: 'a:b', reply: 1}]", "steps[0]: `reply` says nothing beside `expect`"),
        ("steps: [{pass: soon}]", "tests[0].steps[0].pass"),
        (
            "steps: [{}]",
            "steps[0]: a step says one of `send`, `expect`, `silent`, `pass`, `crash` and `settings`",
        ),
        (
            "faults: [{at: 'show:input'}]\nsteps: [{crash: true}]",
            "faults[0]: say one of `fail`, `delay` and `answer`",
        ),
        (
            "faults: [{at: 'shaw:input', fail: hang}]\nsteps: [{crash: true}]",
            "faults[0]: there is no node `shaw` (did you mean `show`?)",
        ),
        (
            "steps: [{send: 'hello:inptu'}]",
            "node `hello` (hello) has no target `inptu` (did you mean `input`?)",
        ),
        (
            "settings: {hello: {salutation: 1}}\nsteps: [{crash: true}]",
            "the configuration of `_settings` does not fit: `salutation`",
        ),
    ];
    for (lines, part) in cases {
        let said = told(lines);
        assert!(said.contains(part), "no `{part}` in: {said}");
    }
    let desk = desk("flow: flaw.yaml\ntests: [{name: a, steps: [{crash: true}]}]\n");
    assert!(desk.call(&["test", "a.test.yaml"]).refused().contains("cannot read `flaw.yaml`"));
    assert!(desk.call(&["test", "b.test.yaml"]).refused().contains("cannot read `b.test.yaml`"));
    fs::write(desk.path().join("a.test.yaml"), "flow: [").unwrap();
    assert!(desk.call(&["test", "a.test.yaml"]).refused().starts_with("a.test.yaml is not YAML: "));
    let said = desk.call(&["test", "."]).refused();
    assert!(said.starts_with("./a.test.yaml is not YAML: "), "{said}");
}

#[test]
fn a_flow_that_cannot_run_is_refused_before_its_tests() {
    let desk = desk(&format!("{FLOW}tests: [{{name: a, steps: [{{crash: true}}]}}]\n"));
    let path = desk.path().join("flow.yaml");
    let flow = fs::read_to_string(&path).unwrap();
    fs::write(&path, flow.replace("$.greeting", "$.greating")).unwrap();
    let said = desk.call(&["test", "a.test.yaml"]).refused();
    assert!(said.starts_with("node `hello`, edge `output-to-show`: its mapping: "), "{said}");
    assert!(said.contains("has no `greating` (did you mean `greeting`?)"), "{said}");
}

#[test]
fn nodes_of_other_modules_answer_what_the_test_says() {
    let tests = "tests:
  - name: answered
    faults: [{at: 'show:input', answer: {shown: true}}]
    steps:
      - {send: 'hello:input', data: {name: Ada}, reply: {shown: true}}
  - name: silent
    steps:
      - {send: 'hello:input', data: {name: Ada}, reply: null}
      - {expect: 'show:input', is: {text: 'Hello, Ada!'}}
";
    let desk = desk(&format!("{FLOW}{tests}"));
    let path = desk.path().join("flow.yaml");
    let flow = fs::read_to_string(&path).unwrap();
    let (hello, show) = flow.split_at(flow.rfind("kind: TinyNode").unwrap());
    let show = show.replace("module: hello-module", "module: screens");
    fs::write(&path, format!("{hello}{show}")).unwrap();
    let said = desk.call(&["test", "a.test.yaml"]).ok();
    assert!(said.ends_with("2 tests passed\n"), "{said}");
}

#[test]
fn a_folder_of_a_flow_is_applied_without_its_tests() {
    let desk = desk(&format!("{FLOW}tests: [{{name: a, steps: [{{crash: true}}]}}]\n"));
    let said = desk.call(&["check", "-f", "."]).ok();
    assert_eq!(said, "1 edge: 1 proved, 0 refuted, 0 unknown\n");
}

#[test]
fn ci_reads_what_came_of_them() {
    let desk = desk(&format!(
        "{FLOW}tests:\n- name: good\n  steps: [{{crash: true}}]\n- name: bad <&>\n  steps: [{{expect: 'hello:output'}}]\n"
    ));
    let called = desk.call(&["test", "a.test.yaml", "--junit", "junit.xml", "--seed", "9"]);
    assert_eq!(called.code, 1, "{called:?}");
    assert!(called.stderr.ends_with("1 of 2 tests failed\n"), "{called:?}");
    let xml = fs::read_to_string(desk.path().join("junit.xml")).unwrap();
    for part in [
        r#"<testsuites name="hello-module" tests="2" skipped="0" failures="1" errors="0">"#,
        r#"<testcase name="good" classname="a.test.yaml""#,
        r#"<testcase name="bad &lt;&amp;&gt;" classname="a.test.yaml""#,
        "<failure message=\"steps[0]: there was no message at `hello:output`\">",
        "seed 9</failure>",
    ] {
        assert!(xml.contains(part), "no {part} in {xml}");
    }
}
