//! What becomes of nodes, and of the module itself.

use std::time::Duration;

use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;
use tiny_crds::condition::{EDGES_VALID, READY, SETTINGS_VALID, STALLED};
use tiny_crds::{Phase, TinyModule, TinyNode, TinySignal, condition};

use crate::stage::{Stage, condition_is};

#[tokio::test]
async fn conditions_tell_what_is_wrong_and_that_it_is_right_again() {
    let stage = Stage::new().await;
    stage
        .node(
            "bad",
            json!({
                "module": "m", "component": "repeat",
                "ports": [{"port": "_settings", "configuration": {"prefix": 5}}],
                "edges": [{"id": "e", "port": "outptu", "to": "bad:input"}]
            }),
        )
        .await;
    stage.node("none", json!({"module": "m", "component": "repaet"})).await;
    let operator = stage.start("m");

    let node = stage.until::<TinyNode>("none", condition_is(READY, "False")).await;
    let status = node.status.unwrap();
    let ready = condition::find(&status.conditions, READY).unwrap();
    assert_eq!(ready.reason, "UnknownComponent");
    assert_eq!(ready.observed_generation, Some(1));
    assert_eq!(
        status.status,
        "node `none`: there is no component `repaet` (did you mean `repeat`?); this module has `answer`, `door`, `hang`, `repeat` and `unborn`"
    );
    assert!(status.error);

    let node = stage.until::<TinyNode>("bad", condition_is(SETTINGS_VALID, "False")).await;
    let conditions = node.status.unwrap().conditions;
    let settings = condition::find(&conditions, SETTINGS_VALID).unwrap();
    assert_eq!(
        settings.message,
        "node `bad`: the configuration of `_settings` does not fit: `prefix`: invalid type: integer, expected a string"
    );
    let edges = condition::find(&conditions, EDGES_VALID).unwrap();
    assert_eq!(edges.reason, "UnknownPort");
    assert!(condition::is_true(&conditions, STALLED));

    let patch = json!({"spec": {"ports": [], "edges": []}});
    let api = stage.api::<TinyNode>();
    api.patch("bad", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    let node = stage.until::<TinyNode>("bad", condition_is(READY, "True")).await;
    let status = node.status.unwrap();
    assert_eq!(status.status, "OK");
    assert_eq!(status.observed_generation, Some(2));
    assert!(condition::find(&status.conditions, STALLED).is_none());
    let ports: Vec<&str> = status.ports.iter().map(|port| port.name.as_str()).collect();
    assert_eq!(ports, ["input", "output", "_settings"]);
    stage.end(operator).await;
}

#[tokio::test]
async fn the_module_says_what_it_offers_until_somebody_uninstalls_it() {
    let stage = Stage::new().await;
    let operator = stage.start("Acme/M");
    let offered = |module: Option<&TinyModule>| {
        let status = module.and_then(|module| module.status.as_ref());
        status.is_some_and(|status| !status.components.is_empty())
    };
    let module = stage.until::<TinyModule>("acme-m", offered).await;
    assert_eq!(module.spec.image.as_deref(), Some("Acme/M:1.2.3"));
    let status = module.status.unwrap();
    assert_eq!((status.name.as_str(), status.version.as_str()), ("Acme/M", "1.2.3"));
    let repeat = status.components.iter().find(|component| component.name == "repeat").unwrap();
    let input = repeat.ports.iter().find(|port| port.name == "input").unwrap();
    let schema = input.schema.value().unwrap().unwrap();
    assert_eq!(schema.pointer("/$defs/Text/properties/text/type"), Some(&json!("string")));

    let modules = stage.api::<TinyModule>();
    modules.delete("acme-m", &DeleteParams::default()).await.unwrap();
    // What it has seen of this, it has seen of the module too.
    stage.node("late", json!({"module": "Acme/M", "component": "answer"})).await;
    stage.until::<TinyNode>("late", condition_is(READY, "True")).await;
    assert!(modules.get_opt("acme-m").await.unwrap().is_none(), "nobody makes it anew");
    operator.stop().await;
    let operator = stage.start("Acme/M");
    stage.until::<TinyModule>("acme-m", offered).await;
    stage.end(operator).await;
}

#[tokio::test]
async fn one_process_leads_and_the_next_takes_over_when_it_ends() {
    let stage = Stage::new().await;
    stage.greeting_flow().await;
    let first = stage.start("m");
    stage.until::<TinyNode>("first", condition_is(READY, "True")).await;
    let second = stage.start("m");
    stage
        .signal("s", json!({"node": "first", "port": "input", "data": {"text": "a"}, "nonce": "1"}))
        .await;
    let led = stage.status("s", Phase::Succeeded, "1").await;
    first.stop().await;
    stage.patch_signal("s", json!({"nonce": "2"})).await;
    let status = stage.status("s", Phase::Succeeded, "2").await;
    assert_eq!(status.attempts, Some(1), "it ran once");
    assert!(status.term > led.term);
    stage.end(second).await;
}

#[tokio::test]
async fn nodes_of_other_modules_are_left_alone_and_counted() {
    let stage = Stage::new().await;
    stage.node("theirs", json!({"module": "other", "component": "x"})).await;
    stage.node("ours", json!({
        "module": "m", "component": "repeat", "edges": [{"id": "e", "port": "output", "to": "theirs:in"}]
    }))
    .await;
    let operator = stage.start("m");
    let node = stage.until::<TinyNode>("ours", condition_is(EDGES_VALID, "False")).await;
    let status = node.status.unwrap();
    assert_eq!(condition::find(&status.conditions, EDGES_VALID).unwrap().reason, "ModuleMissing");
    let mut summary = operator.summary();
    let summary = summary.wait_for(|now| now.listed).await.unwrap().clone();
    assert_eq!((summary.own, summary.ready), (1, 0));
    assert_eq!(summary.others.get("other"), Some(&1));
    assert_eq!(stage.api::<TinyNode>().get("theirs").await.unwrap().status.unwrap().conditions, []);
    stage.end(operator).await;
}

#[tokio::test]
async fn an_idle_module_writes_nothing_but_its_lease() {
    let stage = Stage::new().await;
    stage.greeting_flow().await;
    let operator = stage.start("m");
    stage
        .signal("s", json!({"node": "first", "port": "input", "data": {"text": "a"}, "nonce": "1"}))
        .await;
    stage.status("s", Phase::Succeeded, "1").await;
    for name in ["first", "last"] {
        stage.until::<TinyNode>(name, condition_is(READY, "True")).await;
    }
    let versions = || async {
        let params = kube::api::ListParams::default();
        let nodes = stage.api::<TinyNode>().list(&params).await.unwrap();
        let modules = stage.api::<TinyModule>().list(&params).await.unwrap();
        let signals = stage.api::<TinySignal>().list(&params).await.unwrap();
        let nodes = nodes.iter().filter_map(ResourceExt::resource_version);
        let modules = modules.iter().filter_map(ResourceExt::resource_version);
        let signals = signals.iter().filter_map(ResourceExt::resource_version);
        nodes.chain(modules).chain(signals).collect::<Vec<_>>()
    };
    // The status of the signal may be on its way back to the controller.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = versions().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(versions().await, before);
    stage.end(operator).await;
}

#[tokio::test]
async fn a_component_that_panics_while_it_is_made_hurts_no_other_node() {
    let stage = Stage::new().await;
    stage.node("u", json!({"module": "m", "component": "unborn"})).await;
    stage.greeting_flow().await;
    let operator = stage.start("m");
    let node = stage.until::<TinyNode>("u", condition_is(READY, "False")).await;
    let status = node.status.unwrap();
    assert_eq!(condition::find(&status.conditions, READY).unwrap().reason, "ComponentPanicked");
    assert!(status.status.ends_with("it needs a variable that is not set"), "{}", status.status);
    let spec = json!({"node": "first", "port": "input", "data": {"text": "a"}, "nonce": "1"});
    stage.signal("s", spec).await;
    stage.status("s", Phase::Succeeded, "1").await;
    stage.end(operator).await;
}

#[tokio::test]
async fn a_deep_object_is_refused_before_it_makes_lists_unreadable() {
    let stage = Stage::new().await;
    let deep = (0..110).fold(json!(1), |inner, _| json!([inner]));
    let node = json!({
        "apiVersion": "operator.tinysystems.io/v1alpha1", "kind": "TinyNode", "metadata": {"name": "deep"},
        "spec": {"module": "m", "component": "c", "ports": [{"port": "p", "configuration": deep}]}
    });
    let node: TinyNode = serde_json::from_value(node).unwrap();
    let refused = stage.api().create(&PostParams::default(), &node).await.unwrap_err();
    assert!(refused.to_string().contains("nested deeper than 100 levels"), "{refused}");
}
