//! The port table of a component: what its macros wrote, row by row.

use std::any::TypeId;
use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

use super::settings::settings_of;
use super::{
    Body, Ctx, DecodeError, Error, Failure, Message, Position, Reply, Result, SettingsCell,
};
use crate::schema;

/// A boxed future that may cross threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What an author wrote of a port.
#[derive(Clone, Copy, Debug)]
pub struct PortMeta {
    /// The name that edges use.
    pub name: &'static str,
    /// The name that people read.
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
}

/// A port without its component's type.
#[derive(Clone)]
pub struct PortInfo {
    /// What the author wrote.
    pub meta: PortMeta,
    /// Which end it is.
    pub role: Role,
    /// The schema of its messages.
    pub schema: fn() -> Value,
    /// The schema of its replies; `None` when it names no type.
    pub response: Option<fn() -> Value>,
    /// The configuration that a new node starts with.
    pub configuration: Option<fn() -> Option<Value>>,
    /// Whether a configuration fits the port's type.
    pub(crate) fits: fn(&Value) -> Result<(), DecodeError>,
    /// Error ports: the type of the messages whose failures it takes, and how a failure is made of one.
    pub(crate) failure: Option<(TypeId, FailureOf)>,
    /// Targets: the type of the messages.
    pub(crate) message: TypeId,
}

pub(crate) type FailureOf = fn(&Body, &Error) -> Result<Body, DecodeError>;

impl PortInfo {
    /// True for what sends.
    pub fn is_source(&self) -> bool {
        matches!(self.role, Role::Source | Role::Error)
    }

    /// True for `_settings` and its like, which no edge may touch.
    pub fn is_system(&self) -> bool {
        self.meta.name.starts_with('_')
    }
}

impl fmt::Debug for PortInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortInfo").field("meta", &self.meta).field("role", &self.role).finish()
    }
}

type Handler<C> =
    Box<dyn for<'a> Fn(&'a C, &'a Ctx, &'a Body) -> BoxFuture<'a, Result<Reply>> + Send + Sync>;
type CellOf<C> = fn(&C) -> &dyn SettingsCell;

struct Row<C> {
    info: PortInfo,
    handler: Option<Handler<C>>,
}

/// All ports of component `C`, in the order of the author's methods; system ports come last.
pub struct Table<C> {
    rows: Vec<Row<C>>,
    settings: Option<CellOf<C>>,
}

impl<C: Send + Sync + 'static> Table<C> {
    pub(crate) fn new() -> Self {
        Self { rows: Vec::new(), settings: None }
    }

    /// A target that takes its message by value: one clone, because the runner keeps the original for a retry.
    pub fn target<T: Message>(
        &mut self,
        meta: PortMeta,
        response: Option<fn() -> Value>,
        method: impl for<'a> Fn(&'a C, &'a Ctx, T) -> BoxFuture<'a, Result<Reply>>
        + Send
        + Sync
        + 'static,
    ) {
        let handler: Handler<C> = Box::new(move |component, ctx, body| match body.decode::<T>() {
            Ok(message) => method(component, ctx, message),
            Err(e) => misfit(ctx, &e),
        });
        self.push::<T>(meta, Role::Target, response, Some(handler));
    }

    /// A target that borrows its message: nothing is copied.
    pub fn target_ref<T: Message>(
        &mut self,
        meta: PortMeta,
        response: Option<fn() -> Value>,
        method: impl for<'a> Fn(&'a C, &'a Ctx, &'a T) -> BoxFuture<'a, Result<Reply>>
        + Send
        + Sync
        + 'static,
    ) {
        let method = Arc::new(method);
        let handler: Handler<C> = Box::new(move |component, ctx, body| {
            if let Some(message) = body.downcast_ref::<T>() {
                return method(component, ctx, message);
            }
            let method = method.clone();
            match body.decode::<T>() {
                Ok(message) => Box::pin(async move { method(component, ctx, &message).await }),
                Err(e) => misfit(ctx, &e),
            }
        });
        self.push::<T>(meta, Role::Target, response, Some(handler));
    }

    /// A source: its method sends.
    pub fn source<T: Message>(&mut self, meta: PortMeta, response: Option<fn() -> Value>) {
        self.push::<T>(meta, Role::Source, response, None);
    }

    /// An error port: the runner sends the failures of targets that take `T`.
    pub fn error<T: Message>(&mut self, meta: PortMeta, response: Option<fn() -> Value>)
    where
        Failure<T>: Message,
    {
        self.push::<Failure<T>>(meta, Role::Error, response, None);
        if let Some(row) = self.rows.last_mut() {
            row.info.failure = Some((TypeId::of::<T>(), |body, error| {
                let context = body.decode::<T>()?;
                let (error, retryable) = (error.to_string(), error.is_retryable());
                Ok(Body::of(Failure { context, error, retryable }))
            }));
        }
    }

    /// The settings cell, which is the `_settings` port.
    pub fn settings<T: Message + Default>(&mut self, description: &'static str, cell: CellOf<C>) {
        let meta =
            PortMeta { name: "_settings", label: "Settings", description, position: Position::Top };
        self.push::<T>(meta, Role::Settings, None, None);
        if let Some(row) = self.rows.last_mut() {
            row.info.configuration = Some(|| serde_json::to_value(T::default()).ok());
            row.info.fits = |value| settings_of::<T>(Some(value)).map(drop);
        }
        self.settings = Some(cell);
    }

    fn push<T: Message>(
        &mut self,
        meta: PortMeta,
        role: Role,
        response: Option<fn() -> Value>,
        handler: Option<Handler<C>>,
    ) {
        let info = PortInfo {
            meta,
            role,
            schema: schema::of::<T>,
            response,
            configuration: Some(T::configuration),
            fits: |value| Body::Json(Arc::new(value.clone())).decode::<T>().map(drop),
            failure: None,
            message: TypeId::of::<T>(),
        };
        self.rows.push(Row { info, handler });
    }

    pub(crate) fn infos(&self) -> Vec<PortInfo> {
        self.rows.iter().map(|row| row.info.clone()).collect()
    }

    pub(crate) fn settings_cell<'a>(&self, component: &'a C) -> Option<&'a dyn SettingsCell> {
        self.settings.map(|cell| cell(component))
    }

    /// Calls the method behind target number `port`.
    pub(crate) fn call<'a>(
        &self,
        component: &'a C,
        port: usize,
        ctx: &'a Ctx,
        body: &'a Body,
    ) -> BoxFuture<'a, Result<Reply>> {
        match self.rows.get(port).and_then(|row| row.handler.as_ref()) {
            Some(handler) => handler(component, ctx, body),
            None => {
                Box::pin(ready(Err(Error::permanent(format!("port {port} takes no messages")))))
            }
        }
    }
}

/// A message that does not fit names its edge: that is where the mapping stands.
fn misfit<'a>(ctx: &Ctx, error: &DecodeError) -> BoxFuture<'a, Result<Reply>> {
    let node = ctx.node();
    let text = match &ctx.hop().edge {
        Some(edge) => format!("edge `{edge}`: the message for node `{node}` does not fit: {error}"),
        None => format!("the message for node `{node}` does not fit: {error}"),
    };
    Box::pin(ready(Err(Error::permanent(text))))
}
