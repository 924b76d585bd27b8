//! What an API server holds can be read, and is written as it was.

#![allow(clippy::unwrap_used, reason = "clippy takes only functions with `#[test]` for tests")]

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tiny_crds::{
    API_VERSION, Phase, TinyFlow, TinyModule, TinyNode, TinyProject, TinySignal, TinyTracker,
    TinyWidgetPage,
};

fn object(kind: &str, spec: Value, status: Value) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": "one", "labels": {"tinysystems.io/project-name": "p"}},
        "spec": spec,
        "status": status,
    })
}

fn conditions() -> Value {
    json!([{
        "type": "Ready", "status": "False", "reason": "NoTarget", "message": "no `x`",
        "observedGeneration": 2, "lastTransitionTime": "2026-01-02T03:04:05Z",
    }])
}

fn port() -> Value {
    json!({
        "name": "input", "label": "Input", "position": 3, "source": false,
        "schema": {"type": "object"}, "responseSchema": {}, "configuration": {"name": "World"},
    })
}

fn read<K: DeserializeOwned>(stored: Value) -> K {
    serde_json::from_value(stored).unwrap()
}

/// All of it is read, and written as it was.
fn comes_back<K>(stored: Value) -> K
where
    K: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let object: K = read(stored.clone());
    let written = serde_json::to_value(&object).unwrap();
    assert_eq!(written, stored);
    let text = serde_saphyr::to_string(&object).unwrap();
    assert_eq!(serde_saphyr::from_str::<K>(&text).unwrap(), object, "{text}");
    object
}

#[test]
fn a_full_node_comes_back() {
    let spec = json!({
        "module": "hello-module", "module_version": "1.0.0", "component": "hello",
        "ports": [
            {"from": "", "port": "_settings", "flowID": "", "schema": {"type": "object"},
             "configuration": {"salutation": "Hello"}},
            {"from": "a:out", "port": "input", "flowID": "f", "configuration": "bnVsbA=="},
        ],
        "edges": [{
            "id": "e", "port": "output", "to": "show:input", "flowID": "f",
            "configuration": {"text": "{{ $.greeting }}"},
            "retry": {"maxAttempts": 0, "initialDelay": "1s", "maxDelay": "30s", "timeout": "5m"},
        }],
    });
    let status = json!({
        "module": {"name": "hello-module", "version": "1.0.0"},
        "component": {"description": "Hello", "info": "Greets", "tags": ["example"]},
        "ports": [port()], "status": "OK", "error": true, "metadata": {"count": "1"},
        "lastUpdateTime": "2026-01-02T03:04:05Z", "observedGeneration": 2,
        "conditions": conditions(),
    });
    let node: TinyNode = comes_back(object("TinyNode", spec, status));
    assert_eq!(
        node.own_port("_settings").unwrap().configuration.value().unwrap().unwrap()["salutation"],
        "Hello"
    );
    assert_eq!(node.spec.edges[0].retry.as_ref().unwrap().max_attempts, Some(0));
}

#[test]
fn a_full_module_comes_back() {
    let status = json!({
        "addr": "10.0.0.1:8483", "name": "Hello Module", "version": "1.0.0",
        "components": [{
            "name": "hello", "description": "Hello", "info": "Greets", "tags": ["example"],
            "aliases": ["greet"], "ports": [port()],
        }],
        "observedGeneration": 1, "conditions": conditions(),
    });
    comes_back::<TinyModule>(object("TinyModule", json!({"image": "hello:1"}), status));
}

#[test]
fn a_full_signal_comes_back() {
    let spec = json!({
        "node": "greeter", "port": "input", "data": {"name": "World"}, "nonce": "1", "timeout": "30s",
    });
    let status = json!({
        "phase": "Failed", "observedNonce": "1", "observedGeneration": 1, "attempts": 2,
        "startTime": "2026-01-02T03:04:05Z", "finishTime": "2026-01-02T03:04:06Z", "error": "no",
        "message": "it did not", "reply": {"a": [1]}, "replyBytes": 20000, "term": 3,
        "conditions": conditions(),
    });
    let signal: TinySignal = comes_back(object("TinySignal", spec, status));
    assert_eq!(signal.status.unwrap().phase, Some(Phase::Failed));
}

#[test]
fn a_full_page_comes_back() {
    let spec = json!({"widgets": [{
        "port": "greeter:_control", "name": "Greet", "schemaPatch": {"title": "Go"},
        "gridX": 0, "gridY": -1, "gridW": 4, "gridH": 2,
    }, {}]});
    let status = json!({"observedGeneration": 1, "conditions": conditions()});
    comes_back::<TinyWidgetPage>(object("TinyWidgetPage", spec, status));
}

#[test]
fn full_flows_projects_and_trackers_come_back() {
    let status = json!({"observedGeneration": 1, "conditions": conditions()});
    comes_back::<TinyFlow>(object("TinyFlow", json!({}), status.clone()));
    comes_back::<TinyProject>(object("TinyProject", json!({}), status.clone()));
    comes_back::<TinyTracker>(object("TinyTracker", json!({}), status));
}

#[test]
fn fields_of_newer_versions_are_passed_over() {
    fn check<K: DeserializeOwned>(kind: &str, mut spec: Value) {
        spec["newer"] = json!({"deep": [1]});
        let status = json!({"newer": 1, "conditions": [{"type": "Newer", "newer": 1}]});
        read::<K>(object(kind, spec, status));
    }
    check::<TinyNode>(
        "TinyNode",
        json!({
            "module": "m", "component": "c",
            "ports": [{"port": "p", "newer": 1}],
            "edges": [{"port": "p", "to": "a:b", "newer": 1, "retry": {"newer": 1}}],
        }),
    );
    check::<TinySignal>("TinySignal", json!({"node": "a", "port": "b"}));
    check::<TinyWidgetPage>("TinyWidgetPage", json!({"widgets": [{"newer": 1}]}));
    check::<TinyModule>("TinyModule", json!({}));
    check::<TinyFlow>("TinyFlow", json!({}));
    check::<TinyProject>("TinyProject", json!({}));
    check::<TinyTracker>("TinyTracker", json!({}));
}

#[test]
fn a_spec_in_which_nothing_is_required_may_be_null_or_left_out() {
    fn check<K: DeserializeOwned + PartialEq + Debug>(kind: &str) {
        let empty: K = read(object(kind, json!({}), json!({})));
        assert_eq!(read::<K>(object(kind, json!(null), json!({}))), empty);
        let mut without = object(kind, json!(null), json!({}));
        without.as_object_mut().unwrap().remove("spec");
        assert_eq!(read::<K>(without), empty);
    }
    check::<TinyModule>("TinyModule");
    check::<TinyFlow>("TinyFlow");
    check::<TinyProject>("TinyProject");
    check::<TinyTracker>("TinyTracker");
    check::<TinyWidgetPage>("TinyWidgetPage");
}

#[test]
fn null_is_nothing_wherever_the_crd_lets_it_stand() {
    let spec = json!({
        "module": "m", "module_version": null, "component": "c", "ports": null, "edges": null,
    });
    let node: TinyNode = read(object("TinyNode", spec, json!({})));
    assert_eq!(
        (node.spec.ports.len(), node.spec.edges.len(), node.spec.module_version),
        (0, 0, None)
    );

    let retry =
        json!({"maxAttempts": null, "initialDelay": null, "maxDelay": null, "timeout": null});
    let spec = json!({
        "module": "m", "component": "c",
        "ports": [{"port": "p", "from": null, "flowID": null, "schema": null, "configuration": null}],
        "edges": [
            {"port": "p", "to": "a:b", "id": null, "flowID": null, "configuration": null, "retry": null},
            {"port": "p", "to": "a:b", "retry": retry},
        ],
    });
    let node: TinyNode = read(object("TinyNode", spec, json!({})));
    assert!(node.own_port("p").unwrap().configuration.is_absent());
    assert_eq!((&node.spec.edges[0].configuration, &node.spec.edges[0].retry), (&None, &None));
    assert_eq!(node.spec.edges[1].retry, Some(tiny_crds::EdgeRetry::default()));

    let spec = json!({"node": "a", "port": "b", "data": null, "nonce": null, "timeout": null});
    let signal: TinySignal = read(object("TinySignal", spec, json!(null)));
    assert!(signal.spec.data.is_absent() && signal.status.is_none());

    let page: TinyWidgetPage = read(object("TinyWidgetPage", json!({"widgets": null}), json!({})));
    assert!(page.spec.widgets.is_empty());
    let widget = json!({
        "port": null, "name": null, "schemaPatch": null,
        "gridX": null, "gridY": null, "gridW": null, "gridH": null,
    });
    let page: TinyWidgetPage =
        read(object("TinyWidgetPage", json!({"widgets": [widget]}), json!({})));
    assert_eq!(page.spec.widgets, [tiny_crds::Widget::default()]);

    let module: TinyModule = read(object("TinyModule", json!({"image": null}), json!({})));
    assert_eq!(module.spec.image, None);
}

#[test]
fn a_status_that_somebody_else_wrote_hides_no_object() {
    let odd = json!({
        "module": {"name": null, "version": null},
        "component": {"description": null, "info": null, "tags": null},
        "ports": [{"name": null, "label": null, "position": null, "source": null, "schema": "?"}],
        "status": null, "error": null, "metadata": null, "lastUpdateTime": "yesterday",
        "observedGeneration": null, "conditions": [{"type": "Ready", "lastTransitionTime": "?"}],
    });
    let node: TinyNode = read(object("TinyNode", json!({"module": "m", "component": "c"}), odd));
    let status = node.status.unwrap();
    assert_eq!((status.last_update_time, status.error, status.status.as_str()), (None, false, ""));

    let odd = json!({
        "addr": null, "name": null, "version": null, "conditions": null,
        "components": [{"name": null, "description": null, "info": null, "tags": null,
            "aliases": null, "ports": null}],
    });
    let module: TinyModule = read(object("TinyModule", json!({}), odd));
    assert_eq!(module.status.unwrap().components, [tiny_crds::ModuleComponent::default()]);

    let odd = json!({"phase": "Sleeping", "startTime": "?", "finishTime": "", "reply": null});
    let signal: TinySignal = read(object("TinySignal", json!({"node": "a", "port": "b"}), odd));
    let status = signal.status.unwrap();
    assert_eq!(status.phase, Some(Phase::Other("Sleeping".into())));
    assert_eq!((status.start_time, status.finish_time), (None, None));
}

#[test]
fn what_the_crd_requires_the_reader_requires_and_names() {
    let missing = |spec| {
        let read = serde_json::from_value::<TinyNode>(object("TinyNode", spec, json!({})));
        read.unwrap_err().to_string()
    };
    assert!(missing(json!({"component": "c"})).contains("`module`"));
    assert!(missing(json!({"module": "m"})).contains("`component`"));
    let edges = |edge| missing(json!({"module": "m", "component": "c", "edges": [edge]}));
    assert!(edges(json!({"port": "p"})).contains("`to`"));
    assert!(edges(json!({"to": "a:b"})).contains("`port`"));
    let read =
        serde_json::from_value::<TinySignal>(object("TinySignal", json!({"node": "a"}), json!({})));
    assert!(read.unwrap_err().to_string().contains("`port`"));
}

#[test]
fn an_empty_status_writes_nothing_it_does_not_know() {
    let written = |status: &Value| status.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let node = serde_json::to_value(tiny_crds::TinyNodeStatus::default()).unwrap();
    assert_eq!(written(&node), ["error"]);
    let signal = serde_json::to_value(tiny_crds::TinySignalStatus::default()).unwrap();
    assert_eq!(written(&signal), [""; 0]);
    let flow = serde_json::to_value(tiny_crds::TinyFlowStatus::default()).unwrap();
    assert_eq!(written(&flow), [""; 0]);
}
