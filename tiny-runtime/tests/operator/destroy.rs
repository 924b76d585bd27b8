//! Nodes that are deleted, and whose components delete first what they made outside.

use std::sync::Mutex;
use std::time::Duration;

use kube::ResourceExt;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use tiny_crds::condition::{READY, SETTINGS_VALID};
use tiny_crds::labels::NODE_FINALIZER;
use tiny_crds::{Phase, TinyModule, TinyNode, condition};
use tiny_runtime::component::ComponentType;
use tiny_runtime::operator::Operator;
use tiny_runtime::prelude::*;
use tiny_runtime::registry::Registry;
use tokio::time::{sleep, timeout};

use crate::stage::{Stage, Text, condition_is};

/// What was called: the node, whose name no other test has, and what its hook saw.
static CALLS: Mutex<Vec<(String, u64)>> = Mutex::new(Vec::new());

/// The nodes whose slow end may come.
static OPEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn calls(node: &str) -> Vec<u64> {
    let calls = CALLS.lock().unwrap();
    calls.iter().filter(|(of, _)| of == node).map(|(_, guests)| *guests).collect()
}

/// How a lodge ends.
#[message]
#[derive(Default)]
struct Lease {
    /// `busy` for once, `locked` for good, `slow`, or neither.
    end: String,
}

/// Has guests.
#[component(name = "lodge")]
#[derive(Default)]
struct Lodge {
    lease: Settings<Lease>,
    guests: State<u64>,
}

#[component]
impl Lodge {
    /// Agrees to the lease, and has it looked after.
    #[port(settings)]
    async fn sign(&self, ctx: &Ctx, _lease: &Lease) -> Result<()> {
        ctx.spawn(self, |_, ctx| async move {
            ctx.cancelled().await;
            Ok(())
        })
    }

    /// Takes a guest in, and answers how many there are.
    #[port(target)]
    async fn come(&self, _ctx: &Ctx, _guest: Text) -> Result<u64> {
        self.guests
            .update(|guests| {
                *guests += 1;
                *guests
            })
            .await
    }

    /// Sends the guests away.
    #[port(destroy)]
    async fn on_destroy(&self, ctx: &Ctx) -> Result<()> {
        CALLS.lock().unwrap().push((ctx.node().to_owned(), *self.guests.get()));
        match &*self.lease.get().end {
            "busy" if calls(ctx.node()).len() == 1 => {
                // Longer than all attempts have, so that it is the controller that tries again.
                Err(Error::retry_after("a guest is asleep", Duration::from_secs(60)))
            }
            "locked" => Err(Error::permanent("the door is locked")),
            "slow" => {
                while !OPEN.lock().unwrap().iter().any(|node| node == ctx.node()) {
                    sleep(Duration::from_millis(10)).await;
                }
                Ok(())
            }
            _ => self.guests.update(|guests| *guests = 0).await,
        }
    }
}

fn start(stage: &Stage) -> Operator {
    let mut registry = Registry::default();
    registry.insert(ComponentType::of::<Lodge>());
    stage.start_with("m", registry)
}

async fn lodge(stage: &Stage, name: &str, end: &str) {
    let ports = json!([{"port": "_settings", "configuration": {"end": end}}]);
    stage.node(name, json!({"module": "m", "component": "lodge", "ports": ports})).await;
    stage.until(name, condition_is(READY, "True")).await;
}

async fn come(stage: &Stage, node: &str) {
    stage
        .signal(node, json!({"node": node, "port": "come", "data": {"text": "Ann"}, "nonce": "1"}))
        .await;
    stage.status(node, Phase::Succeeded, "1").await;
}

async fn patch(stage: &Stage, name: &str, patch: Value) {
    let api = stage.api::<TinyNode>();
    api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

async fn delete(stage: &Stage, name: &str) {
    stage.api::<TinyNode>().delete(name, &DeleteParams::default()).await.unwrap();
}

async fn until_gone(stage: &Stage, name: &str) {
    let api = stage.api::<TinyNode>();
    let gone = async {
        while api.get_opt(name).await.unwrap().is_some() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(Duration::from_secs(20), gone).await.is_err() {
        panic!("{name} is still there: {:?}", api.get(name).await);
    }
}

async fn finalizers(stage: &Stage, name: &str) -> Vec<String> {
    stage.api::<TinyNode>().get(name).await.unwrap().finalizers().to_vec()
}

fn has_finalizers(finalizers: &'static [&'static str]) -> impl Fn(Option<&TinyNode>) -> bool {
    move |node| node.is_some_and(|node| node.finalizers() == finalizers)
}

#[tokio::test]
async fn the_leader_calls_the_hook_once_and_then_the_object_goes() {
    let stage = Stage::new().await;
    let (one, two) = (start(&stage), start(&stage));
    lodge(&stage, "inn", "").await;
    assert_eq!(finalizers(&stage, "inn").await, [NODE_FINALIZER]);
    come(&stage, "inn").await;
    delete(&stage, "inn").await;
    until_gone(&stage, "inn").await;
    assert_eq!(calls("inn"), [1]);
    one.stop().await;
    stage.end(two).await;
}

#[tokio::test]
async fn a_module_that_was_uninstalled_holds_no_further_node() {
    let stage = Stage::new().await;
    let operator = start(&stage);
    lodge(&stage, "lodge", "").await;
    stage.until::<TinyModule>("m", |module: Option<&TinyModule>| module.is_some()).await;
    stage.api::<TinyModule>().delete("m", &DeleteParams::default()).await.unwrap();
    stage.node("cabin", json!({"module": "m", "component": "lodge"})).await;
    let node = stage.until::<TinyNode>("cabin", condition_is(READY, "True")).await;
    assert_eq!(node.finalizers(), [""; 0]);
    assert_eq!(
        finalizers(&stage, "lodge").await,
        [NODE_FINALIZER],
        "what it had to delete stays its own"
    );
    operator.stop().await;
    let operator = start(&stage);
    stage.until("cabin", has_finalizers(&[NODE_FINALIZER])).await;
    stage.end(operator).await;
}

#[tokio::test]
async fn a_node_without_the_hook_has_no_finalizer() {
    let stage = Stage::new().await;
    let operator = start(&stage);
    stage.greeting_flow().await;
    let node = stage.until::<TinyNode>("last", condition_is(READY, "True")).await;
    assert_eq!(node.finalizers(), [""; 0]);
    delete(&stage, "last").await;
    assert!(stage.api::<TinyNode>().get_opt("last").await.unwrap().is_none());
    stage.end(operator).await;
}

#[tokio::test]
async fn the_end_of_a_process_deletes_nothing_and_the_next_one_makes_up_for_what_it_missed() {
    let stage = Stage::new().await;
    let operator = start(&stage);
    lodge(&stage, "hostel", "").await;
    come(&stage, "hostel").await;
    operator.stop().await;
    assert_eq!(calls("hostel"), [0_u64; 0]);
    delete(&stage, "hostel").await;
    let node = stage.api::<TinyNode>().get("hostel").await.unwrap();
    assert!(node.metadata.deletion_timestamp.is_some(), "it waits for its component");
    let operator = start(&stage);
    until_gone(&stage, "hostel").await;
    assert_eq!(calls("hostel"), [1], "made anew, it has its settings and its state");
    // One of the same name is another node.
    lodge(&stage, "hostel", "").await;
    assert_eq!(finalizers(&stage, "hostel").await, [NODE_FINALIZER]);
    stage.end(operator).await;
}

#[tokio::test]
async fn a_hook_that_fails_for_now_keeps_the_object_and_is_called_again() {
    let stage = Stage::new().await;
    let operator = start(&stage);
    lodge(&stage, "motel", "busy").await;
    delete(&stage, "motel").await;
    let node = stage.until::<TinyNode>("motel", condition_is(READY, "False")).await;
    let conditions = node.status.unwrap().conditions;
    let ready = condition::find(&conditions, READY).unwrap();
    assert_eq!(ready.reason, "DestroyFailed");
    assert!(ready.message.ends_with("a guest is asleep"), "{}", ready.message);
    until_gone(&stage, "motel").await;
    assert_eq!(calls("motel").len(), 2);
    stage.end(operator).await;
}

#[tokio::test]
async fn a_hook_that_fails_for_good_lets_the_object_go() {
    let stage = Stage::new().await;
    let operator = start(&stage);
    lodge(&stage, "cell", "locked").await;
    delete(&stage, "cell").await;
    until_gone(&stage, "cell").await;
    assert_eq!(calls("cell").len(), 1);
    stage.end(operator).await;
}

#[tokio::test]
async fn a_hook_that_takes_its_time_holds_nobody_up() {
    let stage = Stage::new().await;
    let operator = start(&stage);
    lodge(&stage, "manor", "slow").await;
    delete(&stage, "manor").await;
    stage.greeting_flow().await;
    stage.until::<TinyNode>("first", condition_is(READY, "True")).await;
    lodge(&stage, "tent", "").await;
    delete(&stage, "tent").await;
    until_gone(&stage, "tent").await;
    assert_eq!(finalizers(&stage, "manor").await, [NODE_FINALIZER]);
    OPEN.lock().unwrap().push("manor".to_owned());
    until_gone(&stage, "manor").await;
    stage.end(operator).await;
}

#[tokio::test]
async fn what_a_leader_began_the_next_one_begins_anew() {
    let stage = Stage::new().await;
    let one = start(&stage);
    lodge(&stage, "castle", "slow").await;
    let two = start(&stage);
    delete(&stage, "castle").await;
    let called = |times| async move {
        while calls("castle").len() < times {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), called(1)).await.unwrap();
    one.stop().await;
    timeout(Duration::from_secs(20), called(2)).await.unwrap();
    OPEN.lock().unwrap().push("castle".to_owned());
    until_gone(&stage, "castle").await;
    assert_eq!(calls("castle").len(), 2);
    stage.end(two).await;
}

#[tokio::test]
async fn nobody_is_kept_by_a_hook_that_is_not_there() {
    let stage = Stage::new().await;
    // One whose component has no hook (any more), one whose component is not there, one that cannot be made.
    stage.node("without", json!({"module": "m", "component": "answer"})).await;
    stage.node("unknown", json!({"module": "m", "component": "castle"})).await;
    let faulty = json!([{"port": "_settings", "configuration": {"end": 5}}]);
    stage.node("faulty", json!({"module": "m", "component": "lodge", "ports": faulty})).await;
    for name in ["without", "unknown", "faulty"] {
        let held = json!({"metadata": {"finalizers": ["tinysystems.io/other", NODE_FINALIZER]}});
        patch(&stage, name, held).await;
    }
    let operator = start(&stage);
    stage.until("without", has_finalizers(&["tinysystems.io/other"])).await;
    stage.until("faulty", condition_is(SETTINGS_VALID, "False")).await;
    for name in ["unknown", "faulty"] {
        assert_eq!(finalizers(&stage, name).await.len(), 2, "its component may still come");
        delete(&stage, name).await;
        stage.until(name, has_finalizers(&["tinysystems.io/other"])).await;
    }
    assert_eq!(calls("faulty"), [0_u64; 0]);
    stage.end(operator).await;
}

#[tokio::test]
async fn a_node_that_others_keep_does_not_come_back_to_life() {
    let stage = Stage::new().await;
    let operator = start(&stage);
    lodge(&stage, "ruin", "").await;
    let held = json!({"metadata": {"finalizers": ["tinysystems.io/other", NODE_FINALIZER]}});
    patch(&stage, "ruin", held).await;
    delete(&stage, "ruin").await;
    stage.until("ruin", has_finalizers(&["tinysystems.io/other"])).await;
    let mut summary = operator.summary();
    summary.wait_for(|now| now.own == 0).await.unwrap();
    patch(&stage, "ruin", json!({"spec": {"ports": []}})).await;
    let signal = json!({"node": "ruin", "port": "come", "data": {"text": "Bob"}, "nonce": "2"});
    stage.signal("late", signal).await;
    sleep(Duration::from_millis(500)).await;
    assert_eq!(summary.borrow().own, 0);
    assert_eq!(calls("ruin").len(), 1);
    patch(&stage, "ruin", json!({"metadata": {"finalizers": null}})).await;
    until_gone(&stage, "ruin").await;
    stage.end(operator).await;
}
