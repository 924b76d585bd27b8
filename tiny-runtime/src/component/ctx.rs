//! Where a message is: the hop that an author's method runs in.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};
use tracing::Span;

use super::outlet::{End, Hop, Sender};
use super::{
    Answer, Component, Counter, Error, Gauge, Histogram, Intake, Key, Reply, Result, Run, Sent,
};

/// One delivery of one message to one port, as the author's method sees it.
///
/// Cheap to clone: a clone is another handle to the same hop.
///
/// | word | meaning |
/// |---|---|
/// | [`node`](Ctx::node) [`flow`](Ctx::flow) [`project`](Ctx::project) | where the component lives |
/// | [`run`](Ctx::run) [`new_run`](Ctx::new_run) | what the message belongs to; a new beginning |
/// | [`deadline`](Ctx::deadline) [`within`](Ctx::within) [`cancelled`](Ctx::cancelled) [`is_cancelled`](Ctx::is_cancelled) | how long somebody waits |
/// | [`spawn`](Ctx::spawn) [`spawn_on_leader`](Ctx::spawn_on_leader) [`leads`](Ctx::leads) [`blocking`](Ctx::blocking) | work beside the hop |
/// | [`intake`](Ctx::intake) | a way in from outside, such as a server |
/// | [`refresh`](Ctx::refresh) | what depends on settings or state has changed |
/// | [`counter`](Ctx::counter) [`gauge`](Ctx::gauge) [`histogram`](Ctx::histogram) [`span`](Ctx::span) | what others see of it |
#[derive(Clone)]
pub struct Ctx(Arc<Hop>);

impl Ctx {
    pub(crate) fn new(hop: Hop) -> Self {
        Self(Arc::new(hop))
    }

    pub(crate) fn hop(&self) -> &Arc<Hop> {
        &self.0
    }

    /// The edge that the message came over.
    pub(crate) fn edge(&self) -> Option<&str> {
        self.0.edge()
    }

    /// The node that received the message.
    ///
    /// ```
    /// # use tiny_runtime::prelude::*;
    /// fn who(ctx: &Ctx) -> String {
    ///     format!("{} of flow {} in project {}", ctx.node(), ctx.flow(), ctx.project())
    /// }
    /// ```
    pub fn node(&self) -> &str {
        &self.0.outlet.node().name
    }

    /// The flow of the node; empty when it belongs to none.
    pub fn flow(&self) -> &str {
        &self.0.outlet.node().flow
    }

    /// The project of the node; empty when it belongs to none.
    pub fn project(&self) -> &str {
        &self.0.outlet.node().project
    }

    /// The run that this hop belongs to.
    ///
    /// ```
    /// # use tiny_runtime::prelude::*;
    /// fn reference(ctx: &Ctx) -> String {
    ///     format!("run {}", ctx.run().id())
    /// }
    /// ```
    pub fn run(&self) -> &Run {
        &self.0.run
    }

    /// When this hop must have ended; `None` when nobody set a limit. It shrinks along the hops.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tiny_runtime::prelude::*;
    /// # use tiny_runtime::tokio::time::Instant;
    /// fn left(ctx: &Ctx) -> Option<Duration> {
    ///     Some(ctx.deadline()?.saturating_duration_since(Instant::now()))
    /// }
    /// ```
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline
    }

    /// Does `work` within `limit`: all that it sends has no more time than that, nor than the hop has, and is cancelled when that is over.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tiny_runtime::prelude::*;
    /// # /// Asks.
    /// # #[component(name = "asker")]
    /// # #[derive(Default)]
    /// # pub struct Asker;
    /// #[component]
    /// impl Asker {
    ///     /// Asks, and waits five seconds for an answer.
    ///     #[port(target)]
    ///     async fn ask(&self, ctx: &Ctx, question: String) -> Result<String> {
    ///         let asking = |ctx| async move { self.question(&ctx, question).await };
    ///         ctx.within(Duration::from_secs(5), asking).await
    ///     }
    ///
    ///     /// What is asked.
    ///     #[port(source)]
    ///     async fn question(&self, ctx: &Ctx, question: String) -> Result<String>;
    /// }
    ///
    /// # tiny_runtime::testing::block_on(async {
    /// let bench = Bench::<Asker>::new();
    /// bench.stall(Asker::QUESTION);
    /// let late = bench.send(Asker::ASK, "why?".into()).await;
    /// assert_eq!(late.unwrap_err().to_string(), "what `asker` waits for did not end within 5s");
    /// # });
    /// ```
    ///
    /// # Errors
    /// What `work` fails with; one that used up its time when that is over.
    pub async fn within<F, R>(&self, limit: Duration, work: impl FnOnce(Self) -> F) -> Result<R>
    where
        F: Future<Output = Result<R>>,
    {
        let hop = &self.0;
        // One that no clock can tell is none.
        let Some(end) = Instant::now().checked_add(limit) else { return work(self.clone()).await };
        let ctx = Self::new(Hop {
            run: hop.run.clone(),
            outlet: hop.outlet.clone(),
            sender: hop.sender.clone(),
            line: hop.line.clone(),
            depth: hop.depth,
            deadline: hop.deadline.into_iter().chain([end]).min(),
            span: hop.span.clone(),
            parent: hop.parent,
            end: End::by(hop.end.token()),
        });
        timeout_at(end, work(ctx)).await.unwrap_or_else(|_| {
            let node = self.node();
            Err(Error::exhausted(format!("what `{node}` waits for did not end within {limit:?}")))
        })
    }

    /// Ends when nobody waits for this hop any more: it is over, its caller went away, or its edge or node was removed. A
    /// method need not watch it: its future is dropped then. What runs beside it should, such as a thread or a task of its own;
    /// in the background it is the end of the node.
    ///
    /// ```
    /// # use tiny_runtime::prelude::*;
    /// # use tiny_runtime::tokio;
    /// async fn until_cancelled(ctx: Ctx, mut lines: tokio::sync::mpsc::Receiver<String>) {
    ///     loop {
    ///         tokio::select! {
    ///             () = ctx.cancelled() => return,
    ///             line = lines.recv() => println!("{line:?}"),
    ///         }
    ///     }
    /// }
    /// ```
    pub async fn cancelled(&self) {
        self.0.end.token().cancelled().await;
    }

    /// Whether [`cancelled`](Ctx::cancelled) has come, for loops that do not await.
    ///
    /// ```
    /// # use tiny_runtime::prelude::*;
    /// fn sum(ctx: &Ctx, numbers: impl Iterator<Item = u64>) -> u64 {
    ///     numbers.take_while(|_| !ctx.is_cancelled()).sum()
    /// }
    /// ```
    pub fn is_cancelled(&self) -> bool {
        self.0.end.is_over()
    }

    /// The span of this hop, for attributes and child spans. It costs nothing while nobody listens.
    ///
    /// ```
    /// # use tiny_runtime::prelude::*;
    /// # use tiny_runtime::tracing;
    /// fn parse(ctx: &Ctx, text: &str) -> usize {
    ///     let _span = tracing::debug_span!(parent: ctx.span(), "parse", size = text.len()).entered();
    ///     text.split(',').count()
    /// }
    /// ```
    pub fn span(&self) -> &Span {
        &self.0.span
    }

    /// Begins a new run, with an id and limits of its own: for what a component starts by itself, such as a tick. `trigger`
    /// says in words what began it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tiny_runtime::prelude::*;
    /// # use tiny_runtime::tokio::time::sleep;
    /// # /// Ticks.
    /// # #[component(name = "metronome")]
    /// # #[derive(Default)]
    /// # pub struct Metronome;
    /// #[component]
    /// impl Metronome {
    ///     /// Starts ticking, and answers at once.
    ///     #[port(target)]
    ///     async fn start(&self, ctx: &Ctx, every_millis: u64) -> Result<()> {
    ///         ctx.spawn(self, move |me, ctx| async move {
    ///             loop {
    ///                 sleep(Duration::from_millis(every_millis)).await;
    ///                 let tick = ctx.new_run("tick");
    ///                 me.out(&tick, String::new()).await?.ignore();
    ///             }
    ///             #[allow(unreachable_code)]
    ///             Ok(())
    ///         })
    ///     }
    ///
    ///     /// A tick.
    ///     #[port(source)]
    ///     async fn out(&self, ctx: &Ctx, message: String) -> Result;
    /// }
    /// ```
    pub fn new_run(&self, trigger: &str) -> Self {
        let hop = &self.0;
        let run = hop.outlet.begin(format!("{trigger} of `{}`", self.node()));
        self.beside(run, 1, hop.end.token())
    }

    /// Works in the background, for as long as the node is there: the method may answer while that goes on. The closure gets
    /// the component and a context of its own, which has no deadline and continues the run. What the work fails with is logged.
    ///
    /// Nothing brings it back after a restart: what the background has not done is lost. When the node is removed,
    /// [`cancelled`](Ctx::cancelled) ends; five seconds later the work is dropped.
    ///
    /// ```
    /// # use tiny_runtime::prelude::*;
    /// # /// Sends later.
    /// # #[component(name = "later")]
    /// # #[derive(Default)]
    /// # pub struct Later;
    /// #[component]
    /// impl Later {
    ///     /// Takes a message and answers at once; it goes on in the background.
    ///     #[port(target)]
    ///     async fn input(&self, ctx: &Ctx, message: String) -> Result<()> {
    ///         ctx.spawn(self, |me, ctx| async move { me.output(&ctx, message).await })
    ///     }
    ///
    ///     /// What was taken.
    ///     #[port(source)]
    ///     async fn output(&self, ctx: &Ctx, message: String) -> Result;
    /// }
    /// ```
    ///
    /// # Errors
    /// Transient when the node has a thousand of them already.
    pub fn spawn<C, F, W, R>(&self, me: &C, work: W) -> Result<()>
    where
        C: Component,
        W: FnOnce(Arc<C>, Self) -> F,
        F: Future<Output = Result<R>> + Send + 'static,
        R: Answer,
    {
        let component = self.component(me)?;
        let ctx = self.background();
        let work = work(component, ctx.clone());
        self.0.outlet.spawn(Box::pin(async move { ctx.say(work.await) }))
    }

    /// The same, but only where and while this process leads its module: of several replicas, one does it. When it ceases to
    /// lead, the work is dropped, and begins anew where and when a process leads again, so the closure is called again.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tiny_runtime::prelude::*;
    /// # use tiny_runtime::tokio::time::sleep;
    /// # /// Cleans up.
    /// # #[component(name = "janitor")]
    /// # #[derive(Default)]
    /// # pub struct Janitor;
    /// #[component]
    /// impl Janitor {
    ///     /// Starts cleaning.
    ///     #[port(target)]
    ///     async fn start(&self, ctx: &Ctx, _message: String) -> Result<()> {
    ///         ctx.spawn_on_leader(self, |me, ctx| async move {
    ///             while !ctx.is_cancelled() {
    ///                 me.clean(&ctx.new_run("cleaning"), String::new()).await?.ignore();
    ///                 sleep(Duration::from_secs(60)).await;
    ///             }
    ///             Ok(())
    ///         })
    ///     }
    ///
    ///     /// It is time to clean.
    ///     #[port(source)]
    ///     async fn clean(&self, ctx: &Ctx, message: String) -> Result;
    /// }
    /// ```
    ///
    /// # Errors
    /// Transient when the node has a thousand of them already.
    pub fn spawn_on_leader<C, F, W, R>(&self, me: &C, work: W) -> Result<()>
    where
        C: Component,
        W: Fn(Arc<C>, Self) -> F + Send + Sync + 'static,
        F: Future<Output = Result<R>> + Send + 'static,
        R: Answer,
    {
        let component = self.component(me)?;
        let ctx = self.background();
        let mut leads = self.0.outlet.shared().leads.clone();
        self.0.outlet.spawn(Box::pin(async move {
            loop {
                if leads.wait_for(|leads| *leads).await.is_err() {
                    return;
                }
                let mine = ctx.0.end.token().child_token();
                let led = ctx.beside(ctx.0.run.clone(), ctx.0.depth, mine.clone());
                let over = async {
                    // Where nobody tells any more, as in a flow under test, it stays as it is.
                    if leads.wait_for(|leads| !*leads).await.is_err() {
                        std::future::pending::<()>().await;
                    }
                };
                tokio::select! {
                    biased;
                    result = work(component.clone(), led) => return ctx.say(result),
                    () = over => mine.cancel(),
                }
            }
        }))
    }

    /// Whether this process leads its module now.
    ///
    /// ```
    /// # use tiny_runtime::prelude::*;
    /// fn role(ctx: &Ctx) -> &'static str {
    ///     if ctx.leads() { "leader" } else { "follower" }
    /// }
    /// ```
    pub fn leads(&self) -> bool {
        *self.0.outlet.shared().leads.borrow()
    }

    /// Runs what blocks or computes for long on a thread for that, and waits for it. When the hop ends before, what has not
    /// begun does not begin; what has should ask [`is_cancelled`](Ctx::is_cancelled) of a clone of this context.
    ///
    /// ```
    /// # use tiny_runtime::prelude::*;
    /// async fn hash(ctx: &Ctx, data: Vec<u8>) -> Result<u64> {
    ///     ctx.blocking(move || data.iter().fold(0, |hash: u64, byte| hash.rotate_left(5) ^ u64::from(*byte))).await
    /// }
    /// ```
    ///
    /// # Errors
    /// Permanent when `work` panics.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        /// Ends what has not begun.
        struct Abort(AbortHandle);
        impl Drop for Abort {
            fn drop(&mut self) {
                self.0.abort();
            }
        }
        let threads = self.0.outlet.shared().blocking.clone();
        let Ok(thread) = threads.acquire_owned().await else {
            return Err(Error::cancelled("the process is stopping"));
        };
        let task = tokio::task::spawn_blocking(move || {
            let _thread = thread;
            work()
        });
        let _abort = Abort(task.abort_handle());
        task.await.map_err(|e| match e.try_into_panic() {
            Ok(panic) => {
                let text = super::panic::text(&*panic);
                Error::permanent(format!(
                    "blocking work of node `{}` panicked: {text}",
                    self.node()
                ))
            }
            Err(_) => Error::cancelled("the process is stopping"),
        })
    }

    /// Opens a way in from outside: a server, a subscription, whatever begins runs by itself. Work in the background keeps it for as long as
    /// it takes something in. When the process is about to end, [`closing`](Intake::closing) tells; what came in before goes on to its end, and
    /// the process waits until the intake is dropped, within its `--drain-timeout`.
    ///
    /// ```
    /// # use tiny_runtime::prelude::*;
    /// # use tiny_runtime::tokio;
    /// # /// Reads lines.
    /// # #[component(name = "lines")]
    /// # #[derive(Default)]
    /// # pub struct Lines;
    /// # async fn next_line() -> Result<String> { Ok(String::new()) }
    /// #[component]
    /// impl Lines {
    ///     /// Reads from now on, and answers at once.
    ///     #[port(target)]
    ///     async fn start(&self, ctx: &Ctx, _message: String) -> Result<()> {
    ///         ctx.spawn(self, |me, ctx| async move {
    ///             let intake = ctx.intake();
    ///             loop {
    ///                 let line = tokio::select! {
    ///                     line = next_line() => line?,
    ///                     _ = intake.closing() => return Ok(()),
    ///                 };
    ///                 me.line(&ctx.new_run("line"), line).await?.ignore();
    ///             }
    ///         })
    ///     }
    ///
    ///     /// A line.
    ///     #[port(source)]
    ///     async fn line(&self, ctx: &Ctx, line: String) -> Result;
    /// }
    /// ```
    #[must_use]
    pub fn intake(&self) -> Intake {
        self.0.outlet.shared().intakes.open()
    }

    /// Says that something has changed on which ports or what people see depends: `when`, `each`, `schema` and `read` are asked
    /// again. Ports appear and vanish at once; the node's status follows, at most once a second, however often this is said.
    /// After a change of settings it need not be said.
    ///
    /// ```
    /// # use tiny_runtime::prelude::*;
    /// # /// What is kept.
    /// # #[message]
    /// # #[derive(Default)]
    /// # pub struct Kept {
    /// #     /// Whether the door is open.
    /// #     pub open: bool,
    /// # }
    /// # /// A door.
    /// # #[component(name = "door")]
    /// # #[derive(Default)]
    /// # pub struct Door {
    /// #     kept: State<Kept>,
    /// # }
    /// # impl Door {
    /// #     fn is_open(&self) -> bool {
    /// #         self.kept.get().open
    /// #     }
    /// # }
    /// #[component]
    /// impl Door {
    ///     /// Opens the door.
    ///     #[port(target)]
    ///     async fn open(&self, ctx: &Ctx, _message: String) -> Result<()> {
    ///         self.kept.update(|kept| kept.open = true).await?;
    ///         ctx.refresh();
    ///         Ok(())
    ///     }
    ///
    ///     /// Where to go through, while it is open.
    ///     #[port(source, when = Self::is_open)]
    ///     async fn through(&self, ctx: &Ctx, message: String) -> Result;
    /// }
    /// ```
    pub fn refresh(&self) {
        self.0.outlet.refresh();
    }

    /// Counts something.
    ///
    /// ```
    /// # use tiny_runtime::prelude::*;
    /// fn count(ctx: &Ctx, status: &str) {
    ///     ctx.counter("orders").label("status", status).add(1);
    /// }
    /// ```
    pub fn counter(&self, name: &'static str) -> Counter {
        Counter::new(&self.0.outlet.shared().instruments, self.node(), name)
    }

    /// Says how much there is of something.
    ///
    /// ```
    /// # use tiny_runtime::prelude::*;
    /// fn waiting(ctx: &Ctx, queue: &[String]) {
    ///     ctx.gauge("waiting").set(queue.len() as f64);
    /// }
    /// ```
    pub fn gauge(&self, name: &'static str) -> Gauge {
        Gauge::new(&self.0.outlet.shared().instruments, self.node(), name)
    }

    /// Measures how large something is, each time.
    ///
    /// ```
    /// # use tiny_runtime::prelude::*;
    /// fn size(ctx: &Ctx, body: &str) {
    ///     ctx.histogram("body_size").record(body.len() as f64);
    /// }
    /// ```
    pub fn histogram(&self, name: &'static str) -> Histogram {
        Histogram::new(&self.0.outlet.shared().instruments, self.node(), name)
    }

    /// Sends `message` out of a source. Generated sources call it; the message is erased before the future is made, so that the
    /// future stays small.
    #[doc(hidden)]
    pub fn send<C, T: 'static, R: 'static>(&self, source: &Key<C, T, R>, message: T) -> Sending<R> {
        let body = (source.ops().erase)(message);
        let port = source.cow();
        let sent = self.0.outlet.send(self, &port, body);
        Sending { sent, port, read: source.ops().from_reply }
    }

    /// A context of the node's background: no deadline, no caller.
    fn background(&self) -> Self {
        let hop = &self.0;
        self.beside(hop.run.clone(), hop.depth, hop.outlet.removed().clone())
    }

    /// A context beside this hop, until `end` is cancelled.
    fn beside(&self, run: Arc<Run>, depth: u16, end: tokio_util::sync::CancellationToken) -> Self {
        let (outlet, line) = (self.0.outlet.clone(), self.0.line.clone());
        // Not the span itself, which ends with its hop; and a run of its own is a trace of its own.
        let parent = if Arc::ptr_eq(&run, &self.0.run) { self.0.parent() } else { None };
        let end = End::by(end);
        Self::new(Hop {
            run,
            outlet,
            sender: Sender::Nobody,
            line,
            depth,
            deadline: None,
            span: Span::none(),
            parent,
            end,
        })
    }

    /// The component that `me` borrows.
    fn component<C: Component>(&self, me: &C) -> Result<Arc<C>> {
        let component = self.0.outlet.component().downcast::<C>().ok();
        component.filter(|component| std::ptr::eq(Arc::as_ptr(component), me)).ok_or_else(|| {
            Error::permanent(format!(
                "work in the background of node `{}` begins with `ctx.spawn(self, …)`: a component that is not the node's own has no background",
                self.node()
            ))
        })
    }

    /// Logs what work in the background failed with.
    fn say<R: Answer>(&self, result: Result<R>) {
        match result {
            Ok(reply) => reply.into_reply().ignore(),
            Err(error) => {
                let run = self.run().id();
                tracing::warn!(node = self.node(), %run, "work in the background failed: {error}");
            }
        }
    }
}

/// A message on its way out of a source. A type with a name, because rustc looks into one without at every source again.
#[doc(hidden)]
#[must_use = "a message is sent when this is awaited"]
pub struct Sending<R> {
    sent: Sent,
    port: Cow<'static, str>,
    read: fn(Reply, &str) -> Result<R>,
}

impl<R> Future for Sending<R> {
    type Output = Result<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let reply = ready!(Pin::new(&mut self.sent).poll(cx));
        Poll::Ready(reply.and_then(|reply| (self.read)(reply, &self.port)))
    }
}

impl<R> fmt::Debug for Sending<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sending").field("port", &self.port).finish_non_exhaustive()
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx")
            .field("node", &self.node())
            .field("run", &self.0.run.id())
            .field("depth", &self.0.depth)
            .finish()
    }
}
