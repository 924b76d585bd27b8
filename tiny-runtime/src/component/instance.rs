//! A component whose type is known to itself only: what the engine holds and the registry lists.

use std::any::Any;
use std::future::ready;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::{
    Body, BoxFuture, Component, Ctx, DecodeError, Info, Ledger, LivePort, LivePorts, PortInfo,
    Ports, Reply, Result, Table, panic,
};
use crate::schema::Text;

/// One live component of a node. What a component does not have, it need not implement.
pub trait Instance: Send + Sync {
    /// Handles a message for the target in row `row` of its [`ComponentType::ports`]; `item` is what its `each` said.
    fn handle<'a>(
        &'a self,
        row: usize,
        item: &'a str,
        ctx: &'a Ctx,
        body: &'a Body,
    ) -> BoxFuture<'a, Result<Reply>>;

    /// Gives the component its settings: the defaults overlaid with `configuration`.
    ///
    /// # Errors
    /// Says which field does not fit; the settings stay as they were.
    fn apply_settings(&self, configuration: Option<&Value>) -> Result<(), DecodeError> {
        let _none = configuration;
        Ok(())
    }

    /// The same by way of the component's hook.
    fn change_settings<'a>(
        &'a self,
        ctx: &'a Ctx,
        configuration: Option<&Value>,
    ) -> BoxFuture<'a, Result<()>> {
        let _no_hook = (ctx, configuration);
        Box::pin(ready(Ok(())))
    }

    /// Calls the component's `reconcile`.
    fn reconcile<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<()>> {
        let _no_hook = ctx;
        Box::pin(ready(Ok(())))
    }

    /// Calls the component's `destroy`.
    fn destroy<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<()>> {
        let _no_hook = ctx;
        Box::pin(ready(Ok(())))
    }

    /// Keeps the component's state in `ledger`.
    fn keep_state(&self, ledger: &Arc<dyn Ledger>) {
        let _no_state = ledger;
    }

    /// Takes what is stored of the component's state.
    ///
    /// # Errors
    /// Says which state does not fit; the others are taken.
    fn take_state(&self, stored: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
        let _no_state = stored;
        Ok(())
    }

    /// The ports that are there now; `None` when nothing can tell.
    fn live(&self) -> Option<LivePorts> {
        None
    }

    /// The schema of row `row` where the component shapes it.
    fn schema(&self, row: usize) -> Option<Text> {
        let _unshaped = row;
        None
    }

    /// What its `_control` shows now.
    fn view(&self) -> Option<Result<Value, DecodeError>> {
        None
    }

    /// The author's component.
    fn component(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::new(())
    }
}

struct Typed<C> {
    component: Arc<C>,
    table: Arc<Table<C>>,
}

impl<C: Send + Sync + 'static> Instance for Typed<C> {
    fn handle<'a>(
        &'a self,
        row: usize,
        item: &'a str,
        ctx: &'a Ctx,
        body: &'a Body,
    ) -> BoxFuture<'a, Result<Reply>> {
        self.table.call(&self.component, row, item, ctx, body)
    }

    fn apply_settings(&self, configuration: Option<&Value>) -> Result<(), DecodeError> {
        match self.table.settings_cell(&self.component) {
            Some(cell) => cell.apply(configuration),
            None => Ok(()),
        }
    }

    fn change_settings<'a>(
        &'a self,
        ctx: &'a Ctx,
        configuration: Option<&Value>,
    ) -> BoxFuture<'a, Result<()>> {
        self.table.change_settings(&self.component, ctx, configuration)
    }

    fn reconcile<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<()>> {
        self.table.run_reconcile(&self.component, ctx)
    }

    fn destroy<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<()>> {
        self.table.run_destroy(&self.component, ctx)
    }

    fn keep_state(&self, ledger: &Arc<dyn Ledger>) {
        for (key, cell) in self.table.states(&self.component) {
            cell.keep(key, ledger.clone());
        }
    }

    fn take_state(&self, stored: &dyn Fn(&str) -> Option<String>) -> Result<(), String> {
        let taken = self.table.states(&self.component).map(|(key, cell)| {
            cell.take(stored(key).as_deref())
                .map_err(|e| format!("the stored state `{key}` does not fit: {e}"))
        });
        // All of them, then the first fault.
        taken.fold(Ok(()), Result::and)
    }

    fn live(&self) -> Option<LivePorts> {
        Some(self.table.live(&self.component))
    }

    fn schema(&self, row: usize) -> Option<Text> {
        self.table.schema(&self.component, row)
    }

    fn view(&self) -> Option<Result<Value, DecodeError>> {
        self.table.view(&self.component)
    }

    fn component(&self) -> Arc<dyn Any + Send + Sync> {
        self.component.clone()
    }
}

/// A registered component: what it says of itself, its ports, and how to make one.
pub struct ComponentType {
    /// What the component says of itself.
    pub info: Info,
    /// Which hooks and cells it has.
    pub(crate) has: Has,
    ports: Vec<PortInfo>,
    /// The ports of a node that nobody configured.
    at_first: OnceLock<Vec<OfferedPort>>,
    constant: OnceLock<Arc<LivePorts>>,
    create: Box<dyn Fn() -> Box<dyn Instance> + Send + Sync>,
}

/// Which hooks and cells a component has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Has {
    pub(crate) settings_hook: bool,
    pub(crate) reconcile: bool,
    pub(crate) destroy: bool,
    pub(crate) state: bool,
    pub(crate) dynamic_ports: bool,
}

/// A port as others see it: what only the live component can tell, beside what the port's type says anyway.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OfferedPort {
    pub(crate) port: LivePort,
    /// The schema, where the component shapes it.
    pub(crate) shaped: Option<Text>,
    /// What `_control` shows.
    pub(crate) view: Option<Value>,
}

impl OfferedPort {
    /// A port of which its type says all.
    fn plain(port: &LivePort) -> Self {
        Self { port: port.clone(), shaped: None, view: None }
    }
}

impl ComponentType {
    /// The type of component `C`.
    pub fn of<C: Component>() -> Self {
        let mut table = Table::new();
        <C as Ports>::ports(&mut table);
        C::cells(&mut table);
        Self::of_table(C::INFO, table, C::default)
    }

    /// A component with the ports of `table`.
    pub(crate) fn of_table<C: Send + Sync + 'static>(
        info: Info,
        table: Table<C>,
        make: impl Fn() -> C + Send + Sync + 'static,
    ) -> Self {
        let ports = table.infos();
        let has = Has {
            settings_hook: table.has_settings_hook(),
            reconcile: table.has_reconcile(),
            destroy: table.has_destroy(),
            state: table.has_state(),
            dynamic_ports: ports.iter().any(|port| port.is_dynamic),
        };
        let table = Arc::new(table);
        let create = move || -> Box<dyn Instance> {
            Box::new(Typed { component: Arc::new(make()), table: table.clone() })
        };
        Self { has, ..Self::new(info, ports, create) }
    }

    /// A component that is no author's type; `create` takes messages by the numbers of `ports`.
    pub(crate) fn new(
        info: Info,
        ports: Vec<PortInfo>,
        create: impl Fn() -> Box<dyn Instance> + Send + Sync + 'static,
    ) -> Self {
        let (at_first, constant) = (OnceLock::new(), OnceLock::new());
        Self { info, has: Has::default(), ports, at_first, constant, create: Box::new(create) }
    }

    /// The same component, each instance of which is wrapped.
    pub(crate) fn wrapped(
        self: &Arc<Self>,
        wrap: impl Fn(Box<dyn Instance>) -> Box<dyn Instance> + Send + Sync + 'static,
    ) -> Self {
        let inner = self.clone();
        let create = move || wrap(inner.create());
        Self { has: self.has, ..Self::new(self.info, self.ports.clone(), create) }
    }

    /// Its ports, in the author's order; system ports come last. One with `each` stands for many.
    pub fn ports(&self) -> &[PortInfo] {
        &self.ports
    }

    /// The port that is, or may at times be, called `name`, with its number.
    pub fn port(&self, name: &str) -> Option<(usize, &PortInfo)> {
        let plain = self.ports.iter().enumerate().find(|(_, port)| port.meta.name == name);
        let rows = || self.ports.iter().enumerate();
        plain.or_else(|| rows().find(|(_, port)| port.item(name).is_some()))
    }

    /// A new component in its default state.
    pub fn create(&self) -> Box<dyn Instance> {
        (self.create)()
    }

    /// The ports of every node, where none depends on settings or state.
    pub(crate) fn constant(&self) -> Option<&Arc<LivePorts>> {
        if self.ports.iter().any(|port| port.is_dynamic) {
            return None;
        }
        Some(self.constant.get_or_init(|| {
            let mut live = LivePorts::default();
            for (row, port) in self.ports.iter().enumerate() {
                live.add(LivePort::plain(row, &port.meta));
            }
            Arc::new(live)
        }))
    }

    /// The ports of a node that nobody configured. Of a component that cannot even be made, those that are always there.
    pub(crate) fn at_first(&self) -> &[OfferedPort] {
        self.at_first.get_or_init(|| {
            let offered = panic::caught(|| {
                let instance = self.create();
                let live = instance.live().unwrap_or_default();
                live.iter().map(|port| self.offered(port, &*instance)).collect()
            });
            let constant = || self.constant().into_iter().flat_map(|ports| ports.iter());
            offered.unwrap_or_else(|_| constant().map(OfferedPort::plain).collect())
        })
    }

    /// The port as `instance` shows it now.
    pub(crate) fn offered(&self, port: &LivePort, instance: &dyn Instance) -> OfferedPort {
        let is_control = self.ports[port.row].role == super::Role::Control;
        OfferedPort {
            port: port.clone(),
            shaped: instance.schema(port.row),
            view: if is_control { instance.view().and_then(Result::ok) } else { None },
        }
    }
}

impl std::fmt::Debug for ComponentType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ComponentType")
            .field("info", &self.info)
            .field("ports", &self.ports)
            .finish_non_exhaustive()
    }
}

/// What `#[component]` hands to `inventory`.
pub struct Registration {
    make: fn() -> ComponentType,
    place: &'static str,
}

impl Registration {
    /// Registers `C`; `place` is where its source stands.
    pub const fn of<C: Component>(place: &'static str) -> Self {
        Self { make: ComponentType::of::<C>, place }
    }

    pub(crate) fn component(&self) -> ComponentType {
        (self.make)()
    }

    pub(crate) fn place(&self) -> &'static str {
        self.place
    }
}

inventory::collect!(Registration);
