//! Tests of components and flows on the real engine, without a plane.
//!
//! A [`Bench`] holds one component: send it messages, look at what its sources sent, answer for the flow behind them. A
//! [`Flow`] holds several, with edges and mappings. A [`Sim`] is a flow in a process that the test may end at any time, a [`Storm`] takes it
//! through random steps. All of them drive the engine that `run` drives, with its retries, error ports
//! and caught panics, and with seeded dice, so that a test does the same every time.
//!
//! Waits are real unless the test pauses the clock: `#[tiny_runtime::test]` does.

mod answers;
mod bench;
mod flow;
mod plane;
pub(crate) mod script;
mod sim;
mod tap;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub use answers::Answers;
pub use bench::Bench;
pub use flow::Flow;
pub use script::test_file;
pub use sim::{Fate, Fault, Sim, Storm, Ticket, Weather};

use crate::component::{ComponentType, PortInfo};
use crate::engine::{
    Address, Backing, Cause, Dice, Face, Finding, NodeDecl, Outcome, Proofs, Scheduler, Site,
    Trigger, Waits,
};
use crate::registry::Registry;
use crate::words;

/// Every bench and flow throws the same dice.
const SEED: u64 = 1;

/// A run that takes longer never ends. With a paused clock this passes at once, and the test fails instead of hanging.
const LONGEST_RUN: Duration = Duration::from_secs(365 * 24 * 60 * 60);

fn scheduler(backing: Backing, registry: Registry) -> Scheduler {
    Scheduler::on(backing, registry.into(), Waits::default(), Dice::seeded(SEED))
}

/// Runs `test` to its end, for examples and for tests that are no `#[tiny_runtime::test]`.
///
/// ```
/// let three = tiny_runtime::testing::block_on(async { 1 + 2 });
/// assert_eq!(three, 3);
/// ```
///
/// # Panics
/// When the system gives no runtime.
pub fn block_on<F: Future>(test: F) -> F::Output {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(test),
        Err(e) => panic!("cannot start the async runtime: {e}"),
    }
}

/// Sends `data` as a trigger does and waits until all that it causes has ended.
async fn run(scheduler: Scheduler, to: Address, data: Value) -> Outcome {
    let trigger = Trigger {
        name: "test".into(),
        to: to.clone(),
        data: Some(data),
        timeout: None,
        cancel: CancellationToken::new(),
    };
    match timeout(LONGEST_RUN, scheduler.start(trigger)).await {
        Ok(outcome) => outcome,
        Err(_) => panic!("the run that `{to}` started never ends: something in it waits for ever"),
    }
}

/// What is said of a node that is not there.
fn no_node(name: &str, nodes: &BTreeMap<String, NodeDecl>) -> String {
    let names = || nodes.keys().map(String::as_str);
    format!(
        "there is no node `{name}`{}: this flow has {}",
        words::did_you_mean(name, names()),
        words::list(names())
    )
}

/// The first mapping of these nodes that cannot be right.
fn refuted(registry: &Registry, nodes: &BTreeMap<String, NodeDecl>) -> Option<String> {
    let mut proofs = Proofs::default();
    for (name, node) in nodes {
        let face = registry.get(&node.component).cloned().map_or(Face::Unknown, Face::Ours);
        proofs.put(name, Some(Site::new(node, face, Vec::new())));
    }
    proofs.settle();
    nodes.keys().find_map(|name| {
        proofs.of(name).iter().find_map(|(edge, proof)| {
            let why = proof.refuted().next()?;
            Some(format!("node `{name}`, edge `{edge}`: its mapping: {why}"))
        })
    })
}

/// A test that declares something faulty cannot mean anything. What only shows while the node lives is no fault of the
/// declaration; a test finds it by [`Bench::faults`].
#[track_caller]
fn refuse(findings: &[Finding]) {
    let lives = |cause| {
        matches!(
            cause,
            Cause::Starting | Cause::PortAbsent | Cause::PortInvalid | Cause::SettingsRefused
        )
    };
    if let Some(finding) = findings.iter().find(|finding| !lives(finding.cause)) {
        panic!("{finding}");
    }
}

/// Panics unless `component` has a port called `name` that can do what the test wants of it.
#[track_caller]
fn expect(component: &ComponentType, name: &str, kind: &str, fits: impl Fn(&PortInfo) -> bool) {
    let own = component.info.name;
    let there = || component.ports().iter().filter(|port| fits(port)).map(|port| port.meta.name);
    let list = words::list(there());
    match component.port(name) {
        Some((_, port)) if fits(port) => {}
        Some(_) => panic!("`{name}` of `{own}` is no {kind}: name a {kind}, here {list}"),
        None => {
            let near = words::did_you_mean(name, there());
            panic!("`{own}` has no port `{name}`{near}: name a {kind}, here {list}")
        }
    }
}

#[track_caller]
fn expect_target(component: &ComponentType, name: &str) {
    expect(component, name, "target", PortInfo::is_target);
}

#[track_caller]
fn expect_source(component: &ComponentType, name: &str) {
    expect(component, name, "source", PortInfo::is_source);
}
