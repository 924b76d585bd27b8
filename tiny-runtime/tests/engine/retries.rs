//! Transient failures, and how long a hop may take.

use std::time::Duration;

use serde_json::json;
use tiny_runtime::component::Kind;
use tiny_runtime::engine::{RetryBounds, Trigger};
use tokio::time::Instant;

use crate::stage::{Act, World, answer, bounded, edge, failure};

/// `a` passes on to `b` within `bounds`.
fn pair(bounds: RetryBounds, acts: &[Act]) -> World {
    let world = World::new();
    world.script("b", acts).node("b", "actor", &[]);
    let findings = world.update(world.decl("a", "actor", vec![bounded("out b:input", bounds)]));
    assert_eq!(findings, []);
    world
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_tried_again_by_the_receiver_alone() {
    let texts = ["network timeout", "connection refused"].map(Act::Transient);
    let acts = [&texts[..], &[Act::Answer("finally")]].concat();
    let world = pair(RetryBounds::default(), &acts);
    assert_eq!(answer(&world.run("a:input").await).as_deref(), Some("finally"));
    assert_eq!((world.calls("a"), world.calls("b")), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn ten_attempts_end_as_a_permanent_error_and_no_caller_multiplies_them() {
    let world = pair(RetryBounds::default(), &[Act::Transient("busy")]);
    let error = failure(&world.run("a:input").await);
    assert_eq!(error.kind(), Kind::Exhausted);
    assert!(error.is_permanent() && error.is_retryable());
    assert_eq!(error.to_string(), "gave up after 10 attempts: busy");
    assert_eq!((world.calls("a"), world.calls("b")), (1, 10));
}

#[tokio::test(start_paused = true)]
async fn an_edge_sets_how_often_its_receiver_tries() {
    let bounds = RetryBounds { attempts: 3, ..RetryBounds::default() };
    let world = pair(bounds, &[Act::Transient("busy")]);
    let error = failure(&world.run("a:input").await);
    assert_eq!(error.to_string(), "gave up after 3 attempts: busy");
    assert_eq!(world.calls("b"), 3);
}

#[tokio::test(start_paused = true)]
async fn waits_stay_below_a_bound_that_doubles_up_to_its_most() {
    let (initial, max) = (Duration::from_secs(1), Duration::from_secs(4));
    let bounds = RetryBounds { initial, max, attempts: 6, timeout: None };
    let world = pair(bounds, &[Act::Transient("busy")]);
    failure(&world.run("a:input").await);
    let starts = world.starts("b");
    let waits = starts.windows(2).map(|pair| pair[1] - pair[0]);
    let most = [1, 2, 4, 4, 4].map(|secs| Duration::from_secs(secs) + Duration::from_millis(1));
    assert!(
        waits.clone().zip(most).all(|(wait, most)| wait <= most),
        "{:?}",
        waits.collect::<Vec<_>>()
    );
    assert!(waits.clone().any(|wait| wait > initial), "{:?}", waits.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_permanent_error_is_not_tried_again_and_crosses_the_chain_at_once() {
    let world = pair(RetryBounds::default(), &[Act::Permanent("no such table")]);
    let error = failure(&world.run("a:input").await);
    assert_eq!((error.kind(), error.to_string()), (Kind::Permanent, "no such table".into()));
    assert_eq!((world.calls("a"), world.calls("b")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn cancelling_the_trigger_stops_the_retries() {
    let bounds = RetryBounds { attempts: 0, ..RetryBounds::default() };
    let world = pair(bounds, &[Act::Transient("busy")]);
    let trigger = world.trigger("a:input", json!({"text": "go"}));
    let cancel = trigger.cancel.clone();
    let later = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(world.start(trigger), later);
    assert_eq!(failure(&outcome).kind(), Kind::Cancelled);
    assert_eq!(outcome.took, Duration::from_secs(60));
    let calls = world.calls("b");
    assert!(calls > 1);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(world.calls("b"), calls);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_a_trigger_ends_a_run_that_hangs() {
    let world = pair(RetryBounds::default(), &[Act::Hang]);
    let limit = Duration::from_secs(5);
    let trigger =
        Trigger { timeout: Some(limit), ..world.trigger("a:input", json!({"text": "go"})) };
    let outcome = world.start(trigger).await;
    assert_eq!(failure(&outcome).to_string(), "the run did not end within its 5s");
    assert_eq!(outcome.took, limit);
    assert_eq!(world.log(), ["a: go", "b: go", "left b", "left a"]);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_an_edge_ends_a_hop_that_hangs_and_its_error_port_hears_of_it() {
    let limit = Duration::from_secs(2);
    let bounds = RetryBounds { timeout: Some(limit), ..RetryBounds::default() };
    let world = pair(bounds, &[Act::Hang]);
    let started = Instant::now();
    let error = failure(&world.run("a:input").await);
    assert_eq!(started.elapsed(), limit);
    assert_eq!(error.kind(), Kind::Exhausted);
    assert!(error.to_string().contains("`b:input` did not end within the 2s"), "{error}");

    world.node("catch", "catcher", &[]).script("catch", &[Act::Answer("saved")]);
    world.update(world.decl("b", "actor", vec![edge("error catch:input")]));
    assert_eq!(answer(&world.run("a:input").await).as_deref(), Some("saved"));
    let caught = world.arrivals().pop().unwrap();
    assert!(caught.starts_with("catch: go | ") && caught.ends_with(" | true"), "{caught}");
}

#[tokio::test(start_paused = true)]
async fn who_catches_a_timeout_has_the_time_of_the_caller_not_what_is_left_of_the_hop() {
    let bounds = RetryBounds { timeout: Some(Duration::from_secs(2)), ..RetryBounds::default() };
    let world = pair(bounds, &[Act::Hang]);
    world.script("catch", &[Act::Transient("not yet"), Act::Answer("saved")]);
    world.node("catch", "catcher", &[]);
    world.update(world.decl("b", "actor", vec![edge("error catch:input")]));
    assert_eq!(answer(&world.run("a:input").await).as_deref(), Some("saved"));
    assert_eq!(world.calls("catch"), 2);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_an_edge_covers_the_wait_for_its_node() {
    let world = World::new();
    let limit = Duration::from_secs(2);
    let bounds = RetryBounds { timeout: Some(limit), ..RetryBounds::default() };
    world.update(world.decl("a", "actor", vec![bounded("out later:input", bounds)]));
    let outcome = world.run("a:input").await;
    assert_eq!(outcome.took, limit);
    let error = failure(&outcome);
    assert_eq!(error.kind(), Kind::Exhausted);
    assert!(error.to_string().contains("`later`"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_timeout_covers_all_attempts_together() {
    let limit = Duration::from_secs(20);
    let bounds = RetryBounds { attempts: 0, timeout: Some(limit), ..RetryBounds::default() };
    let world = pair(bounds, &[Act::Transient("busy")]);
    let outcome = world.run("a:input").await;
    assert_eq!(failure(&outcome).kind(), Kind::Exhausted);
    assert!(outcome.took <= limit, "{:?}", outcome.took);
    assert!(world.calls("b") > 2);
}
