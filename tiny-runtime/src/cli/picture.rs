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
use crate::component::{Position, Role};
use crate::control::declare;
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
    let mut boxes = Vec::new();
    let mut places = BTreeMap::new();
    let own = |name: &str| module_of(name) == module_of(module);
    for node in nodes {
        let name = declare(node).info.name;
        let component = &node.spec.component;
        let known = own(&node.spec.module).then(|| registry.get(component)).flatten();
        let rows = known.map(|known| known.ports()).unwrap_or_default().iter();
        let always = rows.filter(|row| !row.is_system() && !row.is_dynamic);
        let ports =
            always.map(|row| Port::new(row.meta.name, row.meta.position, row.role == Role::Error));
        let below = match own(&node.spec.module) {
            true => component.clone(),
            false => format!("{component} of {}", node.spec.module),
        };
        places.insert(name.clone(), boxes.len());
        boxes.push(Box::new(&name, &below, ports.collect()));
    }
    // The port of an edge's end, and whether its component tells of it.
    let described = |node: &str, port: &str, otherwise: Position| {
        let found = nodes.iter().find(|it| declare(it).info.name == *node);
        let known = found.filter(|it| own(&it.spec.module));
        let component = known.and_then(|it| registry.get(&it.spec.component));
        let row = component.and_then(|it| it.ports().iter().find(|row| row.item(port).is_some()));
        match row {
            Some(row) => Port::new(port, row.meta.position, row.role == Role::Error),
            None => Port::new(port, otherwise, false),
        }
    };
    let mut edges = Vec::new();
    for node in nodes {
        let decl = declare(node);
        for edge in &decl.edges {
            let mut end = |node: &str, port: &str, otherwise: Position| {
                let at = *places.entry(node.to_owned()).or_insert_with(|| {
                    boxes.push(Box::elsewhere(node));
                    boxes.len() - 1
                });
                let port = boxes[at].port(described(node, port, otherwise));
                (at, port)
            };
            let from = end(&decl.info.name, &edge.port, Position::Right);
            let to = end(&edge.to.node, &edge.to.port, Position::Left);
            edges.push(Edge::new(&edge.id, from, to));
        }
    }
    (boxes, edges)
}

/// A name of a module as nodes and crates may write it.
fn module_of(name: &str) -> String {
    tiny_crds::names::sanitise(name)
}
