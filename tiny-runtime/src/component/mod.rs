//! The words an author writes with: components, ports, messages, replies, errors, settings.
//!
//! Floor 0. Nothing here knows tokio's scheduler, a wire or Kubernetes: a [`Ctx`] reaches the flow through the
//! [`Outlet`] that the engine gives it.

mod body;
mod ctx;
mod error;
mod failure;
mod instance;
mod key;
mod message;
mod position;
mod reply;
mod run;
mod settings;
mod table;
mod traits;

pub use body::{AnyMessage, Body, DecodeError};
pub use ctx::{Ctx, Hop, NodeInfo, Outlet};
pub use error::{Error, Kind, Result};
pub use failure::Failure;
pub use instance::{ComponentType, Instance, Registration};
pub use key::Key;
pub use message::{Message, Payload};
pub use position::Position;
pub use reply::{FromReply, IntoReply, Reply};
pub use run::{Run, RunId, RunLimits, Visit};
pub use settings::{Settings, SettingsCell};
pub use table::{BoxFuture, PortInfo, PortMeta, Role, Table};
pub use traits::{Component, Info, Ports};
