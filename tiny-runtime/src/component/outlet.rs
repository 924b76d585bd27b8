//! What a hop stands on: the node that received the message, and what the engine does for it.

use std::any::Any;
use std::fmt;
use std::future::Ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::Either;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::intake::Intakes;
use super::{Address, Body, BoxFuture, Crossing, Ctx, Instruments, Line, Reply, Result, Run};

/// Who a node is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeInfo {
    /// The TinyNode's name.
    pub name: String,
    /// The TinyFlow that it belongs to, if any.
    pub flow: String,
    /// The TinyProject that it belongs to, if any.
    pub project: String,
}

/// A message on its way: at its end at once where no edge takes it.
pub type Sent = Either<Ready<Result<Reply>>, Crossing>;

/// The node behind a [`Ctx`]: the way out of it, and its life.
pub trait Outlet: Send + Sync {
    /// The node itself.
    fn node(&self) -> &NodeInfo;

    /// Sends `body` along every edge of `port` and waits until all that it causes has ended.
    fn send(&self, ctx: &Ctx, port: &str, body: Body) -> Sent;

    /// The author's component.
    fn component(&self) -> Arc<dyn Any + Send + Sync>;

    /// Evaluates again what depends on settings and state, and has it published.
    fn refresh(&self);

    /// Runs `work` for as long as the node is there.
    ///
    /// # Errors
    /// Transient when the node has as much in the background as it may.
    fn spawn(&self, work: BoxFuture<'static, ()>) -> Result<()>;

    /// Cancelled when the node is removed.
    fn removed(&self) -> &CancellationToken;

    /// Begins a run.
    fn begin(&self, trigger: String) -> Arc<Run>;

    /// What is told of a span of this node where its handle does not go.
    fn parent(&self, span: &Span) -> Option<Parent>;

    /// What the nodes of a process share.
    fn shared(&self) -> &Shared;
}

/// What the nodes of a process share.
#[derive(Clone, Debug)]
pub struct Shared {
    /// Whether this process leads its module.
    pub(crate) leads: watch::Receiver<bool>,
    /// Where instruments are recorded.
    pub(crate) instruments: Arc<Instruments>,
    /// Threads that authors may block at once.
    pub(crate) blocking: Arc<Semaphore>,
    /// Ways in from outside.
    pub(crate) intakes: Intakes,
}

/// Who sent a message.
#[derive(Clone, Debug, Default)]
pub enum Sender {
    /// A trigger, or a node in the background.
    #[default]
    Nobody,
    /// A hop of this process.
    Hop(Arc<Hop>),
    /// A node of another module.
    Module(Arc<Passed>),
}

/// What a message passed before it came to this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Hops from the trigger to the sender.
    pub hops: u16,
    /// The nodes on the way, each once.
    pub nodes: Vec<Box<str>>,
    /// The span that sent it.
    pub parent: Option<Parent>,
}

/// A span that another one has as its parent without being its child in this process. Its trace is the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The id of the span.
    pub span: u64,
    /// Whether it is recorded.
    pub sampled: bool,
}

impl Sender {
    /// Hops from the trigger to the sender.
    pub fn depth(&self) -> u16 {
        match self {
            Self::Nobody => 0,
            Self::Hop(hop) => hop.depth,
            Self::Module(passed) => passed.hops,
        }
    }
}

/// What a hop knows. The path back to the trigger is the chain of parents.
pub struct Hop {
    pub(crate) run: Arc<Run>,
    pub(crate) outlet: Arc<dyn Outlet>,
    pub(crate) sender: Sender,
    /// What the message came over.
    pub(crate) line: Arc<Line>,
    pub(crate) depth: u16,
    pub(crate) deadline: Option<Instant>,
    pub(crate) span: Span,
    /// Who comes before what this sends, where it has no span of its own.
    pub(crate) parent: Option<Parent>,
    pub(crate) end: End,
}

impl Hop {
    /// The port that received the message.
    pub fn at(&self) -> &Address {
        &self.line.to
    }

    /// The id of the edge that the message came over; `None` for a trigger.
    pub fn edge(&self) -> Option<&str> {
        self.line.edge.as_deref()
    }

    /// The hop of this process that sent the message; `None` for a trigger, in the background, and for a message of another module.
    pub fn sender(&self) -> Option<&Arc<Self>> {
        match &self.sender {
            Sender::Hop(hop) => Some(hop),
            Sender::Nobody | Sender::Module(_) => None,
        }
    }

    /// The names of the nodes on the way from the trigger, from this one back; one that is passed twice comes twice.
    pub fn passed(&self) -> impl Iterator<Item = &str> {
        let mut hop = Some(self);
        let mut far: &[Box<str>] = &[];
        std::iter::from_fn(move || {
            if let Some(here) = hop {
                hop = here.sender().map(|sender| &**sender);
                if let Sender::Module(passed) = &here.sender {
                    far = &passed.nodes;
                }
                return Some(&*here.outlet.node().name);
            }
            let (name, rest) = far.split_last()?;
            far = rest;
            Some(name)
        })
    }

    /// What another module, or work in the background, is told of its span.
    pub fn parent(&self) -> Option<Parent> {
        let own = if self.span.is_none() { None } else { self.outlet.parent(&self.span) };
        own.or(self.parent)
    }

    /// The run that it belongs to.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Hops on the way from the trigger; the first is 1.
    pub fn depth(&self) -> u16 {
        self.depth
    }
}

impl fmt::Debug for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hop").field("at", &self.line.to).field("depth", &self.depth).finish()
    }
}

/// When a hop is over. The token is made when somebody asks for it: few do.
#[derive(Default)]
pub(crate) struct End(Mutex<State>);

#[derive(Default)]
enum State {
    #[default]
    Open,
    Asked(CancellationToken),
    Over,
}

impl End {
    /// Over when `token` says so.
    pub(crate) fn by(token: CancellationToken) -> Self {
        Self(Mutex::new(State::Asked(token)))
    }

    pub(crate) fn token(&self) -> CancellationToken {
        let mut state = self.state();
        let token = match &*state {
            State::Asked(token) => return token.clone(),
            State::Open => CancellationToken::new(),
            State::Over => {
                let over = CancellationToken::new();
                over.cancel();
                return over;
            }
        };
        *state = State::Asked(token.clone());
        token
    }

    pub(crate) fn is_over(&self) -> bool {
        match &*self.state() {
            State::Open => false,
            State::Asked(token) => token.is_cancelled(),
            State::Over => true,
        }
    }

    /// Nobody waits for the hop any more.
    pub(crate) fn come(&self) {
        let before = std::mem::replace(&mut *self.state(), State::Over);
        if let State::Asked(token) = before {
            token.cancel();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
