//! `picture`: a flow as a drawing.

mod plan;
mod svg;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use tiny_crds::TinyNode;

use self::plan::{Box, Edge, Plan, Port};
use super::{Binary, documents, print};
use crate::component::{PortInfo, Position, Role};
use crate::control::declare;
use crate::engine::NodeDecl;
use crate::registry::Registry;

/// Draws flows of files as SVG: nodes with the ports on their sides, and edges
#[derive(Debug, clap::Args)]
pub(super) struct Picture {
    /// File or folder of YAML or JSON; `-` is stdin
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    /// Write the drawing here instead of printing it
    #[arg(short, long, value_name = "FILE.svg")]
    output: Option<PathBuf>,
}

impl Picture {
    pub(super) fn carry_out(self, binary: Binary, registry: &Registry) -> Result<()> {
        let documents = documents::read(&self.files)?;
        let nodes: Vec<TinyNode> = documents.iter().filter_map(documents::Document::node).collect();
        if nodes.is_empty() {
            bail!("there is no TinyNode in these files, so there is nothing to draw");
        }
        let (boxes, edges) = drawn(&nodes, binary.name, registry);
        let text = svg::written(&Plan::of(boxes, edges));
        match &self.output {
            None => print(&text),
            Some(file) => fs::write(file, text)
                .with_context(|| format!("cannot write the drawing to `{}`", file.display())),
        }
    }
}

/// The boxes and edges of these nodes. Ports are those that are always there, and those that edges use.
fn drawn(nodes: &[TinyNode], module: &str, registry: &Registry) -> (Vec<Box>, Vec<Edge>) {
    let decls: Vec<NodeDecl> = nodes.iter().map(declare).collect();
    let known = |node: &TinyNode| match node.belongs_to(module) {
        true => registry.get(&node.spec.component),
        false => None,
    };
    let mut boxes = Vec::new();
    let mut places = BTreeMap::new();
    for (node, decl) in nodes.iter().zip(&decls) {
        let rows = known(node).map(|known| known.ports()).unwrap_or_default().iter();
        let always = rows.filter(|row| !row.is_system() && !row.is_dynamic);
        let ports = always.map(|row| port(row, row.meta.name));
        let component = &node.spec.component;
        let below = match node.belongs_to(module) {
            true => component.clone(),
            false => format!("{component} of {}", node.spec.module),
        };
        places.insert(decl.info.name.clone(), boxes.len());
        boxes.push(Box::new(&decl.info.name, &below, ports.collect()));
    }
    let mut edges = Vec::new();
    for decl in &decls {
        for edge in &decl.edges {
            let mut end = |node: &str, name: &str, otherwise: Position| {
                let at = *places.entry(node.to_owned()).or_insert_with(|| {
                    boxes.push(Box::elsewhere(node));
                    boxes.len() - 1
                });
                // Boxes of nodes come first, in their order.
                let rows = nodes.get(at).and_then(known).map(|known| known.ports());
                let row = rows.and_then(|rows| rows.iter().find(|row| row.item(name).is_some()));
                let used =
                    row.map_or_else(|| Port::new(name, otherwise, false), |row| port(row, name));
                (at, boxes[at].port(used))
            };
            let from = end(&decl.info.name, &edge.port, Position::Right);
            let to = end(&edge.to.node, &edge.to.port, Position::Left);
            edges.push(Edge::new(&edge.id, from, to));
        }
    }
    (boxes, edges)
}

/// The port of this row that is called `name`.
fn port(row: &PortInfo, name: &str) -> Port {
    Port::new(name, row.meta.position, row.role == Role::Error)
}
