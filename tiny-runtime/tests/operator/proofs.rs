//! Edges are proved against what both ends say now: after a new version of a module, behind what passes things on, across modules.

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tiny_crds::{TinyModule, TinyNode};
use tiny_runtime::component::ComponentType;
use tiny_runtime::prelude::*;
use tiny_runtime::registry::Registry;

use crate::sharing::components;
use crate::stage::{Stage, condition_is};

mod first {
    use super::*;

    /// What is said.
    #[message]
    pub(super) struct Said {
        /// The text.
        pub(super) text: String,
    }

    /// Talks.
    #[component(name = "talk")]
    #[derive(Default)]
    pub(super) struct Talk;

    #[component]
    impl Talk {
        /// Takes a text.
        #[port(target)]
        async fn input(&self, ctx: &Ctx, message: Said) -> Result {
            self.out(ctx, message).await
        }

        /// The text.
        #[port(source)]
        async fn out(&self, ctx: &Ctx, message: Said) -> Result;
    }
}

mod second {
    use super::*;

    /// What is said, under another name.
    #[message]
    pub(super) struct Said {
        /// The text.
        pub(super) words: String,
    }

    /// Talks.
    #[component(name = "talk")]
    #[derive(Default)]
    pub(super) struct Talk;

    #[component]
    impl Talk {
        /// Takes a text.
        #[port(target)]
        async fn input(&self, ctx: &Ctx, message: Said) -> Result {
            self.out(ctx, message).await
        }

        /// The text.
        #[port(source)]
        async fn out(&self, ctx: &Ctx, message: Said) -> Result;
    }
}

fn with(talk: ComponentType) -> Registry {
    let mut registry = components();
    registry.insert(talk);
    registry
}

fn talk(module: &str, to: &str, mapping: &Value) -> Value {
    let edge = json!({"id": "e", "port": "out", "to": to, "configuration": mapping});
    json!({"module": module, "component": "talk", "edges": [edge]})
}

/// The status and message of `EdgesValid`, once it is about the object as it is.
fn edges_valid(conditions: &[tiny_crds::Condition]) -> Option<(String, String)> {
    let found = conditions.iter().find(|it| it.type_ == "EdgesValid")?;
    Some((found.status.clone(), found.message.clone()))
}

fn of_module(module: Option<&TinyModule>) -> Option<(String, String)> {
    edges_valid(&module?.status.as_ref()?.conditions)
}

fn of_node(node: Option<&TinyNode>) -> Option<(String, String)> {
    edges_valid(&node?.status.as_ref()?.conditions)
}

/// `EdgesValid` of a module has this status, and does not speak of `other`.
fn module_is(truth: &'static str, other: &'static str) -> impl Fn(Option<&TinyModule>) -> bool {
    move |module| {
        let found = of_module(module);
        found.is_some_and(|(status, said)| {
            status == truth && (other.is_empty() || !said.contains(other))
        })
    }
}

#[tokio::test]
async fn a_new_version_says_which_live_edges_its_ports_refute() {
    let stage = Stage::new().await;
    stage.node("one", talk("m", "end:input", &json!({"text": "{{ $.text }}"}))).await;
    stage.node("end", json!({"module": "m", "component": "answer"})).await;
    // An edge from another module into this one.
    stage.node("far", talk("n", "one:input", &json!({"text": "{{ $.text }}"}))).await;
    let n = stage.start_with("n", with(ComponentType::of::<first::Talk>()));
    let m = stage.start_with("m", with(ComponentType::of::<first::Talk>()));
    stage.until::<TinyModule>("m", module_is("True", "")).await;
    stage.until::<TinyModule>("n", module_is("True", "")).await;
    m.stop().await;

    let m = stage.start_with("m", with(ComponentType::of::<second::Talk>()));
    let module = stage.until::<TinyModule>("m", module_is("False", "")).await;
    let (_, said) = of_module(Some(&module)).unwrap();
    assert!(said.contains("node `one`, edge `e`: `text`: `{{ $.text }}` leads nowhere: `Said` has no `text`, only `words`"), "{said}");
    assert!(
        said.contains("node `far`, edge `e`: `words` is required, and nothing feeds it"),
        "{said}"
    );
    // Nobody serves over such an edge: what fitted before fits no more.
    let node = stage.until::<TinyNode>("one", condition_is("EdgesValid", "False")).await;
    let (_, said) = of_node(Some(&node)).unwrap();
    assert!(said.ends_with("until it is corrected, no message passes this edge"), "{said}");

    // Once the mapping follows, all is well.
    let spec = json!({"spec": talk("m", "end:input", &json!({"text": "{{ $.words }}"}))});
    let api = stage.api::<TinyNode>();
    api.patch("one", &PatchParams::default(), &Patch::Merge(spec)).await.unwrap();
    stage.until::<TinyNode>("one", condition_is("EdgesValid", "True")).await;
    let module = stage.until::<TinyModule>("m", module_is("False", "node `one`")).await;
    assert!(of_module(Some(&module)).unwrap().1.contains("node `far`"));
    m.stop().await;
    n.stop().await;
}

#[tokio::test]
async fn behind_what_passes_on_a_wrong_path_is_found_when_the_neighbour_is_known() {
    let stage = Stage::new().await;
    let edges = json!([{"id": "e", "port": "out", "to": "belt:in"}]);
    stage.node("desk", json!({"module": "n", "component": "desk", "edges": edges})).await;
    let mapping = json!({"text": "order {{ $.context.number }}"});
    let edges = json!([{"id": "e", "port": "out", "to": "end:input", "configuration": mapping}]);
    stage.node("belt", json!({"module": "m", "component": "belt", "edges": edges})).await;
    stage.node("end", json!({"module": "m", "component": "answer"})).await;
    // Module `n` has told nothing yet: nobody can know.
    let m = stage.start_with("m", components());
    stage.until::<TinyNode>("belt", condition_is("EdgesValid", "True")).await;

    let n = stage.start_with("n", components());
    let node = stage.until::<TinyNode>("belt", condition_is("EdgesValid", "False")).await;
    let (_, said) = of_node(Some(&node)).unwrap();
    assert!(said.contains("`text`: `order {{ $.context.number }}` has no text: `{{ $.context.number }}` may be nothing (`Order` has no `number`, only `id`)"), "{said}");
    m.stop().await;
    n.stop().await;
}
