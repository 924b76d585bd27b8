//! What a bench and a local flow promise to those who write tests.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::json;
use tiny_runtime::component::key;
use tiny_runtime::prelude::*;
use tiny_runtime::testing::Flow;
use tokio::time::Instant;

/// How to ask.
#[message]
pub struct Manner {
    /// What stands before every question.
    pub prefix: String,
    /// Transient failures before the first success.
    pub busy: u32,
}

impl Default for Manner {
    fn default() -> Self {
        Self { prefix: "?".into(), busy: 0 }
    }
}

/// A question.
#[message]
#[derive(PartialEq)]
pub struct Question {
    /// Its text.
    pub text: String,
}

/// An answer.
#[message]
#[derive(PartialEq)]
pub struct Answer {
    /// Its text.
    pub text: String,
}

fn question(text: &str) -> Question {
    Question { text: text.into() }
}

fn answer(text: &str) -> Answer {
    Answer { text: text.into() }
}

/// Asks others.
#[component(name = "asker")]
#[derive(Default)]
struct Asker {
    settings: Settings<Manner>,
    calls: AtomicU32,
}

#[component]
impl Asker {
    /// Asks, and answers with the answer.
    #[port(target)]
    async fn ask(&self, ctx: &Ctx, message: Question) -> Result<Answer> {
        let calls = self.calls.fetch_add(1, Ordering::SeqCst);
        let manner = self.settings.get();
        match message.text.as_str() {
            "bad" => return Err(Error::permanent("a bad question")),
            "panic" => panic!("a hard question"),
            _ if calls < manner.busy => return Err(Error::transient("busy")),
            _ => {}
        }
        self.request(ctx, question(&format!("{}{}", manner.prefix, message.text))).await
    }

    /// How often it was asked.
    #[port(target)]
    async fn count(&self, _: &Ctx, _: bool) -> Result<u64> {
        Ok(self.calls.load(Ordering::SeqCst).into())
    }

    /// Passes on whatever comes.
    #[port(target)]
    async fn pass(&self, ctx: &Ctx, message: String) -> Result {
        self.out(ctx, message).await
    }

    /// Waits for ever.
    #[port(target)]
    async fn wait(&self, _: &Ctx, _: u64) -> Result {
        std::future::pending().await
    }

    /// Needs an answer.
    #[port(source)]
    async fn request(&self, ctx: &Ctx, message: Question) -> Result<Answer>;

    /// Needs none.
    #[port(source)]
    async fn out(&self, ctx: &Ctx, message: String) -> Result;

    /// What could not be asked.
    #[port(error)]
    async fn error(&self, ctx: &Ctx, failure: Failure<Question>) -> Result;
}

/// Answers every question.
#[component(name = "oracle")]
#[derive(Default)]
struct Oracle;

#[component]
impl Oracle {
    /// Receives a question.
    #[port(target)]
    async fn input(&self, _: &Ctx, message: &Question) -> Result<Answer> {
        Ok(answer(&message.text.to_uppercase()))
    }
}

fn bench() -> Bench<Asker> {
    Bench::new()
}

#[tokio::test]
async fn a_message_makes_the_component_send_and_the_canned_reply_comes_back_typed() -> Result<()> {
    let bench = bench().reply(Asker::REQUEST, answer("yes"));
    let reply: Answer = bench.send(Asker::ASK, question("really")).await?;
    assert_eq!(reply, answer("yes"));
    bench.send(Asker::ASK, question("sure")).await?;
    assert_eq!(bench.sent(Asker::REQUEST), [question("?really"), question("?sure")]);
    assert!(bench.sent(Asker::OUT).is_empty());
    Ok(())
}

#[tokio::test]
async fn replies_and_faults_queue_up_and_the_last_one_stays() -> Result<()> {
    let bench = bench().reply(Asker::OUT, answer("first")).reply(Asker::OUT, 2_u64);
    let mut replies = Vec::new();
    for _ in 0..3 {
        replies.push(bench.send(Asker::PASS, String::new()).await?.to_json()?);
    }
    assert_eq!(replies, [Some(json!({"text": "first"})), Some(json!(2)), Some(json!(2))]);
    bench.fail(Asker::OUT, Error::permanent("gone"));
    for _ in 0..2 {
        let error = bench.send(Asker::PASS, String::new()).await.unwrap_err();
        assert_eq!(error.to_string(), "gone");
    }
    assert_eq!(bench.sent(Asker::OUT).len(), 5);
    Ok(())
}

#[tokio::test]
async fn a_source_without_a_canned_reply_gives_none() -> Result<()> {
    let bench = bench();
    assert!(bench.send(Asker::PASS, "on".into()).await?.is_none());
    let error = bench.send(Asker::ASK, question("a")).await.unwrap_err();
    assert_eq!(error.to_string(), "nothing replied to `request`");
    Ok(())
}

#[tokio::test]
async fn settings_reach_the_same_instance_before_and_after_messages() -> Result<()> {
    let bench = bench().reply(Asker::REQUEST, answer("yes"));
    bench.settings(Manner { prefix: "!".into(), busy: 0 });
    bench.send(Asker::ASK, question("a")).await?;
    bench.settings_json(json!({"prefix": "#"}));
    bench.send(Asker::ASK, question("a")).await?;
    bench.settings_json(json!({}));
    bench.send(Asker::ASK, question("a")).await?;
    assert_eq!(bench.sent(Asker::REQUEST), [question("!a"), question("#a"), question("?a")]);
    assert_eq!(bench.send(Asker::COUNT, true).await?, 3);
    Ok(())
}

#[tokio::test]
async fn two_benches_are_two_components() -> Result<()> {
    let (one, other) = (bench().reply(Asker::REQUEST, answer("yes")), bench());
    one.send(Asker::ASK, question("a")).await?;
    assert_eq!(one.send(Asker::COUNT, true).await?, 1);
    assert_eq!(other.send(Asker::COUNT, true).await?, 0);
    assert!(other.sent(Asker::REQUEST).is_empty());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_retried_and_two_runs_of_a_test_are_alike() -> Result<()> {
    let mut waits = Vec::new();
    for _ in 0..2 {
        let bench = bench().reply(Asker::REQUEST, answer("yes"));
        bench.settings_json(json!({"busy": 3}));
        let start = Instant::now();
        bench.send(Asker::ASK, question("a")).await?;
        waits.push(start.elapsed());
        assert_eq!(bench.send(Asker::COUNT, true).await?, 4);
        assert!(bench.sent(Asker::ERROR).is_empty());
    }
    assert!(waits[0] > Duration::ZERO);
    assert_eq!(waits[0], waits[1]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn used_up_retries_reach_the_error_port_as_retryable_and_the_sender() {
    let bench = bench().settings_json(json!({"busy": 99}));
    let error = bench.send(Asker::ASK, question("a")).await.unwrap_err();
    assert_eq!(error.to_string(), "gave up after 10 attempts: busy");
    assert!(error.is_permanent() && error.is_retryable());
    let failures = bench.sent(Asker::ERROR);
    assert_eq!(failures.len(), 1);
    assert!(failures[0].retryable);
}

#[tokio::test]
async fn a_failure_is_seen_at_the_error_port_and_by_the_sender() {
    let bench = bench();
    let error = bench.send(Asker::ASK, question("bad")).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.is_retryable()), ("a bad question", false));
    let (context, error) = (question("bad"), "a bad question".into());
    assert_eq!(bench.sent(Asker::ERROR), [Failure { context, error, retryable: false }]);
}

#[tokio::test]
async fn what_answers_the_error_port_answers_the_sender() -> Result<()> {
    let bench = bench().reply(Asker::ERROR, answer("sorry"));
    assert_eq!(bench.send(Asker::ASK, question("bad")).await?, answer("sorry"));
    assert_eq!(bench.sent(Asker::ERROR).len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_panic_is_a_permanent_failure_and_the_bench_goes_on() -> Result<()> {
    let bench = bench().reply(Asker::REQUEST, answer("yes"));
    let error = bench.send(Asker::ASK, question("panic")).await.unwrap_err();
    assert_eq!(error.to_string(), "the component of node `asker` panicked: a hard question");
    assert_eq!(bench.send(Asker::ASK, question("a")).await?, answer("yes"));
    Ok(())
}

#[tokio::test]
async fn a_transient_fault_of_a_source_is_final_and_takes_no_time() {
    let bench = bench().fail(Asker::REQUEST, Error::transient("no line"));
    let error = bench.send(Asker::ASK, question("a")).await.unwrap_err();
    assert_eq!(error.to_string(), "no line");
    assert!(error.is_permanent() && error.is_retryable());
    assert_eq!(bench.sent(Asker::REQUEST).len(), 1);
}

#[tokio::test]
async fn json_that_does_not_fit_is_the_error_of_the_engine() -> Result<()> {
    let bench = bench();
    let error = bench.send_json("ask", json!({"text": 7})).await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the message for node `asker` does not fit: `text`: invalid type"),
        "{error}"
    );
    assert!(bench.send_json("pass", json!("on")).await?.is_none());
    assert_eq!(bench.sent(Asker::OUT), ["on"]);
    Ok(())
}

#[tokio::test]
async fn a_clone_is_a_handle_to_the_same_component() -> Result<()> {
    let bench = bench();
    let sent = tokio::spawn(bench.clone().send(Asker::PASS, "aside".into()));
    sent.await.unwrap()?.ignore();
    assert_eq!(bench.sent(Asker::OUT), ["aside"]);
    Ok(())
}

#[tokio::test(start_paused = true)]
#[should_panic(
    expected = "the run that `asker:wait` started never ends: something in it waits for ever"
)]
async fn a_run_that_never_ends_fails_its_test() {
    bench().send(Asker::WAIT, 1).await.unwrap().ignore();
}

#[test]
#[should_panic(
    expected = "node `asker`: the configuration of `_settings` does not fit: `busy`: invalid type"
)]
fn settings_that_do_not_fit_are_the_finding_of_the_node() {
    bench().settings_json(json!({"busy": "very"}));
}

#[test]
#[should_panic(expected = "node `oracle` (oracle) has no such port `_settings`")]
fn settings_of_a_component_without_any_are_the_finding_of_the_node() {
    Bench::<Oracle>::new().settings_json(json!({}));
}

#[test]
#[should_panic(
    expected = "`request` of `asker` is no target: name a target, here `ask`, `count`, `pass` and `wait`"
)]
fn sending_to_a_source_is_refused() {
    drop(bench().send(Asker::REQUEST, question("a")));
}

#[test]
#[should_panic(
    expected = "`asker` has no port `aks` (did you mean `ask`?): name a target, here `ask`, `count`, `pass` and `wait`"
)]
fn sending_to_a_port_that_is_not_there_is_refused() {
    drop(bench().send_json("aks", json!(1)));
}

#[test]
#[should_panic(
    expected = "`ask` of `asker` is no source: name a source, here `request`, `out` and `error`"
)]
fn a_target_has_not_sent_anything() {
    bench().sent(Asker::ASK);
}

#[test]
#[should_panic(expected = "`asker` has no port `old`: name a source")]
fn a_key_of_a_port_that_is_not_there_answers_nothing() {
    bench().reply(key::<Asker, Question, Answer>("old"), answer("a"));
}

#[test]
#[should_panic(expected = "`ask` of `asker` is no source")]
fn a_target_cannot_be_made_to_fail_from_outside() {
    bench().fail(Asker::ASK, Error::permanent("no"));
}

fn consultation() -> Flow {
    Flow::local().node::<Asker>("asker").node::<Oracle>("oracle")
}

#[tokio::test]
async fn a_local_flow_moves_messages_along_its_edges() -> Result<()> {
    let flow = consultation()
        .settings("asker", json!({"prefix": "why "}))
        .edge("asker:request", "oracle:input", json!({"text": "{{ $.text }}"}))
        .edge("asker:error", "oracle:input", json!({"text": "{{ $.context.text }}"}));
    let outcome = flow.send("asker:ask", json!({"text": "not"})).await;
    let hops: Vec<String> = outcome.run.visits().into_iter().map(|visit| visit.at).collect();
    assert_eq!(hops, ["asker:ask", "oracle:input"]);
    assert_eq!(outcome.result?.to_json()?, Some(json!({"text": "WHY NOT"})));
    Ok(())
}

#[tokio::test]
async fn edges_and_settings_may_change_between_messages_and_the_instance_stays() -> Result<()> {
    let flow = consultation();
    flow.send("asker:ask", json!({"text": "a"})).await.result.unwrap_err();
    let flow =
        flow.identity("asker:request", "oracle:input").settings("asker", json!({"prefix": ""}));
    let reply = flow.send("asker:ask", json!({"text": "a"})).await.result?;
    assert_eq!(reply.to_json()?, Some(json!({"text": "A"})));
    assert_eq!(flow.send("asker:count", json!(true)).await.result?.to_json()?, Some(json!(2)));
    Ok(())
}

#[tokio::test]
#[should_panic(
    expected = "node `asker`, edge `error-oracle:input`: its mapping: `text` is required, and nothing feeds it"
)]
async fn a_mapping_that_cannot_be_right_is_refused_before_the_first_message() {
    let flow = consultation().identity("asker:error", "oracle:input");
    drop(flow.send("asker:ask", json!({"text": "a"})).await);
}

#[test]
#[should_panic(
    expected = "node `asker`, edge `request-oracle:imput`: node `oracle` (oracle) has no such port `imput` (did you mean `input`?)"
)]
fn an_edge_to_a_port_that_is_not_there_is_the_finding_of_its_node() {
    drop(consultation().edge("asker:request", "oracle:imput", json!({"text": "a"})));
}

#[test]
#[should_panic(expected = "node `asker`, edge `request-oracl:input`: there is no node `oracl`")]
fn an_edge_to_a_node_that_is_not_there_is_the_finding_of_its_node() {
    drop(consultation().identity("asker:request", "oracl:input"));
}

#[test]
#[should_panic(expected = "node `asker`, edge `request-oracle:input`: its mapping: ")]
fn an_expression_that_does_not_parse_is_the_finding_of_its_node() {
    drop(consultation().edge("asker:request", "oracle:input", json!({"text": "{{ $.. }}"})));
}

#[test]
#[should_panic(
    expected = "node `asker`: the configuration of `_settings` does not fit: `busy`: invalid type"
)]
fn settings_of_a_flow_that_do_not_fit_are_the_finding_of_their_node() {
    drop(consultation().settings("asker", json!({"busy": "very"})));
}

#[test]
#[should_panic(
    expected = "there is no node `askr` (did you mean `asker`?): this flow has `asker` and `oracle`"
)]
fn an_edge_from_a_node_that_is_not_there_is_refused() {
    drop(consultation().identity("askr:request", "oracle:input"));
}

#[test]
#[should_panic(expected = "`asker` has no port `aks` (did you mean `ask`?): name a target")]
fn a_flow_refuses_a_message_for_a_port_that_is_not_there() {
    drop(consultation().send("asker:aks", json!(1)));
}

#[test]
#[should_panic(expected = "`asker` names no port: write `node:port`")]
fn a_flow_refuses_an_address_without_a_port() {
    drop(consultation().send("asker", json!(1)));
}

#[test]
#[should_panic(expected = "there are two nodes `asker`: give each its own name")]
fn two_nodes_of_one_name_are_refused() {
    drop(consultation().node::<Oracle>("asker"));
}

#[tokio::test]
#[should_panic(expected = "node `late` comes after the first message: declare all nodes before it")]
async fn a_node_after_the_first_message_is_refused() {
    let flow = consultation();
    flow.send("asker:count", json!(true)).await.result.unwrap().ignore();
    drop(flow.node::<Oracle>("late"));
}
