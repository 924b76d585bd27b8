//! Several components under test.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use super::{expect_target, no_node, refuse, refuted, run, scheduler};
use crate::component::{Component, ComponentType, NodeInfo};
use crate::engine::{Address, Backing, EdgeDecl, NodeDecl, Outcome, Peer, RetryBounds, Scheduler};
use crate::registry::Registry;

/// Nodes and edges on the real engine, without a plane: nodes first, then their settings and edges, then messages.
///
/// ```
/// use tiny_runtime::prelude::*;
/// use tiny_runtime::serde_json::json;
/// use tiny_runtime::testing::Flow;
///
/// /// Says what it is told, louder.
/// #[component(name = "shout")]
/// #[derive(Default)]
/// pub struct Shout;
///
/// #[component]
/// impl Shout {
///     /// Takes a word.
///     #[port(target)]
///     async fn input(&self, ctx: &Ctx, word: String) -> Result {
///         self.output(ctx, word.to_uppercase()).await
///     }
///
///     /// The louder word.
///     #[port(source)]
///     async fn output(&self, ctx: &Ctx, word: String) -> Result;
/// }
///
/// /// Answers.
/// #[component(name = "echo")]
/// #[derive(Default)]
/// pub struct Echo;
///
/// #[component]
/// impl Echo {
///     /// Takes a word, and answers with it.
///     #[port(target)]
///     async fn input(&self, _: &Ctx, word: String) -> Result<String> {
///         Ok(word)
///     }
/// }
///
/// # tiny_runtime::testing::block_on(async {
/// let flow = Flow::local()
///     .node::<Shout>("shout")
///     .node::<Echo>("echo")
///     .edge("shout:output", "echo:input", json!("{{ $ }}"));
/// let outcome = flow.send("shout:input", json!("hey")).await;
/// assert_eq!(outcome.result?.to_json()?, Some(json!("HEY")));
/// assert_eq!(outcome.run.hops(), 2);
/// # Ok::<(), Error>(())
/// # }).map_err(|e| e.to_string())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
/// Whatever a condition of a node would say is a panic with the same sentence, at the line that declares it.
pub struct Flow {
    registry: Registry,
    nodes: BTreeMap<String, NodeDecl>,
    scheduler: Scheduler,
    /// A message was sent: nodes may hold something that a new scheduler would forget.
    started: AtomicBool,
    /// All mappings were compared with the ports at their ends, as they are now.
    proved: AtomicBool,
}

impl Flow {
    /// A flow without nodes.
    pub fn local() -> Self {
        let registry = Registry::default();
        let scheduler = scheduler(Backing::default(), registry.clone());
        Self {
            registry,
            nodes: BTreeMap::new(),
            scheduler,
            started: AtomicBool::new(false),
            proved: AtomicBool::new(false),
        }
    }

    /// Adds a node called `name`, an instance of `C`.
    ///
    /// # Panics
    /// When there is a node of this name, or a message was sent before.
    #[must_use]
    #[track_caller]
    pub fn node<C: Component>(mut self, name: &str) -> Self {
        assert!(
            !self.started.load(Ordering::Relaxed),
            "node `{name}` comes after the first message: declare all nodes before it"
        );
        self.registry.insert(ComponentType::of::<C>());
        let node = NodeDecl {
            info: NodeInfo { name: name.into(), ..NodeInfo::default() },
            component: C::INFO.name.into(),
            ..NodeDecl::default()
        };
        let before = self.nodes.insert(name.into(), node);
        assert!(before.is_none(), "there are two nodes `{name}`: give each its own name");
        self.scheduler = scheduler(Backing::default(), self.registry.clone());
        for node in self.nodes.keys() {
            self.update(node);
        }
        self
    }

    /// Gives a node its settings, as a flow writes them: keys that are left out keep their defaults.
    ///
    /// # Panics
    /// When there is no such node, or they do not fit.
    #[must_use]
    #[track_caller]
    pub fn settings(mut self, node: &str, settings: Value) -> Self {
        self.find(node).configurations.insert("_settings".into(), settings);
        self.update(node);
        self
    }

    /// Connects the source `from` to the target `to`, both `node:port`; `mapping` makes of the message what the target takes.
    ///
    /// # Panics
    /// When an end is not there, or an expression does not parse.
    #[must_use]
    #[track_caller]
    pub fn edge(self, from: &str, to: &str, mapping: Value) -> Self {
        self.connected(from, to, Some(mapping))
    }

    /// Connects the source `from` to the target `to`, both `node:port`, without a mapping: the message goes on as it is.
    ///
    /// # Panics
    /// When an end is not there.
    #[must_use]
    #[track_caller]
    pub fn identity(self, from: &str, to: &str) -> Self {
        self.connected(from, to, None)
    }

    /// Sends a message to `to`, a `node:port`, as a signal does, and waits until all that it causes has ended.
    ///
    /// # Panics
    /// When there is no such target, or a mapping of the flow cannot be right.
    #[track_caller]
    pub fn send(&self, to: &str, message: Value) -> impl Future<Output = Outcome> + Send + use<> {
        let to = address(to);
        let Some(node) = self.nodes.get(&*to.node) else { self.no_node(&to.node) };
        if let Some(component) = self.registry.get(&node.component) {
            expect_target(component, &to.port);
        }
        self.declared();
        self.started.store(true, Ordering::Relaxed);
        run(self.scheduler.clone(), to, message)
    }

    /// The components and the nodes, proved.
    #[track_caller]
    pub(super) fn declared(&self) -> (&Registry, &BTreeMap<String, NodeDecl>) {
        if !self.proved.swap(true, Ordering::Relaxed) {
            self.prove();
        }
        (&self.registry, &self.nodes)
    }

    #[track_caller]
    fn connected(mut self, from: &str, to: &str, mapping: Option<Value>) -> Self {
        let (from, to) = (address(from), address(to));
        let id = format!("{}-{to}", from.port).into();
        let bounds = RetryBounds::default();
        let edge = EdgeDecl { id, port: from.port, to, mapping, bounds, fault: None };
        self.find(&from.node).edges.push(edge);
        self.update(&from.node);
        self
    }

    /// Refuses mappings that cannot be right. Not before all is declared: what a node passes on depends on all edges to it.
    #[track_caller]
    fn prove(&self) {
        if let Some(why) = refuted(&self.registry, &self.nodes) {
            panic!("{why}");
        }
    }

    #[track_caller]
    fn find(&mut self, name: &str) -> &mut NodeDecl {
        if !self.nodes.contains_key(name) {
            self.no_node(name);
        }
        self.nodes.entry(name.into()).or_default()
    }

    #[track_caller]
    fn no_node(&self, name: &str) -> ! {
        panic!("{}", no_node(name, &self.nodes))
    }

    #[track_caller]
    fn update(&self, name: &str) {
        self.proved.store(false, Ordering::Relaxed);
        let peer = |name: &str| match self.nodes.get(name) {
            Some(node) => Peer::Ours { component: node.component.clone() },
            None => Peer::Absent,
        };
        if let Some(node) = self.nodes.get(name) {
            refuse(&self.scheduler.update(node.clone(), peer));
        }
    }
}

#[track_caller]
pub(super) fn address(text: &str) -> Address {
    match text.split_once(':') {
        Some((node, port)) => Address::new(node, port),
        None => panic!("`{text}` names no port: write `node:port`"),
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow").field("nodes", &self.nodes).finish_non_exhaustive()
    }
}
