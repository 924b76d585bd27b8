//! How many runs a node takes, and how long anybody waits for it.

use std::time::Duration;

use tiny_runtime::component::Kind;

use crate::stage::{Act, World, answer, failure, settle};

const ADMISSION: Duration = Duration::from_secs(30);

#[tokio::test(start_paused = true)]
async fn the_branches_of_a_fan_out_wait_for_each_other_at_a_sequential_node() {
    let world = World::new();
    world.script("s", &[Act::Late(100, "one"), Act::Late(100, "two")]);
    world.node("a", "actor", &["out b:input", "out c:input"]);
    world.node("b", "actor", &["out s:input"]).node("c", "actor", &["out s:input"]);
    world.node("s", "solo", &[]);
    let outcome = world.run("a:input").await;
    assert_eq!(answer(&outcome).as_deref(), Some("one"));
    assert_eq!(outcome.took, Duration::from_millis(200));
    let [first, second] = world.starts("s")[..] else { panic!("two calls") };
    assert_eq!(second - first, Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn a_run_enters_a_sequential_node_again_without_waiting_for_itself() {
    let world = World::new();
    world.script("s", &[Act::Pass, Act::Answer("round")]);
    world.node("s", "solo", &["out b:input"]).node("b", "actor", &["out s:input"]);
    let outcome = world.run("s:input").await;
    assert_eq!(answer(&outcome).as_deref(), Some("round"));
    assert_eq!(outcome.took, Duration::ZERO);
    assert_eq!(world.calls("s"), 2);
}

#[tokio::test(start_paused = true)]
async fn another_run_waits_at_a_sequential_node_until_it_is_free() {
    let world = World::new();
    world.script("s", &[Act::Late(1000, "one"), Act::Answer("two")]).node("s", "solo", &[]);
    let (one, two) = tokio::join!(world.run("s:input"), world.run("s:input"));
    assert_eq!((answer(&one).unwrap(), answer(&two).unwrap()), ("one".into(), "two".into()));
    assert_eq!(two.took, Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_stays_busy_is_exhausted_after_the_longest_wait() {
    let world = World::new();
    world.script("s", &[Act::Hang]).node("s", "solo", &[]).node("a", "actor", &["out s:input"]);
    let busy = world.run_aside("s:input").await;
    let outcome = world.run("a:input").await;
    assert_eq!(outcome.took, ADMISSION);
    let error = failure(&outcome);
    assert_eq!(error.kind(), Kind::Exhausted);
    assert_eq!(error.to_string(), "node `s` stayed busy for 30s: it takes 1 runs at once");
    assert_eq!((world.calls("s"), world.calls("a")), (1, 1));
    busy.abort();
}

#[tokio::test(start_paused = true)]
async fn a_run_that_goes_away_gives_its_permit_back() {
    let world = World::new();
    world.script("s", &[Act::Hang, Act::Answer("free")]).node("s", "solo", &[]);
    let gone = world.run_aside("s:input").await;
    gone.abort();
    settle().await;
    let outcome = world.run("s:input").await;
    assert_eq!(answer(&outcome).as_deref(), Some("free"));
    assert_eq!(outcome.took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_message_waits_for_a_node_that_is_about_to_come() {
    let world = World::new();
    world.node("a", "actor", &["out late:input"]);
    world.script("late", &[Act::Answer("here")]);
    let run = world.run_aside("a:input").await;
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert!(!run.is_finished());
    world.node("other", "actor", &[]);
    settle().await;
    assert!(!run.is_finished(), "another node is not the one");
    world.node("late", "actor", &[]);
    assert_eq!(answer(&run.await.unwrap()).as_deref(), Some("here"));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_never_comes_is_an_exhausted_error_that_names_it() {
    let world = World::new();
    world.node("a", "actor", &["out ghost:input", "error catch:input"]);
    let outcome = world.run("a:input").await;
    // `catch` never comes either: its wait follows the first.
    assert_eq!(outcome.took, 2 * ADMISSION);
    assert!(failure(&outcome).to_string().contains("`catch`"));

    world.node("catch", "catcher", &[]).script("catch", &[Act::Answer("saved")]);
    let outcome = world.run("a:input").await;
    assert_eq!(outcome.took, ADMISSION);
    assert_eq!(answer(&outcome).as_deref(), Some("saved"));
    let caught = world.arrivals().pop().unwrap();
    let text = "catch: go | node `ghost` was not there, or not ready, for 30s; see what `get node` and its conditions say | true";
    assert_eq!(caught, text);

    let outcome = world.run("ghost:input").await;
    assert_eq!(failure(&outcome).kind(), Kind::Exhausted);
    assert_eq!(outcome.took, ADMISSION);
}

/// All permits of `a` are taken by runs that come to it a second time: none of them may wait for another.
#[tokio::test(start_paused = true)]
async fn as_many_runs_as_a_node_takes_may_all_pass_it_twice() {
    let world = World::new();
    world.node("a", "actor", &["out b:input"]).node("b", "actor", &["out a:input"]);
    world.script("b", &[Act::After(10)]);
    // The second time it answers.
    world.script("a", &[vec![Act::Pass; 256], vec![Act::Answer("done"); 256]].concat());
    let runs = (0..256).map(|_| world.run("a:input"));
    let outcomes = futures::future::join_all(runs).await;
    assert!(outcomes.iter().all(|outcome| answer(outcome).as_deref() == Some("done")));
    assert_eq!(world.calls("a"), 512);
}

/// Backpressure needs no queue: who sends too fast waits in its own call.
#[tokio::test(start_paused = true)]
async fn a_fast_producer_waits_for_a_slow_consumer() {
    let world = World::new();
    world.script("slow", &[Act::Late(100, "done")]);
    world.node("slow", "solo", &[]).node("a", "actor", &["out slow:input"]);
    let began = tokio::time::Instant::now();
    for sent in 1..=50 {
        assert_eq!(answer(&world.run("a:input").await).as_deref(), Some("done"));
        assert_eq!(world.calls("slow"), sent, "nothing is ever ahead of the consumer");
    }
    assert_eq!(began.elapsed(), Duration::from_secs(5), "ten a second, and no faster");
}
