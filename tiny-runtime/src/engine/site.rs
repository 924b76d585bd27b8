//! A node as far as proofs are concerned: what its ports take and send, and where its edges lead.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::{Address, EdgeDecl, InwardDecl, NodeDecl};
use crate::component::{ComponentType, Role};
use crate::mapping::Mapping;
use crate::schema::Text;

/// What a node says of itself.
#[derive(Clone, Debug, Default)]
pub struct Site {
    pub(super) face: Face,
    /// Schemas that somebody wrote for ports of this node.
    pub(super) written: Vec<Text>,
    /// The node's own configuration of its ports.
    pub(super) configured: BTreeMap<String, Value>,
    pub(super) links: Vec<Link>,
    /// Its mappings for edges to it that have none: the port that sends, its own port, and the mapping where it compiles.
    pub(super) inward: Vec<(Address, Arc<str>, Option<Arc<Mapping>>)>,
    /// As they were written.
    inward_written: Vec<InwardDecl>,
}

/// Where what is known of a node's ports comes from.
#[derive(Clone, Debug, Default)]
pub enum Face {
    /// A component of this process.
    Ours(Arc<ComponentType>),
    /// What a module tells of itself.
    Told(Arc<[Port]>),
    /// No module has told of this component.
    #[default]
    Unknown,
}

/// A port, as its schemas say.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// What it is called.
    pub name: Arc<str>,
    /// Whether it sends.
    pub is_source: bool,
    /// What its messages are.
    pub schema: Text,
    /// What answers them, where that is said.
    pub response: Option<Text>,
    /// The configuration that stands where a node has none.
    pub default: Option<Value>,
}

/// An edge, seen from the node where it starts.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(super) id: Arc<str>,
    pub(super) port: Arc<str>,
    pub(super) to: Address,
    /// As it was written; none is the identity.
    pub(super) written: Option<Value>,
    /// The same, compiled; none where it does not compile, which is no concern of proofs.
    pub(super) mapping: Option<Option<Arc<Mapping>>>,
}

impl PartialEq for Link {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, &self.port, &self.to, &self.written)
            == (&other.id, &other.port, &other.to, &other.written)
    }
}

impl Link {
    /// An edge with this mapping.
    pub(super) fn new(id: Arc<str>, port: Arc<str>, to: Address, written: Option<Value>) -> Self {
        let mapping = match &written {
            None => Some(None),
            Some(written) => Mapping::compile(written).ok().map(|mapping| Some(Arc::new(mapping))),
        };
        Self { id, port, to, written, mapping }
    }
}

fn compiled(decl: &InwardDecl) -> (Address, Arc<str>, Option<Arc<Mapping>>) {
    let mapping = Mapping::compile(&decl.mapping).ok().map(Arc::new);
    (decl.from.clone(), decl.port.clone(), mapping)
}

impl PartialEq for Face {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ours(one), Self::Ours(other)) => Arc::ptr_eq(one, other),
            (Self::Told(one), Self::Told(other)) => Arc::ptr_eq(one, other) || one == other,
            (Self::Unknown, Self::Unknown) => true,
            _ => false,
        }
    }
}

impl PartialEq for Site {
    fn eq(&self, other: &Self) -> bool {
        self.takes_like(other) && self.links == other.links
    }
}

impl Face {
    /// These ports, and of `other` those that are not among them.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Told(own), Self::Told(other)) => {
                let new =
                    other.iter().filter(|port| own.iter().all(|known| known.name != port.name));
                let new: Vec<Port> = new.cloned().collect();
                if new.is_empty() {
                    Self::Told(own)
                } else {
                    Self::Told(own.iter().cloned().chain(new).collect())
                }
            }
            (Self::Unknown, Self::Told(other)) if !other.is_empty() => Self::Told(other),
            (own, _) => own,
        }
    }

    /// The port called `name`.
    pub(super) fn port(&self, name: &str) -> Option<Port> {
        match self {
            Self::Ours(component) => {
                let (_, info) = component.port(name)?;
                let default = match info.role {
                    Role::Settings => info.configuration.and_then(|default| default()),
                    _ => None,
                };
                Some(Port {
                    name: name.into(),
                    is_source: info.is_source(),
                    schema: (info.schema)(),
                    response: info.response.map(|schema| schema()),
                    default,
                })
            }
            Self::Told(ports) => ports.iter().find(|port| *port.name == *name).cloned(),
            Self::Unknown => None,
        }
    }
}

impl Site {
    /// Of a declared node; `written` are schemas that somebody wrote for its ports.
    pub fn new(decl: &NodeDecl, face: Face, written: Vec<Text>) -> Self {
        let links = decl.edges.iter().filter(|edge| edge.fault.is_none());
        let link = |edge: &EdgeDecl| {
            Link::new(edge.id.clone(), edge.port.clone(), edge.to.clone(), edge.mapping.clone())
        };
        Self {
            face,
            written,
            configured: decl.configurations.clone(),
            links: links.map(link).collect(),
            inward: decl.inward.iter().map(compiled).collect(),
            inward_written: decl.inward.clone(),
        }
    }

    /// Whether it makes the same of what its edges bring: only where its own edges lead may differ.
    pub(super) fn takes_like(&self, other: &Self) -> bool {
        (&self.face, &self.written, &self.configured, &self.inward_written)
            == (&other.face, &other.written, &other.configured, &other.inward_written)
    }

    /// Whether the edges that lead to it stand as they stood.
    pub(super) fn receives_like(&self, other: &Self) -> bool {
        self.face == other.face && self.inward_written == other.inward_written
    }

    /// Its mapping for an edge from `port` of `node` to its port `to`, if it has one; `None` inside where that does not compile.
    pub(super) fn inward(&self, node: &str, port: &str, to: &str) -> Option<&Option<Arc<Mapping>>> {
        let is_meant = |(from, own, _): &&(Address, Arc<str>, Option<Arc<Mapping>>)| {
            *from.node == *node && *from.port == *port && **own == *to
        };
        self.inward.iter().find(is_meant).map(|(.., mapping)| mapping)
    }

    /// What the node's own configuration, or else the component's default, says of a port.
    pub(super) fn configuration(&self, port: &Port) -> Option<Value> {
        let own = self.configured.get(&*port.name);
        match (own, &port.default) {
            (Some(Value::Object(own)), Some(Value::Object(default))) => {
                let mut merged = default.clone();
                merged.extend(own.clone());
                Some(merged.into())
            }
            (Some(own), _) => Some(own.clone()),
            (None, default) => default.clone(),
        }
    }
}
