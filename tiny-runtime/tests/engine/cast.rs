//! The components of these tests. They do what the script of their node says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tiny_runtime::component::Message;
use tiny_runtime::prelude::*;
use tokio::time::sleep;

use crate::stage::{Act, stage};

/// A few words.
#[message]
#[derive(Debug, PartialEq)]
pub(crate) struct Note {
    /// The words.
    pub(crate) text: String,
}

/// A note whose words are a number.
#[message]
pub(crate) struct Number {
    /// The number.
    pub(crate) text: i64,
}

/// A note with a mark.
#[message]
pub(crate) struct Marked {
    /// The words.
    pub(crate) text: String,
    /// The mark.
    pub(crate) mark: bool,
}

/// An order.
#[message]
pub(crate) struct Order {
    /// What is ordered.
    pub(crate) sku: String,
}

pub(crate) fn note(text: &str) -> Note {
    Note { text: text.to_owned() }
}

/// Does what its script says; without one it passes on what it gets.
#[component(name = "actor", aliases = ["player"])]
#[derive(Default)]
pub(crate) struct Actor;

#[component]
impl Actor {
    /// Something to act upon.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Note) -> Result {
        let (act, _scene) = stage(ctx).enter(ctx, &message.text);
        match act {
            Act::Pass => self.out(ctx, message).await,
            Act::After(ms) => {
                sleep(Duration::from_millis(ms)).await;
                self.out(ctx, message).await
            }
            Act::Request => Ok(Reply::of(self.request(ctx, message).await?)),
            Act::Ask => {
                let answer = self.ask(ctx, message).await?;
                Ok(answer.map_or_else(Reply::none, Reply::of))
            }
            act => act.play().await,
        }
    }

    /// Whatever the flow answers.
    #[port(source)]
    async fn out(&self, ctx: &Ctx, message: Note) -> Result;

    /// Needs an answer.
    #[port(source)]
    async fn request(&self, ctx: &Ctx, message: Note) -> Result<Note>;

    /// Can go without an answer.
    #[port(source)]
    async fn ask(&self, ctx: &Ctx, message: Note) -> Result<Option<Note>>;

    /// What failed.
    #[port(error)]
    async fn error(&self, ctx: &Ctx, failure: Failure<Note>) -> Result;
}

/// An actor that takes one run at a time.
#[component(name = "solo", sequential)]
#[derive(Default)]
pub(crate) struct Solo;

#[component]
impl Solo {
    /// Something to act upon.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Note) -> Result {
        let (act, _scene) = stage(ctx).enter(ctx, &message.text);
        match act {
            Act::Pass => self.out(ctx, message).await,
            act => act.play().await,
        }
    }

    /// Whatever the flow answers.
    #[port(source)]
    async fn out(&self, ctx: &Ctx, message: Note) -> Result;

    /// What failed.
    #[port(error)]
    async fn error(&self, ctx: &Ctx, failure: Failure<Note>) -> Result;
}

/// Takes notes and orders, and has an error port for each.
#[component(name = "clerk")]
#[derive(Default)]
pub(crate) struct Clerk;

#[component]
impl Clerk {
    /// A note.
    #[port(target)]
    async fn note(&self, ctx: &Ctx, message: Note) -> Result {
        stage(ctx).enter(ctx, &message.text).0.play().await
    }

    /// An order.
    #[port(target)]
    async fn order(&self, ctx: &Ctx, message: Order) -> Result {
        stage(ctx).enter(ctx, &message.sku).0.play().await
    }

    /// Notes that failed.
    #[port(error)]
    async fn note_error(&self, ctx: &Ctx, failure: Failure<Note>) -> Result;

    /// Orders that failed.
    #[port(error)]
    async fn order_error(&self, ctx: &Ctx, failure: Failure<Order>) -> Result;
}

/// Takes what failed.
#[component(name = "catcher")]
#[derive(Default)]
pub(crate) struct Catcher;

#[component]
impl Catcher {
    /// A failure.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, failure: Failure<Note>) -> Result {
        let Failure { context, error, retryable } = failure;
        let text = format!("{} | {error} | {retryable}", context.text);
        let (act, _scene) = stage(ctx).enter(ctx, &text);
        match act {
            Act::Pass => self.out(ctx, context).await,
            act => act.play().await,
        }
    }

    /// The message that failed.
    #[port(source)]
    async fn out(&self, ctx: &Ctx, message: Note) -> Result;
}

/// How a counter counts.
#[message]
#[derive(Debug)]
pub(crate) struct CounterSettings {
    /// What a message adds.
    pub(crate) step: u32,
}

impl Default for CounterSettings {
    fn default() -> Self {
        Self { step: 1 }
    }
}

/// What a counter may get.
#[message(default)]
pub(crate) struct Tick {
    /// How often to count.
    pub(crate) times: u32,
}

impl Default for Tick {
    fn default() -> Self {
        Self { times: 3 }
    }
}

/// Where a counter stands.
#[message]
pub(crate) struct Count {
    /// The number.
    pub(crate) count: u32,
}

/// Counts in memory, and answers with the number.
#[component(name = "counter")]
#[derive(Default)]
pub(crate) struct Counter {
    settings: Settings<CounterSettings>,
    count: AtomicU32,
}

#[component]
impl Counter {
    /// Counts.
    #[port(target)]
    async fn tick(&self, _ctx: &Ctx, message: Tick) -> Result<Count> {
        let step = self.settings.get().step * message.times;
        Ok(Count { count: self.count.fetch_add(step, Ordering::SeqCst) + step })
    }

    /// Counts once, whatever comes.
    #[port(target)]
    async fn any(&self, _ctx: &Ctx, _message: Anything) -> Result<Count> {
        let step = self.settings.get().step;
        Ok(Count { count: self.count.fetch_add(step, Ordering::SeqCst) + step })
    }
}

/// Any object.
#[message]
pub(crate) struct Anything {}

/// A message that counts how often it is cloned.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Heavy {
    pub(crate) text: String,
    #[serde(skip)]
    #[schemars(skip)]
    clones: Arc<AtomicU32>,
}

impl Clone for Heavy {
    fn clone(&self) -> Self {
        self.clones.fetch_add(1, Ordering::SeqCst);
        Self { text: self.text.clone(), clones: self.clones.clone() }
    }
}

impl Message for Heavy {}

/// Makes something heavy of a note.
#[component(name = "loader")]
#[derive(Default)]
pub(crate) struct Loader;

#[component]
impl Loader {
    /// What to load.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Note) -> Result {
        let clones = stage(ctx).clones.clone();
        self.out(ctx, Heavy { text: message.text, clones }).await
    }

    /// What is loaded.
    #[port(source)]
    async fn out(&self, ctx: &Ctx, message: Heavy) -> Result;
}

/// Looks at something heavy, or takes it.
#[component(name = "porter")]
#[derive(Default)]
pub(crate) struct Porter;

#[component]
impl Porter {
    /// Only looks.
    #[port(target)]
    async fn look(&self, ctx: &Ctx, message: &Heavy) -> Result {
        stage(ctx).log(format!("{:p}", std::ptr::from_ref(message)));
        Ok(Reply::none())
    }

    /// Takes.
    #[port(target)]
    async fn take(&self, ctx: &Ctx, message: Heavy) -> Result {
        stage(ctx).log(message.text);
        Ok(Reply::none())
    }
}

/// A message that panics when it is read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Bomb;

impl<'de> Deserialize<'de> for Bomb {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> std::result::Result<Self, D::Error> {
        panic!("it went off")
    }
}

impl Message for Bomb {}

/// Takes bombs.
#[component(name = "sapper")]
#[derive(Default)]
pub(crate) struct Sapper;

#[component]
impl Sapper {
    /// A bomb.
    #[port(target)]
    async fn input(&self, _ctx: &Ctx, _message: Bomb) -> Result<()> {
        Ok(())
    }

    /// A bomb that could not be handled.
    #[port(error)]
    async fn error(&self, ctx: &Ctx, failure: Failure<Bomb>) -> Result;
}

/// Does what its script says, at its end too.
#[component(name = "tenant")]
#[derive(Default)]
pub(crate) struct Tenant;

#[component]
impl Tenant {
    /// Something to act upon.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Note) -> Result {
        let (act, _scene) = stage(ctx).enter(ctx, &message.text);
        act.play().await
    }

    /// Moves in, and takes its time to move out.
    #[port(target)]
    async fn stay(&self, ctx: &Ctx, _message: Note) -> Result<()> {
        ctx.spawn(self, |_, ctx| async move {
            ctx.cancelled().await;
            sleep(Duration::from_secs(1)).await;
            stage(&ctx).log(format!("{}: moved out", ctx.node()));
            Ok(())
        })
    }

    /// Acts; a tenant without a script says goodbye.
    #[port(destroy)]
    async fn on_destroy(&self, ctx: &Ctx) -> Result<()> {
        assert!(!ctx.is_cancelled() && ctx.deadline().is_some());
        assert!(ctx.spawn(self, |_, _| async move { Ok(()) }).is_err(), "its background has ended");
        let (act, _scene) = stage(ctx).enter(ctx, "the end");
        match act {
            Act::Pass => self.out(ctx, note("bye")).await.map(Reply::ignore),
            act => act.play().await.map(Reply::ignore),
        }
    }

    /// Where it goes.
    #[port(source)]
    async fn out(&self, ctx: &Ctx, message: Note) -> Result;
}

/// Passes on what it gets, by a span of its own, and once more from the background.
#[component(name = "traced")]
#[derive(Default)]
pub(crate) struct Traced;

#[component]
impl Traced {
    /// A note.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Note) -> Result {
        tracing::info!("an event of the author");
        let own = tracing::info_span!("own work");
        own.in_scope(|| tracing::info_span!("deeper").in_scope(|| {}));
        let later = message.clone();
        ctx.spawn(self, |me, ctx| async move { me.later(&ctx, later).await })?;
        self.out(ctx, message).await
    }

    /// At once.
    #[port(source)]
    async fn out(&self, ctx: &Ctx, message: Note) -> Result;

    /// From the background.
    #[port(source)]
    async fn later(&self, ctx: &Ctx, message: Note) -> Result;
}

/// A message that panics when it is written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub(crate) struct Mine;

impl Serialize for Mine {
    fn serialize<S: serde::Serializer>(&self, _: S) -> std::result::Result<S::Ok, S::Error> {
        panic!("it went off")
    }
}

impl Message for Mine {}

/// Answers with mines.
#[component(name = "miner")]
#[derive(Default)]
pub(crate) struct Miner;

#[component]
impl Miner {
    /// A note.
    #[port(target)]
    async fn input(&self, _ctx: &Ctx, _message: Note) -> Result<Mine> {
        Ok(Mine)
    }
}
