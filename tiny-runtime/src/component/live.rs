//! The ports that one node has now.

use std::fmt;
use std::sync::Arc;

use super::PortMeta;
use super::key;

/// A port of a live node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LivePort {
    /// The row of the component's table that it comes from.
    pub row: usize,
    /// The name that edges use.
    pub name: Arc<str>,
    /// The name that people read.
    pub label: Arc<str>,
    /// What `each` said; empty without `each`.
    pub item: Arc<str>,
}

impl LivePort {
    pub(crate) fn plain(row: usize, meta: &PortMeta) -> Self {
        Self { row, name: meta.name.into(), label: meta.label.into(), item: "".into() }
    }
}

/// The ports of a node, in the author's order, and what could not become one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LivePorts {
    ports: Vec<LivePort>,
    faults: Vec<String>,
}

impl LivePorts {
    pub(crate) fn add(&mut self, port: LivePort) {
        if self.get(&port.name).is_some() {
            let name = &port.name;
            self.faults.push(format!("two ports would be called `{name}`; the first one stays"));
        } else {
            self.ports.push(port);
        }
    }

    /// Adds the port of one item. One whose name cannot stand in `node:port`, or is the system's, is a fault: settings may say
    /// anything.
    pub(crate) fn add_item(&mut self, row: usize, meta: &PortMeta, item: String) {
        let stray = |letter: char| letter == ':' || letter.is_whitespace() || letter.is_control();
        if item.is_empty() || item.contains(stray) {
            let fault =
                format!("`{item}` cannot be part of a port's name: that is one word without `:`");
            self.faults.push(fault);
            return;
        }
        let name: Arc<str> = key::fill(meta.name, &item).into();
        if name.starts_with('_') {
            self.faults.push(format!(
                "no port may be called `{name}`: names with `_` in front are the system's"
            ));
            return;
        }
        let label = key::fill(meta.label, &item).into();
        self.add(LivePort { row, name, label, item: item.into() });
    }

    /// The port called `name`.
    pub fn get(&self, name: &str) -> Option<&LivePort> {
        self.ports.iter().find(|port| &*port.name == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &LivePort> {
        self.ports.iter()
    }

    /// What could not become a port, in words.
    pub(crate) fn faults(&self) -> &[String] {
        &self.faults
    }
}

impl fmt::Display for LivePorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::words::list(self.ports.iter().map(|port| &*port.name)))
    }
}
