//! The words an author writes with: components, ports, messages, replies, errors, settings.
//!
//! Floor 0. Nothing here knows a wire or Kubernetes, and of tokio only its clock, its cells and its threads: a [`Ctx`] reaches the flow through the
//! [`Outlet`] that the engine gives it.

mod body;
mod crossing;
mod ctx;
mod error;
mod failure;
mod instance;
mod instrument;
mod intake;
pub(crate) mod json;
pub(crate) mod key;
mod line;
mod live;
mod message;
mod outlet;
pub(crate) mod panic;
mod port;
mod position;
mod reply;
#[doc(hidden)]
pub mod rules;
mod run;
pub(crate) mod secret;
mod settings;
mod state;
mod table;
mod traits;

pub use body::{AnyMessage, Body, DecodeError};
pub use crossing::Crossing;
pub use ctx::Ctx;
pub use error::{Error, Kind, Result};
pub use failure::Failure;
pub(crate) use instance::OfferedPort;
pub use instance::{ComponentType, Instance, Registration};
pub(crate) use instrument::BOUNDS as VALUES;
pub use instrument::{Counter, Gauge, Histogram, Instruments, Measured, Sample};
pub use intake::Intake;
pub(crate) use intake::Intakes;
pub use json::Json;
pub use key::{Key, Keys, Ops, key, keys};
pub use line::{Address, Ending, Line};
pub use live::{LivePort, LivePorts};
pub use message::{Message, NoMessage, Payload, Probe, travels};
pub(crate) use outlet::End;
pub use outlet::{Hop, NodeInfo, Outlet, Parent, Passed, Sender, Sent, Shared};
pub use port::{PortInfo, PortMeta, Role, SYSTEM_PORTS};
pub use position::Position;
pub use reply::{Answer, Reply};
pub use run::{Run, RunId, RunLimits, Visit};
pub use secret::Secret;
pub use settings::{Settings, SettingsCell, SettingsOf};
pub use state::{Edit, Ledger, State, StateCell};
pub use table::{BoxFuture, Item, RowOf, Table};
pub use traits::{Component, Info, Ports, is_component};

pub use crate::schema::Schema;
