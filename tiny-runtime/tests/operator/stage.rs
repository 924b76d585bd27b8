//! A module on a local plane in memory, and the components that it has.

use std::sync::Arc;
use std::time::Duration;

use kube::api::{Patch, PatchParams, PostParams};
use kube::runtime::wait::{Condition, await_condition};
use kube::{Api, Client};
use serde_json::{Value, json};
use tiny_crds::{Phase, TinyNode, TinySignal, TinySignalStatus, condition, manifest};
use tiny_runtime::component::ComponentType;
use tiny_runtime::control::ModuleId;
use tiny_runtime::local::LocalPlane;
use tiny_runtime::operator::Operator;
use tiny_runtime::prelude::*;
use tiny_runtime::registry::Registry;

pub(crate) const NAMESPACE: &str = "flows";

/// Where to go on.
#[message]
pub(crate) struct Text {
    /// The text.
    pub(crate) text: String,
}

/// How to repeat.
#[message]
#[derive(Default)]
pub(crate) struct RepeatSettings {
    /// What stands before.
    pub(crate) prefix: String,
}

/// Repeats a text.
#[component(name = "repeat")]
#[derive(Default)]
pub(crate) struct Repeat {
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
pub(crate) struct Answer;

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
pub(crate) struct Hang;

#[component]
impl Hang {
    /// Receives the text; only `go` ends, and `soon` after a while.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Text) -> Result<String> {
        let _node = ctx.node();
        if message.text == "soon" {
            tokio::time::sleep(Duration::from_millis(300)).await;
        } else if message.text != "go" {
            std::future::pending::<()>().await;
        }
        Ok("went".to_owned())
    }
}

/// Panics before it is there.
#[component(name = "unborn")]
pub(crate) struct Unborn;

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

pub(crate) struct Stage {
    pub(crate) plane: LocalPlane,
    pub(crate) client: Client,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let plane = LocalPlane::in_memory(manifest::crds()).unwrap();
        plane.ensure_namespace(NAMESPACE).await.unwrap();
        let client = plane.client(NAMESPACE);
        Self { plane, client }
    }

    pub(crate) fn start(&self, module: &str) -> Operator {
        self.start_with(module, Registry::default())
    }

    /// The same with more components.
    pub(crate) fn start_with(&self, module: &str, mut registry: Registry) -> Operator {
        registry.insert(ComponentType::of::<Repeat>());
        registry.insert(ComponentType::of::<Answer>());
        registry.insert(ComponentType::of::<Hang>());
        registry.insert(ComponentType::of::<Unborn>());
        registry.insert(ComponentType::of::<crate::cells::Door>());
        let module = ModuleId { name: module.into(), version: "1.2.3".into() };
        Operator::start(module, Arc::new(registry), &self.client, NAMESPACE, None)
    }

    pub(crate) fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    pub(crate) async fn node(&self, name: &str, spec: Value) -> TinyNode {
        let node = json!({
            "apiVersion": "operator.tinysystems.io/v1alpha1", "kind": "TinyNode",
            "metadata": {"name": name}, "spec": spec
        });
        let node: TinyNode = serde_json::from_value(node).unwrap();
        self.api().create(&PostParams::default(), &node).await.unwrap()
    }

    pub(crate) async fn greeting_flow(&self) {
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

    pub(crate) async fn signal(&self, name: &str, spec: Value) -> TinySignal {
        let signal = json!({
            "apiVersion": "operator.tinysystems.io/v1alpha1", "kind": "TinySignal",
            "metadata": {"name": name}, "spec": spec
        });
        let signal: TinySignal = serde_json::from_value(signal).unwrap();
        self.api().create(&PostParams::default(), &signal).await.unwrap()
    }

    pub(crate) async fn patch_signal(&self, name: &str, spec: Value) {
        let patch = Patch::Merge(json!({ "spec": spec }));
        let api = self.api::<TinySignal>();
        api.patch(name, &PatchParams::default(), &patch).await.unwrap();
    }

    pub(crate) async fn until<K>(&self, name: &str, holds: impl Condition<K>) -> K
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

    pub(crate) async fn status(&self, name: &str, phase: Phase, nonce: &str) -> TinySignalStatus {
        let nonce = nonce.to_owned();
        let holds = move |signal: Option<&TinySignal>| {
            signal.and_then(|signal| signal.status.as_ref()).is_some_and(|status| {
                status.phase == Some(phase.clone()) && status.observed_nonce == Some(nonce.clone())
            })
        };
        self.until::<TinySignal>(name, holds).await.status.unwrap()
    }

    pub(crate) async fn end(self, operator: Operator) {
        operator.stop().await;
        self.plane.shutdown().await;
    }
}

pub(crate) fn condition_is(
    type_: &'static str,
    truth: &'static str,
) -> impl Fn(Option<&TinyNode>) -> bool {
    move |node| {
        let status = node.and_then(|node| node.status.as_ref());
        let found = status.and_then(|status| condition::find(&status.conditions, type_));
        found.is_some_and(|condition| condition.status == truth)
    }
}
