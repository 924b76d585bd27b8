//! JSON that is passed on without a look.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use tiny_runtime::component::{Body, Message};
use tiny_runtime::mapping::Mapping;
use tiny_runtime::prelude::*;
use tiny_runtime::testing::Flow;

/// A message with luggage.
#[message]
struct Luggage {
    /// What is passed on.
    context: Json,
    /// More of it, perhaps.
    more: Option<Json>,
    /// Something of its own.
    number: u64,
}

/// Passes on.
#[component(name = "pass")]
#[derive(Default)]
struct Pass;

#[component]
impl Pass {
    /// Takes luggage.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Luggage) -> Result {
        self.output(ctx, Luggage { number: message.number + 1, ..message }).await
    }

    /// The luggage, one further.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: Luggage) -> Result;

    /// Takes anything and answers with it.
    #[port(target)]
    async fn any(&self, _ctx: &Ctx, message: Json) -> Result<Json> {
        Ok(message)
    }
}

fn luggage(context: Value) -> Luggage {
    Luggage { context: context.into(), more: None, number: 1 }
}

#[tokio::test(start_paused = true)]
async fn it_travels_through_mappings_as_it_is() {
    let mapping = json!({"context": "{{ $.context }}", "more": "{{ $.context }}", "number": "{{ $.number }}"});
    let flow = Flow::local()
        .node::<Pass>("a")
        .node::<Pass>("b")
        .node::<Pass>("c")
        .edge("a:output", "b:input", mapping)
        .edge("b:output", "c:any", json!("{{ $ }}"));
    let outcome = flow.send("a:input", json!({"context": {"deep": [1, null]}, "number": 1})).await;
    let reply = outcome.result.unwrap().to_json().unwrap().unwrap();
    let deep = json!({"deep": [1, null]});
    assert_eq!(reply, json!({"context": deep, "more": deep, "number": 3}));
}

#[test]
fn a_mapping_hands_on_the_reference_and_copies_nothing() {
    let shared: Arc<Value> = Arc::new(json!({"large": vec!["x"; 1000]}));
    let held = || Arc::strong_count(&shared);
    let message =
        Luggage { context: shared.clone().into(), more: Some(shared.clone().into()), number: 1 };
    let body = Body::of(message);
    let mapping = Mapping::compile(&json!({
        "context": "{{ $.context }}", "more": "{{ $.more }}", "number": "{{ $.number }}"
    }));
    let mapped = body.through(Arc::new(mapping.unwrap()));
    assert_eq!(held(), 3);
    let decoded = mapped.decode::<Luggage>().unwrap();
    assert_eq!(held(), 5, "two references more, and no copy");
    assert!(std::ptr::eq(&*decoded.context, &*shared));
    drop(decoded);
    assert_eq!(held(), 3);
}

#[test]
fn paths_lead_into_it() {
    let body = Body::of(luggage(json!({"user": {"name": "ada"}, "list": [1, 2]})));
    let mapping = Mapping::compile(&json!({
        "name": "{{ $.context.user.name }}", "all": "{{ $.context }}", "last": "{{ $.context.list[-1] }}", "none": "{{ $.more }}"
    }));
    let mapped = body.through(Arc::new(mapping.unwrap())).to_value().unwrap();
    assert_eq!(mapped["name"], json!("ada"));
    assert_eq!(mapped["last"], json!(2));
    assert_eq!(mapped["all"]["list"], json!([1, 2]));
    assert_eq!(mapped.get("none"), Some(&json!(null)));
}

#[test]
fn any_json_is_taken_by_reference_from_the_border_too() {
    let shared = Arc::new(json!([1, 2, 3]));
    let json = Body::json(shared.clone()).decode::<Json>().unwrap();
    assert!(std::ptr::eq(&*json, &*shared));
}

/// A message that counts how often it is written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
struct Written;

static WRITTEN: AtomicU32 = AtomicU32::new(0);

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        WRITTEN.fetch_add(1, Ordering::SeqCst);
        serializer.serialize_unit()
    }
}

impl Message for Written {}

/// The branches of a fan-out hold clones of one body.
#[test]
fn a_message_is_written_once_for_all_who_need_its_json() {
    let body = Body::of(Written);
    for branch in [body.clone(), body.clone(), body] {
        assert_eq!(*branch.decode::<Json>().unwrap(), json!(null));
        assert_eq!(branch.to_value().unwrap(), json!(null));
    }
    assert_eq!(WRITTEN.load(Ordering::SeqCst), 1);
}
