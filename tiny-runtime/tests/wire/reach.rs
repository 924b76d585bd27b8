//! Modules come, go, move, and break.

use std::time::Duration;

use tiny_runtime::component::Kind;
use tiny_runtime::engine::{EdgeDecl, RetryBounds};

use crate::stage::{Act, answer, bounded, edge, failure};
use crate::town::{PATIENCE, Town, quick};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_waits_for_a_module_that_comes_later() {
    let town = Town::new();
    let a = town.module("a").await;
    a.node("one", "actor", &["out two:input"]);
    town.own("two", "b");
    let run = a.world.run_aside("one:input").await;
    let b = town.module("b").await;
    b.node("two", "actor", &[]).script("two", &[Act::Answer("late")]);
    assert_eq!(answer(&run.await.unwrap()).as_deref(), Some("late"));
    assert_eq!(a.world.calls("one"), 1, "nobody tried again but the pool");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_is_nowhere_exhausts_a_message_in_words() {
    let town = Town::new();
    let a = town.module("a").await;
    a.node("one", "actor", &["out two:input"]);
    town.own("two", "b");
    let limit = Duration::from_millis(200);
    let bounds = RetryBounds { timeout: Some(limit), ..Default::default() };
    a.edges("one", "actor", vec![EdgeDecl { bounds, ..edge("out two:input") }]);
    let error = failure(&a.run("one:input").await);
    assert_eq!(error.kind(), Kind::Exhausted);
    assert!(error.to_string().contains("module `b` of node `two` does not run here"), "{error}");

    // It says that it is somewhere, and nobody is there.
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap().to_string();
    drop(nobody);
    town.tell("b", Some(&address));
    let error = failure(&a.run("one:input").await);
    assert_eq!(error.kind(), Kind::Exhausted);
    let said = error.to_string();
    assert!(said.contains(&format!("`b` cannot be reached at {address}")), "{said}");
    assert!(said.contains("refused"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_had_reached_a_module_that_breaks_is_tried_again_by_the_one_layer_that_retries() {
    let town = Town::new();
    let (a, b) = (town.module("a").await, town.module("b").await);
    a.node("zero", "actor", &["out one:input"]).node("one", "actor", &["out two:input"]);
    b.node("two", "actor", &[]).script("two", &[Act::Hang, Act::Answer("again")]);
    let run = a.world.run_aside("zero:input").await;
    b.logged("two: go").await;
    b.kill();
    let error = {
        // Another one takes its place, on another port.
        let again = town.module("b").await;
        again.node("two", "actor", &[]);
        answer(&run.await.unwrap())
    };
    assert_eq!(error.as_deref(), Some("again"));
    assert_eq!(a.world.calls("one"), 2, "its error was transient, so its node was tried again");
    assert_eq!(a.world.calls("zero"), 1, "and nobody above");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_moves_is_found_where_it_is_and_what_has_reached_it_ends_where_it_was() {
    let town = Town::new();
    let (a, old) = (town.module("a").await, town.module("b").await);
    a.node("one", "actor", &["out two:input"]);
    old.node("two", "actor", &[]).script("two", &[Act::Late(300, "old"), Act::Answer("new")]);
    let run = a.world.run_aside("one:input").await;
    old.logged("two: go").await;
    let new = town.module("b").await;
    assert_ne!(new.address, old.address);
    new.node("two", "actor", &[]);
    assert_eq!(answer(&a.run("one:input").await).as_deref(), Some("new"));
    assert_eq!(answer(&run.await.unwrap()).as_deref(), Some("old"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_stops_ends_what_it_has_and_takes_nothing_more() {
    let town = Town::new();
    let (a, b) = (town.module("a").await, town.module("b").await);
    a.edges("one", "actor", vec![quick(edge("out two:input"))]);
    b.node("two", "actor", &[]).script("two", &[Act::Late(200, "old"), Act::Answer("new")]);
    let run = a.world.run_aside("one:input").await;
    b.logged("two: go").await;
    let drain = b.drain.clone();
    let drained = tokio::spawn(async move { drain.drained().await });
    assert_eq!(answer(&run.await.unwrap()).as_deref(), Some("old"));
    drained.await.unwrap();
    let run = a.world.run_aside("one:input").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!run.is_finished(), "it waits for the next process");
    b.kill();
    let next = town.module("b").await;
    next.node("two", "actor", &[]);
    assert_eq!(answer(&run.await.unwrap()).as_deref(), Some("new"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_handled_a_message_does_not_end_before_its_answer_is_there() {
    let town = Town::new();
    let (a, b) = (town.module("a").await, town.module("b").await);
    a.edges("one", "actor", vec![quick(edge("out two:input"))]);
    b.node("two", "actor", &[]).script("two", &vec![Act::Late(300, "done"); 200]);
    let mut runs = Vec::new();
    for _ in 0..200 {
        runs.push(a.world.run_aside("one:input").await);
    }
    let all_came = async {
        while b.world.calls("two") < 200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, all_came).await.is_ok());
    b.drain.drained().await;
    b.kill();
    for run in runs {
        assert_eq!(answer(&run.await.unwrap()).as_deref(), Some("done"));
    }
    assert_eq!(b.world.calls("two"), 200, "nothing came twice");
}

/// The error port of a hop has the time of the run, not that of the edge.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_edge_allows_does_not_end_the_error_port_behind_it() {
    let (a, b) = Town::of_two().await;
    let timeout = Some(Duration::from_millis(200));
    let bounds = RetryBounds { attempts: 1, timeout, ..RetryBounds::default() };
    a.edges("one", "actor", vec![bounded("out two:input", bounds)]);
    b.node("two", "actor", &["error three:input"]).script("two", &[Act::Hang]);
    b.node("three", "catcher", &[]).script("three", &[Act::Late(600, "caught")]);
    let outcome = a.run_within("one:input", Duration::from_secs(20)).await;
    assert_eq!(answer(&outcome).as_deref(), Some("caught"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_belongs_to_another_module_now_is_found_there() {
    let town = Town::new();
    let (a, b) = (town.module("a").await, town.module("b").await);
    a.node("one", "actor", &["out two:input"]);
    let run = a.world.run_aside("one:input").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!run.is_finished(), "the node is nowhere");
    b.node("two", "actor", &[]).script("two", &[Act::Answer("found")]);
    a.world.scheduler.moved();
    assert_eq!(answer(&run.await.unwrap()).as_deref(), Some("found"));
}
