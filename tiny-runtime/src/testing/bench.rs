//! One component under test.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::plane::Plane;
use super::tap::{self, Act, Record, TAP};
use super::{Answers, expect_source, expect_target, refuse, run, scheduler};
use crate::component::{
    Answer, Body, Component, ComponentType, Error, Instruments, Key, Message, NodeInfo, Reply,
    Result, Sample,
};
use crate::engine::{Address, NodeDecl, Peer, Scheduler, Standing, Stored};
use crate::registry::Registry;

/// One live component of type `C`, a node on the real engine, with a tap on each of its sources and error ports.
///
/// Cheap to clone: a clone is another handle to the same component, and so is what the setters return.
///
/// ```
/// use tiny_runtime::prelude::*;
///
/// /// A word.
/// #[message]
/// pub struct Word {
///     /// The word itself.
///     pub text: String,
/// }
///
/// /// Says a word louder.
/// #[component(name = "shout")]
/// #[derive(Default)]
/// pub struct Shout;
///
/// #[component]
/// impl Shout {
///     /// Takes a word, and answers what the flow behind `output` answers.
///     #[port(target)]
///     async fn input(&self, ctx: &Ctx, message: Word) -> Result {
///         self.output(ctx, Word { text: message.text.to_uppercase() }).await
///     }
///
///     /// The louder word.
///     #[port(source)]
///     async fn output(&self, ctx: &Ctx, message: Word) -> Result;
/// }
///
/// # tiny_runtime::testing::block_on(async {
/// let bench = Bench::<Shout>::new();
/// bench.reply(Shout::OUTPUT, "heard".to_owned());
/// let reply = bench.send(Shout::INPUT, Word { text: "hey".into() }).await?;
/// assert_eq!(reply.to_json()?, Some("heard".into()));
/// assert_eq!(bench.sent(Shout::OUTPUT)[0].text, "HEY");
/// # Ok::<(), Error>(())
/// # }).map_err(|e| e.to_string())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// **Failures** of targets go to the error port that takes them, as in a flow, and are recorded there. Unless the test says
/// how the error port is answered ([`Bench::reply`]), they come back from [`Bench::send`] too: no failure goes unseen.
///
/// **Time.** The engine retries what fails transiently and waits in between. `#[tiny_runtime::test]` pauses the clock, and
/// the waits pass at once.
pub struct Bench<C> {
    scheduler: Scheduler,
    component: Arc<ComponentType>,
    record: Arc<Record>,
    plane: Arc<Plane>,
    instruments: Arc<Instruments>,
    /// The settings that the test said last.
    settings: Arc<Mutex<Option<Value>>>,
    of: PhantomData<fn() -> C>,
}

impl<C: Component> Bench<C> {
    /// A new component in its default state, with default settings.
    pub fn new() -> Self {
        Self::on(Plane::new(), Stored::default(), None)
    }

    /// A new component whose state was stored before, each under the name of its field.
    ///
    /// # Panics
    /// When it does not fit, with the sentence of the node's condition.
    ///
    /// ```
    /// # use tiny_runtime::prelude::*;
    /// # use tiny_runtime::serde_json::json;
    /// # /// Counts.
    /// # #[component(name = "counter")]
    /// # #[derive(Default)]
    /// # pub struct Counter {
    /// #     count: State<u64>,
    /// # }
    /// # #[component]
    /// # impl Counter {
    /// #     /// Counts.
    /// #     #[port(target)]
    /// #     async fn input(&self, _: &Ctx, _: String) -> Result<u64> {
    /// #         self.count.update(|count| { *count += 1; *count }).await
    /// #     }
    /// # }
    /// # tiny_runtime::testing::block_on(async {
    /// let bench = Bench::<Counter>::with_state(json!({"count": 41}));
    /// assert_eq!(bench.send(Counter::INPUT, String::new()).await?, 42);
    /// assert_eq!(bench.stored("count"), Some(json!(42)));
    /// # Ok::<(), Error>(())
    /// # }).map_err(|e| e.to_string())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    pub fn with_state(state: Value) -> Self {
        let plane = Plane::new();
        let texts = state.as_object().into_iter().flatten();
        let texts = texts.map(|(key, value)| (key.clone(), value.to_string())).collect();
        let stored = plane.store.memory.put(C::INFO.name, &texts);
        Self::on(plane, stored, None)
    }

    /// What a restart of the process makes of the component: a new one with the settings, and the state that was stored. What
    /// it had in the background is gone.
    #[track_caller]
    pub fn restart(&self) -> Self {
        self.scheduler.remove(C::INFO.name);
        self.replica()
    }

    /// Begins the end of the process: ways in from outside are told ([`Ctx::intake`](crate::component::Ctx::intake)), and it waits until what came
    /// in has ended.
    ///
    /// ```
    /// # use tiny_runtime::prelude::*;
    /// # /// Listens.
    /// # #[component(name = "listener")]
    /// # #[derive(Default)]
    /// # pub struct Listener;
    /// # #[component]
    /// # impl Listener {
    /// #     /// Listens until the end.
    /// #     #[port(target)]
    /// #     async fn start(&self, ctx: &Ctx, _: String) -> Result<()> {
    /// #         Err(ctx.intake().closing().await)
    /// #     }
    /// # }
    /// # tiny_runtime::testing::block_on(async {
    /// let bench = Bench::<Listener>::new();
    /// let (listening, ()) = tiny_runtime::tokio::join!(bench.send(Listener::START, String::new()), bench.close());
    /// assert!(listening.is_err(), "it is for the next process to go on");
    /// # });
    /// ```
    pub async fn close(&self) {
        self.scheduler.close_intakes().await;
    }

    /// Another process with the same node: it shares settings and state, and has a record of its own.
    #[track_caller]
    pub fn replica(&self) -> Self {
        let stored = self.plane.store.memory.stored(C::INFO.name);
        let settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Self::on(self.plane.clone(), stored, settings)
    }

    #[track_caller]
    fn on(plane: Arc<Plane>, stored: Stored, settings: Option<Value>) -> Self {
        let component = ComponentType::of::<C>();
        let (record, instruments) = (Arc::new(Record::default()), Arc::default());
        let mut registry = Registry::default();
        registry.insert(tap::component(&component, &record));
        registry.insert(component);
        let scheduler = scheduler(plane.backing(&instruments), registry);
        refuse(&scheduler.update(decl(TAP, TAP), |_| Peer::Absent));
        let component = Arc::new(ComponentType::of::<C>());
        let of = PhantomData;
        let bench =
            Self { scheduler, component, record, plane, instruments, settings: Arc::default(), of };
        bench.declare(settings, stored);
        bench.scheduler.tap(C::INFO.name, TAP);
        bench
    }

    /// Gives the component its settings, as a change of its node does: the same instance goes on with them.
    ///
    /// # Panics
    /// When the component has no settings, or others.
    #[track_caller]
    pub fn settings(&self, settings: impl Message) -> Self {
        self.settings_json(json("the settings", &settings))
    }

    /// Gives the component its settings as a flow writes them: keys that are left out keep their defaults.
    ///
    /// # Panics
    /// When they do not fit; the sentence is the one in the condition of a node.
    ///
    /// ```should_panic
    /// # use tiny_runtime::prelude::*;
    /// # use tiny_runtime::serde_json::json;
    /// # /// How to wait.
    /// # #[message]
    /// # #[derive(Default)]
    /// # pub struct Pause {
    /// #     /// Milliseconds.
    /// #     pub millis: u64,
    /// # }
    /// # /// Waits.
    /// # #[component(name = "wait")]
    /// # #[derive(Default)]
    /// # pub struct Wait {
    /// #     settings: Settings<Pause>,
    /// # }
    /// # #[component]
    /// # impl Wait {
    /// #     /// Receives.
    /// #     #[port(target)]
    /// #     async fn input(&self, _: &Ctx, _: String) -> Result<u64> {
    /// #         Ok(self.settings.get().millis)
    /// #     }
    /// # }
    /// // node `wait`: the configuration of `_settings` does not fit: `millis`: …
    /// Bench::<Wait>::new().settings_json(json!({"millis": "long"}));
    /// ```
    #[track_caller]
    pub fn settings_json(&self, settings: Value) -> Self {
        self.declare(Some(settings), Stored::default());
        self.clone()
    }

    /// Sends `message` to a target and waits until all that it causes has ended. It arrives as JSON, as a signal does. The
    /// reply has the type that the target names; a target that returns a plain `Result` gives a [`Reply`].
    ///
    /// # Errors
    /// What the target failed with, after its retries.
    ///
    /// # Panics
    /// When the key is one of a source.
    #[track_caller]
    pub fn send<T: Message, R: Answer>(
        &self,
        target: Key<C, T, R>,
        message: T,
    ) -> impl Future<Output = Result<R>> + Send + use<C, T, R> {
        let port = target.name().to_owned();
        let sent = self.trigger(&port, json(&format!("the message for `{port}`"), &message));
        async move { R::from_reply(sent.await?, &port) }
    }

    /// Sends JSON to the target `port`, which need not fit: that is how to test what does not.
    ///
    /// # Errors
    /// What the target failed with, after its retries.
    ///
    /// # Panics
    /// When there is no such target.
    #[track_caller]
    pub fn send_json(
        &self,
        port: &str,
        message: Value,
    ) -> impl Future<Output = Result<Reply>> + Send + use<C> {
        self.trigger(port, message)
    }

    /// What a source or error port has sent since the bench was made, in order.
    ///
    /// # Panics
    /// When the key is one of a target.
    #[track_caller]
    pub fn sent<T: Message, R: 'static>(&self, source: Key<C, T, R>) -> Vec<T> {
        let port = source.name();
        expect_source(&self.component, port);
        let decode = |body: &Body| match body.decode() {
            Ok(message) => message,
            Err(error) => panic!("what `{port}` sent does not fit its own type: {error}"),
        };
        self.record.sent(port).iter().map(decode).collect()
    }

    /// Answers the next message of a source. Several replies and faults of one source queue up; the last one stays. A source
    /// without any gets no reply.
    ///
    /// # Panics
    /// When the key is one of a target.
    #[track_caller]
    pub fn reply<T: 'static, R: 'static>(
        &self,
        source: Key<C, T, R>,
        reply: impl Answers<R>,
    ) -> Self {
        self.act(source.name(), Act::Reply(Reply::of(reply)))
    }

    /// Lets the next message of a source fail, in the queue of [`Bench::reply`]. A transient error arrives as the flow behind
    /// the source would report it: with its retries used up.
    ///
    /// # Panics
    /// When the key is one of a target.
    #[track_caller]
    pub fn fail<T: 'static, R: 'static>(&self, source: Key<C, T, R>, error: Error) -> Self {
        self.act(source.name(), Act::Fail(error))
    }

    /// Lets the next message of a source wait for an answer that never comes, in the queue of [`Bench::reply`]: for what a deadline or a
    /// cancellation ends.
    ///
    /// # Panics
    /// When the key is one of a target.
    #[track_caller]
    pub fn stall<T: 'static, R: 'static>(&self, source: Key<C, T, R>) -> Self {
        self.act(source.name(), Act::Stall)
    }

    /// The component itself, for what a test of its own crate may look at.
    ///
    /// # Panics
    /// When there is none: it was restarted.
    #[track_caller]
    pub fn component(&self) -> Arc<C> {
        let component = self.scheduler.component(C::INFO.name);
        match component.and_then(|component| component.downcast().ok()) {
            Some(component) => component,
            None => panic!("this bench was restarted: use the new one"),
        }
    }

    /// The names of the ports that are there now, in the author's order.
    pub fn ports(&self) -> Vec<String> {
        let ports = self.scheduler.ports(C::INFO.name).unwrap_or_default();
        ports.iter().map(|port| port.name.to_string()).collect()
    }

    /// The schema of a port as the component shapes it now.
    pub fn schema(&self, port: &str) -> Option<Value> {
        let offered = self.scheduler.offered(C::INFO.name);
        let offered = offered.into_iter().find(|offered| &*offered.port.name == port)?;
        let info = &self.component.ports()[offered.port.row];
        Some(offered.shaped.unwrap_or_else(|| (info.schema)()).value())
    }

    /// What `_control` shows now, secrets masked.
    pub fn view(&self) -> Option<Value> {
        let offered = self.scheduler.offered(C::INFO.name);
        let control = offered.into_iter().find(|offered| &*offered.port.name == "_control");
        control.and_then(|port| port.view)
    }

    /// What keeps the node from what it is declared to be, as a condition of it would say; empty when all is well.
    pub fn faults(&self) -> Vec<String> {
        let findings = self.scheduler.findings(C::INFO.name);
        findings.into_iter().map(|finding| finding.message).collect()
    }

    /// What is stored of the state in the field `key`.
    pub fn stored(&self, key: &str) -> Option<Value> {
        let stored = self.plane.store.memory.stored(C::INFO.name);
        stored.texts.get(key).and_then(|text| serde_json::from_str(text).ok())
    }

    /// Lets the next write of state fail; several queue up.
    pub fn fail_state(&self, error: Error) -> Self {
        self.plane.store.fail(error);
        self.clone()
    }

    /// Tells the component what others have stored meanwhile, as the watch of the plane does.
    pub fn see_state(&self) -> Self {
        self.scheduler.seen(C::INFO.name, self.plane.store.memory.stored(C::INFO.name));
        self.clone()
    }

    /// Says whether the process of this bench, and of its replicas, leads its module. At first it does.
    pub fn lead(&self, leads: bool) -> Self {
        self.plane.leads.send_replace(leads);
        self.clone()
    }

    /// Removes the node, as the end of its process does, and waits until what it has in the background has ended.
    pub async fn remove(&self) {
        self.scheduler.stop().await;
    }

    /// Ends the node for good, as a deletion does: what is under way in it is cancelled, what it has in the background ends, then its
    /// destroy hook is called, if it has one. A hook that fails transiently is tried again, for 30 seconds in all. Where the node is
    /// still starting, that is waited for; one that does not start is removed without a call.
    ///
    /// # Errors
    /// What the hook failed with. The controller lets go of a node whose hook failed for good, and calls one again later whose error
    /// [is retryable](Error::is_retryable).
    ///
    /// ```
    /// # use std::sync::atomic::{AtomicBool, Ordering};
    /// # use tiny_runtime::prelude::*;
    /// /// Keeps a folder.
    /// #[component(name = "folder")]
    /// #[derive(Default)]
    /// pub struct Folder {
    ///     is_made: AtomicBool,
    /// }
    ///
    /// #[component]
    /// impl Folder {
    ///     /// Makes the folder.
    ///     #[port(target)]
    ///     async fn make(&self, _: &Ctx, _: String) -> Result<()> {
    ///         self.is_made.store(true, Ordering::Relaxed);
    ///         Ok(())
    ///     }
    ///
    ///     /// Deletes it.
    ///     #[port(destroy)]
    ///     async fn on_destroy(&self, _: &Ctx) -> Result<()> {
    ///         self.is_made.store(false, Ordering::Relaxed);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # tiny_runtime::testing::block_on(async {
    /// let bench = Bench::<Folder>::new();
    /// bench.send(Folder::MAKE, String::new()).await?;
    /// let folder = bench.component();
    /// bench.destroy().await?;
    /// assert!(!folder.is_made.load(Ordering::Relaxed));
    /// # Ok::<(), Error>(())
    /// # }).map_err(|e| e.to_string())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn destroy(&self) -> Result<()> {
        self.scheduler.started(C::INFO.name).await;
        self.scheduler.destroy(C::INFO.name).await
    }

    /// What the instruments have recorded.
    pub fn measured(&self) -> Vec<Sample> {
        self.instruments.samples()
    }

    #[track_caller]
    fn act(&self, source: &str, act: Act) -> Self {
        expect_source(&self.component, source);
        self.record.add(source, act);
        self.clone()
    }

    #[track_caller]
    fn trigger(
        &self,
        port: &str,
        message: Value,
    ) -> impl Future<Output = Result<Reply>> + Send + use<C> {
        expect_target(&self.component, port);
        let sent = run(self.scheduler.clone(), Address::new(C::INFO.name, port), message);
        async move { sent.await.result }
    }

    /// Makes the node what the test says.
    #[track_caller]
    fn declare(&self, settings: Option<Value>, stored: Stored) {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&settings);
        let configurations = settings.map(|it| ("_settings".to_owned(), it)).into_iter().collect();
        let node = NodeDecl { configurations, ..decl(C::INFO.name, C::INFO.name) };
        refuse(&self.scheduler.restore(node, stored, |_| Peer::Absent, |_| Standing::default()));
    }
}

fn decl(name: &str, component: &str) -> NodeDecl {
    let info = NodeInfo { name: name.into(), ..NodeInfo::default() };
    NodeDecl { info, component: component.into(), ..NodeDecl::default() }
}

#[track_caller]
fn json(what: &str, message: &impl Message) -> Value {
    match serde_json::to_value(message) {
        Ok(value) => value,
        Err(error) => panic!("{what} cannot be written as JSON: {error}"),
    }
}

impl<C: Component> Default for Bench<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C> Clone for Bench<C> {
    fn clone(&self) -> Self {
        Self {
            scheduler: self.scheduler.clone(),
            component: self.component.clone(),
            record: self.record.clone(),
            plane: self.plane.clone(),
            instruments: self.instruments.clone(),
            settings: self.settings.clone(),
            of: self.of,
        }
    }
}

impl<C: Component> fmt::Debug for Bench<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench").field("component", &C::INFO.name).finish_non_exhaustive()
    }
}
