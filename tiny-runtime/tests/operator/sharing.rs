//! What nodes share with those behind them, also across modules.

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tiny_crds::TinyNode;
use tiny_runtime::component::ComponentType;
use tiny_runtime::prelude::*;
use tiny_runtime::registry::Registry;

use crate::stage::Stage;

/// An order.
#[message]
struct Order {
    /// Its number.
    id: u32,
}

/// An order on its way.
#[message]
struct Ordered {
    /// The order.
    #[ui(shared)]
    context: Order,
}

/// Whatever is passed on.
#[message]
struct Passed {
    /// What it is.
    #[ui(configurable, shared)]
    context: Json,
}

/// Takes orders.
#[component(name = "desk")]
#[derive(Default)]
struct Desk;

#[component]
impl Desk {
    /// Takes an order.
    #[port(target)]
    async fn take(&self, ctx: &Ctx, message: Order) -> Result {
        self.out(ctx, Ordered { context: message }).await
    }

    /// The order.
    #[port(source)]
    async fn out(&self, ctx: &Ctx, message: Ordered) -> Result;
}

/// Passes on what it gets.
#[component(name = "belt")]
#[derive(Default)]
struct Belt;

#[component]
impl Belt {
    /// Takes anything.
    #[port(target, name = "in")]
    async fn input(&self, ctx: &Ctx, message: Passed) -> Result {
        self.out(ctx, message).await
    }

    /// The same.
    #[port(source)]
    async fn out(&self, ctx: &Ctx, message: Passed) -> Result;
}

/// The definition of the context at a port, where the node's status has one of its own.
fn context(node: &TinyNode, port: &str) -> Option<Value> {
    let status = node.status.as_ref()?;
    let port = status.ports.iter().find(|it| it.name == port)?;
    port.schema.value().unwrap()?.pointer("/$defs/Context").cloned()
}

fn belt(module: &str, to: &str) -> Value {
    json!({"module": module, "component": "belt", "edges": [{"id": "e", "port": "out", "to": to}]})
}

pub(crate) fn components() -> Registry {
    let mut registry = Registry::default();
    registry.insert(ComponentType::of::<Desk>());
    registry.insert(ComponentType::of::<Belt>());
    registry
}

#[tokio::test]
async fn a_type_travels_along_the_flow_and_back_when_nobody_says_it_any_more() {
    let stage = Stage::new().await;
    let edges = json!([{"id": "e", "port": "out", "to": "near:in"}]);
    let desk = json!({"module": "m", "component": "desk", "edges": edges});
    stage.node("desk", desk).await;
    stage.node("near", belt("m", "far:in")).await;
    // Of another module, and in a circle with the first.
    stage.node("far", belt("n", "near:in")).await;
    let m = stage.start_with("m", components());
    let n = stage.start_with("n", components());

    let typed = |port: &'static str| {
        move |node: Option<&TinyNode>| {
            node.and_then(|node| context(node, port)).is_some_and(|it| it["type"] == "object")
        }
    };
    for (node, port) in [("near", "in"), ("near", "out"), ("far", "in"), ("far", "out")] {
        let node = stage.until::<TinyNode>(node, typed(port)).await;
        let context = context(&node, port).unwrap();
        assert_eq!(context["sharedFrom"], json!("desk:out"));
        assert_eq!(context["path"], json!("$.context"));
        assert_eq!((&context["configurable"], &context["shared"]), (&json!(true), &json!(true)));
        assert_eq!(context["properties"]["id"]["type"], json!("integer"));
    }
    let desk = stage.api::<TinyNode>().get("desk").await.unwrap();
    assert_eq!(context(&desk, "out"), None, "what the module says is not said again");

    let patch = json!({"spec": {"edges": []}});
    let api = stage.api::<TinyNode>();
    api.patch("desk", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    let bare = |node: Option<&TinyNode>| node.is_some_and(|node| context(node, "in").is_none());
    stage.until::<TinyNode>("near", bare).await;
    stage.until::<TinyNode>("far", bare).await;
    m.stop().await;
    stage.end(n).await;
}

#[tokio::test]
async fn what_an_editor_stored_for_a_port_types_it_and_what_is_behind() {
    let stage = Stage::new().await;
    let stored = json!({"$defs": {"Context": {
        "type": "object", "configurable": true, "properties": {"name": {"type": "string"}}
    }}});
    let mut node = belt("m", "behind:in");
    node["ports"] = json!([{"port": "in", "schema": stored}]);
    stage.node("first", node).await;
    stage.node("behind", json!({"module": "m", "component": "belt"})).await;
    let operator = stage.start_with("m", components());
    for name in ["first", "behind"] {
        let typed = |node: Option<&TinyNode>| node.and_then(|node| context(node, "out")).is_some();
        let node = stage.until::<TinyNode>(name, typed).await;
        let context = context(&node, "in").unwrap();
        assert_eq!(context["properties"]["name"]["type"], json!("string"), "{name}");
        assert_eq!(context["path"], json!("$.context"));
    }

    // Another one, while all run.
    let stored = json!({"$defs": {"Context": {"type": "array", "configurable": true}}});
    let patch = json!({"spec": {"ports": [{"port": "in", "schema": stored}]}});
    let api = stage.api::<TinyNode>();
    api.patch("first", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    for name in ["first", "behind"] {
        let typed = |node: Option<&TinyNode>| {
            node.and_then(|node| context(node, "out")).is_some_and(|it| it["type"] == "array")
        };
        stage.until::<TinyNode>(name, typed).await;
    }
    stage.end(operator).await;
}
