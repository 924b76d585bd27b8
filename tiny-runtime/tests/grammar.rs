//! All that the grammar allows, under the strictest lints.

#![deny(missing_docs, clippy::all)]
#![allow(unused_qualifications, unreachable_pub, reason = "paths are written out on purpose")]

use tiny_runtime::prelude::*;

/// A page of things.
#[message]
#[derive(PartialEq, Default, Clone)]
pub struct Page<T> {
    /// The things.
    #[ui(configurable, tab = "Main", colSpan = "col-span-6", enumTitles = ["A", "B"])]
    pub items: Vec<T>,
    /// Where the page begins.
    #[ui(order = 1, title = "Start", minimum = 0, readonly)]
    pub start_at: u32,
    #[serde(skip)]
    cache: Option<u8>,
}

/// A zone that is no value: only the type that it marks travels.
#[derive(Clone, Debug, Default)]
pub struct Zone;

/// A time in a zone, as other crates have it.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(bound = "")]
#[schemars(bound = "")]
pub struct Time<Z>(u64, #[serde(skip)] std::marker::PhantomData<Z>);

/// What others write and read, in their own way.
mod in_words {
    use super::Zone;

    pub(super) fn serialize<S: serde::Serializer>(_: &Zone, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("here")
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(_: D) -> Result<Zone, D::Error> {
        Ok(Zone)
    }
}

/// Two messages that hold each other, and types that travel in ways of their own.
#[message]
pub struct Branch {
    /// When it grew.
    pub grown: std::collections::BTreeMap<String, Vec<Option<Time<Zone>>>>,
    /// Where.
    #[serde(with = "in_words")]
    #[schemars(with = "String")]
    pub zone: Zone,
    /// What it ends with.
    pub end: Option<Box<End>>,
}

/// The end of a branch.
#[message]
pub enum End {
    /// A leaf.
    Leaf,
    /// It goes on.
    Branches(Vec<Branch>),
}

/// What to do.
#[message(default)]
#[derive(Default)]
enum Command {
    #[default]
    Wait,
    Say {
        /// What to say.
        the_words: String,
    },
}

/// How to do it.
#[message(default)]
#[derive(Default)]
#[serde(rename_all = "snake_case")]
struct Manner {
    /// How loud.
    how_loud: u8,
}

/// Does it.
#[component(name = "shapes", concurrency = 3, crate = ::tiny_runtime)]
#[derive(Default)]
struct Shapes(Settings<Manner>, u8);

#[component(crate = ::tiny_runtime)]
impl Shapes {
    #![allow(clippy::used_underscore_items, reason = "an attribute of the impl stays")]

    /// A constant of its own.
    pub const OWN: u8 = 1;

    /// Takes its message apart.
    #[port(target, name = "apart")]
    async fn take_apart(&self, _: &Ctx, Manner { how_loud }: Manner) -> Result<Page<String>> {
        let start_at = u32::from(how_loud.max(self.0.get().how_loud).max(self.1));
        Ok(Page { items: vec![], start_at, cache: None })
    }

    /// Borrows its message.
    #[tiny_runtime::port(target)]
    async fn r#type(&self, ctx: &tiny_runtime::component::Ctx, message: &Command) -> Result<()> {
        let Command::Say { the_words } = message else { return Ok(()) };
        let page = Page { items: vec![the_words.clone()], ..Page::default() };
        match self.ask(ctx, page.clone()).await? {
            Some(manner) => self.tell(ctx, manner).await,
            None => self.show(ctx, page).await?.map_or_loud(self),
        }
    }

    /// Asks, and may get nothing.
    #[port(source)]
    async fn ask(&self, r#mod: &Ctx, r#in: Page<String>) -> Result<Option<Manner>>;

    /// Tells, and wants nothing.
    #[port(source)]
    async fn tell(&self, ctx: &Ctx, message: Manner) -> Result<()>;

    /// Shows.
    #[port(source)]
    async fn show(&self, ctx: &Ctx, message: Page<String>) -> Result;

    /// Exists elsewhere only.
    #[cfg(not(all()))]
    #[port(source)]
    async fn elsewhere(&self, ctx: &Ctx, message: NoSuchType) -> Result;

    /// What failed.
    #[port(error)]
    async fn failed(&self, ctx: &Ctx, failure: Failure<Command>) -> Result;
}

trait Loud {
    fn map_or_loud(self, shapes: &Shapes) -> Result<()>;
}

impl Loud for Reply {
    fn map_or_loud(self, shapes: &Shapes) -> Result<()> {
        if shapes.1 > Shapes::OWN {
            return Err(Error::permanent("too loud"));
        }
        self.ignore();
        Ok(())
    }
}

#[test]
fn ports_stand_in_the_order_of_the_methods() {
    let shapes = tiny_runtime::component::ComponentType::of::<Shapes>();
    let names: Vec<_> = shapes.ports().iter().map(|port| port.meta.name).collect();
    assert_eq!(names, ["apart", "type", "ask", "tell", "show", "failed", "_settings"]);
    assert_eq!(Shapes::TYPE.name(), "type");
    let start = shapes.ports()[0].configuration.and_then(|of| of()).map(|it| it.to_string());
    assert_eq!(start.as_deref(), Some(r#"{"how_loud":0}"#));
}
