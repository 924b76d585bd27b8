//! What becomes of signals.

use std::time::Duration;

use kube::ResourceExt;
use kube::api::DeleteParams;
use serde_json::json;
use tiny_crds::{Phase, TinySignal};

use crate::stage::Stage;

#[tokio::test]
async fn a_signal_travels_through_the_flow_and_its_status_holds_the_reply() {
    let stage = Stage::new().await;
    stage.greeting_flow().await;
    let operator = stage.start("m");
    stage
        .signal(
            "s",
            json!({"node": "first", "port": "input", "data": {"text": "World"}, "nonce": "1"}),
        )
        .await;
    let status = stage.status("s", Phase::Succeeded, "1").await;
    assert_eq!(status.reply, Some(json!("Hello, World!")));
    assert_eq!(status.attempts, Some(1));
    assert_eq!(status.observed_generation, Some(1));
    assert!(status.start_time.is_some() && status.finish_time.is_some());

    // A new nonce runs again; data as base64 is the form of older clients.
    stage.patch_signal("s", json!({"nonce": "2", "data": "eyJ0ZXh0IjoiYmFzZTY0In0="})).await;
    let status = stage.status("s", Phase::Succeeded, "2").await;
    assert_eq!(status.reply, Some(json!("Hello, base64!")));
    stage.end(operator).await;
}

#[tokio::test]
async fn a_failure_is_said_in_the_status() {
    let stage = Stage::new().await;
    stage.node("last", json!({"module": "m", "component": "answer"})).await;
    let operator = stage.start("m");
    stage
        .signal(
            "s",
            json!({"node": "last", "port": "input", "data": {"text": "bad"}, "nonce": "1"}),
        )
        .await;
    let status = stage.status("s", Phase::Failed, "1").await;
    assert_eq!(status.error.as_deref(), Some("this text is bad"));

    stage.patch_signal("s", json!({"nonce": "2", "data": {"text": 5}})).await;
    let status = stage.status("s", Phase::Failed, "2").await;
    let error = status.error.unwrap();
    assert_eq!(
        error,
        "the message for node `last` does not fit: `text`: invalid type: integer, expected a string"
    );

    stage.patch_signal("s", json!({"nonce": "3", "port": "inptu"})).await;
    let error = stage.status("s", Phase::Failed, "3").await.error.unwrap();
    assert_eq!(
        error,
        "node `last` (answer) has no target `inptu` (did you mean `input`?); it has `input`"
    );

    stage.patch_signal("s", json!({"nonce": "4", "timeout": "soon"})).await;
    let error = stage.status("s", Phase::Failed, "4").await.error.unwrap();
    assert!(error.starts_with("`spec.timeout`: `soon` is not a duration"), "{error}");
    stage.end(operator).await;
}

#[tokio::test]
async fn the_same_nonce_with_other_data_does_not_run_and_says_so() {
    let stage = Stage::new().await;
    stage.greeting_flow().await;
    let operator = stage.start("m");
    stage
        .signal("s", json!({"node": "first", "port": "input", "data": {"text": "a"}, "nonce": "1"}))
        .await;
    stage.status("s", Phase::Succeeded, "1").await;
    stage.patch_signal("s", json!({"data": {"text": "b"}})).await;
    let refused = |signal: Option<&TinySignal>| {
        let status = signal.and_then(|signal| signal.status.as_ref());
        status.is_some_and(|status| status.observed_generation == Some(2))
    };
    let status = stage.until::<TinySignal>("s", refused).await.status.unwrap();
    assert_eq!(status.reply, Some(json!("Hello, a!")));
    assert_eq!(
        status.message.as_deref(),
        Some(
            "the spec changed, but nonce `1` has run already, so this did not run; write a new nonce"
        )
    );
    stage.end(operator).await;
}

#[tokio::test]
async fn without_a_nonce_every_change_of_the_spec_runs() {
    let stage = Stage::new().await;
    stage.greeting_flow().await;
    let operator = stage.start("m");
    let signal =
        stage.signal("s", json!({"node": "first", "port": "input", "data": {"text": "a"}})).await;
    let uid = signal.uid().unwrap();
    stage.status("s", Phase::Succeeded, &format!("{uid}/1")).await;
    stage.patch_signal("s", json!({"data": {"text": "b"}})).await;
    let status = stage.status("s", Phase::Succeeded, &format!("{uid}/2")).await;
    assert_eq!(status.reply, Some(json!("Hello, b!")));
    stage.end(operator).await;
}

#[tokio::test]
async fn a_newer_nonce_cancels_what_runs_and_then_runs() {
    let stage = Stage::new().await;
    stage.node("h", json!({"module": "m", "component": "hang"})).await;
    let operator = stage.start("m");
    stage
        .signal("s", json!({"node": "h", "port": "input", "data": {"text": "stay"}, "nonce": "1"}))
        .await;
    stage.status("s", Phase::Running, "1").await;
    stage.patch_signal("s", json!({"nonce": "2", "data": {"text": "go"}})).await;
    let status = stage.status("s", Phase::Succeeded, "2").await;
    assert_eq!(status.reply, Some(json!("went")));
    assert_eq!(status.attempts, Some(1));
    stage.end(operator).await;
}

#[tokio::test]
async fn what_runs_may_end_before_a_process_does_and_nothing_new_begins() {
    let stage = Stage::new().await;
    stage.node("h", json!({"module": "m", "component": "hang"})).await;
    let operator = stage.start("m");
    let send = |text| json!({"node": "h", "port": "input", "data": {"text": text}, "nonce": "1"});
    stage.signal("ends", send("soon")).await;
    stage.status("ends", Phase::Running, "1").await;
    assert!(operator.finish(Duration::from_secs(20)).await);
    let ended = stage.api::<TinySignal>().get("ends").await.unwrap().status.unwrap();
    assert_eq!((ended.phase, ended.attempts), (Some(Phase::Succeeded), Some(1)));
    stage.signal("late", send("go")).await;
    assert!(operator.finish(Duration::from_secs(20)).await, "nothing is under way");
    operator.stop().await;
    let late = stage.api::<TinySignal>().get("late").await.unwrap().status.unwrap_or_default();
    assert_eq!(late.phase.unwrap_or_default(), Phase::Pending, "it is left for the next process");

    let operator = stage.start("m");
    stage.status("late", Phase::Succeeded, "1").await;
    stage.signal("stays", send("stay")).await;
    stage.status("stays", Phase::Running, "1").await;
    assert!(!operator.finish(Duration::from_millis(50)).await, "it does not end by itself");
    assert!(operator.stop_within(Duration::from_secs(20)).await);
    let left = stage.api::<TinySignal>().get("stays").await.unwrap().status.unwrap();
    assert_eq!(left.phase, Some(Phase::Running));
    stage.plane.shutdown().await;
}

#[tokio::test]
async fn what_runs_at_shutdown_stays_running_and_runs_again() {
    let stage = Stage::new().await;
    stage.node("h", json!({"module": "m", "component": "hang"})).await;
    let operator = stage.start("m");
    stage
        .signal("s", json!({"node": "h", "port": "input", "data": {"text": "stay"}, "nonce": "1"}))
        .await;
    stage.status("s", Phase::Running, "1").await;
    operator.stop().await;
    let left = stage.api::<TinySignal>().get("s").await.unwrap().status.unwrap();
    assert_eq!(left.phase, Some(Phase::Running));

    let operator = stage.start("m");
    let again = |signal: Option<&TinySignal>| {
        let status = signal.and_then(|signal| signal.status.as_ref());
        status.is_some_and(|status| status.attempts == Some(2))
    };
    let status = stage.until::<TinySignal>("s", again).await.status.unwrap();
    assert_eq!(status.phase, Some(Phase::Running));
    assert!(
        status.term > left.term,
        "a new process leads in a new term: {:?}, {:?}",
        left.term,
        status.term
    );
    stage.end(operator).await;
}

#[tokio::test]
async fn a_deleted_signal_ends_its_run() {
    let stage = Stage::new().await;
    stage.node("h", json!({"module": "m", "component": "hang"})).await;
    let operator = stage.start("m");
    stage
        .signal("s", json!({"node": "h", "port": "input", "data": {"text": "stay"}, "nonce": "1"}))
        .await;
    stage.status("s", Phase::Running, "1").await;
    stage.api::<TinySignal>().delete("s", &DeleteParams::default()).await.unwrap();
    stage
        .signal("s", json!({"node": "h", "port": "input", "data": {"text": "go"}, "nonce": "1"}))
        .await;
    stage.status("s", Phase::Succeeded, "1").await;
    stage.end(operator).await;
}

#[tokio::test]
async fn a_signal_that_goes_to_another_module_ends_its_run_here() {
    let stage = Stage::new().await;
    stage.node("h", json!({"module": "m", "component": "hang"})).await;
    stage.node("theirs", json!({"module": "other", "component": "x"})).await;
    let operator = stage.start("m");
    let spec = json!({"node": "h", "port": "input", "data": {"text": "stay"}, "nonce": "1"});
    stage.signal("s", spec).await;
    stage.status("s", Phase::Running, "1").await;
    stage.patch_signal("s", json!({"node": "theirs", "nonce": "2"})).await;
    // It is free again: the next nonce for our node runs at once.
    stage.patch_signal("s", json!({"node": "h", "nonce": "3", "data": {"text": "go"}})).await;
    stage.status("s", Phase::Succeeded, "3").await;
    stage.end(operator).await;
}
