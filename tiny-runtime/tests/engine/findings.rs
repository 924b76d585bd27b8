//! What is wrong with a declared node is said when it is declared.

use serde_json::json;
use tiny_runtime::component::Kind;
use tiny_runtime::engine::{Cause, EdgeDecl, Finding, NodeDecl, Peer};

use crate::stage::{Act, World, answer, configured, edge, failure, mapped};

fn one(findings: &[Finding]) -> &Finding {
    let [finding] = findings else { panic!("one finding: {findings:?}") };
    finding
}

#[tokio::test]
async fn the_second_edge_of_one_id_is_a_finding_and_refuses_its_messages() {
    let world = World::new();
    world.script("c", &[Act::Answer("c")]).node("b", "actor", &[]).node("c", "actor", &[]);
    let twin = EdgeDecl { id: "out-b-input".into(), ..edge("out c:input") };
    let findings = world.update(world.decl("a", "actor", vec![edge("out b:input"), twin]));
    let finding = one(&findings);
    assert_eq!(finding.cause, Cause::DuplicateEdge);
    assert_eq!(finding.edge.as_deref(), Some("out-b-input"));
    let outcome = world.run("a:input").await;
    assert_eq!(failure(&outcome).to_string(), finding.message, "no message is dropped in silence");
    assert_eq!((world.calls("b"), world.calls("c")), (1, 0));
}

#[tokio::test]
async fn a_source_that_is_not_there_is_a_finding_that_names_the_nearest() {
    let world = World::new();
    world.node("b", "actor", &[]);
    let findings = world.update(world.decl("a", "actor", vec![edge("ot b:input")]));
    let finding = one(&findings);
    assert_eq!(finding.cause, Cause::UnknownPort);
    let text = "node `a`, edge `ot-b-input`: node `a` (actor) has no such port `ot` \
        (did you mean `out`?); here it has `out`, `request`, `ask` and `error`";
    assert_eq!(finding.message, text);
}

#[tokio::test]
async fn a_target_that_is_not_there_is_a_finding_and_a_permanent_error_on_the_edge() {
    let world = World::new();
    world.node("b", "actor", &[]);
    for to in ["out b:imput", "out b:out", "out b:_settings"] {
        let findings = world.update(world.decl("a", "actor", vec![edge(to)]));
        let finding = one(&findings);
        assert_eq!(finding.cause, Cause::UnknownPort, "{to}");
        assert!(finding.message.contains("`b` (actor)"), "{finding}");
        let error = failure(&world.run("a:input").await);
        assert_eq!((error.kind(), error.to_string()), (Kind::Permanent, finding.message.clone()));
    }
    let findings = world.update(world.decl("a", "actor", vec![edge("out b:imput")]));
    assert!(findings[0].message.contains("(did you mean `input`?)"), "{findings:?}");
}

#[tokio::test]
async fn a_component_that_is_not_there_is_a_finding_that_names_the_nearest() {
    let world = World::new();
    let findings = world.update(world.decl("a", "actr", vec![]));
    let finding = one(&findings);
    assert_eq!(finding.cause, Cause::UnknownComponent);
    assert!(finding.message.contains("`actr` (did you mean `actor`?)"), "{finding}");
    assert!(!world.scheduler.is_live("a"));
}

#[tokio::test(start_paused = true)]
async fn a_target_of_a_module_that_nobody_knows_is_a_finding_and_is_waited_for() {
    let world = World::new();
    world.peer("far", Peer::Foreign { module: "mailer".into(), is_known: false });
    let findings = world.update(world.decl("a", "actor", vec![edge("out far:input")]));
    let finding = one(&findings);
    assert_eq!(finding.cause, Cause::ModuleMissing);
    assert!(!finding.cause.refuses(), "it may come");
    assert!(finding.message.contains("`far`") && finding.message.contains("`mailer`"), "{finding}");
    let outcome = world.run("a:input").await;
    assert_eq!(failure(&outcome).kind(), Kind::Exhausted);
    assert_eq!(outcome.took.as_secs(), 30, "as long as for any node that is absent");
}

#[tokio::test]
async fn a_target_that_is_not_there_yet_is_a_finding_that_refuses_nothing() {
    let world = World::new();
    let findings = world.update(world.decl("a", "actor", vec![edge("out b:input")]));
    let finding = one(&findings);
    assert_eq!(finding.cause, Cause::TargetMissing);
    assert!(!finding.cause.refuses());
    world.script("b", &[Act::Answer("here")]).node("b", "actor", &[]);
    assert_eq!(answer(&world.run("a:input").await).as_deref(), Some("here"));
}

#[tokio::test]
async fn a_mapping_that_does_not_parse_is_a_finding_and_its_edge_alone_refuses() {
    let world = World::new();
    world.script("b", &[Act::Answer("b")]).node("b", "actor", &[]).node("c", "actor", &[]);
    let broken = mapped("out c:input", json!({"text": "{{ $.text + }}"}));
    let findings = world.update(world.decl("a", "actor", vec![broken, edge("out b:input")]));
    let finding = one(&findings);
    assert_eq!(finding.cause, Cause::ExpressionInvalid);
    assert_eq!(finding.edge.as_deref(), Some("out-c-input"));
    let outcome = world.run("a:input").await;
    assert_eq!(answer(&outcome).as_deref(), Some("b"));
    assert_eq!(outcome.run.failures(), [format!("c:input: {}", finding.message)]);
    assert_eq!(world.calls("c"), 0);
}

#[tokio::test]
async fn an_edge_that_cannot_be_read_refuses_with_its_fault() {
    let world = World::new();
    world.node("b", "actor", &[]);
    let fault = Some("`retry.timeout` is no duration: `soon`".to_owned());
    let decl = world.decl("a", "actor", vec![EdgeDecl { fault, ..edge("out b:input") }]);
    let findings = world.update(decl);
    let finding = one(&findings);
    assert_eq!(finding.cause, Cause::EdgeInvalid);
    assert_eq!(failure(&world.run("a:input").await).to_string(), finding.message);
}

#[tokio::test]
async fn a_configuration_of_a_port_that_is_not_there_is_a_finding() {
    let world = World::new();
    let configurations = configured(json!({"tock": {"times": 1}}));
    let decl = NodeDecl { configurations, ..world.decl("n", "counter", vec![]) };
    let findings = world.update(decl);
    let finding = one(&findings);
    assert_eq!(finding.cause, Cause::UnknownPort);
    assert!(finding.message.contains("`tock`"), "{finding}");
    assert!(world.scheduler.is_live("n"), "the node works all the same");
}

#[tokio::test]
async fn all_findings_of_a_node_come_at_once() {
    let world = World::new();
    world
        .node("b", "actor", &[])
        .peer("far", Peer::Foreign { module: "mailer".into(), is_known: false });
    let broken = mapped("ot b:imput", json!({"text": "{{ $. }}"}));
    let edges = vec![broken, edge("out far:input"), edge("out ghost:input")];
    let findings = world.update(world.decl("a", "actor", edges));
    let causes: Vec<_> = findings.iter().map(|finding| finding.cause).collect();
    let expected = [
        Cause::UnknownPort,
        Cause::UnknownPort,
        Cause::ExpressionInvalid,
        Cause::ModuleMissing,
        Cause::TargetMissing,
    ];
    assert_eq!(causes, expected);
}
