//! The port table of a component: what its macros wrote, row by row.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

use super::key::Ops;
use super::settings::settings_of;
use super::state::StateCell;
use super::{
    Body, Ctx, DecodeError, Error, LivePort, LivePorts, Message, PortInfo, PortMeta, Position,
    Reply, Result, Role, Schema, SettingsCell, SettingsOf,
};
use crate::schema::{self, Text};

/// A boxed future that may cross threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

type Handler<C> = Box<
    dyn for<'a> Fn(&'a C, &'a Ctx, &'a str, &'a Body) -> BoxFuture<'a, Result<Reply>> + Send + Sync,
>;
type Hook<C> = Box<dyn for<'a> Fn(&'a C, &'a Ctx) -> BoxFuture<'a, Result<()>> + Send + Sync>;
type SettingsHook<C> =
    Box<dyn for<'a> Fn(&'a C, &'a Ctx, Option<&Value>) -> BoxFuture<'a, Result<()>> + Send + Sync>;
type View<C> = Box<dyn Fn(&C) -> Result<Value, DecodeError> + Send + Sync>;
type Items<C> = Box<dyn Fn(&C) -> Vec<String> + Send + Sync>;
type SettingsIn<C> = fn(&C) -> &dyn SettingsCell;
type StateIn<C> = fn(&C) -> &dyn StateCell;

struct Row<C> {
    info: PortInfo,
    handler: Option<Handler<C>>,
    when: Option<fn(&C) -> bool>,
    each: Option<Items<C>>,
    schema: Option<fn(&C, Schema) -> Schema>,
}

/// All ports of component `C`, in the order of the author's methods; `_settings` comes last.
pub struct Table<C> {
    rows: Vec<Row<C>>,
    settings: Option<SettingsIn<C>>,
    on_settings: Option<SettingsHook<C>>,
    reconcile: Option<Hook<C>>,
    destroy: Option<Hook<C>>,
    view: Option<View<C>>,
    settings_schema: Option<fn(&C, Schema) -> Schema>,
    states: Vec<(&'static str, StateIn<C>)>,
}

/// The row that was added last, for what else the author wrote of it.
pub struct RowOf<'a, C>(&'a mut Row<C>);

impl<C: Send + Sync + 'static> Table<C> {
    pub(crate) fn new() -> Self {
        Self {
            rows: Vec::new(),
            settings: None,
            on_settings: None,
            reconcile: None,
            destroy: None,
            view: None,
            settings_schema: None,
            states: Vec::new(),
        }
    }

    /// A target that takes its message by value: one clone, because the runner keeps the original for a retry.
    pub fn target<T: 'static, R: 'static>(
        &mut self,
        name: &'static str,
        ops: &'static Ops<T, R>,
        method: impl for<'a> Fn(&'a C, &'a Ctx, &'a str, T) -> BoxFuture<'a, Result<Reply>>
        + Send
        + Sync
        + 'static,
    ) -> RowOf<'_, C> {
        let handler: Handler<C> =
            Box::new(move |component, ctx, item, body| match (ops.decode)(body) {
                Ok(message) => method(component, ctx, item, message),
                Err(e) => misfit(ctx, &e),
            });
        self.push(name, Role::Target, ops, Some(handler))
    }

    /// A target that borrows its message: nothing is copied.
    pub fn target_ref<T: Send + Sync + 'static, R: 'static>(
        &mut self,
        name: &'static str,
        ops: &'static Ops<T, R>,
        method: impl for<'a> Fn(&'a C, &'a Ctx, &'a str, &'a T) -> BoxFuture<'a, Result<Reply>>
        + Send
        + Sync
        + 'static,
    ) -> RowOf<'_, C> {
        let method = Arc::new(method);
        let handler: Handler<C> = Box::new(move |component, ctx, item, body| {
            if let Some(message) = body.downcast_ref::<T>() {
                return method(component, ctx, item, message);
            }
            let method = method.clone();
            match (ops.decode)(body) {
                Ok(message) => {
                    Box::pin(async move { method(component, ctx, item, &message).await })
                }
                Err(e) => misfit(ctx, &e),
            }
        });
        self.push(name, Role::Target, ops, Some(handler))
    }

    /// A source: its method sends.
    pub fn source<T: 'static, R: 'static>(
        &mut self,
        name: &'static str,
        ops: &'static Ops<T, R>,
    ) -> RowOf<'_, C> {
        self.push(name, Role::Source, ops, None)
    }

    /// An error port: the runner sends the failures that it takes.
    pub fn error<T: 'static, R: 'static>(
        &mut self,
        name: &'static str,
        ops: &'static Ops<T, R>,
    ) -> RowOf<'_, C> {
        let row = self.push(name, Role::Error, ops, None);
        row.0.info.catch = (ops.catch)();
        row
    }

    /// The `_control` port; see [`Table::read`] for what it shows.
    pub fn control<T: Send + Sync + 'static, R: 'static>(
        &mut self,
        ops: &'static Ops<T, R>,
        method: impl for<'a> Fn(&'a C, &'a Ctx, &'a str, &'a T) -> BoxFuture<'a, Result<Reply>>
        + Send
        + Sync
        + 'static,
    ) -> RowOf<'_, C> {
        let row = self.target_ref("_control", ops, method);
        row.0.info.role = Role::Control;
        row
    }

    /// What the `_control` port shows: its schema, and its values as they are now.
    pub fn read<V: Message>(&mut self, view: fn(&C) -> V) {
        self.view = Some(Box::new(move |component| {
            super::secret::masked(|| serde_json::to_value(view(component)))
                .map_err(DecodeError::from)
        }));
        let control = self.rows.iter_mut().rfind(|row| row.info.role == Role::Control);
        if let Some(row) = control {
            row.info.schema = schema::text::<V>;
        }
    }

    /// The hook that runs every few minutes and when the node changes.
    pub fn reconcile(
        &mut self,
        description: &'static str,
        hook: impl for<'a> Fn(&'a C, &'a Ctx) -> BoxFuture<'a, Result<()>> + Send + Sync + 'static,
    ) {
        let row = self.push("_reconcile", Role::Reconcile, Ops::<Nothing, ()>::ALL, None);
        row.shown("Reconcile", description, Position::Top);
        self.reconcile = Some(Box::new(hook));
    }

    /// The hook that runs when the node is deleted. It is no port: nobody sees it, and nothing is sent to it.
    pub fn destroy(
        &mut self,
        hook: impl for<'a> Fn(&'a C, &'a Ctx) -> BoxFuture<'a, Result<()>> + Send + Sync + 'static,
    ) {
        self.destroy = Some(Box::new(hook));
    }

    /// The hook that sees new settings before they are in force; an error keeps the old ones.
    pub fn on_settings<T: Message + Default>(
        &mut self,
        hook: impl for<'a> Fn(&'a C, &'a Ctx, &'a T) -> BoxFuture<'a, Result<()>>
        + Send
        + Sync
        + 'static,
    ) where
        C: SettingsOf<T>,
    {
        let hook = Arc::new(hook);
        self.on_settings = Some(Box::new(move |component, ctx, configuration| {
            let settings = match settings_of::<T>(configuration) {
                Ok(settings) => settings,
                Err(e) => return Box::pin(ready(Err(e.into_permanent("the settings")))),
            };
            let hook = hook.clone();
            Box::pin(async move {
                hook(component, ctx, &settings).await?;
                SettingsOf::<T>::settings_cell(component).put(settings);
                Ok(())
            })
        }));
    }

    /// What shapes the schema of the settings.
    pub fn settings_schema(&mut self, schema: fn(&C, Schema) -> Schema) {
        self.settings_schema = Some(schema);
    }

    /// The settings cell, which is the `_settings` port.
    pub fn settings<T: Message + Default>(&mut self, description: &'static str)
    where
        C: SettingsOf<T>,
    {
        let shape = self.settings_schema;
        let row = self.push("_settings", Role::Settings, Ops::<T, ()>::ALL, None);
        row.0.schema = shape;
        row.0.info.configuration = Some(|| serde_json::to_value(T::default()).ok());
        row.0.info.fits = |value| settings_of::<T>(Some(value)).map(drop);
        row.shown("Settings", description, Position::Top);
        self.settings = Some(|component| SettingsOf::<T>::settings_cell(component));
    }

    /// A state cell, kept under `key` in the node's status.
    pub fn state(&mut self, key: &'static str, cell: StateIn<C>) {
        self.states.push((key, cell));
    }

    fn push<T: 'static, R: 'static>(
        &mut self,
        name: &'static str,
        role: Role,
        ops: &'static Ops<T, R>,
        handler: Option<Handler<C>>,
    ) -> RowOf<'_, C> {
        let meta = PortMeta { name, label: name, description: "", position: Position::Left };
        let info = PortInfo {
            meta,
            role,
            schema: ops.schema,
            response: ops.response,
            configuration: Some(ops.configuration),
            is_dynamic: false,
            fits: ops.fits,
            catch: None,
            message: (ops.type_of)(),
        };
        let row = Row { info, handler, when: None, each: None, schema: None };
        let at = self.rows.len();
        self.rows.push(row);
        RowOf(&mut self.rows[at])
    }

    pub(crate) fn infos(&self) -> Vec<PortInfo> {
        self.rows.iter().map(|row| row.info.clone()).collect()
    }

    pub(crate) fn settings_cell<'a>(&self, component: &'a C) -> Option<&'a dyn SettingsCell> {
        self.settings.map(|cell| cell(component))
    }

    pub(crate) fn states<'a>(
        &'a self,
        component: &'a C,
    ) -> impl Iterator<Item = (&'static str, &'a dyn StateCell)> {
        self.states.iter().map(move |(key, cell)| (*key, cell(component)))
    }

    pub(crate) fn has_state(&self) -> bool {
        !self.states.is_empty()
    }

    /// True when a hook wants to see settings before they are in force.
    pub(crate) fn has_settings_hook(&self) -> bool {
        self.on_settings.is_some()
    }

    pub(crate) fn change_settings<'a>(
        &self,
        component: &'a C,
        ctx: &'a Ctx,
        configuration: Option<&Value>,
    ) -> BoxFuture<'a, Result<()>> {
        match &self.on_settings {
            Some(hook) => hook(component, ctx, configuration),
            None => Box::pin(ready(Ok(()))),
        }
    }

    pub(crate) fn has_reconcile(&self) -> bool {
        self.reconcile.is_some()
    }

    pub(crate) fn run_reconcile<'a>(
        &self,
        component: &'a C,
        ctx: &'a Ctx,
    ) -> BoxFuture<'a, Result<()>> {
        match &self.reconcile {
            Some(hook) => hook(component, ctx),
            None => Box::pin(ready(Ok(()))),
        }
    }

    pub(crate) fn has_destroy(&self) -> bool {
        self.destroy.is_some()
    }

    pub(crate) fn run_destroy<'a>(
        &self,
        component: &'a C,
        ctx: &'a Ctx,
    ) -> BoxFuture<'a, Result<()>> {
        match &self.destroy {
            Some(hook) => hook(component, ctx),
            None => Box::pin(ready(Ok(()))),
        }
    }

    /// What `_control` shows now; `None` when it shows nothing.
    pub(crate) fn view(&self, component: &C) -> Option<Result<Value, DecodeError>> {
        self.view.as_ref().map(|view| view(component))
    }

    /// The schema of row `row` as the component shapes it now; `None` when it leaves it alone.
    pub(crate) fn schema(&self, component: &C, row: usize) -> Option<Text> {
        let row = self.rows.get(row)?;
        let reshape = row.schema?;
        let shaped: Value = reshape(component, Schema::from((row.info.schema)().value())).into();
        Some(Text::from(&shaped))
    }

    /// The ports that are there now.
    pub(crate) fn live(&self, component: &C) -> LivePorts {
        let mut live = LivePorts::default();
        for (number, row) in self.rows.iter().enumerate() {
            if row.when.is_some_and(|when| !when(component)) {
                continue;
            }
            match &row.each {
                None => live.add(LivePort::plain(number, &row.info.meta)),
                Some(each) => {
                    for item in each(component) {
                        live.add_item(number, &row.info.meta, item);
                    }
                }
            }
        }
        live
    }

    /// Calls the method behind row `row`.
    pub(crate) fn call<'a>(
        &self,
        component: &'a C,
        row: usize,
        item: &'a str,
        ctx: &'a Ctx,
        body: &'a Body,
    ) -> BoxFuture<'a, Result<Reply>> {
        match self.rows.get(row).and_then(|row| row.handler.as_ref()) {
            Some(handler) => handler(component, ctx, item, body),
            None => Box::pin(ready(Err(Error::permanent(format!("port {row} takes no messages"))))),
        }
    }
}

impl<C> RowOf<'_, C> {
    /// What people read of the port, and where editors draw it.
    pub fn shown(self, label: &'static str, description: &'static str, position: Position) -> Self {
        let meta = &mut self.0.info.meta;
        (meta.label, meta.description, meta.position) = (label, description, position);
        self
    }

    /// The port is there while `when` says so.
    pub fn when(self, when: fn(&C) -> bool) -> Self {
        self.0.when = Some(when);
        self.0.info.is_dynamic = true;
        self
    }

    /// One port for each item.
    pub fn each<I>(self, each: fn(&C) -> I) -> Self
    where
        I: IntoIterator<Item: Item> + 'static,
        C: 'static,
    {
        self.0.each =
            Some(Box::new(move |component| each(component).into_iter().map(Item::text).collect()));
        self.0.info.is_dynamic = true;
        self
    }

    /// The schema, shaped by the component.
    pub fn schema(self, schema: fn(&C, Schema) -> Schema) -> Self {
        self.0.schema = Some(schema);
        self
    }
}

/// What `each` yields: a text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a port's name",
    label = "`each` yields these",
    note = "`each` names a method that returns texts, such as `Vec<String>`"
)]
pub trait Item {
    /// The text.
    fn text(self) -> String;
}

#[diagnostic::do_not_recommend]
impl<T: Into<String>> Item for T {
    fn text(self) -> String {
        self.into()
    }
}

/// What `_reconcile` carries.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Nothing {}

impl Message for Nothing {}

/// A message that does not fit names its edge: that is where the mapping stands.
fn misfit<'a>(ctx: &Ctx, error: &DecodeError) -> BoxFuture<'a, Result<Reply>> {
    let node = ctx.node();
    let text = match ctx.edge() {
        Some(edge) => format!("edge `{edge}`: the message for node `{node}` does not fit: {error}"),
        None => format!("the message for node `{node}` does not fit: {error}"),
    };
    Box::pin(ready(Err(Error::permanent(text))))
}
