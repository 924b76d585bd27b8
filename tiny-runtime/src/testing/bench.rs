//! One component under test.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use serde_json::Value;

use super::tap::{self, Act, Record, TAP};
use super::{Answers, expect_source, expect_target, refuse, run, scheduler};
use crate::component::{
    Body, Component, ComponentType, Error, FromReply, Key, Message, NodeInfo, PortInfo, Reply,
    Result,
};
use crate::engine::{Address, EdgeDecl, NodeDecl, Peer, RetryBounds, Scheduler};
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
/// # tiny_runtime::tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
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
    of: PhantomData<fn() -> C>,
}

impl<C: Component> Bench<C> {
    /// A new component in its default state, with default settings.
    pub fn new() -> Self {
        let component = ComponentType::of::<C>();
        let record = Arc::new(Record::default());
        let mut registry = Registry::default();
        registry.insert(tap::component(&component, &record));
        registry.insert(component);
        let scheduler = scheduler(registry);
        refuse(&scheduler.update(decl(TAP, TAP), |_| Peer::Absent));
        let component = Arc::new(ComponentType::of::<C>());
        let bench = Self { scheduler, component, record, of: PhantomData };
        bench.declare(None);
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
        self.declare(Some(settings));
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
    pub fn send<T: Message, R: FromReply>(
        &self,
        target: Key<C, T, R>,
        message: T,
    ) -> impl Future<Output = Result<R>> + Send + use<C, T, R> {
        let port = target.name();
        let sent = self.trigger(port, json(&format!("the message for `{port}`"), &message));
        async move { R::from_reply(sent.await?, port) }
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
    pub fn sent<T: Message, R>(&self, source: Key<C, T, R>) -> Vec<T> {
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
    pub fn reply<T, R>(&self, source: Key<C, T, R>, reply: impl Answers<R>) -> Self {
        self.act(source.name(), Act::Reply(Reply::of(reply)))
    }

    /// Lets the next message of a source fail, in the queue of [`Bench::reply`]. A transient error arrives as the flow behind
    /// the source would report it: with its retries used up.
    ///
    /// # Panics
    /// When the key is one of a target.
    #[track_caller]
    pub fn fail<T, R>(&self, source: Key<C, T, R>, error: Error) -> Self {
        self.act(source.name(), Act::Fail(error))
    }

    #[track_caller]
    fn act(&self, source: &'static str, act: Act) -> Self {
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

    /// Makes the node what the test says: with these settings, and an edge from each source to the tap.
    #[track_caller]
    fn declare(&self, settings: Option<Value>) {
        let sources = self.component.ports().iter().filter(|port| port.is_source());
        let node = NodeDecl {
            configurations: settings.map(|it| ("_settings".to_owned(), it)).into_iter().collect(),
            edges: sources.map(to_tap).collect(),
            ..decl(C::INFO.name, C::INFO.name)
        };
        let peer = |_: &str| Peer::Ours { component: TAP.into() };
        refuse(&self.scheduler.update(node, peer));
    }
}

/// A fault of the tap is final at once: a source sees what is left when a flow has used up its retries.
fn to_tap(source: &PortInfo) -> EdgeDecl {
    let port = source.meta.name;
    EdgeDecl {
        id: port.into(),
        port: port.into(),
        to: Address::new(TAP, port),
        mapping: None,
        bounds: RetryBounds { attempts: 1, ..RetryBounds::default() },
        fault: None,
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
        let Self { scheduler, component, record, of } = self;
        let (scheduler, component, record) = (scheduler.clone(), component.clone(), record.clone());
        Self { scheduler, component, record, of: *of }
    }
}

impl<C: Component> fmt::Debug for Bench<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench").field("component", &C::INFO.name).finish_non_exhaustive()
    }
}
