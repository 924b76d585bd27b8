//! One message, many edges.

use std::time::Duration;

use serde_json::json;
use tiny_runtime::component::Kind;
use tokio::time::Instant;

use crate::stage::{Act, World, answer, failure, mapped};

#[tokio::test(start_paused = true)]
async fn a_message_goes_to_all_edges_at_once_and_the_sender_waits_for_all() {
    let world = World::new();
    world.script("b", &[Act::Late(300, "b")]).script("c", &[Act::Late(200, "c")]);
    world.script("d", &[Act::Late(100, "d")]);
    world.node("a", "actor", &["out b:input", "out c:input", "out d:input"]);
    world.node("b", "actor", &[]).node("c", "actor", &[]).node("d", "actor", &[]);
    let started = Instant::now();
    let outcome = world.run("a:input").await;
    assert_eq!(answer(&outcome).as_deref(), Some("b"));
    assert_eq!(started.elapsed(), Duration::from_millis(300), "at once, and all of them");
    for node in ["b", "c", "d"] {
        assert_eq!(world.starts(node), [started]);
    }
    let left = ["left d", "left c", "left b", "left a"];
    assert!(world.log().ends_with(&left.map(String::from)), "{:?}", world.log());
}

#[tokio::test(start_paused = true)]
async fn the_reply_is_the_first_one_in_the_order_of_the_edges_not_of_completion() {
    let world = World::new();
    world.script("silent", &[Act::Nothing]).script("slow", &[Act::Late(500, "slow")]);
    world.script("quick", &[Act::Answer("quick")]);
    world.node("a", "actor", &["out silent:input", "out slow:input", "out quick:input"]);
    for node in ["silent", "slow", "quick"] {
        world.node(node, "actor", &[]);
    }
    assert_eq!(answer(&world.run("a:input").await).as_deref(), Some("slow"));
}

#[tokio::test]
async fn a_branch_that_fails_is_recorded_even_when_another_replies() {
    let world = World::new();
    world.script("bad", &[Act::Permanent("out of ink")]).script("good", &[Act::Answer("yes")]);
    world.node("a", "actor", &["out bad:input", "out good:input"]);
    world.node("bad", "actor", &[]).node("good", "actor", &[]);
    let outcome = world.run("a:input").await;
    assert_eq!(answer(&outcome).as_deref(), Some("yes"));
    assert_eq!(outcome.run.failures(), ["bad:input: out of ink"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_reply_the_first_error_in_the_order_of_the_edges_is_the_result() {
    let world = World::new();
    let late = [Act::Late(50, "x")];
    world.script("silent", &[Act::Nothing]).script("way", &late);
    world.script("first", &[Act::Permanent("first")]).script("second", &[Act::Permanent("second")]);
    // `first` fails later than `second`: there is a node on the way to it.
    world.node("a", "actor", &["out silent:input", "out way:input", "out second:input"]);
    world.script("way", &[Act::Request]).node("way", "actor", &["request first:input"]);
    for node in ["silent", "first", "second"] {
        world.node(node, "actor", &[]);
    }
    let outcome = world.run("a:input").await;
    assert_eq!(failure(&outcome).to_string(), "first");
    assert_eq!(outcome.run.failures(), ["way:input: first", "second:input: second"]);
}

#[tokio::test]
async fn a_port_without_edges_is_no_reply_and_no_error() {
    let world = World::new();
    world.node("a", "actor", &[]);
    assert_eq!(answer(&world.run("a:input").await), None);
}

#[tokio::test]
async fn an_identity_edge_hands_the_same_message_on_and_clones_nothing_for_who_only_looks() {
    let world = World::new();
    world.node("a", "loader", &["out b:look", "out c:look"]);
    world.node("b", "porter", &[]).node("c", "porter", &[]);
    world.run("a:input").await.result.unwrap().ignore();
    let [b, c] = &world.log()[..] else { panic!("two looks: {:?}", world.log()) };
    assert_eq!(b, c, "both saw the message at one address");
    assert_eq!(clones(&world), 0);
}

#[tokio::test]
async fn who_takes_a_message_costs_one_clone() {
    let world = World::new();
    world.node("a", "loader", &["out b:take", "out c:look", "out d:take"]);
    world.node("b", "porter", &[]).node("c", "porter", &[]).node("d", "porter", &[]);
    world.run("a:input").await.result.unwrap().ignore();
    assert_eq!(clones(&world), 2);
}

#[tokio::test]
async fn a_mapped_edge_gives_each_target_its_own_view() {
    let world = World::new();
    world.node("b", "porter", &[]).node("c", "porter", &[]).node("d", "clerk", &[]);
    let edges = vec![
        mapped("out b:take", json!({"text": "<{{ $.text }}>"})),
        mapped("out c:take", json!({"text": "{{ $.text }}"})),
        mapped("out d:order", json!({"sku": "{{ $.text }}-1"})),
    ];
    assert_eq!(world.update(world.decl("a", "loader", edges)), []);
    world.run("a:input").await.result.unwrap().ignore();
    assert_eq!(world.log(), ["<go>", "go", "d: go-1", "left d"]);
    assert_eq!(clones(&world), 0, "a mapping reads, it does not copy the message");
}

#[tokio::test]
async fn what_a_mapping_misses_is_a_permanent_error_that_names_edge_field_and_expression() {
    let world = World::new();
    world.node("b", "actor", &[]);
    let edges = vec![mapped("out b:input", json!({"text": "{{ $.txt }}"}))];
    world.update(world.decl("a", "actor", edges));
    let error = failure(&world.run("a:input").await);
    assert_eq!(error.kind(), Kind::Permanent);
    let text = error.to_string();
    for part in ["`out-b-input`", "text", "$.txt"] {
        assert!(text.contains(part), "{part} in: {text}");
    }
}

fn clones(world: &World) -> u32 {
    world.stage.clones.load(std::sync::atomic::Ordering::SeqCst)
}
