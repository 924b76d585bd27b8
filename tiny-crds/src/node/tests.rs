use serde_json::json;

use super::*;

fn node(ports: &Value) -> TinyNode {
    let labels = json!({labels::FLOW_NAME: "mine", labels::PROJECT_NAME: "project"});
    serde_json::from_value(json!({
        "metadata": {"name": "8740cbfb.hello-module.show-1", "labels": labels},
        "spec": {"module": "Hello Module", "component": "show", "ports": ports},
    }))
    .unwrap()
}

/// The configuration that was found, each entry's being its place.
fn found(entry: Option<&NodePort>) -> Option<u64> {
    entry.map(|entry| entry.configuration.value().unwrap().unwrap().as_u64().unwrap())
}

#[test]
fn a_ports_own_configuration_is_the_one_of_the_nodes_flow_else_of_none_else_any() {
    let all = json!([
        {"port": "_settings", "flowID": "other", "configuration": 0},
        {"port": "_settings", "configuration": 1},
        {"port": "_settings", "flowID": "mine", "configuration": 2},
        {"port": "_settings", "flowID": "mine", "from": "a:out", "configuration": 3},
        {"port": "input", "flowID": "mine", "configuration": 4},
    ]);
    let take = |places: &[usize]| node(&places.iter().map(|place| all[*place].clone()).collect());
    let own = |places: &[usize]| found(take(places).own_port("_settings"));
    assert_eq!(own(&[0, 1, 2, 3, 4]), Some(2));
    assert_eq!(own(&[0, 1, 3, 4]), Some(1));
    assert_eq!(own(&[0, 3, 4]), Some(0));
    assert_eq!(own(&[3, 4]), None);
    assert_eq!(own(&[2, 0]), Some(2), "the order does not count");
}

#[test]
fn an_edges_configuration_is_the_one_of_the_edges_flow_else_of_none_and_never_of_another() {
    let all = node(&json!([
        {"port": "input", "configuration": 0},
        {"port": "input", "from": "a:out", "flowID": "other", "configuration": 1},
        {"port": "input", "from": "a:out", "configuration": 2},
        {"port": "input", "from": "a:out", "flowID": "edge", "configuration": 3},
        {"port": "input", "from": "b:out", "flowID": "other", "configuration": 4},
    ]));
    assert_eq!(found(all.edge_port("a:out", "input", "edge")), Some(3));
    assert_eq!(found(all.edge_port("a:out", "input", "unknown")), Some(2));
    assert_eq!(found(all.edge_port("a:out", "input", "")), Some(2));
    assert_eq!(found(all.edge_port("b:out", "input", "edge")), None);
    assert_eq!(found(all.edge_port("c:out", "input", "edge")), None);
    assert_eq!(found(all.edge_port("a:out", "output", "edge")), None);
}

#[test]
fn flow_and_project_stand_in_the_labels() {
    assert_eq!(
        (node(&json!([])).flow(), node(&json!([])).project()),
        (Some("mine"), Some("project"))
    );
    assert_eq!((TinyNode::default().flow(), TinyNode::default().project()), (None, None));
}

#[test]
fn a_node_belongs_to_the_module_of_its_spec_compared_sanitised() {
    let node = node(&json!([]));
    assert!(node.belongs_to("hello-module") && node.belongs_to("HELLO.module"));
    assert!(!node.belongs_to("hello"));
}

#[test]
fn a_dotted_name_must_agree_with_the_spec_and_any_other_name_does() {
    let node = node(&json!([]));
    assert_eq!(node.full_name().unwrap().component, "show-1");
    assert_eq!(TinyNode::default().full_name(), None);
    assert_eq!(node.spec.check_name("8740cbfb.hello-module.show-1"), Ok(()));
    assert_eq!(node.spec.check_name("greeter"), Ok(()));
    let error = node.spec.check_name("8740cbfb.http-module.show-1").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the name `8740cbfb.http-module.show-1` says module `http-module`, but spec.module \
         says `Hello Module`"
    );
}

#[test]
fn an_edge_ends_where_both_node_and_port_are_named() {
    let target = |to: &str| Edge { to: to.into(), ..Edge::default() }.target();
    assert_eq!(target("show:input"), Some(PortName::new("show", "input")));
    for nowhere in ["", "show", "show:", ":input", "a:b:c"] {
        assert_eq!(target(nowhere), None, "{nowhere}");
    }
}

#[test]
fn bounds_of_retries_are_durations_and_what_is_left_out_is_left_open() {
    let open = EdgeRetry::default();
    assert_eq!(
        (open.initial_delay(), open.max_delay(), open.timeout()),
        (Ok(None), Ok(None), Ok(None))
    );
    let retry: EdgeRetry = serde_json::from_value(json!({
        "maxAttempts": 0, "initialDelay": "500ms", "maxDelay": "30s", "timeout": "later"
    }))
    .unwrap();
    assert_eq!(retry.max_attempts, Some(0));
    assert_eq!(retry.initial_delay(), Ok(Some(Duration::from_millis(500))));
    assert_eq!(retry.max_delay(), Ok(Some(Duration::from_secs(30))));
    assert_eq!(retry.timeout().unwrap_err().text, "later");
}
