//! What comes back.

use serde_json::json;
use tiny_runtime::component::Kind;

use crate::stage::{Act, World, answer, failure};

fn asks(act: Act, port: &str, answers: Act) -> World {
    let world = World::new();
    world.script("a", &[act]).script("b", &[answers]);
    world.node("a", "actor", &[&format!("{port} b:input")]).node("b", "actor", &[]);
    world
}

#[tokio::test]
async fn a_source_that_names_a_type_needs_a_reply() {
    let world = asks(Act::Request, "request", Act::Nothing);
    let error = failure(&world.run("a:input").await);
    assert_eq!(error.to_string(), "nothing replied to `request`");
    assert_eq!(error.kind(), Kind::Permanent);
    assert_eq!(world.calls("a"), 1, "a permanent error is not tried again");
}

#[tokio::test]
async fn a_source_that_names_an_option_may_go_without_a_reply() {
    let world = asks(Act::Ask, "ask", Act::Nothing);
    assert_eq!(answer(&world.run("a:input").await), None);
    let world = asks(Act::Ask, "ask", Act::Answer("here"));
    assert_eq!(answer(&world.run("a:input").await).as_deref(), Some("here"));
}

#[tokio::test]
async fn a_reply_of_another_type_goes_through_json() {
    let world = asks(Act::Request, "request", Act::Marked("like a note"));
    assert_eq!(answer(&world.run("a:input").await).as_deref(), Some("like a note"));
}

#[tokio::test]
async fn a_reply_that_does_not_fit_is_a_permanent_error_that_names_both_ports_and_the_field() {
    for (act, port) in [(Act::Request, "request"), (Act::Ask, "ask")] {
        let world = asks(act, port, Act::Number(7));
        let error = failure(&world.run("a:input").await);
        assert_eq!(error.kind(), Kind::Permanent);
        let text = error.to_string();
        for part in [&format!("of `b:input` to `{port}`"), "`text`"] {
            assert!(text.contains(part), "no {part} in: {text}");
        }
    }
}

#[tokio::test]
async fn a_reply_travels_back_over_its_edges_unmapped() {
    let world = asks(Act::Pass, "out", Act::Number(7));
    let reply = world.run("a:input").await.result.unwrap();
    assert_eq!(reply.to_json().unwrap(), Some(json!({"text": 7})));
}

#[tokio::test(start_paused = true)]
async fn the_sender_returns_after_all_that_its_message_caused() {
    let world = World::new();
    world.script("c", &[Act::Late(100, "done")]);
    world.node("a", "actor", &["out b:input"]).node("b", "actor", &["out c:input"]);
    world.node("c", "actor", &[]);
    let outcome = world.run("a:input").await;
    assert_eq!(answer(&outcome).as_deref(), Some("done"));
    assert_eq!(world.log()[3..], ["left c", "left b", "left a"]);
    assert_eq!(outcome.took.as_millis(), 100);
}

#[tokio::test(start_paused = true)]
async fn runs_at_the_same_time_do_not_share_state() {
    let world = World::new();
    world.script("b", &[Act::Late(200, "one"), Act::Late(100, "two")]);
    world.node("a", "actor", &["out b:input"]).node("b", "actor", &[]);
    let (one, two) = tokio::join!(world.run("a:input"), world.run("a:input"));
    assert_eq!((answer(&one).unwrap(), answer(&two).unwrap()), ("one".into(), "two".into()));
    assert_ne!(one.run.id(), two.run.id());
    assert_eq!((one.run.hops(), two.run.hops()), (2, 2));
}

/// What an HTTP server does: it asks, and must be answered whatever lies behind.
#[tokio::test(start_paused = true)]
async fn a_reply_comes_back_through_depth_a_fan_out_a_detour_and_an_error_port() {
    let world = World::new();
    world.script("server", &[Act::Request]).script("silent", &[Act::Nothing]);
    world.script("slow", &[Act::Late(500, "too late to be first, but first in order")]);
    world.script("fails", &[Act::Permanent("no luck")]).script("catch", &[Act::Answer("caught")]);
    world.node("server", "actor", &["request n1:input"]);
    for n in 1..100 {
        world.node(&format!("n{n}"), "actor", &[&format!("out n{}:input", n + 1)]);
    }
    world.node("n100", "actor", &["out silent:input", "out fails:input", "out slow:input"]);
    world.node("silent", "actor", &[]).node("slow", "actor", &[]);
    world.node("fails", "actor", &["error catch:input"]).node("catch", "catcher", &[]);
    let outcome = world.run("server:input").await;
    assert_eq!(answer(&outcome).as_deref(), Some("caught"));
    assert_eq!(outcome.run.failures(), ["fails:input: no luck"]);
    assert_eq!(outcome.run.hops(), 105);
}
