//! A port, as its component's type tells of it.

use std::any::TypeId;
use std::fmt;

use serde_json::Value;

use super::failure::Catch;
use super::{DecodeError, Position, key, secret};
use crate::schema::Text;

/// What an author wrote of a port.
#[derive(Clone, Copy, Debug)]
pub struct PortMeta {
    /// The name that edges use. Of a port with `each` it has the form `out_{route}`.
    pub name: &'static str,
    /// The name that people read, of the same form.
    pub label: &'static str,
    /// The doc comment.
    pub description: &'static str,
    /// The side on which an editor draws it.
    pub position: Position,
}

/// Which end a port is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Receives.
    Target,
    /// Sends.
    Source,
    /// Sends what could not be handled.
    Error,
    /// Receives the node's configuration.
    Settings,
    /// Receives what people do on a dashboard, and shows what it reads.
    Control,
    /// Is called every few minutes and when the node changes.
    Reconcile,
}

/// The ports that belong to the system: no edge touches them.
pub const SYSTEM_PORTS: [&str; 4] = ["_settings", "_control", "_reconcile", "_client"];

/// A port without its component's type.
#[derive(Clone)]
pub struct PortInfo {
    /// What the author wrote.
    pub meta: PortMeta,
    /// Which end it is.
    pub role: Role,
    /// The schema of its messages, before `schema = …` changes it for one node.
    pub schema: fn() -> Text,
    /// The schema of its replies; `None` when it names no type.
    pub response: Option<fn() -> Text>,
    /// The configuration that a new node starts with.
    pub configuration: Option<fn() -> Option<Value>>,
    /// True when it depends on settings or state whether the port is there.
    pub is_dynamic: bool,
    /// Whether a configuration fits the port's type.
    pub(crate) fits: fn(&Value) -> Result<(), DecodeError>,
    /// Error ports: whose failures it takes.
    pub(crate) catch: Option<Catch>,
    /// The type of the messages.
    pub(crate) message: TypeId,
}

impl PortInfo {
    /// True for what sends.
    pub fn is_source(&self) -> bool {
        matches!(self.role, Role::Source | Role::Error)
    }

    /// True for what takes messages: of edges, or, of `_control`, of signals.
    pub fn is_target(&self) -> bool {
        matches!(self.role, Role::Target | Role::Control)
    }

    /// True for `_settings` and its like, which no edge may touch.
    pub fn is_system(&self) -> bool {
        self.meta.name.starts_with('_')
    }

    /// The configuration that a new node starts with, as people may see it: every secret is `***`.
    pub(crate) fn shown_configuration(&self) -> Option<Value> {
        secret::masked(|| self.configuration?())
    }

    /// The name of the port of `item`.
    pub(crate) fn name(&self, item: &str) -> String {
        key::fill(self.meta.name, item)
    }

    /// The item for which this port would be called `name`; empty without `each`. `None` when it never is.
    pub(crate) fn item<'a>(&self, name: &'a str) -> Option<&'a str> {
        match key::parts(self.meta.name) {
            None => (self.meta.name == name).then_some(""),
            Some((before, after)) => {
                let item = name.strip_prefix(before)?.strip_suffix(after)?;
                (!item.is_empty()).then_some(item)
            }
        }
    }
}

impl fmt::Debug for PortInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortInfo").field("meta", &self.meta).field("role", &self.role).finish()
    }
}
