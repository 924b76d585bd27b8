//! Scripts for the nodes of one test, a record of what they did, and the scheduler that they run in.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tiny_runtime::component::{ComponentType, NodeInfo};
use tiny_runtime::engine::{
    Address, Backing, Dice, EdgeDecl, Finding, NodeDecl, Outcome, Peer, RetryBounds, Scheduler,
    Trigger, Waits,
};
use tiny_runtime::prelude::*;
use tiny_runtime::registry::Registry;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::cast;

/// What a node does with one message.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Sends it out of `out`.
    Pass,
    /// Sends it out of `out` after so many milliseconds.
    After(u64),
    /// Sends it out of `request` and answers with the answer.
    Request,
    /// Sends it out of `ask` and answers with the answer, if any.
    Ask,
    /// Answers.
    Answer(&'static str),
    /// Answers after so many milliseconds.
    Late(u64, &'static str),
    /// Answers with a note whose text is a number.
    Number(i64),
    /// Answers with another type that has all that a note has.
    Marked(&'static str),
    /// Does not answer.
    Nothing,
    Transient(&'static str),
    Permanent(&'static str),
    Panic(&'static str),
    /// Never ends.
    Hang,
}

impl Act {
    pub(crate) async fn play(self) -> Result {
        match self {
            Self::Answer(text) => Ok(Reply::of(cast::note(text))),
            Self::Late(ms, text) => {
                sleep(Duration::from_millis(ms)).await;
                Ok(Reply::of(cast::note(text)))
            }
            Self::Number(text) => Ok(Reply::of(cast::Number { text })),
            Self::Marked(text) => Ok(Reply::of(cast::Marked { text: text.into(), mark: true })),
            Self::Transient(text) => Err(Error::transient(text)),
            Self::Permanent(text) => Err(Error::permanent(text)),
            Self::Panic(text) => panic!("{text}"),
            Self::Hang => std::future::pending().await,
            Self::Pass | Self::After(_) | Self::Request | Self::Ask | Self::Nothing => {
                Ok(Reply::none())
            }
        }
    }
}

/// What the nodes of one test share.
#[derive(Default)]
pub(crate) struct Stage {
    scripts: Mutex<HashMap<String, (usize, Vec<Act>)>>,
    log: Mutex<Vec<String>>,
    starts: Mutex<Vec<(String, Instant)>>,
    pub(crate) clones: Arc<AtomicU32>,
}

static STAGES: LazyLock<Mutex<HashMap<String, Arc<Stage>>>> = LazyLock::new(Mutex::default);

/// The stage of the test whose node this is: each test is a project of its own.
pub(crate) fn stage(ctx: &Ctx) -> Arc<Stage> {
    STAGES.lock().unwrap()[ctx.project()].clone()
}

/// Writes `left node` into the record when a method ends or is cancelled.
pub(crate) struct Scene(Arc<Stage>, String);

impl Drop for Scene {
    fn drop(&mut self) {
        self.0.log(format!("left {}", self.1));
    }
}

impl Stage {
    pub(crate) fn log(&self, line: impl Into<String>) {
        self.log.lock().unwrap().push(line.into());
    }

    /// Records an arrival; returns what the node does with it.
    pub(crate) fn enter(self: &Arc<Self>, ctx: &Ctx, text: &str) -> (Act, Scene) {
        let node = ctx.node().to_owned();
        self.log(format!("{node}: {text}"));
        self.starts.lock().unwrap().push((node.clone(), Instant::now()));
        let act = match self.scripts.lock().unwrap().get_mut(&node) {
            None => Act::Pass,
            Some((at, acts)) => {
                let act = acts[(*at).min(acts.len() - 1)].clone();
                *at += 1;
                act
            }
        };
        (act, Scene(self.clone(), node))
    }
}

/// A scheduler, and the stage of its nodes.
pub(crate) struct World {
    pub(crate) scheduler: Scheduler,
    pub(crate) stage: Arc<Stage>,
    project: String,
    peers: Mutex<HashMap<String, Peer>>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::seeded(1)
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let project = format!("test-{}-{seed}", COUNT.fetch_add(1, Ordering::SeqCst));
        Self::on(Backing::default(), &project, seed)
    }

    /// A scheduler on this backing. Those of one project share a stage.
    pub(crate) fn on(backing: Backing, project: &str, seed: u64) -> Self {
        let mut registry = Registry::default();
        registry.insert(ComponentType::of::<cast::Actor>());
        registry.insert(ComponentType::of::<cast::Solo>());
        registry.insert(ComponentType::of::<cast::Clerk>());
        registry.insert(ComponentType::of::<cast::Catcher>());
        registry.insert(ComponentType::of::<cast::Counter>());
        registry.insert(ComponentType::of::<cast::Loader>());
        registry.insert(ComponentType::of::<cast::Porter>());
        registry.insert(ComponentType::of::<cast::Sapper>());
        registry.insert(ComponentType::of::<cast::Traced>());
        registry.insert(ComponentType::of::<cast::Miner>());
        registry.insert(ComponentType::of::<cast::Tenant>());
        let (registry, dice) = (Arc::new(registry), Dice::seeded(seed));
        let scheduler = Scheduler::on(backing, registry, Waits::default(), dice);
        let stage = STAGES.lock().unwrap().entry(project.to_owned()).or_default().clone();
        Self { scheduler, stage, project: project.to_owned(), peers: Mutex::default() }
    }

    /// Gives `node` a script: one act for each message, the last one for all that follow.
    pub(crate) fn script(&self, node: &str, acts: &[Act]) -> &Self {
        self.stage.scripts.lock().unwrap().insert(node.into(), (0, acts.to_vec()));
        self
    }

    /// Says what is known of a node that is declared later, or never.
    pub(crate) fn peer(&self, node: &str, peer: Peer) -> &Self {
        self.peers.lock().unwrap().insert(node.into(), peer);
        self
    }

    /// A declared node of this test.
    pub(crate) fn decl(&self, name: &str, component: &str, edges: Vec<EdgeDecl>) -> NodeDecl {
        let info =
            NodeInfo { name: name.into(), flow: String::new(), project: self.project.clone() };
        NodeDecl { info, component: component.into(), edges, ..NodeDecl::default() }
    }

    /// Updates a node; what is not known of a peer is not there.
    pub(crate) fn update(&self, decl: NodeDecl) -> Vec<Finding> {
        self.peer(&decl.info.name, Peer::Ours { component: decl.component.clone() });
        let peers = self.peers.lock().unwrap().clone();
        self.scheduler.update(decl, |name| peers.get(name).cloned().unwrap_or(Peer::Absent))
    }

    /// Declares a node with edges `"out b:input"`, which may lead to nodes that come later.
    pub(crate) fn node(&self, name: &str, component: &str, edges: &[&str]) -> &Self {
        let edges = edges.iter().map(|text| edge(text)).collect();
        let findings = self.update(self.decl(name, component, edges));
        assert!(findings.iter().all(|finding| !finding.cause.refuses()), "{findings:?}");
        self
    }

    pub(crate) fn trigger(&self, to: &str, data: Value) -> Trigger {
        Trigger {
            name: "a test".into(),
            to: address(to),
            data: Some(data),
            timeout: None,
            cancel: CancellationToken::new(),
        }
    }

    pub(crate) async fn start(&self, trigger: Trigger) -> Outcome {
        self.scheduler.start(trigger).await
    }

    /// Sends the note `go` and waits for the end.
    pub(crate) async fn run(&self, to: &str) -> Outcome {
        self.start(self.trigger(to, json!({"text": "go"}))).await
    }

    /// Starts a run in the background and lets it come to rest.
    pub(crate) async fn run_aside(&self, to: &str) -> tokio::task::JoinHandle<Outcome> {
        let (scheduler, trigger) =
            (self.scheduler.clone(), self.trigger(to, json!({"text": "go"})));
        let run = tokio::spawn(async move { scheduler.start(trigger).await });
        settle().await;
        run
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.stage.log.lock().unwrap().clone()
    }

    /// What arrived, without what left.
    pub(crate) fn arrivals(&self) -> Vec<String> {
        self.log().into_iter().filter(|line| !line.starts_with("left ")).collect()
    }

    /// How often `node` was called.
    pub(crate) fn calls(&self, node: &str) -> usize {
        self.starts(node).len()
    }

    /// When `node` was called.
    pub(crate) fn starts(&self, node: &str) -> Vec<Instant> {
        let starts = self.stage.starts.lock().unwrap();
        starts.iter().filter(|(name, _)| name == node).map(|(_, at)| *at).collect()
    }
}

/// Lets everything run that can, without moving the clock.
pub(crate) async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn address(text: &str) -> Address {
    let (node, port) = text.split_once(':').expect("node:port");
    Address::new(node, port)
}

/// An edge written `"out b:input"`; its id is `out-b-input`.
pub(crate) fn edge(text: &str) -> EdgeDecl {
    let (port, to) = text.split_once(' ').expect("port node:port");
    EdgeDecl {
        id: format!("{port}-{}", to.replace(':', "-")).into(),
        port: port.into(),
        to: address(to),
        mapping: None,
        bounds: RetryBounds::default(),
        fault: None,
    }
}

/// The edge with a mapping.
pub(crate) fn mapped(text: &str, mapping: Value) -> EdgeDecl {
    EdgeDecl { mapping: Some(mapping), ..edge(text) }
}

/// The edge with bounds.
pub(crate) fn bounded(text: &str, bounds: RetryBounds) -> EdgeDecl {
    EdgeDecl { bounds, ..edge(text) }
}

/// Configurations of a node.
pub(crate) fn configured(configurations: Value) -> BTreeMap<String, Value> {
    serde_json::from_value(configurations).unwrap()
}

/// The text of a note that a run answered with.
pub(crate) fn answer(outcome: &Outcome) -> Option<String> {
    let reply = outcome.result.as_ref().expect("a run without error").to_json().unwrap()?;
    Some(reply["text"].as_str().expect("a note").to_owned())
}

/// The error that a run ended with.
pub(crate) fn failure(outcome: &Outcome) -> Error {
    outcome.result.as_ref().expect_err("a run that fails").clone()
}
