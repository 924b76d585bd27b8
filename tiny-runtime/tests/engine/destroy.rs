//! The end of a node for good: its component deletes what it made outside.

use std::time::Duration;

use serde_json::json;
use tiny_runtime::component::Kind;
use tokio::time::Instant;

use crate::stage::{Act, World, failure};

/// What became of the hook of node `a`, which does what `acts` say.
async fn destroyed(world: &World, acts: &[Act]) -> tiny_runtime::component::Result<()> {
    world.script("a", acts).node("a", "tenant", &[]);
    world.scheduler.destroy("a").await
}

#[tokio::test(start_paused = true)]
async fn what_runs_in_a_node_ends_before_its_hook_is_called() {
    let world = World::new();
    world.script("a", &[Act::Hang, Act::Nothing]).node("a", "tenant", &[]);
    world.start(world.trigger("a:stay", json!({"text": "long"}))).await.result.unwrap().ignore();
    let run = world.run_aside("a:input").await;
    let end = world.scheduler.destroy("a");
    assert!(!world.scheduler.is_live("a"), "it takes no message from now on");
    end.await.unwrap();
    assert_eq!(failure(&run.await.unwrap()).to_string(), "node `a` was removed");
    assert_eq!(world.log(), ["a: go", "left a", "a: moved out", "a: the end", "left a"]);
}

#[tokio::test(start_paused = true)]
async fn no_message_is_under_way_when_the_hook_is_called() {
    let world = World::new();
    world.script("a", &[Act::Hang, Act::Nothing]).node("a", "tenant", &[]);
    let run = world.run_aside("a:input").await;
    world.scheduler.destroy("a").await.unwrap();
    assert_eq!(world.log(), ["a: go", "left a", "a: the end", "left a"]);
    assert!(run.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_removed_or_stopped_is_not_destroyed() {
    let world = World::new();
    world.node("a", "tenant", &[]).node("b", "tenant", &[]);
    world.scheduler.remove("a");
    world.scheduler.stop().await;
    world.scheduler.destroy("a").await.unwrap();
    assert_eq!(world.log(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_has_failed_for_good() {
    let world = World::new();
    let error = destroyed(&world, &[Act::Panic("no key")]).await.unwrap_err();
    assert_eq!(
        (error.kind(), &*error.to_string()),
        (Kind::Permanent, "the component panicked: no key")
    );
    assert_eq!(world.calls("a"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_for_now_is_tried_again() {
    let world = World::new();
    let acts = [Act::Transient("busy"), Act::Transient("busy"), Act::Nothing];
    destroyed(&world, &acts).await.unwrap();
    assert_eq!(world.calls("a"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_hook_has_thirty_seconds_in_all() {
    for act in [Act::Transient("busy"), Act::Hang] {
        let (world, start) = (World::new(), Instant::now());
        let error = destroyed(&world, &[act]).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Exhausted, "{error}");
        assert!(start.elapsed() <= Duration::from_secs(31), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_hook_sends_arrives_but_at_its_own_node() {
    let world = World::new();
    world.node("a", "tenant", &["out b:input"]).node("b", "tenant", &[]);
    world.scheduler.destroy("a").await.unwrap();
    assert_eq!(world.arrivals(), ["a: the end", "b: bye"]);

    world.node("c", "tenant", &["out c:input"]);
    let error = world.scheduler.destroy("c").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Exhausted, "{error}");
    assert_eq!(world.calls("c"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_component_without_the_hook_ends_all_the_same() {
    let world = World::new();
    world.script("a", &[Act::Hang]).node("a", "actor", &[]);
    let run = world.run_aside("a:input").await;
    world.scheduler.destroy("a").await.unwrap();
    assert_eq!(failure(&run.await.unwrap()).kind(), Kind::Cancelled);
    assert_eq!(world.log(), ["a: go", "left a"]);
}
