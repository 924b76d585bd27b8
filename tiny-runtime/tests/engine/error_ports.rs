//! Error ports are try and catch.

use serde_json::json;
use tiny_runtime::component::Kind;

use crate::stage::{Act, World, answer, failure, mapped};

/// `a` passes on to `b`, whose failures go to `catch`.
fn caught(acts: &[Act], catches: &[Act]) -> World {
    let world = World::new();
    world.script("b", acts).script("catch", catches);
    world.node("a", "actor", &["out b:input"]).node("b", "actor", &["error catch:input"]);
    world.node("catch", "catcher", &[]);
    world
}

#[tokio::test]
async fn a_permanent_failure_goes_to_the_error_port_and_the_reply_of_that_edge_is_the_result() {
    let world = caught(&[Act::Permanent("out of ink")], &[Act::Answer("saved")]);
    let outcome = world.run("a:input").await;
    assert_eq!(answer(&outcome).as_deref(), Some("saved"));
    assert_eq!(world.arrivals(), ["a: go", "b: go", "catch: go | out of ink | false"]);
    assert_eq!(outcome.run.failures(), ["b:input: out of ink"]);
}

#[tokio::test]
async fn a_caught_failure_without_a_reply_is_no_error() {
    let world = caught(&[Act::Permanent("out of ink")], &[Act::Nothing]);
    assert_eq!(answer(&world.run("a:input").await), None);
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_reaches_the_error_port_after_its_attempts_and_is_retryable() {
    let world = caught(&[Act::Transient("busy")], &[Act::Answer("later")]);
    assert_eq!(answer(&world.run("a:input").await).as_deref(), Some("later"));
    assert_eq!((world.calls("b"), world.calls("catch")), (10, 1));
    let last = world.arrivals().pop().unwrap();
    assert_eq!(last, "catch: go | gave up after 10 attempts: busy | true");
}

#[tokio::test]
async fn what_fails_behind_the_error_port_is_the_result_and_is_not_caught_again() {
    let world = caught(&[Act::Permanent("out of ink")], &[Act::Permanent("no rescue")]);
    assert_eq!(failure(&world.run("a:input").await).to_string(), "no rescue");
    assert_eq!(world.calls("catch"), 1);
}

#[tokio::test]
async fn an_error_without_an_error_edge_bubbles_up_to_the_next_one() {
    let world = World::new();
    world.script("c", &[Act::Permanent("deep")]).script("catch", &[Act::Answer("saved")]);
    world.node("a", "actor", &["out b:input", "error catch:input"]);
    world.node("b", "actor", &["out c:input"]).node("c", "actor", &[]);
    world.node("catch", "catcher", &[]);
    assert_eq!(answer(&world.run("a:input").await).as_deref(), Some("saved"));
    let arrivals = ["a: go", "b: go", "c: go", "catch: go | deep | false"];
    assert_eq!(world.arrivals(), arrivals);
}

#[tokio::test]
async fn an_error_that_nobody_catches_is_the_result_of_the_run() {
    let world = World::new();
    world.script("b", &[Act::Permanent("deep")]);
    world.node("a", "actor", &["out b:input"]).node("b", "actor", &[]);
    let error = failure(&world.run("a:input").await);
    assert_eq!((error.kind(), error.to_string()), (Kind::Permanent, "deep".into()));
}

#[tokio::test]
async fn a_failure_goes_to_the_error_port_of_the_type_of_its_message() {
    let world = World::new();
    world.script("clerk", &[Act::Permanent("no")]);
    world.script("notes", &[Act::Answer("note")]).script("orders", &[Act::Answer("order")]);
    world.node("notes", "catcher", &[]).node("orders", "catcher", &[]);
    let view = json!({
        "context": {"text": "{{ $.context.sku }}"},
        "error": "{{ $.error }}",
        "retryable": "{{ $.retryable }}",
    });
    let edges = vec![
        mapped("order_error orders:input", view),
        crate::stage::edge("note_error notes:input"),
    ];
    assert_eq!(world.update(world.decl("clerk", "clerk", edges)), []);
    let trigger = world.trigger("clerk:order", json!({"sku": "x1"}));
    assert_eq!(answer(&world.start(trigger).await).as_deref(), Some("order"));
    assert_eq!(answer(&world.run("clerk:note").await).as_deref(), Some("note"));
    let caught = ["clerk: x1", "orders: x1 | no | false", "clerk: go", "notes: go | no | false"];
    assert_eq!(world.arrivals(), caught);
}

#[tokio::test]
async fn a_failure_whose_type_has_no_connected_error_port_bubbles_up() {
    let world = World::new();
    world.script("clerk", &[Act::Permanent("no")]);
    world.node("notes", "catcher", &[]).node("clerk", "clerk", &["note_error notes:input"]);
    let trigger = world.trigger("clerk:order", json!({"sku": "x1"}));
    assert_eq!(failure(&world.start(trigger).await).to_string(), "no");
    assert_eq!(world.calls("notes"), 0);
}

#[tokio::test]
async fn a_message_that_does_not_fit_is_the_error_itself_for_it_has_no_context_to_send() {
    let world = caught(&[Act::Nothing], &[Act::Answer("saved")]);
    let outcome = world.start(world.trigger("b:input", json!({"text": 7}))).await;
    let error = failure(&outcome);
    assert_eq!(error.kind(), Kind::Permanent);
    assert!(
        error.to_string().contains("node `b`") && error.to_string().contains("`text`"),
        "{error}"
    );
    assert_eq!(world.log(), [""; 0]);
}

#[tokio::test]
async fn a_panic_is_a_permanent_error_of_its_hop_and_the_node_goes_on() {
    let world = World::new();
    world.script("b", &[Act::Panic("no ground"), Act::Answer("still here")]);
    world.node("a", "actor", &["out b:input"]).node("b", "solo", &[]);
    let error = failure(&world.run("a:input").await);
    assert_eq!(error.kind(), Kind::Permanent);
    assert_eq!(error.to_string(), "the component of node `b` panicked: no ground");
    assert_eq!(answer(&world.run("a:input").await).as_deref(), Some("still here"));
    assert_eq!(world.calls("b"), 2, "a panic is not tried again, and its permit came back");
}

#[tokio::test]
async fn a_panic_goes_to_the_error_port_like_any_permanent_failure() {
    let world = caught(&[Act::Panic("no ground")], &[Act::Answer("saved")]);
    assert_eq!(answer(&world.run("a:input").await).as_deref(), Some("saved"));
}

#[tokio::test]
async fn a_message_that_panics_while_it_is_read_hurts_nobody_else() {
    let world = World::new();
    let edge = mapped("out sapper:input", json!({"x": "{{ $.text }}"}));
    world.node("catch", "catcher", &[]).node("sapper", "sapper", &["error catch:input"]);
    assert_eq!(world.update(world.decl("a", "actor", vec![edge])), []);
    for to in ["a:input", "sapper:input"] {
        let error = failure(&world.run(to).await);
        assert_eq!(error.to_string(), "the component of node `sapper` panicked: it went off");
    }
}
