//! Modules that know of each other.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tiny_runtime::engine::{Backing, Dice, EdgeDecl, Outcome, Peer, RetryBounds};
use tiny_runtime::wire::{Drain, Pool, Security, Server};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::stage::{Act, World, edge};

/// The longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Where modules are, and whose nodes are.
#[derive(Clone)]
pub(crate) struct Town {
    project: String,
    addresses: watch::Sender<BTreeMap<String, String>>,
    nodes: Arc<Mutex<HashMap<String, Arc<str>>>>,
}

/// One module of a town.
pub(crate) struct Module {
    pub(crate) name: &'static str,
    pub(crate) world: World,
    pub(crate) drain: Drain,
    pub(crate) address: String,
    town: Town,
    stop: CancellationToken,
}

impl Town {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let project = format!("town-{}", COUNT.fetch_add(1, Ordering::SeqCst));
        Self { project, addresses: watch::Sender::default(), nodes: Arc::default() }
    }

    /// Two modules.
    pub(crate) async fn of_two() -> (Module, Module) {
        let town = Self::new();
        (town.module("a").await, town.module("b").await)
    }

    /// A module that says where it is.
    pub(crate) async fn module(&self, name: &'static str) -> Module {
        self.secured(name, Security::default()).await
    }

    pub(crate) async fn secured(&self, name: &'static str, security: Security) -> Module {
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), security.clone()).await.unwrap();
        let address = server.address().to_string();
        let nodes = self.nodes.clone();
        let whose = move |node: &str| {
            let nodes = nodes.lock().unwrap();
            nodes.get(node).filter(|module| &***module != name).cloned()
        };
        let pool = Pool::new(whose, security, Dice::fresh());
        let backing = Backing { abroad: Arc::new(pool.clone()), ..Backing::default() };
        let world = World::on(backing, &self.project, 1);
        let stop = CancellationToken::new();
        let (drain, serving) = server.serve(world.scheduler.clone(), stop.clone());
        tokio::spawn(async move { serving.await.unwrap() });
        let (addresses, until) = (self.addresses.subscribe(), stop.clone());
        tokio::spawn(async move { pool.follow(name, addresses, until).await });
        self.tell(name, Some(&address));
        Module { name, world, drain, address, town: self.clone(), stop }
    }

    /// Says where a module is.
    pub(crate) fn tell(&self, name: &str, address: Option<&str>) {
        self.addresses.send_modify(|addresses| match address {
            Some(address) => drop(addresses.insert(name.to_owned(), address.to_owned())),
            None => drop(addresses.remove(name)),
        });
    }

    /// Says whose a node is.
    pub(crate) fn own(&self, node: &str, module: &str) {
        self.nodes.lock().unwrap().insert(node.to_owned(), module.into());
    }
}

impl Module {
    pub(crate) fn town(&self) -> &Town {
        &self.town
    }

    /// Declares an actor with edges, each `"out b:input"`.
    pub(crate) fn node(&self, name: &str, component: &str, edges: &[&str]) -> &Self {
        self.edges(name, component, edges.iter().map(|text| quick(edge(text))).collect())
    }

    pub(crate) fn edges(&self, name: &str, component: &str, edges: Vec<EdgeDecl>) -> &Self {
        self.town.own(name, self.name);
        for edge in &edges {
            let peer = Peer::Foreign { module: "other".into(), is_known: true };
            // Nodes of this module that come later are no foreigners, and nobody looks.
            self.world.peer(&edge.to.node, peer);
        }
        let findings = self.world.update(self.world.decl(name, component, edges));
        assert!(findings.iter().all(|finding| !finding.cause.refuses()), "{findings:?}");
        self.world.scheduler.moved();
        self
    }

    pub(crate) fn script(&self, node: &str, acts: &[Act]) -> &Self {
        self.world.script(node, acts);
        self
    }

    /// Sends the note `go`, and waits for the end.
    pub(crate) async fn run(&self, to: &str) -> Outcome {
        tokio::time::timeout(PATIENCE, self.world.run(to)).await.expect("a run ends")
    }

    /// The same with a limit of time.
    pub(crate) async fn run_within(&self, to: &str, limit: Duration) -> Outcome {
        let mut trigger = self.world.trigger(to, json!({"text": "go"}));
        trigger.timeout = Some(limit);
        tokio::time::timeout(PATIENCE, self.world.start(trigger)).await.expect("a run ends")
    }

    /// Ends without a word: connections break.
    pub(crate) fn kill(&self) {
        self.stop.cancel();
    }

    /// Waits until the record holds this line.
    pub(crate) async fn logged(&self, line: &str) {
        let look = async {
            while !self.world.log().iter().any(|it| it == line) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, look).await;
        assert!(found.is_ok(), "no `{line}` in {:#?}", self.world.log());
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The edge with short waits between attempts.
pub(crate) fn quick(edge: EdgeDecl) -> EdgeDecl {
    let short = Duration::from_millis(5);
    EdgeDecl {
        bounds: RetryBounds { initial: short, max: short, ..RetryBounds::default() },
        ..edge
    }
}
