//! A module on a local plane in memory: what its controllers make of nodes and signals.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::time::Duration;

use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::runtime::wait::{Condition, await_condition};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use tiny_crds::condition::{EDGES_VALID, READY, SETTINGS_VALID, STALLED};
use tiny_crds::{Phase, TinyModule, TinyNode, TinySignal, TinySignalStatus, condition, manifest};
use tiny_runtime::component::ComponentType;
use tiny_runtime::control::ModuleId;
use tiny_runtime::local::LocalPlane;
use tiny_runtime::operator::Operator;
use tiny_runtime::prelude::*;
use tiny_runtime::registry::Registry;

const NAMESPACE: &str = "flows";

/// Where to go on.
#[message]
pub struct Text {
    /// The text.
    pub text: String,
}

/// How to repeat.
#[message]
#[derive(Default)]
pub struct RepeatSettings {
    /// What stands before.
    pub prefix: String,
}

/// Repeats a text.
#[component(name = "repeat")]
#[derive(Default)]
pub struct Repeat {
    settings: Settings<RepeatSettings>,
}

#[component]
impl Repeat {
    /// Receives the text.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Text) -> Result {
        let text = format!("{}{}", self.settings.get().prefix, message.text);
        self.output(ctx, Text { text }).await
    }

    /// The text again.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: Text) -> Result;
}

/// Answers with what it receives.
#[component(name = "answer")]
#[derive(Default)]
pub struct Answer;

#[component]
impl Answer {
    /// Receives the text.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Text) -> Result<String> {
        let _node = ctx.node();
        if message.text == "bad" {
            return Err(Error::permanent("this text is bad"));
        }
        Ok(message.text)
    }
}

/// Never ends by itself.
#[component(name = "hang")]
#[derive(Default)]
pub struct Hang;

#[component]
impl Hang {
    /// Receives the text; only `go` ends.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Text) -> Result<String> {
        let _node = ctx.node();
        if message.text != "go" {
            std::future::pending::<()>().await;
        }
        Ok("went".to_owned())
    }
}

/// Panics before it is there.
#[component(name = "unborn")]
pub struct Unborn;

impl Default for Unborn {
    fn default() -> Self {
        panic!("it needs a variable that is not set")
    }
}

#[component]
impl Unborn {
    /// Receives nothing, ever.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Text) -> Result<()> {
        drop((ctx.node(), message));
        Ok(())
    }
}

struct Stage {
    plane: LocalPlane,
    client: Client,
}

impl Stage {
    async fn new() -> Self {
        let plane = LocalPlane::in_memory(manifest::crds()).unwrap();
        plane.ensure_namespace(NAMESPACE).await.unwrap();
        let client = plane.client(NAMESPACE);
        Self { plane, client }
    }

    fn start(&self, module: &str) -> Operator {
        let mut registry = Registry::default();
        registry.insert(ComponentType::of::<Repeat>());
        registry.insert(ComponentType::of::<Answer>());
        registry.insert(ComponentType::of::<Hang>());
        registry.insert(ComponentType::of::<Unborn>());
        let module = ModuleId { name: module.into(), version: "1.2.3".into() };
        Operator::start(module, Arc::new(registry), &self.client, NAMESPACE)
    }

    fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    async fn node(&self, name: &str, spec: Value) -> TinyNode {
        let node = json!({
            "apiVersion": "operator.tinysystems.io/v1alpha1", "kind": "TinyNode",
            "metadata": {"name": name}, "spec": spec
        });
        let node: TinyNode = serde_json::from_value(node).unwrap();
        self.api().create(&PostParams::default(), &node).await.unwrap()
    }

    async fn greeting_flow(&self) {
        self.node(
            "first",
            json!({
                "module": "m", "component": "repeat",
                "ports": [{"port": "_settings", "configuration": {"prefix": "Hello, "}}],
                "edges": [{"id": "e", "port": "output", "to": "last:input",
                           "configuration": {"text": "{{ $.text }}!"}}]
            }),
        )
        .await;
        self.node("last", json!({"module": "m", "component": "answer"})).await;
    }

    async fn signal(&self, name: &str, spec: Value) -> TinySignal {
        let signal = json!({
            "apiVersion": "operator.tinysystems.io/v1alpha1", "kind": "TinySignal",
            "metadata": {"name": name}, "spec": spec
        });
        let signal: TinySignal = serde_json::from_value(signal).unwrap();
        self.api().create(&PostParams::default(), &signal).await.unwrap()
    }

    async fn patch_signal(&self, name: &str, spec: Value) {
        let patch = Patch::Merge(json!({ "spec": spec }));
        let api = self.api::<TinySignal>();
        api.patch(name, &PatchParams::default(), &patch).await.unwrap();
    }

    async fn until<K>(&self, name: &str, holds: impl Condition<K>) -> K
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + std::fmt::Debug
            + serde::de::DeserializeOwned
            + Send
            + 'static,
    {
        let waited = await_condition(self.api::<K>(), name, holds);
        match tokio::time::timeout(Duration::from_secs(20), waited).await {
            Ok(found) => found.unwrap().expect("the object should be there"),
            Err(_) => {
                panic!("{name} is not as it should be: {:?}", self.api::<K>().get(name).await)
            }
        }
    }

    async fn status(&self, name: &str, phase: Phase, nonce: &str) -> TinySignalStatus {
        let nonce = nonce.to_owned();
        let holds = move |signal: Option<&TinySignal>| {
            signal.and_then(|signal| signal.status.as_ref()).is_some_and(|status| {
                status.phase == Some(phase.clone()) && status.observed_nonce == Some(nonce.clone())
            })
        };
        self.until::<TinySignal>(name, holds).await.status.unwrap()
    }

    async fn end(self, operator: Operator) {
        operator.stop().await;
        self.plane.shutdown().await;
    }
}

fn condition_is(type_: &'static str, truth: &'static str) -> impl Fn(Option<&TinyNode>) -> bool {
    move |node| {
        let status = node.and_then(|node| node.status.as_ref());
        let found = status.and_then(|status| condition::find(&status.conditions, type_));
        found.is_some_and(|condition| condition.status == truth)
    }
}

#[tokio::test]
async fn a_signal_travels_through_the_flow_and_its_status_holds_the_reply() {
    let stage = Stage::new().await;
    stage.greeting_flow().await;
    let operator = stage.start("m");
    stage
        .signal(
            "s",
            json!({"node": "first", "port": "input", "data": {"text": "World"}, "nonce": "1"}),
        )
        .await;
    let status = stage.status("s", Phase::Succeeded, "1").await;
    assert_eq!(status.reply, Some(json!("Hello, World!")));
    assert_eq!(status.attempts, Some(1));
    assert_eq!(status.observed_generation, Some(1));
    assert!(status.start_time.is_some() && status.finish_time.is_some());

    // A new nonce runs again; data as base64 is the form of older clients.
    stage.patch_signal("s", json!({"nonce": "2", "data": "eyJ0ZXh0IjoiYmFzZTY0In0="})).await;
    let status = stage.status("s", Phase::Succeeded, "2").await;
    assert_eq!(status.reply, Some(json!("Hello, base64!")));
    stage.end(operator).await;
}

#[tokio::test]
async fn a_failure_is_said_in_the_status() {
    let stage = Stage::new().await;
    stage.node("last", json!({"module": "m", "component": "answer"})).await;
    let operator = stage.start("m");
    stage
        .signal(
            "s",
            json!({"node": "last", "port": "input", "data": {"text": "bad"}, "nonce": "1"}),
        )
        .await;
    let status = stage.status("s", Phase::Failed, "1").await;
    assert_eq!(status.error.as_deref(), Some("this text is bad"));

    stage.patch_signal("s", json!({"nonce": "2", "data": {"text": 5}})).await;
    let status = stage.status("s", Phase::Failed, "2").await;
    let error = status.error.unwrap();
    assert_eq!(
        error,
        "the message for node `last` does not fit: `text`: invalid type: integer, expected a string"
    );

    stage.patch_signal("s", json!({"nonce": "3", "port": "inptu"})).await;
    let error = stage.status("s", Phase::Failed, "3").await.error.unwrap();
    assert_eq!(
        error,
        "node `last` (answer) has no target `inptu` (did you mean `input`?); it has `input`"
    );

    stage.patch_signal("s", json!({"nonce": "4", "timeout": "soon"})).await;
    let error = stage.status("s", Phase::Failed, "4").await.error.unwrap();
    assert!(error.starts_with("`spec.timeout`: `soon` is not a duration"), "{error}");
    stage.end(operator).await;
}

#[tokio::test]
async fn the_same_nonce_with_other_data_does_not_run_and_says_so() {
    let stage = Stage::new().await;
    stage.greeting_flow().await;
    let operator = stage.start("m");
    stage
        .signal("s", json!({"node": "first", "port": "input", "data": {"text": "a"}, "nonce": "1"}))
        .await;
    stage.status("s", Phase::Succeeded, "1").await;
    stage.patch_signal("s", json!({"data": {"text": "b"}})).await;
    let refused = |signal: Option<&TinySignal>| {
        let status = signal.and_then(|signal| signal.status.as_ref());
        status.is_some_and(|status| status.observed_generation == Some(2))
    };
    let status = stage.until::<TinySignal>("s", refused).await.status.unwrap();
    assert_eq!(status.reply, Some(json!("Hello, a!")));
    assert_eq!(
        status.message.as_deref(),
        Some(
            "the spec changed, but nonce `1` has run already, so this did not run; write a new nonce"
        )
    );
    stage.end(operator).await;
}

#[tokio::test]
async fn without_a_nonce_every_change_of_the_spec_runs() {
    let stage = Stage::new().await;
    stage.greeting_flow().await;
    let operator = stage.start("m");
    let signal =
        stage.signal("s", json!({"node": "first", "port": "input", "data": {"text": "a"}})).await;
    let uid = signal.uid().unwrap();
    stage.status("s", Phase::Succeeded, &format!("{uid}/1")).await;
    stage.patch_signal("s", json!({"data": {"text": "b"}})).await;
    let status = stage.status("s", Phase::Succeeded, &format!("{uid}/2")).await;
    assert_eq!(status.reply, Some(json!("Hello, b!")));
    stage.end(operator).await;
}

#[tokio::test]
async fn a_newer_nonce_cancels_what_runs_and_then_runs() {
    let stage = Stage::new().await;
    stage.node("h", json!({"module": "m", "component": "hang"})).await;
    let operator = stage.start("m");
    stage
        .signal("s", json!({"node": "h", "port": "input", "data": {"text": "stay"}, "nonce": "1"}))
        .await;
    stage.status("s", Phase::Running, "1").await;
    stage.patch_signal("s", json!({"nonce": "2", "data": {"text": "go"}})).await;
    let status = stage.status("s", Phase::Succeeded, "2").await;
    assert_eq!(status.reply, Some(json!("went")));
    assert_eq!(status.attempts, Some(1));
    stage.end(operator).await;
}

#[tokio::test]
async fn what_runs_at_shutdown_stays_running_and_runs_again() {
    let stage = Stage::new().await;
    stage.node("h", json!({"module": "m", "component": "hang"})).await;
    let operator = stage.start("m");
    stage
        .signal("s", json!({"node": "h", "port": "input", "data": {"text": "stay"}, "nonce": "1"}))
        .await;
    stage.status("s", Phase::Running, "1").await;
    operator.stop().await;
    let left = stage.api::<TinySignal>().get("s").await.unwrap().status.unwrap();
    assert_eq!(left.phase, Some(Phase::Running));

    let operator = stage.start("m");
    let again = |signal: Option<&TinySignal>| {
        let status = signal.and_then(|signal| signal.status.as_ref());
        status.is_some_and(|status| status.attempts == Some(2))
    };
    let status = stage.until::<TinySignal>("s", again).await.status.unwrap();
    assert_eq!(status.phase, Some(Phase::Running));
    assert!(
        status.term > left.term,
        "a new process leads in a new term: {:?}, {:?}",
        left.term,
        status.term
    );
    stage.end(operator).await;
}

#[tokio::test]
async fn a_deleted_signal_ends_its_run() {
    let stage = Stage::new().await;
    stage.node("h", json!({"module": "m", "component": "hang"})).await;
    let operator = stage.start("m");
    stage
        .signal("s", json!({"node": "h", "port": "input", "data": {"text": "stay"}, "nonce": "1"}))
        .await;
    stage.status("s", Phase::Running, "1").await;
    stage.api::<TinySignal>().delete("s", &DeleteParams::default()).await.unwrap();
    stage
        .signal("s", json!({"node": "h", "port": "input", "data": {"text": "go"}, "nonce": "1"}))
        .await;
    stage.status("s", Phase::Succeeded, "1").await;
    stage.end(operator).await;
}

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
        "node `none`: there is no component `repaet` (did you mean `repeat`?); this module has `answer`, `hang`, `repeat` and `unborn`"
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
async fn the_module_says_what_it_offers_and_comes_back_when_it_is_deleted() {
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

    stage.api::<TinyModule>().delete("acme-m", &DeleteParams::default()).await.unwrap();
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
    assert_eq!(condition::find(&status.conditions, EDGES_VALID).unwrap().reason, "ForeignTarget");
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
async fn a_signal_that_goes_to_another_module_ends_its_run_here() {
    let stage = Stage::new().await;
    stage.node("h", json!({"module": "m", "component": "hang"})).await;
    stage.node("theirs", json!({"module": "other", "component": "x"})).await;
    let operator = stage.start("m");
    let spec = json!({"node": "h", "port": "input", "data": {"text": "stay"}, "nonce": "1"});
    stage.signal("s", spec).await;
    stage.status("s", Phase::Running, "1").await;
    stage.patch_signal("s", json!({"node": "theirs", "nonce": "2"})).await;
    // It is free again: the next nonce for our node runs at once.
    stage.patch_signal("s", json!({"node": "h", "nonce": "3", "data": {"text": "go"}})).await;
    stage.status("s", Phase::Succeeded, "3").await;
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
