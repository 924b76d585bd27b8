//! Write Kubernetes operators for flow-based workflows by annotating plain Rust.
//!
//! A *component* is a struct with ports. A flow, written in YAML, makes *nodes* of components and connects their ports by edges; the
//! runtime moves typed messages along them, keeps each node's settings and state, retries, and tells Kubernetes how it is.
//!
//! # One component, whole
//!
//! It takes orders, asks the flow behind it whether they can be paid, counts them, and can be closed from a dashboard. Everything
//! that an author writes is here; `#[component]`, `#[port]` and `#[message]` say the rest.
//!
//! ```
//! use tiny_runtime::prelude::*;
//!
//! /// How orders are taken.
//! #[message]
//! pub struct DeskSettings {
//!     /// The largest order, in cents.
//!     #[ui(title = "Largest order", minimum = 1)]
//!     pub most: u64,
//! }
//!
//! impl Default for DeskSettings {
//!     fn default() -> Self {
//!         Self { most: 100_000 }
//!     }
//! }
//!
//! /// An order.
//! #[message]
//! #[derive(PartialEq)]
//! pub struct Order {
//!     /// Its number.
//!     #[ui(configurable)]
//!     pub number: String,
//!     /// Its price, in cents.
//!     #[ui(configurable)]
//!     pub price: u64,
//!     /// What else the flow carries along.
//!     #[ui(configurable)]
//!     #[serde(default)]
//!     pub context: Json,
//! }
//!
//! /// Whether an order can be paid.
//! #[message]
//! pub struct Payment {
//!     /// True when it can.
//!     pub accepted: bool,
//! }
//!
//! /// What the desk remembers.
//! #[message]
//! #[derive(Default)]
//! pub struct Book {
//!     /// Orders taken so far.
//!     pub taken: u64,
//!     /// True when no orders are taken.
//!     pub closed: bool,
//! }
//!
//! /// What people see and do.
//! #[message]
//! pub struct Panel {
//!     /// Closes the desk.
//!     #[ui(format = "button")]
//!     #[serde(default)]
//!     pub close: bool,
//!     /// Orders taken so far.
//!     #[ui(readonly)]
//!     #[serde(default)]
//!     pub taken: u64,
//! }
//!
//! /// Takes orders.
//! ///
//! /// Each order is paid by the flow behind `pay`, then sent on.
//! #[component(name = "order_desk", tags = ["shop"])]
//! #[derive(Default)]
//! pub struct OrderDesk {
//!     settings: Settings<DeskSettings>,
//!     book: State<Book>,
//! }
//!
//! impl OrderDesk {
//!     fn panel(&self) -> Panel {
//!         Panel { close: false, taken: self.book.get().taken }
//!     }
//!
//!     fn is_closed(&self) -> bool {
//!         self.book.get().closed
//!     }
//! }
//!
//! #[component]
//! impl OrderDesk {
//!     /// Takes an order, and answers with its number in the book.
//!     #[port(target, position = "left")]
//!     async fn order(&self, ctx: &Ctx, order: Order) -> Result<u64> {
//!         if order.price > self.settings.get().most {
//!             return Err(Error::permanent(format!("order {} is too large", order.number)));
//!         }
//!         if self.is_closed() {
//!             self.turned_away(ctx, order).await?.ignore();
//!             return Err(Error::permanent("the desk is closed"));
//!         }
//!         if !self.pay(ctx, order.clone()).await?.accepted {
//!             return Err(Error::permanent(format!("order {} cannot be paid", order.number)));
//!         }
//!         let taken = self.book.update(|book| {
//!             book.taken += 1;
//!             book.taken
//!         }).await?;
//!         ctx.counter("orders").add(1);
//!         ctx.refresh();
//!         self.taken(ctx, order).await?.ignore();
//!         Ok(taken)
//!     }
//!
//!     /// Asks whether an order can be paid; somebody must answer.
//!     #[port(source, position = "bottom")]
//!     async fn pay(&self, ctx: &Ctx, order: Order) -> Result<Payment>;
//!
//!     /// An order that was taken.
//!     #[port(source, position = "right")]
//!     async fn taken(&self, ctx: &Ctx, order: Order) -> Result;
//!
//!     /// An order that came too late; the port is there while the desk is closed.
//!     #[port(source, position = "right", when = Self::is_closed)]
//!     async fn turned_away(&self, ctx: &Ctx, order: Order) -> Result;
//!
//!     /// An order that failed, and why.
//!     #[port(error)]
//!     async fn failed(&self, ctx: &Ctx, failure: Failure<Order>) -> Result;
//!
//!     /// Refuses settings that no order fits.
//!     #[port(settings)]
//!     async fn check(&self, _ctx: &Ctx, settings: &DeskSettings) -> Result<()> {
//!         match settings.most {
//!             0 => Err(Error::permanent("no order is free: `most` is at least 1")),
//!             _ => Ok(()),
//!         }
//!     }
//!
//!     /// Closes the desk from a dashboard.
//!     #[port(control, read = Self::panel)]
//!     async fn control(&self, ctx: &Ctx, panel: &Panel) -> Result<()> {
//!         if panel.close {
//!             self.book.update(|book| book.closed = true).await?;
//!             ctx.refresh();
//!         }
//!         Ok(())
//!     }
//! }
//!
//! # tiny_runtime::testing::block_on(async {
//! // A test is a bench: it drives the engine that `run` drives.
//! let bench = Bench::<OrderDesk>::new();
//! bench.reply(OrderDesk::PAY, Payment { accepted: true });
//! let order = |price| Order { number: "a1".into(), price, context: Json::default() };
//! assert_eq!(bench.send(OrderDesk::ORDER, order(500)).await?, 1);
//! assert_eq!(bench.sent(OrderDesk::TAKEN), [order(500)]);
//! assert_eq!(bench.stored("book").unwrap()["taken"], 1);
//!
//! // What fails goes to the error port, and comes back to whoever sent it.
//! let error = bench.send(OrderDesk::ORDER, order(1_000_000)).await.unwrap_err();
//! assert_eq!(error.to_string(), "order a1 is too large");
//! assert_eq!(bench.sent(OrderDesk::FAILED)[0].context, order(1_000_000));
//!
//! bench.send(OrderDesk::CONTROL, Panel { close: true, taken: 0 }).await?;
//! assert!(bench.send(OrderDesk::ORDER, order(500)).await.is_err());
//! assert_eq!(bench.sent(OrderDesk::TURNED_AWAY).len(), 1);
//! # Ok::<(), Error>(())
//! # }).map_err(|e| e.to_string())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to read on
//!
//! | to | see |
//! |---|---|
//! | name a component, bound what it does at once | [`component`](macro@component) |
//! | write ports of every kind | [`port`](macro@port) |
//! | say what travels, and how forms draw it | [`message`](macro@message) |
//! | know where a method runs, work in the background, measure | [`component::Ctx`] |
//! | fail, and be tried again or not | [`component::Error`] |
//! | test a component, or several with edges | [`testing`] |
//! | turn one message into another | [`mapping`] |
//! | make a binary of it | [`main!`], [`cli`] |

// What the macros write names the runtime from outside, also in here.
#[allow(unused_extern_crates, reason = "used where a macro is")]
extern crate self as tiny_runtime;

pub mod cli;
pub mod component;
pub mod control;
pub mod engine;
mod image;
mod json;
pub mod local;
pub mod mapping;
pub mod operator;
pub mod registry;
pub mod schema;
pub mod telemetry;
pub mod testing;
pub mod wire;
mod words;

/// Moments, dates and durations, as a message may hold them.
pub use jiff;
pub use serde_json;
pub use tiny_macros::{component, message, port, test};
pub use tokio;
pub use tracing;

/// Everything that a component needs.
pub mod prelude {
    pub use crate::component::{
        Ctx, Error, Failure, Intake, Json, Reply, Result, Schema, Secret, Settings, State,
    };
    pub use crate::testing::Bench;
    pub use crate::{component, message, port};
}

/// What the macros write paths to. Not an API.
#[doc(hidden)]
pub mod derive {
    pub use inventory;
    pub use schemars;
    pub use serde;
    pub use serde_json;
}

/// The examples of the original's documentation, in this grammar: `docs/porting.md` is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/porting.md")]
mod porting {}

/// What schemas say: `docs/schema.md` is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/schema.md")]
mod schemas {}
