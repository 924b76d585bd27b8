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
        // The tasks along the chain end one after the other.
        let left = || world.log().iter().filter(|line| line.starts_with("left ")).count();
        tokio::time::timeout(Duration::from_secs(10), async {
            while left() < 255 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await
        .unwrap();
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
