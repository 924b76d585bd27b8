//! Nodes and edges that change while messages are under way.

use std::sync::atomic::{AtomicI32, Ordering};

use serde_json::{Value, json};
use tiny_runtime::component::Kind;
use tiny_runtime::engine::{Cause, NodeDecl, RetryBounds};
use tiny_runtime::prelude::*;
use tiny_runtime::testing::Flow;

use crate::stage::{Act, World, answer, bounded, configured, edge, failure, settle};

#[tokio::test(start_paused = true)]
async fn removing_an_edge_cancels_what_runs_over_it_and_only_that() {
    let world = World::new();
    world.script("gone", &[Act::Hang]).script("kept", &[Act::Late(1000, "kept")]);
    world.node("gone", "actor", &["error catch:input"]).node("kept", "actor", &[]);
    world.node("catch", "catcher", &[]);
    world.node("a", "actor", &["out gone:input", "out kept:input"]);
    let run = world.run_aside("a:input").await;
    world.node("a", "actor", &["out kept:input"]);
    settle().await;
    assert!(world.log().contains(&"left gone".into()), "{:?}", world.log());
    assert!(!world.log().contains(&"left kept".into()), "{:?}", world.log());
    let outcome = run.await.unwrap();
    assert_eq!(answer(&outcome).as_deref(), Some("kept"));
    assert_eq!(outcome.run.failures(), ["gone:input: edge `out-gone-input` was removed"]);
    assert_eq!(world.calls("catch"), 0, "being cancelled is no failure to catch");
}

#[tokio::test(start_paused = true)]
async fn an_edge_that_only_changes_its_mapping_or_bounds_goes_on() {
    let world = World::new();
    world.script("b", &[Act::Late(1000, "done")]).node("b", "actor", &[]);
    world.node("a", "actor", &["out b:input"]);
    let run = world.run_aside("a:input").await;
    let bounds = RetryBounds { attempts: 1, ..RetryBounds::default() };
    assert_eq!(world.update(world.decl("a", "actor", vec![bounded("out b:input", bounds)])), []);
    assert_eq!(answer(&run.await.unwrap()).as_deref(), Some("done"));
}

#[tokio::test(start_paused = true)]
async fn an_edge_that_leads_elsewhere_under_its_old_id_is_another_edge() {
    let world = World::new();
    world.script("b", &[Act::Hang]);
    world.node("b", "actor", &[]).node("c", "actor", &[]).node("a", "actor", &["out b:input"]);
    let run = world.run_aside("a:input").await;
    let mut moved = edge("out c:input");
    moved.id = "out-b-input".into();
    world.update(world.decl("a", "actor", vec![moved]));
    assert_eq!(failure(&run.await.unwrap()).kind(), Kind::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn removing_a_node_cancels_what_runs_in_it_and_in_all_that_it_caused() {
    let world = World::new();
    world.script("c", &[Act::Hang]).script("d", &[Act::Hang]);
    world.node("a", "actor", &["out b:input"]).node("b", "actor", &["out c:input"]);
    world.node("c", "actor", &[]).node("d", "actor", &[]);
    let run = world.run_aside("a:input").await;
    let other = world.run_aside("d:input").await;
    world.scheduler.remove("b");
    assert!(!world.scheduler.is_live("b"));
    let outcome = run.await.unwrap();
    let error = failure(&outcome);
    assert_eq!((error.kind(), error.to_string()), (Kind::Cancelled, "node `b` was removed".into()));
    assert_eq!(world.log().iter().filter(|line| line.starts_with("left ")).count(), 3);
    assert!(!other.is_finished(), "other nodes go on");
    other.abort();
}

#[tokio::test(start_paused = true)]
async fn removing_a_node_cancels_what_its_error_port_sent() {
    let world = World::new();
    world.script("b", &[Act::Permanent("no")]).script("catch", &[Act::Hang]);
    world.node("b", "actor", &["error catch:input"]).node("catch", "catcher", &[]);
    let run = world.run_aside("b:input").await;
    assert_eq!(world.calls("catch"), 1);
    world.scheduler.remove("b");
    settle().await;
    assert!(run.is_finished());
    assert_eq!(failure(&run.await.unwrap()).kind(), Kind::Cancelled);
}

async fn tick(world: &World) -> Value {
    let outcome = world.start(world.trigger("n:tick", json!({"times": 1}))).await;
    outcome.result.unwrap().to_json().unwrap().unwrap()["count"].clone()
}

fn counter(world: &World, configurations: Value) -> NodeDecl {
    let configurations = configured(configurations);
    NodeDecl { configurations, ..world.decl("n", "counter", vec![]) }
}

#[tokio::test]
async fn new_settings_reach_the_same_instance() {
    let world = World::new();
    assert_eq!(world.update(counter(&world, json!({}))), []);
    assert_eq!(tick(&world).await, 1);
    assert_eq!(world.update(counter(&world, json!({"_settings": {"step": 10}}))), []);
    assert_eq!(tick(&world).await, 11);
    assert_eq!(world.update(counter(&world, json!({}))), []);
    assert_eq!(tick(&world).await, 12, "settings that are gone are the defaults again");
}

#[tokio::test]
async fn settings_that_do_not_fit_are_a_finding_and_the_old_ones_stay() {
    let world = World::new();
    world.update(counter(&world, json!({"_settings": {"step": 10}})));
    let findings = world.update(counter(&world, json!({"_settings": {"step": "many"}})));
    let [finding] = &findings[..] else { panic!("one finding: {findings:?}") };
    assert_eq!(finding.cause, Cause::ConfigurationInvalid);
    for part in ["`n`", "`_settings`", "`step`"] {
        assert!(finding.message.contains(part), "{part} in: {}", finding.message);
    }
    assert_eq!(tick(&world).await, 10);
}

#[tokio::test]
async fn a_stored_message_that_does_not_fit_is_a_finding_and_the_node_lives() {
    let world = World::new();
    let findings = world.update(counter(&world, json!({"tick": {"times": "many"}})));
    assert_eq!(findings[0].cause, Cause::ConfigurationInvalid);
    assert_eq!(tick(&world).await, 1);
}

#[tokio::test]
async fn settings_that_cannot_be_read_are_a_finding_and_the_old_ones_stay() {
    let world = World::new();
    world.update(counter(&world, json!({"_settings": {"step": 10}})));
    let unreadable = [("_settings".to_owned(), "it is not base64".to_owned())].into();
    let findings = world.update(NodeDecl { unreadable, ..counter(&world, json!({})) });
    let text = "node `n`: the configuration of `_settings` cannot be read: it is not base64";
    assert_eq!(findings[0].message, text);
    assert_eq!(tick(&world).await, 10);
}

#[tokio::test]
async fn a_new_node_without_valid_settings_takes_no_message() {
    let world = World::new();
    world.update(counter(&world, json!({"_settings": {"step": "many"}})));
    assert!(!world.scheduler.is_live("n"));
    assert_eq!(world.update(counter(&world, json!({"_settings": {"step": 2}}))), []);
    assert_eq!(tick(&world).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_node_of_another_component_is_another_instance() {
    let world = World::new();
    world.script("a", &[Act::Hang]).node("a", "actor", &[]);
    let run = world.run_aside("a:input").await;
    world.node("a", "player", &[]);
    settle().await;
    assert!(!run.is_finished(), "an alias is the same component");
    world.node("a", "solo", &[]);
    assert_eq!(failure(&run.await.unwrap()).kind(), Kind::Cancelled);
}

static ALIVE: AtomicI32 = AtomicI32::new(0);

/// Counts how many of it are alive.
#[component(name = "mortal")]
pub(crate) struct Mortal;

impl Default for Mortal {
    fn default() -> Self {
        ALIVE.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

#[component]
impl Mortal {
    /// A word.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, word: String) -> Result {
        self.output(ctx, word).await
    }

    /// The word.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, word: String) -> Result;
}

/// In a circle of nodes each instance is held by an edge of another.
#[tokio::test(start_paused = true)]
async fn a_scheduler_that_is_gone_leaves_no_instance_behind() {
    let flow = Flow::local().node::<Mortal>("a").node::<Mortal>("b");
    let flow = flow.identity("a:output", "b:input").identity("b:output", "a:input");
    assert!(flow.send("a:input", json!("go round")).await.result.is_err());
    assert!(ALIVE.load(Ordering::SeqCst) >= 2);
    drop(flow);
    assert_eq!(ALIVE.load(Ordering::SeqCst), 0);
}
