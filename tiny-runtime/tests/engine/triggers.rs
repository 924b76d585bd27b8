//! What starts a run, and the line that tells how it ended.

use serde_json::{Value, json};
use tiny_runtime::component::{Kind, Visit};
use tiny_runtime::engine::{NodeDecl, Trigger};

use crate::stage::{Act, World, configured, failure};

async fn without_data(configurations: Value, port: &str) -> Value {
    let world = World::new();
    let configurations = configured(configurations);
    let decl = NodeDecl { configurations, ..world.decl("n", "counter", vec![]) };
    assert_eq!(world.update(decl), []);
    let trigger = world.trigger(&format!("n:{port}"), json!(null));
    let outcome = world.start(Trigger { data: None, ..trigger }).await;
    outcome.result.unwrap().to_json().unwrap().unwrap()["count"].clone()
}

#[tokio::test]
async fn a_trigger_without_data_sends_the_stored_configuration() {
    assert_eq!(without_data(json!({"tick": {"times": 7}}), "tick").await, 7);
}

#[tokio::test]
async fn a_trigger_without_data_or_configuration_sends_the_default_of_the_port() {
    assert_eq!(without_data(json!({}), "tick").await, 3);
}

#[tokio::test]
async fn a_trigger_without_data_configuration_or_default_sends_an_empty_object() {
    assert_eq!(without_data(json!({}), "any").await, 1);
}

#[tokio::test]
async fn data_wins_over_the_stored_configuration() {
    let world = World::new();
    let configurations = configured(json!({"tick": {"times": 7}}));
    world.update(NodeDecl { configurations, ..world.decl("n", "counter", vec![]) });
    let outcome = world.start(world.trigger("n:tick", json!({"times": 2}))).await;
    let reply = outcome.result.unwrap().to_json().unwrap();
    assert_eq!(reply, Some(json!({"count": 2})));
}

#[tokio::test(start_paused = true)]
async fn the_cancel_token_of_a_trigger_ends_its_run_and_everything_that_it_caused() {
    let world = World::new();
    world.script("b", &[Act::Hang]).node("a", "actor", &["out b:input"]).node("b", "actor", &[]);
    let trigger = world.trigger("a:input", json!({"text": "go"}));
    let cancel = trigger.cancel.clone();
    let later = async {
        crate::stage::settle().await;
        assert_eq!(world.calls("b"), 1);
        cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(world.start(trigger), later);
    let error = failure(&outcome);
    assert_eq!(
        (error.kind(), error.to_string()),
        (Kind::Cancelled, "the run was cancelled".into())
    );
    assert_eq!(world.log()[2..], ["left b", "left a"]);
}

#[tokio::test]
async fn a_trigger_that_is_cancelled_before_it_starts_touches_nothing() {
    let world = World::new();
    world.node("a", "actor", &[]);
    let trigger = world.trigger("a:input", json!({"text": "go"}));
    trigger.cancel.cancel();
    assert_eq!(failure(&world.start(trigger).await).kind(), Kind::Cancelled);
    assert_eq!(world.log(), [""; 0]);
}

#[tokio::test]
async fn a_trigger_for_a_port_that_takes_no_messages_says_which_do() {
    let world = World::new();
    world.node("a", "actor", &[]).node("n", "counter", &[]);
    let error = failure(&world.run("a:inptu").await);
    let text = "node `a` (actor) has no target `inptu` (did you mean `input`?); it has `input`";
    assert_eq!((error.kind(), error.to_string()), (Kind::Permanent, text.into()));
    for to in ["a:out", "n:_settings"] {
        assert_eq!(failure(&world.run(to).await).kind(), Kind::Permanent, "{to}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_outcome_is_one_line_that_never_shows_a_message() {
    let world = World::new();
    world.node("a", "actor", &["out b:input", "out c:input"]);
    world.script("b", &[Act::Late(1250, "secret")]).script("c", &[Act::Nothing]);
    world.node("b", "actor", &[]).node("c", "actor", &[]);
    let line = world.run("a:input").await.to_string();
    assert_eq!(line, "a test: a:input → b:input, c:input, 3 hops in 1.2s, ok");

    let line = world.run("c:input").await.to_string();
    assert_eq!(line, "a test: c:input, 1 hop in 0.0ns, ok, no reply");

    world.script("c", &[Act::Permanent("no luck")]);
    let line = world.run("c:input").await.to_string();
    assert_eq!(line, "a test: c:input, 1 hop in 0.0ns, failed: no luck");

    let line = world.run("ghost:input").await.to_string();
    let end = "failed: node `ghost` was not there, or not ready, for 30s; see what `get node` and its conditions say";
    assert_eq!(line, format!("a test: 0 hops in 30.0s, {end}"));
}

#[tokio::test]
async fn a_line_stays_short_however_long_the_run() {
    let world = World::new();
    world.node("a", "actor", &["out a:input"]);
    let outcome = world.run("a:input").await;
    assert_eq!(outcome.run.visits().len(), 16);
    assert_eq!(outcome.run.visits()[0], Visit { depth: 1, at: "a:input".into() });
    assert!(outcome.to_string().contains("a:input …, 256 hops in "), "{outcome}");
}
