//! A flow under a clock and dice that belong to the test.

mod fault;
mod ledger;
mod process;
mod signal;
mod stage;
mod storm;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

pub use fault::{Fault, Weather};
use process::Process;
use signal::Signal;
pub use signal::{Fate, Ticket};
use stage::Stage;
pub use storm::Storm;

use super::flow::Flow;
use super::no_node;
use super::script::Cast;
use crate::engine::NodeDecl;
use crate::registry::Registry;
use crate::words;

/// A flow in a process that the test drives: its clock stands still unless the test lets time pass, and then waits pass at once; what
/// goes wrong is planned, or thrown by dice of one seed. The same seed does the same, event by event.
///
/// Messages go in as signals do, and are accepted when [`Sim::send`] returns: a process that ends before them runs them again when it
/// comes back. After each step the simulation checks what the engine promises: no node takes more runs than it may, nothing runs in a
/// node that was removed, every message comes to an end, and nothing that was accepted is lost.
///
/// ```
/// use std::time::Duration;
/// use tiny_runtime::prelude::*;
/// use tiny_runtime::serde_json::json;
/// use tiny_runtime::testing::{Fate, Fault, Flow};
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
/// let mut sim = Flow::local().node::<Echo>("echo").sim(7);
/// sim.fault("echo:input", Fault::transient("busy").times(2));
/// let hey = sim.send("echo:input", json!("hey"));
/// sim.pass(Duration::ZERO);
/// assert_eq!(sim.fate(hey), None, "it is tried again, in a second or so");
/// sim.crash();
/// sim.settle();
/// assert_eq!(sim.fate(hey), Some(Fate::Replied(Some(json!("hey")))));
/// assert_eq!(sim.seen("echo:input"), [json!("hey"), json!("hey")]);
/// ```
///
/// # Panics
/// With the last events, when something does not hold, or when the test names what is not there. A simulation has its own runtime: it
/// cannot be used in an async test.
pub struct Sim {
    seed: u64,
    nodes: BTreeMap<String, NodeDecl>,
    registry: Arc<Registry>,
    stage: Arc<Stage>,
    signals: Vec<Signal>,
    process: Option<Process>,
    processes: u64,
}

impl Sim {
    pub(crate) fn new(registry: &Registry, nodes: BTreeMap<String, NodeDecl>, seed: u64) -> Self {
        let stage = Stage::new(seed);
        let mut faulty = Registry::default();
        for component in registry.iter() {
            faulty.insert(stage.wrapped(component));
        }
        let registry = Arc::new(faulty);
        let mut sim =
            Self { seed, nodes, registry, stage, signals: Vec::new(), process: None, processes: 0 };
        sim.start();
        sim
    }

    /// The flow of these files and folders, which are what `apply` takes, with all components of this crate. Nodes of other modules
    /// take what they get and answer nothing, unless a [`Fault::answer`] answers for them.
    ///
    /// ```no_run
    /// use tiny_runtime::serde_json::json;
    /// use tiny_runtime::testing::Sim;
    ///
    /// let mut sim = Sim::of_files(&["flow.yaml"], 7)?;
    /// let sent = sim.send("hello:input", json!({"name": "Ada"}));
    /// sim.settle();
    /// assert!(sim.fate(sent).is_some());
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    /// When they cannot be read, or the flow cannot run.
    pub fn of_files(paths: &[impl AsRef<Path>], seed: u64) -> Result<Self, String> {
        Ok(Cast::of_files(paths)?.sim(seed))
    }

    /// Plans what happens to messages at `at`, a target `node:port`. Faults of one port come in the order of their planning.
    #[track_caller]
    pub fn fault(&mut self, at: &str, fault: Fault) {
        self.expect(at, true);
        self.stage.plan(at, fault);
    }

    /// Says how much goes wrong that was not planned.
    pub fn weather(&mut self, weather: Weather) {
        self.stage.set_weather(weather);
    }

    /// Sends `data` to `to`, a target `node:port`. It is accepted: whatever happens to the process, it comes to an end.
    #[track_caller]
    pub fn send(&mut self, to: &str, data: Value) -> Ticket {
        self.send_within(to, Some(data), None)
    }

    /// The same with a time limit for all that the message causes; without data it sends what the port is configured to.
    #[track_caller]
    pub fn send_within(
        &mut self,
        to: &str,
        data: Option<Value>,
        limit: Option<Duration>,
    ) -> Ticket {
        self.expect(to, true);
        let mut signal = Signal::new(super::flow::address(to), data, limit);
        if let Some(process) = &self.process {
            signal.run(process, self.signals.len());
        }
        self.signals.push(signal);
        Ticket(self.signals.len() - 1)
    }

    /// The plane tells of a message once more: it runs once for all that.
    pub fn send_again(&mut self, ticket: Ticket) {
        let Some(process) = &self.process else { return };
        self.signals[ticket.0].run(process, ticket.0);
    }

    /// Takes a message back: what it caused and has not ended is cancelled.
    pub fn cancel(&mut self, ticket: Ticket) {
        self.signals[ticket.0].cancel();
        self.check();
    }

    /// What came of a message; `None` while it is under way.
    pub fn fate(&self, ticket: Ticket) -> Option<Fate> {
        self.signals[ticket.0].fate()
    }

    /// How often the run of a message was begun: once, and once more for each process that ended before it did.
    pub fn attempts(&self, ticket: Ticket) -> u32 {
        self.signals[ticket.0].attempts()
    }

    /// Lets time pass.
    #[track_caller]
    pub fn pass(&mut self, time: Duration) {
        if let Some(process) = &self.process {
            process.pass(time);
        }
        self.check();
    }

    /// Lets time pass until every message has come to an end.
    #[track_caller]
    pub fn settle(&mut self) {
        self.start();
        let mut rounds = 0;
        while let Some(at) = self.signals.iter().position(|signal| signal.fate().is_none()) {
            if let Some(process) = &self.process
                && !process.settle(&self.signals[at])
            {
                let to = self.signals[at].to();
                self.fail(&format!(
                    "the run that `{to}` started never ends: something in it waits for ever"
                ));
            }
            rounds += 1;
            assert!(rounds < 1_000_000, "messages without end");
        }
        self.check();
    }

    /// The process ends as if it was killed, and another one takes its place.
    #[track_caller]
    pub fn crash(&mut self) {
        self.stop();
        self.start();
    }

    /// The process ends as if it was killed.
    #[track_caller]
    pub fn stop(&mut self) {
        let Some(process) = self.process.take() else { return };
        self.stage.ledger.ends();
        let ended = self.stage.ledger.clone();
        process.kill();
        ended.process(None);
        self.signals.iter_mut().for_each(Signal::lost);
        self.check();
    }

    /// A new process takes the place of one that has ended.
    #[track_caller]
    pub fn start(&mut self) {
        if self.process.is_some() {
            return;
        }
        self.processes += 1;
        let process = Process::new(self.seed ^ self.processes, &self.registry, &self.stage);
        for node in self.nodes.values() {
            process.update(node.clone(), &self.nodes);
        }
        for (at, signal) in self.signals.iter_mut().enumerate() {
            signal.run(&process, at);
        }
        self.process = Some(process);
        self.check();
    }

    /// Gives a node other settings; what does not fit changes nothing.
    #[track_caller]
    pub fn settings(&mut self, node: &str, settings: Value) {
        self.change(node, |decl| drop(decl.configurations.insert("_settings".into(), settings)));
    }

    /// Removes the edge called `edge` from a node.
    #[track_caller]
    pub fn disconnect(&mut self, node: &str, edge: &str) {
        self.change(node, |decl| decl.edges.retain(|it| *it.id != *edge));
    }

    /// Makes a node what `decl` says; one that is not there begins.
    pub fn put(&mut self, decl: NodeDecl) {
        self.nodes.insert(decl.info.name.clone(), decl.clone());
        if let Some(process) = &self.process {
            process.update(decl, &self.nodes);
        }
        self.check();
    }

    /// Removes a node, and returns how it was declared.
    #[track_caller]
    pub fn remove(&mut self, node: &str) -> NodeDecl {
        let Some(decl) = self.nodes.remove(node) else { self.no_node(node) };
        if let Some(process) = &self.process {
            process.remove(node);
        }
        self.check();
        decl
    }

    /// The messages at `at`, in their order: what a source sent, or what came to a target, as JSON.
    pub fn seen(&self, at: &str) -> Vec<Value> {
        let shown = |body: &crate::component::Body| body.to_value().unwrap_or(Value::Null);
        self.stage.ledger.seen(at).iter().map(shown).collect()
    }

    /// The messages at `at`, as they are.
    pub(crate) fn bodies(&self, at: &str) -> Vec<crate::component::Body> {
        self.stage.ledger.seen(at)
    }

    /// The state that a node has stored under `key`.
    pub fn stored(&self, node: &str, key: &str) -> Option<Value> {
        let stored = self.stage.memory.stored(node);
        stored.texts.get(key).and_then(|text| serde_json::from_str(text).ok())
    }

    /// How much time has passed.
    pub fn now(&self) -> Duration {
        self.stage.ledger.now()
    }

    /// A number that stands for all that has happened: two simulations that did the same have the same.
    pub fn digest(&self) -> u64 {
        self.stage.ledger.digest()
    }

    /// The last events, one a line.
    pub fn events(&self) -> String {
        self.stage.ledger.tail()
    }

    /// Hops that are under way, each as the `node:port` where it is.
    pub fn under_way(&self) -> Vec<String> {
        self.stage.ledger.open()
    }

    /// A throw of the simulation's dice, below `end`: for tests that choose by themselves what comes next.
    pub fn throw(&self, end: u64) -> u64 {
        self.stage.throw(|dice| dice.u64(0..end.max(1)))
    }

    /// All targets that are always there.
    fn targets(&self) -> Vec<String> {
        let of = |(name, node): (&String, &NodeDecl)| {
            let component = self.registry.get(&node.component)?;
            let targets =
                component.ports().iter().filter(|port| port.is_target() && !port.is_dynamic);
            Some(targets.map(|port| format!("{name}:{}", port.meta.name)).collect::<Vec<_>>())
        };
        self.nodes.iter().filter_map(of).flatten().collect()
    }

    #[track_caller]
    fn change(&mut self, node: &str, change: impl FnOnce(&mut NodeDecl)) {
        let Some(decl) = self.nodes.get_mut(node) else { self.no_node(node) };
        change(decl);
        let decl = decl.clone();
        self.put(decl);
    }

    /// What must hold at any time.
    #[track_caller]
    fn check(&self) {
        if let Some(broken) = self.stage.ledger.broken() {
            self.fail(&broken);
        }
    }

    /// What does not hold, said with all that is needed to see it again.
    #[track_caller]
    fn fail(&self, why: &str) -> ! {
        panic!("seed {}: {why}\nthe last events:\n{}", self.seed, self.events())
    }

    #[track_caller]
    fn no_node(&self, name: &str) -> ! {
        panic!("{}", no_node(name, &self.nodes))
    }

    /// Panics unless `at` is a port of a node here.
    #[track_caller]
    fn expect(&self, at: &str, takes: bool) {
        if let Err(why) = self.find(at, takes) {
            panic!("{why}");
        }
    }

    /// Why there is no port `at`, or no target.
    pub(crate) fn find(&self, at: &str, takes: bool) -> Result<(), String> {
        let Some((name, port)) = at.split_once(':') else {
            return Err(format!("`{at}` names no port: write `node:port`"));
        };
        let Some(node) = self.nodes.get(name) else {
            return Err(no_node(name, &self.nodes));
        };
        let Some(component) = self.registry.get(&node.component) else { return Ok(()) };
        let fits = |info: &crate::component::PortInfo| match takes {
            true => info.is_target(),
            false => info.is_target() || info.is_source(),
        };
        if component.port(port).is_some_and(|(_, info)| fits(info)) {
            return Ok(());
        }
        let names =
            || component.ports().iter().filter(|info| fits(info)).map(|info| info.meta.name);
        Err(format!(
            "node `{name}` ({}) has no {} `{port}`{}: it has {}",
            component.info.name,
            if takes { "target" } else { "port" },
            words::did_you_mean(port, names()),
            words::list(names()),
        ))
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim")
            .field("seed", &self.seed)
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}

impl Flow {
    /// The flow under a clock and dice that belong to the test; see [`Sim`].
    ///
    /// # Panics
    /// When a mapping of the flow cannot be right.
    #[track_caller]
    pub fn sim(&self, seed: u64) -> Sim {
        let (registry, nodes) = self.declared();
        Sim::new(registry, nodes.clone(), seed)
    }
}
