//! What a module offers: its components with their port tables, as its status lists them.

use tiny_crds::{ModuleComponent, Payload, PortStatus};

use crate::component::{ComponentType, OfferedPort};
use crate::registry::Registry;

/// Schemas are left out of a status that would be larger than so many bytes: an object in etcd must stay below 1.5 MiB.
pub(super) const LIMIT: usize = 768 * 1024;
/// About the bytes of a port besides its schemas.
const PORT: usize = 256;

/// The port tables of all components, once for the process.
#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(super) components: Vec<ModuleComponent>,
    /// Whether the schemas are in it. Where they are not, each node's status has its own.
    pub(super) has_schemas: bool,
}

impl Catalogue {
    /// What `registry` offers. No more schemas are made than fit.
    pub(crate) fn of(registry: &Registry) -> Self {
        let (mut components, mut size) = (Vec::new(), 0);
        for component in registry.iter() {
            let listed = offered(component);
            size += listed.ports.iter().map(weight).sum::<usize>() + component.info.info.len();
            components.push(listed);
            if size > LIMIT {
                let components = registry.iter().map(|component| bare(component)).collect();
                return Self { components, has_schemas: false };
            }
        }
        Self { components, has_schemas: true }
    }
}

fn weight(port: &PortStatus) -> usize {
    let bytes = |payload: &Payload| payload.text().ok().flatten().map_or(0, |text| text.len());
    PORT + bytes(&port.schema) + bytes(&port.response_schema) + bytes(&port.configuration)
}

/// A component with its port table. What `schema = …` makes of a schema holds for a node with its settings, not for all of them: a choice
/// among the default routes would refute the edges to a node that has others.
pub(crate) fn offered(component: &ComponentType) -> ModuleComponent {
    let of_all = |port: &OfferedPort| OfferedPort { shaped: None, ..port.clone() };
    let ports = component.at_first().iter().map(|port| whole(component, &of_all(port))).collect();
    ModuleComponent { ports, ..described(component) }
}

/// The same without schemas.
fn bare(component: &ComponentType) -> ModuleComponent {
    let ports = component.at_first().iter().map(|port| plain(component, port)).collect();
    ModuleComponent { ports, ..described(component) }
}

fn described(component: &ComponentType) -> ModuleComponent {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    ModuleComponent {
        name: component.info.name.to_owned(),
        description: component.info.description.to_owned(),
        info: component.info.info.to_owned(),
        tags: words(component.info.tags),
        aliases: words(component.info.aliases),
        ports: Vec::new(),
    }
}

/// A port with all that is known of it.
pub(super) fn whole(component: &ComponentType, offered: &OfferedPort) -> PortStatus {
    let info = &component.ports()[offered.port.row];
    let schema = offered.shaped.clone().unwrap_or_else(|| (info.schema)());
    let response = info.response.map(|schema| schema());
    PortStatus {
        schema: Payload::of_object(schema.shared()),
        response_schema: response.map_or(Payload::ABSENT, |it| Payload::of_object(it.shared())),
        ..plain(component, offered)
    }
}

/// A port without its schemas.
fn plain(component: &ComponentType, offered: &OfferedPort) -> PortStatus {
    let info = &component.ports()[offered.port.row];
    PortStatus {
        name: offered.port.name.to_string(),
        label: offered.port.label.to_string(),
        position: info.meta.position.index(),
        source: info.is_source(),
        configuration: offered.view.clone().or_else(|| info.shown_configuration()).into(),
        ..PortStatus::default()
    }
}
