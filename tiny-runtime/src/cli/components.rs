//! `components`: what this binary registers.

use anyhow::{Result, anyhow};
use clap::ValueEnum;
use serde_json::{Value, json};
use tiny_crds::API_VERSION;

use super::get::aligned;
use super::{Binary, print};
use crate::component::secret::MASK;
use crate::component::{ComponentType, Role};
use crate::control::offered;
use crate::registry::Registry;
use crate::words;

/// Lists the components that this binary has
#[derive(Debug, clap::Args)]
pub(super) struct Components {
    /// Name of one component
    name: Option<String>,
    /// json: port tables with schemas; yaml: a TinyNode ready to edit
    #[arg(short, long, value_name = "FORM")]
    output: Option<Output>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    Json,
    Yaml,
}

impl Components {
    pub(super) fn carry_out(self, binary: Binary, registry: &Registry) -> Result<()> {
        let chosen: Vec<&ComponentType> = match &self.name {
            None => registry.iter().map(AsRef::as_ref).collect(),
            Some(name) => vec![registry.get(name).ok_or_else(|| {
                anyhow!(
                    "there is no component `{name}`{}; this binary has {}",
                    words::did_you_mean(name, registry.names()),
                    words::list(registry.names())
                )
            })?],
        };
        match (self.output, &self.name) {
            (None, None) => print(&overview(&chosen)),
            (None, Some(_)) => {
                print(&chosen.iter().map(|component| details(component)).collect::<String>())
            }
            (Some(Output::Json), _) => {
                let all: Vec<_> = chosen.iter().map(|component| offered(component)).collect();
                print(&serde_json::to_string_pretty(&all)?)
            }
            (Some(Output::Yaml), _) => {
                let node = |component: &&ComponentType| node(binary.name, component);
                let nodes = chosen.iter().map(node).collect::<Result<Vec<_>>>()?;
                print(&nodes.join("---\n"))
            }
        }
    }
}

fn overview(components: &[&ComponentType]) -> String {
    let mut lines =
        vec![["COMPONENT", "TARGETS", "SOURCES", "DESCRIPTION"].map(String::from).to_vec()];
    for component in components {
        let ports = |source: bool| {
            let ports = component.ports().iter();
            let ports = ports.filter(|port| port.is_source() == source && !port.is_system());
            ports.map(|port| port.meta.name).collect::<Vec<_>>().join(", ")
        };
        let info = &component.info;
        lines.push(vec![info.name.into(), ports(false), ports(true), info.description.into()]);
    }
    aligned(&lines)
}

fn details(component: &ComponentType) -> String {
    let info = &component.info;
    let mut text = format!("{}: {}\n", info.name, info.description);
    if !info.info.is_empty() {
        text += &format!("\n{}\n", info.info);
    }
    text.push('\n');
    let mut lines = vec![["PORT", "KIND", "DESCRIPTION"].map(String::from).to_vec()];
    for port in component.ports() {
        let kind = format!("{:?}", port.role).to_lowercase();
        lines.push(vec![port.meta.name.into(), kind, port.meta.description.into()]);
    }
    text + &aligned(&lines)
}

/// A TinyNode of this component, with the settings it starts with and an edge to fill in for each source.
fn node(module: &str, component: &ComponentType) -> Result<String> {
    // What `_control` shows is no configuration.
    let configurable = component.ports().iter().filter(|port| port.role != Role::Control);
    let configured = configurable.filter_map(|port| {
        // Without its secrets, whose place is not in a file, and whose mask no node takes.
        let configuration = without_masks(port.shown_configuration()?);
        Some(json!({ "port": port.meta.name, "configuration": configuration }))
    });
    let mut spec = json!({ "module": module, "component": component.info.name });
    let ports: Vec<Value> = configured.collect();
    if !ports.is_empty() {
        spec["ports"] = ports.into();
    }
    let node = json!({
        "apiVersion": API_VERSION,
        "kind": "TinyNode",
        "metadata": { "name": component.info.name.replace('_', "-") },
        "spec": spec,
    });
    let mut text = serde_saphyr::to_string(&node)?;
    let is_source = |row: usize| component.ports()[row].is_source();
    let sources = component.at_first().iter().filter(|offered| is_source(offered.port.row));
    let names: Vec<&str> = sources.map(|offered| &*offered.port.name).collect();
    if let Some(first) = names.first() {
        text += &format!(
            "  # Edges start at {}:\n  # edges:\n  # - id: {first}-to-other\n  #   port: {first}\n  #   to: other:input\n",
            words::list(names.iter().copied())
        );
    }
    Ok(text)
}

fn without_masks(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let open = fields.into_iter().filter(|(_, value)| value != MASK);
            open.map(|(key, value)| (key, without_masks(value))).collect()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_to_edit_has_no_masks() {
        let shown = json!({"user": "ada", "password": MASK, "more": {"token": MASK, "n": 1}});
        assert_eq!(without_masks(shown), json!({"user": "ada", "more": {"n": 1}}));
    }
}
