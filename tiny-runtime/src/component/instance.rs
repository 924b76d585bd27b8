//! A component whose type is known to itself only: what the engine holds and the registry lists.

use std::sync::Arc;

use serde_json::Value;

use super::{
    Body, BoxFuture, Component, Ctx, DecodeError, Info, PortInfo, Ports, Reply, Result, Table,
};

/// One live component of a node.
pub trait Instance: Send + Sync {
    /// Handles a message for target number `port` of its [`ComponentType::ports`].
    fn handle<'a>(
        &'a self,
        port: usize,
        ctx: &'a Ctx,
        body: &'a Body,
    ) -> BoxFuture<'a, Result<Reply>>;

    /// Gives the component its settings: the defaults overlaid with `configuration`.
    ///
    /// # Errors
    /// Says which field does not fit; the settings stay as they were.
    fn apply_settings(&self, configuration: Option<&Value>) -> Result<(), DecodeError>;
}

struct Typed<C> {
    component: C,
    table: Arc<Table<C>>,
}

impl<C: Component> Instance for Typed<C> {
    fn handle<'a>(
        &'a self,
        port: usize,
        ctx: &'a Ctx,
        body: &'a Body,
    ) -> BoxFuture<'a, Result<Reply>> {
        self.table.call(&self.component, port, ctx, body)
    }

    fn apply_settings(&self, configuration: Option<&Value>) -> Result<(), DecodeError> {
        match self.table.settings_cell(&self.component) {
            Some(cell) => cell.apply(configuration),
            None => Ok(()),
        }
    }
}

/// A registered component: what it says of itself, its ports, and how to make one.
pub struct ComponentType {
    /// What the component says of itself.
    pub info: Info,
    ports: Vec<PortInfo>,
    create: Box<dyn Fn() -> Box<dyn Instance> + Send + Sync>,
}

impl ComponentType {
    /// The type of component `C`.
    pub fn of<C: Component>() -> Self {
        let mut table = Table::new();
        <C as Ports>::ports(&mut table);
        C::cells(&mut table);
        let ports = table.infos();
        let table = Arc::new(table);
        Self::new(C::INFO, ports, move || {
            Box::new(Typed { component: C::default(), table: table.clone() })
        })
    }

    /// A component that is no author's type; `create` takes messages by the numbers of `ports`.
    pub(crate) fn new(
        info: Info,
        ports: Vec<PortInfo>,
        create: impl Fn() -> Box<dyn Instance> + Send + Sync + 'static,
    ) -> Self {
        Self { info, ports, create: Box::new(create) }
    }

    /// Its ports, in the author's order; system ports come last.
    pub fn ports(&self) -> &[PortInfo] {
        &self.ports
    }

    /// The port called `name`, with its number.
    pub fn port(&self, name: &str) -> Option<(usize, &PortInfo)> {
        self.ports.iter().enumerate().find(|(_, port)| port.meta.name == name)
    }

    /// A new component in its default state.
    pub fn create(&self) -> Box<dyn Instance> {
        (self.create)()
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
