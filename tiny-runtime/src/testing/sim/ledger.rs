//! What happened in a simulation, and what must hold at any time.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::component::{Address, Body, Hop, Kind, Line, Reply, Result, RunLimits};
use crate::engine::Observer;

/// Events that are kept for whoever must find out what happened.
const KEPT: usize = 200;

/// Sees every message of every process of a simulation.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Books>);

#[derive(Default)]
struct Books {
    /// What is open, by its address in memory.
    open: HashMap<usize, Open>,
    /// Attempts that run now, by node, with those that entered it anew.
    running: BTreeMap<String, usize>,
    /// Messages by `node:port`: what sources sent, and what targets received.
    seen: BTreeMap<String, Vec<Body>>,
    last: VecDeque<Event>,
    count: u64,
    digest: u64,
    began: Option<Instant>,
    /// How long the processes before this one lived.
    before: Duration,
    /// How much time has passed, as far as anybody looked.
    known: Duration,
    broken: Option<String>,
    /// The process ends: its tasks go in an order that nobody can foresee.
    is_ending: bool,
}

struct Open {
    /// No other hop has the same: an address is used again.
    number: u64,
    line: Arc<Line>,
    edges: usize,
    came: usize,
    is_done: bool,
}

/// One thing that happened.
struct Event {
    at: Duration,
    what: &'static str,
    line: Arc<Line>,
    port: Option<String>,
    depth: u16,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, what, line, port, depth } = self;
        if line.to.port.is_empty() {
            // No message: something happened to a node or to the process.
            return write!(f, "{:>9.3} s  {}", at.as_secs_f64(), line.to.node);
        }
        write!(
            f,
            "{:>9.3} s  {}{what} {line}",
            at.as_secs_f64(),
            "  ".repeat(usize::from(*depth))
        )?;
        match port {
            Some(port) => write!(f, " → {port}"),
            None => Ok(()),
        }
    }
}

impl Ledger {
    /// A process begins, or has ended.
    pub(super) fn process(&self, began: Option<Instant>) {
        let mut books = self.books();
        books.before = books.now();
        books.began = began;
        books.is_ending = false;
        if began.is_none() && !books.open.is_empty() {
            let left = books.open.values().map(|open| open.line.to_string()).collect::<Vec<_>>();
            books.breaks(format!("a process has ended, and hops of it have not: {left:?}"));
        }
    }

    /// The process is about to end.
    pub(super) fn ends(&self) {
        self.note("the process ends");
        self.books().is_ending = true;
    }

    /// How long it goes on, all processes together.
    pub(super) fn now(&self) -> Duration {
        self.books().now()
    }

    /// Messages at `node:port`, in their order.
    pub(super) fn seen(&self, at: &str) -> Vec<Body> {
        self.books().seen.get(at).cloned().unwrap_or_default()
    }

    /// What all events come to: two simulations with the same number did the same.
    pub(super) fn digest(&self) -> u64 {
        self.books().digest
    }

    /// Something beside messages happened.
    pub(super) fn note(&self, what: &str) {
        let mut books = self.books();
        let line = Arc::new(Line::of_trigger(Address::new(what, "")));
        books.event("", &line, None, 0);
    }

    /// The last events, for people.
    pub(super) fn tail(&self) -> String {
        let books = self.books();
        let lines: Vec<String> = books.last.iter().map(ToString::to_string).collect();
        lines.join("\n")
    }

    /// What does not hold, if anything.
    pub(super) fn broken(&self) -> Option<String> {
        self.books().broken.clone()
    }

    pub(super) fn breaks(&self, why: String) {
        self.books().breaks(why);
    }

    /// Hops that are under way in `node`, by their numbers.
    pub(super) fn open_in(&self, node: &str) -> BTreeSet<u64> {
        let books = self.books();
        let open = books.open.values().filter(|open| &*open.line.to.node == node);
        open.map(|open| open.number).collect()
    }

    /// Hops that are under way.
    pub(super) fn open(&self) -> Vec<String> {
        let books = self.books();
        let mut open: Vec<String> = books.open.values().map(|it| it.line.to_string()).collect();
        open.sort();
        open
    }

    /// An attempt begins in a node that takes `most` runs at once; it ends when the guard is dropped.
    pub(super) fn attempt(self: &Arc<Self>, hop: &Hop, most: usize) -> Attempt {
        let node = hop.at().node.to_string();
        let mut sender = hop.sender();
        while let Some(passed) = sender {
            if passed.at().node == hop.at().node {
                // It passes this node already, and may enter without a permit.
                return Attempt { ledger: self.clone(), node: None };
            }
            sender = passed.sender();
        }
        let mut books = self.books();
        let running = books.running.entry(node.clone()).or_default();
        *running += 1;
        let running = *running;
        if running > most {
            books.breaks(format!(
                "node `{node}` takes {most} runs at once, and {running} are in it"
            ));
        }
        Attempt { ledger: self.clone(), node: Some(node) }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    /// Only inside its process there is a clock that stands still.
    fn now(&mut self) -> Duration {
        if let Some(began) = self.began
            && Handle::try_current().is_ok()
        {
            self.known = self.before + began.elapsed();
        }
        self.known
    }

    fn breaks(&mut self, why: String) {
        // What follows the first fault says little.
        self.broken.get_or_insert(why);
    }

    fn event(&mut self, what: &'static str, line: &Arc<Line>, port: Option<&str>, depth: u16) {
        let at = self.now();
        let mut hasher = DefaultHasher::new();
        (self.digest, what, &*line.to.node, &*line.to.port, port, depth, at).hash(&mut hasher);
        self.digest = hasher.finish();
        self.count += 1;
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        let port = port.map(str::to_owned);
        self.last.push_back(Event { at, what, line: line.clone(), port, depth });
    }
}

/// An attempt that runs until this is dropped.
pub(super) struct Attempt {
    ledger: Arc<Ledger>,
    /// The node that it entered anew.
    node: Option<String>,
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(node) = &self.node
            && let Some(running) = self.ledger.books().running.get_mut(node)
        {
            *running -= 1;
        }
    }
}

fn key(hop: &Hop) -> usize {
    std::ptr::from_ref(hop).addr()
}

impl Observer for Ledger {
    fn sent(&self, hop: &Hop, port: &str, body: &Body, edges: usize) {
        let mut books = self.books();
        books.event("sends", &hop.line, Some(port), hop.depth());
        let at = format!("{}:{port}", hop.outlet.node().name);
        books.seen.entry(at).or_default().push(body.clone());
        if let Some(open) = books.open.get_mut(&key(hop)) {
            open.edges += edges;
        }
    }

    fn came(&self, hop: &Hop, body: &Body) {
        let mut books = self.books();
        books.event("comes to", &hop.line, None, hop.depth());
        books.seen.entry(hop.at().to_string()).or_default().push(body.clone());
        let limits = RunLimits::default();
        if hop.depth() > limits.path || hop.run().hops() > limits.hops {
            books.breaks(format!("a run has gone further than its bounds, at `{}`", hop.at()));
        }
        if let Some(sender) = hop.sender()
            && let Some(open) = books.open.get_mut(&key(sender))
        {
            open.came += 1;
        }
        let open =
            Open { number: books.count, line: hop.line.clone(), edges: 0, came: 0, is_done: false };
        if books.open.insert(key(hop), open).is_some() {
            books.breaks(format!("a hop at `{}` has come twice", hop.at()));
        }
    }

    fn done(&self, hop: &Hop, result: &Result<Reply>) {
        let mut books = self.books();
        let what = match result.as_ref().map_err(|error| error.kind()) {
            Ok(reply) if reply.is_none() => "is done at",
            Ok(_) => "is answered by",
            Err(Kind::Transient { .. }) => "fails for now at",
            Err(Kind::Permanent) => "fails at",
            Err(Kind::Exhausted) => "is given up at",
            Err(Kind::Limit) => "is too much at",
            Err(Kind::Cancelled) => "is cancelled at",
        };
        books.event(what, &hop.line, None, hop.depth());
        if matches!(result, Err(error) if matches!(error.kind(), Kind::Transient { .. })) {
            books.breaks(format!(
                "`{}` gave a transient error to its caller, who would try again too",
                hop.at()
            ));
        }
        let Some(open) = books.open.get_mut(&key(hop)) else {
            return books.breaks(format!("a hop at `{}` is done that never came", hop.at()));
        };
        let was_done = std::mem::replace(&mut open.is_done, true);
        let (edges, came) = (open.edges, open.came);
        if was_done {
            books.breaks(format!("a hop at `{}` is done twice", hop.at()));
        }
        if came > edges {
            books.breaks(format!(
                "a hop at `{}` sent over {edges} edges, and {came} messages came",
                hop.at()
            ));
        }
    }

    fn left(&self, hop: &Hop) {
        let mut books = self.books();
        let Some(open) = books.open.remove(&key(hop)) else {
            return books.breaks(format!("a hop at `{}` left that never came", hop.at()));
        };
        if !open.is_done && !books.is_ending {
            books.event("is cancelled at", &hop.line, None, hop.depth());
        }
    }
}
