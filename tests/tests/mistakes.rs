//! A mistake gives one clear sentence and changes nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;

use tiny_tests::{Desk, flow};

/// Applies the flow with one slip in it, and returns what is said about it.
fn slip(from: &str, to: &str) -> String {
    let desk = Desk::new();
    let text = fs::read_to_string(flow()).unwrap();
    assert!(text.contains(from), "the flow has no `{from}`");
    let file = desk.file("flow.yaml", &text.replacen(from, to, 1));
    let said = desk.call(&["run", "--name", "hello-module", "--apply", "flow.yaml"]).refused();
    // Nothing was written: the plane is as empty as it was.
    drop(file);
    let mut module = desk.run(&[]);
    module.line("no node yet");
    assert!(desk.call(&["get", "projects"]).ok().is_empty());
    assert!(module.interrupt().success());
    said
}

#[test]
fn an_unknown_component() {
    assert_eq!(
        slip("component: hello", "component: helo"),
        "flow.yaml, document 3: node `hello`: there is no component `helo` (did you mean `hello`?); this module has `hello` and `show`; nothing was applied"
    );
}

#[test]
fn an_unknown_port_in_an_edge() {
    assert_eq!(
        slip("to: show:input", "to: show:inptu"),
        "flow.yaml, document 3: node `hello`, edge `output-to-show`: node `show` (show) has no such port `inptu` (did you mean `input`?); here it has `input`; nothing was applied"
    );
    assert_eq!(
        slip("port: output", "port: outptu"),
        "flow.yaml, document 3: node `hello`, edge `output-to-show`: node `hello` (hello) has no such port `outptu` (did you mean `output`?); here it has `output` and `error`; nothing was applied"
    );
}

#[test]
fn malformed_yaml() {
    let said = slip(
        "spec:\n  module: hello-module\n  component: hello",
        "spec:\n  module: [hello-module\n  component: hello",
    );
    assert!(said.starts_with("flow.yaml is not YAML: "), "{said}");
    assert!(said.contains("line "), "{said}");
    assert!(!said.contains('\n'), "{said}");
}

#[test]
fn a_configuration_that_does_not_fit_the_ports_type() {
    assert_eq!(
        slip("salutation: Hello", "salutation: 5"),
        "flow.yaml, document 3: node `hello`: the configuration of `_settings` does not fit: `salutation`: invalid type: integer, expected a string; nothing was applied"
    );
}

#[test]
fn an_expression_that_does_not_parse() {
    assert_eq!(
        slip("{{ $.greeting }}", "{{ uper($.greeting) }}"),
        "flow.yaml, document 3: node `hello`, edge `output-to-show`: its mapping: at `/text`: there is no function `uper` (did you mean `upper`?); docs/mappings.md lists them; nothing was applied"
    );
}

#[test]
fn an_unknown_field() {
    let said = slip("  component: hello\n", "  component: hello\n  colour: red\n");
    assert!(said.contains("unknown field \"spec.colour\""), "{said}");
}

/// `check` needs no plane, and finds what one would refuse, too.
#[test]
fn what_check_finds() {
    let desk = Desk::new();
    let text = fs::read_to_string(flow()).unwrap();
    let signal = |node: &str, port: &str, data: &str| {
        format!(
            "---\napiVersion: operator.tinysystems.io/v1alpha1\nkind: TinySignal\nmetadata: {{name: s}}\nspec: {{node: {node}, port: {port}, data: {data}}}\n"
        )
    };
    let faults = [
        (
            text.replace("  edges:", "  edgse:"),
            "flow.yaml, document 3 (node hello): the plane refuses it: ",
        ),
        (
            text.clone() + &signal("hello", "inptu", "{name: a}"),
            "node `hello` has no target `inptu` (did you mean `input`?)",
        ),
        (
            text.clone() + &signal("hello", "input", "{name: 5}"),
            "its message does not fit `hello:input`: `name`: ",
        ),
    ];
    for (flow, why) in faults {
        desk.file("flow.yaml", &flow);
        let called = desk.call(&["check", "-f", "flow.yaml"]);
        assert!(called.code == 1 && called.stdout.contains(why), "{why}: {called:?}");
        assert!(called.stdout.contains("fault: "), "{called:?}");
    }
    let warnings = [
        (
            text.replace("salutation:", "salutaton:"),
            "node `hello`, its settings: nobody reads `salutaton` (did you mean `salutation`?)",
        ),
        (
            text.replace("salutation: Hello", "salutation: Hi\n        more: [1]"),
            "nobody reads `more`",
        ),
        (
            text.clone() + &signal("helo", "input", "{name: a}"),
            "signal `s`: there is no node `helo` (did you mean `hello`?)",
        ),
        (
            text.clone() + &signal("hello", "input", "{name: a, nmae: b}"),
            "nobody reads `nmae` (did you mean `name`?)",
        ),
        (
            text.clone() + &signal("hello", "input", "[World]"),
            "it is a list, and means an object with `name`",
        ),
    ];
    for (flow, why) in warnings {
        desk.file("flow.yaml", &flow);
        let called = desk.call(&["check", "-f", "flow.yaml"]);
        assert!(called.code == 0 && called.stdout.contains(why), "{why}: {called:?}");
        assert!(called.stdout.contains("warning: "), "{called:?}");
    }
    // A folder has more in it than flows.
    desk.file("flow.yaml", &text);
    desk.file("flow.schema.json", "{}");
    let checked = desk.call(&["check", "-f", "."]).ok();
    assert_eq!(checked, "1 edge: 1 proved, 0 refuted, 0 unknown\n");
}

#[test]
fn a_version_with_a_v_in_front() {
    let desk = Desk::new();
    let said = desk.call(&["run", "--name", "hello-module", "--version", "v1.2.3"]).refused();
    assert_eq!(said, "a version is written without a leading `v`: say --version 1.2.3");
    assert!(!desk.path().join(".tiny").exists());
}

#[test]
fn a_name_that_no_object_can_have() {
    let desk = Desk::new();
    let said = desk.call(&["run", "--name", "!!!"]).refused();
    assert!(said.starts_with("`!!!` cannot be the name of a module"), "{said}");
    assert!(!desk.path().join(".tiny").exists());
}

#[test]
fn a_port_already_in_use() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let desk = Desk::new();
    let said = desk.call(&["run", "--name", "hello-module", "--port", &port]).refused();
    assert_eq!(
        said,
        format!(
            "port {port} of 127.0.0.1 is in use; choose another with --port, or leave it out for a free one"
        )
    );
}

#[test]
fn a_port_that_is_not_the_one_of_the_plane_here() {
    let desk = Desk::new();
    let module = desk.greeting();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let said = desk.call(&["run", "--name", "second", "--port", &free.to_string()]).refused();
    assert!(said.starts_with("the local plane in "), "{said}");
    let host = format!("hosted by process {}; leave out --port {free}", module.id());
    assert!(said.ends_with(&host), "{said}");
    let said = desk.call(&["plane", "--cluster"]).refused();
    assert!(said.starts_with("`plane` hosts a local plane: leave out --cluster"), "{said}");
}

#[test]
fn a_cluster_that_does_not_answer() {
    let desk = Desk::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\nclusters: [{{name: c, cluster: {{server: 'http://{free}'}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
    );
    let file = desk.file("config", &kubeconfig);
    let said = desk.call(&["get", "nodes", "--kubeconfig", file.to_str().unwrap()]).refused();
    assert!(
        said.starts_with(&format!("no cluster answers at http://{free} (kubeconfig `")),
        "{said}"
    );
    assert!(
        said.ends_with("check that it runs, or choose another with --context or --kubeconfig"),
        "{said}"
    );
    let said = desk.call(&["run", "--name", "m", "--kubeconfig", "nowhere"]).refused();
    assert!(said.starts_with("cannot use kubeconfig `nowhere`: "), "{said}");
}

#[test]
fn commands_without_a_plane_say_how_to_start_one() {
    let desk = Desk::new();
    let said = desk.call(&["get", "nodes"]).refused();
    assert!(said.starts_with("there is no local plane: neither this folder nor one above it has `.tiny/`; start it with `"), "{said}");
    let module = desk.greeting();
    assert!(module.interrupt().success());
    let said = desk.call(&["get", "nodes"]).refused();
    assert!(said.starts_with("the local plane in "), "{said}");
    assert!(said.contains(" does not run; start it with `"), "{said}");
}

#[test]
fn a_slip_in_a_signal() {
    let desk = Desk::new();
    let _module = desk.greeting();
    let refused = |args: &[&str]| desk.call(args).refused();
    assert_eq!(
        refused(&["signal", "helo", "input", "{}"]),
        "there is no node `helo` in namespace `tinysystems` (did you mean `hello`?); it has `hello` and `show`"
    );
    assert_eq!(
        refused(&["signal", "hello", "inptu", "{}"]),
        "node `hello` has no target `inptu` (did you mean `input`?); it has `input`"
    );
    let called = desk.call(&["signal", "hello", "input", r#"{"name":"a","nmae":1}"#, "--wait"]);
    assert_eq!(called.code, 0, "{called:?}");
    assert!(
        called.stderr.contains("warning: nobody reads `nmae` (did you mean `name`?)"),
        "{called:?}"
    );
    let waited = ["signal", "hello", "_settings", "{}"];
    assert!(refused(&waited).starts_with("node `hello` has no target `_settings`"));
    let said = refused(&["signal", "hello", "input", "{name: World}"]);
    assert!(said.starts_with("the message is not JSON: "), "{said}");
    let signals = desk.call(&["get", "signals"]).ok();
    assert_eq!(signals.lines().count(), 2, "only the one that is right was written: {signals}");
}

#[test]
fn words_that_are_no_commands() {
    let desk = Desk::new();
    let called = desk.call(&["runn", "--name", "x"]);
    assert_eq!(called.code, 2, "{called:?}");
    assert!(called.stderr.contains("'run'"), "{called:?}");
    let called = desk.call(&["signal", "hello"]);
    assert_eq!(called.code, 2, "{called:?}");
    assert!(called.stderr.contains("<PORT>"), "{called:?}");
    assert!(desk.call(&["get", "nods"]).refused().starts_with("there is no kind `nods`"));
    let apart = desk.call(&["get", "--local", "/tmp/plane"]).refused();
    assert!(apart.ends_with("a folder stands behind its flag, as in `--local=DIR`"), "{apart}");
    desk.file("flow.yaml", &fs::read_to_string(flow()).unwrap());
    let no_tests = desk.call(&["test", "flow.yaml"]).refused();
    assert!(
        no_tests.starts_with("flow.yaml holds several documents, so it is a flow"),
        "{no_tests}"
    );
    assert!(desk.call(&["components", "helo"]).refused().contains("did you mean `hello`?"));
}
