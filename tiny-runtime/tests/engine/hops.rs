//! Long paths: legal up to a bound, and never a stack that overflows.

use std::time::Duration;

use tiny_runtime::component::Kind;

use crate::stage::{Act, World, answer, failure};

/// A chain of nodes `n1 → n2 → … → n<length>`; the last one answers `end`.
fn chain(length: usize) -> World {
    let world = World::new();
    for n in (1..length).rev() {
        world.node(&format!("n{n}"), "actor", &[&format!("out n{}:input", n + 1)]);
    }
    let last = format!("n{length}");
    world.script(&last, &[Act::Answer("end")]).node(&last, "actor", &[]);
    world
}

fn on_a_worker_of_2_mib(work: impl Future<Output = ()> + Send + 'static) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_stack_size(2 * 1024 * 1024)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::spawn(work).await.unwrap() });
}

#[test]
fn a_chain_of_256_hops_does_not_overflow_the_stack_of_a_worker() {
    on_a_worker_of_2_mib(async {
        let world = chain(256);
        let outcome = world.run("n1:input").await;
        assert_eq!(answer(&outcome).as_deref(), Some("end"));
        assert_eq!(outcome.run.hops(), 256);
    });
}

#[test]
fn cancelling_a_chain_of_255_hops_ends_all_of_it() {
    on_a_worker_of_2_mib(async {
        let world = chain(255);
        world.script("n255", &[Act::Hang]);
        let trigger = world.trigger("n1:input", serde_json::json!({"text": "go"}));
        let cancel = trigger.cancel.clone();
        let watched = async {
            while world.calls("n255") == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            cancel.cancel();
        };
        let (outcome, ()) = tokio::join!(world.start(trigger), watched);
        assert_eq!(failure(&outcome).kind(), Kind::Cancelled);
        let left = world.log().iter().filter(|line| line.starts_with("left ")).count();
        assert_eq!(left, 255);
    });
}

#[tokio::test]
async fn a_path_of_more_than_256_hops_is_an_error_that_goes_to_no_error_port() {
    let world = World::new();
    world.node("a", "actor", &["out b:input", "error catch:input"]);
    world.node("b", "solo", &["out a:input", "error catch:input"]).node("catch", "catcher", &[]);
    let outcome = world.run("a:input").await;
    let error = failure(&outcome);
    assert_eq!(error.kind(), Kind::Limit);
    assert!(error.is_permanent());
    let text = "the path to `a:input` is longer than 256 hops: is there a cycle without an end?";
    assert_eq!(error.to_string(), text);
    assert_eq!(outcome.run.hops(), 256);
    assert_eq!((world.calls("a"), world.calls("b"), world.calls("catch")), (128, 128, 0));
}

#[test]
fn a_chain_without_an_end_whose_hops_all_feed_a_sink_too_ends_with_one_error() {
    on_a_worker_of_2_mib(async {
        let world = World::new();
        world.node("sink", "actor", &[]);
        for n in 1..=300 {
            let on = format!("out n{}:input", n + 1);
            world.node(&format!("n{n}"), "actor", &["out sink:input", &on]);
        }
        let outcome = world.run("n1:input").await;
        let error = failure(&outcome);
        assert_eq!(error.kind(), Kind::Limit);
        let text =
            "the path to `sink:input` is longer than 256 hops: is there a cycle without an end?";
        assert_eq!(error.to_string(), text);
        assert!(outcome.run.hops() <= 2 * 256, "{}", outcome.run.hops());
    });
}

#[test]
fn a_node_that_sends_to_itself_over_two_edges_ends_at_the_first_bound() {
    on_a_worker_of_2_mib(async {
        let world = World::new();
        let twice = ["one", "other"].map(|id| tiny_runtime::engine::EdgeDecl {
            id: id.into(),
            ..crate::stage::edge("out a:input")
        });
        world.update(world.decl("a", "actor", twice.into()));
        let outcome = world.run("a:input").await;
        let text =
            "the path to `a:input` is longer than 256 hops: is there a cycle without an end?";
        assert_eq!(failure(&outcome).to_string(), text);
        // Not all of the 2^255 ways: both edges of each hop on the first of them.
        assert_eq!(outcome.run.hops(), 2 * 256 - 1);
    });
}

#[tokio::test]
async fn a_sequential_node_that_sends_to_itself_ends_at_the_bound_too() {
    let world = World::new();
    world.node("a", "solo", &["out a:input"]);
    let outcome = world.run("a:input").await;
    assert_eq!(failure(&outcome).kind(), Kind::Limit);
    assert_eq!(world.calls("a"), 256);
}
