//! A hop to another module is a hop.

use std::time::Duration;

use serde_json::json;
use tiny_runtime::component::Kind;
use tiny_runtime::engine::{EdgeDecl, InwardDecl, Peer, RetryBounds};

use crate::stage::{Act, address, answer, edge, failure, mapped};
use crate::town::{Town, quick};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_travels_with_its_mapping_and_the_reply_comes_back() {
    let (a, b) = Town::of_two().await;
    a.edges("one", "actor", vec![mapped("out two:input", json!({"text": "{{ $.text + '!' }}"}))]);
    b.node("two", "actor", &[]).script("two", &[Act::Answer("hello")]);
    let outcome = a.run("one:input").await;
    assert_eq!(answer(&outcome).as_deref(), Some("hello"));
    assert_eq!(a.world.arrivals(), ["one: go", "two: go!"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_decoded_by_the_source_that_named_its_type_and_none_is_none() {
    let (a, b) = Town::of_two().await;
    a.node("one", "actor", &["request two:input"]).script("one", &[Act::Request]);
    b.node("two", "actor", &[]);
    b.script("two", &[Act::Answer("yes"), Act::Nothing, Act::Number(7)]);
    assert_eq!(answer(&a.run("one:input").await).as_deref(), Some("yes"));
    let nothing = failure(&a.run("one:input").await);
    assert_eq!(nothing.to_string(), "nothing replied to `request`");
    let misfit = failure(&a.run("one:input").await);
    assert_eq!(misfit.kind(), Kind::Permanent);
    let said = misfit.to_string();
    assert!(
        said.contains("`two:input`") && said.contains("`request`") && said.contains("text"),
        "{said}"
    );

    a.node("ask", "actor", &["ask two:input"]).script("ask", &[Act::Ask]);
    b.script("two", &[Act::Nothing]);
    assert_eq!(answer(&a.run("ask:input").await), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_enters_a_node_again_that_it_passes_already_whichever_modules_lie_between() {
    let (a, b) = Town::of_two().await;
    a.node("one", "solo", &["out two:input"]).script("one", &[Act::Pass, Act::Answer("back")]);
    b.node("two", "solo", &["out one:input"]);
    let outcome = a.run("one:input").await;
    assert_eq!(answer(&outcome).as_deref(), Some("back"));
    assert_eq!(outcome.run.hops(), 2, "the run that comes back is the one that left");
    assert_eq!(a.world.arrivals(), ["one: go", "two: go", "one: go"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_without_end_ends_at_256_hops_wherever_they_are() {
    let (a, b) = Town::of_two().await;
    a.node("one", "actor", &["out two:input"]);
    b.node("two", "actor", &["out one:input"]);
    let error = failure(&a.run("one:input").await);
    assert_eq!(error.kind(), Kind::Limit);
    assert!(error.to_string().contains("longer than 256 hops"), "{error}");
    assert_eq!(a.world.arrivals().len(), 256);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receiver_retries_within_the_bounds_of_the_edge_and_the_caller_never() {
    let (a, b) = Town::of_two().await;
    let bounds = RetryBounds {
        attempts: 3,
        initial: Duration::from_millis(1),
        max: Duration::from_millis(1),
        timeout: None,
    };
    a.edges("one", "actor", vec![EdgeDecl { bounds, ..edge("out two:input") }]);
    b.node("two", "actor", &[]);
    b.script("two", &[Act::Transient("busy"), Act::Transient("busy"), Act::Answer("done")]);
    assert_eq!(answer(&a.run("one:input").await).as_deref(), Some("done"));
    assert_eq!((a.world.calls("one"), a.world.calls("two")), (1, 3));

    b.script("two", &[Act::Transient("busy")]);
    let error = failure(&a.run("one:input").await);
    assert_eq!(error.kind(), Kind::Exhausted);
    assert_eq!(error.to_string(), "gave up after 3 attempts: busy");
    assert_eq!((a.world.calls("one"), a.world.calls("two")), (2, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_keeps_its_kind_and_a_panic_hurts_nobody_else() {
    let (a, b) = Town::of_two().await;
    a.node("one", "actor", &["out two:input", "error three:input"]);
    b.node("two", "actor", &[])
        .script("two", &[Act::Permanent("no"), Act::Panic("ouch"), Act::Pass]);
    b.node("three", "catcher", &[]);
    assert!(a.run("one:input").await.result.is_ok(), "the error port took it");
    assert!(a.run("one:input").await.result.is_ok());
    let arrivals = a.world.arrivals();
    assert!(arrivals.contains(&"three: go | no | false".to_owned()), "{arrivals:?}");
    let panicked = "three: go | the component of node `two` panicked: ouch | false";
    assert!(arrivals.contains(&panicked.to_owned()), "{arrivals:?}");
    assert!(a.run("one:input").await.result.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outlives_its_deadline_nor_the_one_who_waits_for_it() {
    let (a, b) = Town::of_two().await;
    a.node("one", "actor", &["out two:input"]);
    b.node("two", "actor", &[]).script("two", &[Act::Hang]);
    let outcome = a.run_within("one:input", Duration::from_millis(200)).await;
    assert_eq!(failure(&outcome).kind(), Kind::Exhausted);
    b.logged("left two").await;

    // The time of an edge.
    let bounds =
        RetryBounds { timeout: Some(Duration::from_millis(100)), ..RetryBounds::default() };
    a.edges("three", "actor", vec![EdgeDecl { bounds, ..edge("out four:input") }]);
    b.node("four", "actor", &[]).script("four", &[Act::Hang]);
    let error = failure(&a.run("three:input").await);
    assert_eq!(error.kind(), Kind::Exhausted);
    assert!(error.to_string().contains("100ms that its edge allows"), "{error}");
    b.logged("left four").await;

    // Whoever waits goes away.
    let trigger = a.world.trigger("one:input", json!({"text": "again"}));
    let cancel = trigger.cancel.clone();
    let run = a.world.scheduler.clone();
    let run = tokio::spawn(async move { run.start(trigger).await });
    b.logged("two: again").await;
    cancel.cancel();
    assert_eq!(failure(&run.await.unwrap()).kind(), Kind::Cancelled);
    let left = || a.world.log().iter().filter(|line| *line == "left two").count();
    while left() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_edge_cancels_what_runs_over_it_in_the_other_module() {
    let (a, b) = Town::of_two().await;
    a.node("one", "actor", &["out two:input"]);
    b.node("two", "actor", &[]).script("two", &[Act::Hang]);
    let run = a.world.run_aside("one:input").await;
    b.logged("two: go").await;
    a.node("one", "actor", &[]);
    assert!(failure(&run.await.unwrap()).to_string().contains("was removed"));
    b.logged("left two").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_in_words_on_both_ways() {
    let (a, b) = Town::of_two().await;
    a.node("one", "actor", &["out two:input"]);
    b.node("two", "actor", &[]);
    let large = "x".repeat(4 * 1024 * 1024);
    let outcome = a.world.start(a.world.trigger("one:input", json!({"text": large}))).await;
    let error = failure(&outcome);
    assert_eq!(error.kind(), Kind::Limit);
    let said = error.to_string();
    assert!(said.contains("to `two:input`") && said.contains("4194304"), "{said}");
    // The largest that goes.
    let largest = "x".repeat(4 * 1024 * 1024 - r#"{"text":""}"#.len());
    let outcome = a.world.start(a.world.trigger("one:input", json!({"text": largest}))).await;
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);

    let endless: &'static str = Box::leak(large.into_boxed_str());
    b.script("two", &[Act::Answer(endless)]);
    let error = failure(&a.run("one:input").await);
    assert_eq!(error.kind(), Kind::Limit);
    assert!(error.to_string().starts_with("the reply has"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_at_the_receiver_counts_where_the_edge_has_none() {
    let (a, b) = Town::of_two().await;
    let inward = |from: &str| InwardDecl {
        from: address(from),
        port: "input".into(),
        mapping: json!({"text": "{{ $.text + ' (theirs)' }}"}),
    };
    let mut two = b.world.decl("two", "actor", vec![]);
    two.inward = vec![inward("one:out"), inward("three:out"), inward("here:out")];
    b.town().own("two", "b");
    b.world.update(two);
    a.node("one", "actor", &["out two:input"]);
    let own = mapped("out two:input", json!({"text": "{{ $.text + ' (mine)' }}"}));
    a.edges("three", "actor", vec![quick(own)]);
    a.world.peer("two", Peer::Foreign { module: "b".into(), is_known: true });
    b.node("here", "actor", &["out two:input"]);
    for node in ["one:input", "three:input"] {
        assert!(a.run(node).await.result.is_ok());
    }
    assert!(b.run("here:input").await.result.is_ok());
    let mut arrivals = a.world.arrivals();
    arrivals.retain(|line| line.starts_with("two"));
    assert_eq!(arrivals, ["two: go (theirs)", "two: go (mine)", "two: go (theirs)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_runs_than_credits_wait_and_all_come_through() {
    let (a, b) = Town::of_two().await;
    // A busy node takes 256 at once; the stream, 1024; so both are waited for.
    a.node("one", "actor", &["out two:input"]).node("one2", "actor", &["out two:input"]);
    b.node("two", "actor", &["out one3:input"]);
    a.node("one3", "actor", &[]).script("one3", &[Act::Answer("back")]);
    let runs = (0..3000).map(|at| {
        let to = ["one:input", "one2:input"][at % 2];
        let (scheduler, trigger) =
            (a.world.scheduler.clone(), a.world.trigger(to, json!({"text": "go"})));
        tokio::spawn(async move { scheduler.start(trigger).await })
    });
    for run in runs.collect::<Vec<_>>() {
        let outcome = tokio::time::timeout(crate::town::PATIENCE * 2, run).await.unwrap().unwrap();
        assert_eq!(answer(&outcome).as_deref(), Some("back"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_panics_when_it_is_written_is_an_error_and_hurts_no_other_message() {
    let (a, b) = Town::of_two().await;
    a.node("one", "actor", &["out two:input"]).node("other", "actor", &["out hung:input"]);
    b.node("two", "miner", &[]).node("hung", "actor", &[]);
    b.script("hung", &[Act::Late(300, "still here")]);
    let run = a.world.run_aside("other:input").await;
    b.logged("hung: go").await;
    let error = failure(&a.run("one:input").await);
    assert_eq!(error.kind(), Kind::Permanent);
    assert!(error.to_string().contains("it went off"), "{error}");
    assert_eq!(answer(&run.await.unwrap()).as_deref(), Some("still here"));
}
