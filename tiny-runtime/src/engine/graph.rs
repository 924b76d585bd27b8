//! The flow as it is declared, and what is wrong with it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::edge::Binding;
use super::{Address, InwardDecl, RetryBounds};
use crate::component::{ComponentType, LivePorts, NodeInfo, PortInfo, Role, SYSTEM_PORTS, panic};
use crate::mapping::{Diagnostic, Mapping};
use crate::registry::Registry;
use crate::words;

/// A node as its author declared it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeDecl {
    /// Who it is.
    pub info: NodeInfo,
    /// The component that it is an instance of.
    pub component: String,
    /// The node's own configuration of its ports, `_settings` among them.
    pub configurations: BTreeMap<String, Value>,
    /// Ports whose configuration cannot be read, each with the reason.
    pub unreadable: BTreeMap<String, String>,
    /// Its edges, in order.
    pub edges: Vec<EdgeDecl>,
    /// Its mappings for edges to it that have none, as older flows have them.
    pub inward: Vec<InwardDecl>,
}

/// An edge as its author declared it.
#[derive(Clone, Debug, PartialEq)]
pub struct EdgeDecl {
    /// Its id.
    pub id: Arc<str>,
    /// The source port of its own node.
    pub port: Arc<str>,
    /// The target.
    pub to: Address,
    /// The mapping; none is the identity.
    pub mapping: Option<Value>,
    /// How the receiver retries.
    pub bounds: RetryBounds,
    /// Why the edge cannot be read, if so: it then refuses every message.
    pub fault: Option<String>,
}

/// What is known of an edge beside its declaration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// Why its mapping cannot be right: it was compared with what both of its ports say of their messages.
    pub refuted: Option<String>,
    /// The mapping that was in force before, and that still fits. It goes on where the declared one cannot be used.
    pub before: Option<Before>,
}

/// What an edge did with messages before.
#[derive(Clone, Debug, PartialEq)]
pub struct Before {
    /// The mapping; none is the identity.
    pub mapping: Option<Value>,
}

/// What is known of the node at the other end of an edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A node of this module, with the component that it names.
    Ours {
        /// `spec.component`.
        component: String,
    },
    /// A node of another module.
    Foreign {
        /// `spec.module`.
        module: String,
        /// Whether it is known where that module is.
        is_known: bool,
    },
    /// There is no such node.
    Absent,
}

/// Something wrong with a declared node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of fault it is.
    pub cause: Cause,
    /// The edge that has it, if an edge has it.
    pub edge: Option<Arc<str>>,
    /// One sentence: where, why, what to do.
    pub message: String,
}

/// The kinds of fault; their names are the reasons of conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Nothing is registered under `spec.component`.
    UnknownComponent,
    /// A configuration does not fit the type of its port.
    ConfigurationInvalid,
    /// An edge starts or ends at a port that is not there.
    UnknownPort,
    /// An expression or template does not parse.
    ExpressionInvalid,
    /// What a mapping gives does not fit the port at its end.
    MappingRefuted,
    /// An edge ends at a node that is not there. It may still come, so this refuses nothing.
    TargetMissing,
    /// An edge ends in a module of which nobody has said where it is. It may still come, so this refuses nothing.
    ModuleMissing,
    /// Two edges of the node have one id.
    DuplicateEdge,
    /// A field of an edge cannot be read.
    EdgeInvalid,
    /// The component panicked while it was made or configured.
    ComponentPanicked,
    /// The component's hook refuses the settings.
    SettingsRefused,
    /// What is stored of the component's state does not fit its type.
    StateInvalid,
    /// Settings or state ask for a port that cannot be.
    PortInvalid,
    /// An edge starts or ends at a port that is not there now. It may still come, so this refuses nothing.
    PortAbsent,
    /// The component's hooks have not ended yet. This refuses nothing either: messages wait.
    Starting,
}

impl Cause {
    /// True for what is wrong with settings and other configurations.
    pub fn is_of_settings(self) -> bool {
        matches!(
            self,
            Self::ConfigurationInvalid
                | Self::SettingsRefused
                | Self::UnknownComponent
                | Self::ComponentPanicked
        )
    }

    /// True when the faulty thing is not put to use.
    pub fn refuses(self) -> bool {
        !matches!(
            self,
            Self::TargetMissing | Self::ModuleMissing | Self::PortAbsent | Self::Starting
        )
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A declared node, judged: what it may use and what is wrong with the rest.
pub(crate) struct Judged {
    pub(crate) component: Option<Arc<ComponentType>>,
    pub(crate) configured: Configured,
    pub(crate) edges: Vec<(EdgeDecl, Binding)>,
    pub(crate) findings: Vec<Finding>,
}

/// The configurations of a node, judged.
#[derive(Default)]
pub(crate) struct Configured {
    /// Those that fit their ports.
    pub(crate) fit: BTreeMap<String, Value>,
    /// True when there are settings that cannot be read or do not fit.
    pub(crate) has_faulty_settings: bool,
}

/// Everything wrong with `node`: what it names is looked up in `registry`, its neighbours by `peer`.
pub fn check(node: &NodeDecl, registry: &Registry, peer: impl Fn(&str) -> Peer) -> Vec<Finding> {
    let standing = |_: &str| Standing::default();
    let Judged { component, configured, mut findings, .. } = judge(node, registry, &peer, standing);
    // Of its own ports, a node that does not run yet shows those that its settings make.
    if let Some(component) = component.filter(|component| component.has.dynamic_ports) {
        let made = panic::caught(|| {
            let instance = component.create();
            instance.apply_settings(configured.fit.get("_settings")).ok()?;
            instance.live().map(Arc::new)
        });
        let own = made.ok().flatten();
        let live = |name: &str| own.clone().filter(|_| name == node.info.name);
        findings.extend(absent(node, &component, registry, peer, live));
    }
    findings
}

pub(crate) fn judge(
    node: &NodeDecl,
    registry: &Registry,
    peer: impl Fn(&str) -> Peer,
    standing: impl Fn(&str) -> Standing,
) -> Judged {
    let Some(component) = registry.get(&node.component) else {
        let message = format!(
            "node `{}`: there is no component `{}`{}; this module has {}",
            node.info.name,
            node.component,
            words::did_you_mean(&node.component, registry.names()),
            words::list(registry.names()),
        );
        let findings = vec![Finding { cause: Cause::UnknownComponent, edge: None, message }];
        let (configured, edges) = Default::default();
        return Judged { component: None, configured, edges, findings };
    };
    let (configured, mut findings) = configured(node, component);
    let mut edges: Vec<(EdgeDecl, Binding)> = Vec::new();
    for edge in &node.edges {
        if edges.iter().any(|(other, _)| other.id == edge.id) {
            let why = "another edge has the same id; give each its own".to_owned();
            let finding = at(node, edge, Cause::DuplicateEdge, why);
            edges.push((edge.clone(), Binding::Refused(finding.message.as_str().into())));
            findings.push(finding);
            continue;
        }
        let around = (peer(&edge.to.node), standing(&edge.id));
        let (binding, mut found) = bind(node, edge, component, registry, around);
        findings.append(&mut found);
        edges.push((edge.clone(), binding));
    }
    Judged { component: Some(component.clone()), configured, edges, findings }
}

fn configured(node: &NodeDecl, component: &ComponentType) -> (Configured, Vec<Finding>) {
    let name = &node.info.name;
    let (mut configured, mut findings) = (Configured::default(), Vec::new());
    let mut found = |port: &str, cause, message| {
        findings.push(Finding { cause, edge: None, message });
        configured.has_faulty_settings |= port == "_settings";
    };
    for (port, why) in &node.unreadable {
        let message = format!("node `{name}`: the configuration of `{port}` cannot be read: {why}");
        found(port, Cause::ConfigurationInvalid, message);
    }
    for (port, value) in &node.configurations {
        match component.port(port).map(|(_, info)| (info.fits)(value)) {
            // Older flows store what these ports once showed, whether the component still has them or not.
            None if port != "_settings" && SYSTEM_PORTS.contains(&&**port) => {}
            None => found(port, Cause::UnknownPort, no_port(name, component, port, |_| true)),
            Some(Err(error)) => {
                let message =
                    format!("node `{name}`: the configuration of `{port}` does not fit: {error}");
                found(port, Cause::ConfigurationInvalid, message);
            }
            Some(Ok(())) => drop(configured.fit.insert(port.clone(), value.clone())),
        }
    }
    (configured, findings)
}

/// What the edge does with messages, and everything wrong with it.
fn bind(
    node: &NodeDecl,
    edge: &EdgeDecl,
    component: &ComponentType,
    registry: &Registry,
    (peer, standing): (Peer, Standing),
) -> (Binding, Vec<Finding>) {
    if let Some(fault) = &edge.fault {
        let finding = at(node, edge, Cause::EdgeInvalid, fault.clone());
        return (Binding::Refused(finding.message.as_str().into()), vec![finding]);
    }
    let mut findings = Vec::new();
    if !component.port(&edge.port).is_some_and(|(_, port)| port.is_source()) {
        let why = no_port(&node.info.name, component, &edge.port, |port| port.is_source());
        findings.push(at(node, edge, Cause::UnknownPort, why));
    }
    findings.extend(target_fault(node, edge, registry, peer));
    let leads = findings.iter().all(|finding| !finding.cause.refuses());
    let before = standing.before.and_then(|before| compiled(before.mapping.as_ref()).ok());
    let goes_on = match before {
        Some(_) => "; its last good mapping goes on",
        None => "; until it is corrected, no message passes this edge",
    };
    let (binding, faults) = match (compiled(edge.mapping.as_ref()), standing.refuted) {
        (Ok(_), Some(why)) => {
            (None, vec![(Cause::MappingRefuted, format!("its mapping: {why}{goes_on}"))])
        }
        (Ok(binding), None) => (Some(binding), Vec::new()),
        (Err(diagnostics), _) => {
            let on = if before.is_some() { goes_on } else { "" };
            let fault = |d| (Cause::ExpressionInvalid, format!("its mapping: {d}{on}"));
            (None, diagnostics.into_iter().map(fault).collect())
        }
    };
    findings.extend(faults.into_iter().map(|(cause, why)| at(node, edge, cause, why)));
    let first = findings.iter().find(|finding| finding.cause.refuses());
    let binding = match (binding.or(before).filter(|_| leads), first) {
        (Some(binding), _) => binding,
        (None, Some(fault)) => Binding::Refused(fault.message.as_str().into()),
        (None, None) => Binding::Identity,
    };
    (binding, findings)
}

fn compiled(mapping: Option<&Value>) -> Result<Binding, Vec<Diagnostic>> {
    let mapping = mapping.map(Mapping::compile).transpose()?;
    Ok(mapping.map_or(Binding::Identity, |mapping| Binding::Mapped(Arc::new(mapping))))
}

fn target_fault(
    node: &NodeDecl,
    edge: &EdgeDecl,
    registry: &Registry,
    peer: Peer,
) -> Option<Finding> {
    let (cause, why) = match peer {
        Peer::Absent => {
            let why = format!("there is no node `{}`; apply it, or correct `to`", edge.to.node);
            (Cause::TargetMissing, why)
        }
        Peer::Foreign { is_known: true, .. } => return None,
        Peer::Foreign { module, is_known: false } => {
            let why = format!(
                "node `{}` belongs to module `{module}`, which does not run here; start it, or correct `spec.module` of the node",
                edge.to.node
            );
            (Cause::ModuleMissing, why)
        }
        Peer::Ours { component } => {
            // An unknown component is the finding of that node.
            let component = registry.get(&component)?;
            let target = component.port(&edge.to.port).map(|(_, port)| port);
            if target.is_some_and(|port| port.role == Role::Target) {
                return None;
            }
            let is_target = |port: &PortInfo| port.role == Role::Target;
            let why = no_port(&edge.to.node, component, &edge.to.port, is_target);
            (Cause::UnknownPort, why)
        }
    };
    Some(at(node, edge, cause, why))
}

/// The edge's ends that are not there now, of those that depend on settings or state. `live` tells the ports of nodes that run
/// here.
pub(crate) fn absent(
    node: &NodeDecl,
    component: &ComponentType,
    registry: &Registry,
    peer: impl Fn(&str) -> Peer,
    live: impl Fn(&str) -> Option<Arc<LivePorts>>,
) -> Vec<Finding> {
    let is_absent = |component: &ComponentType, live: &LivePorts, port: &str| {
        component.port(port).is_some_and(|(_, info)| info.is_dynamic) && live.get(port).is_none()
    };
    let mut findings = Vec::new();
    for edge in &node.edges {
        let mut say = |name: &str, port: &str, live: &LivePorts| {
            let why = format!(
                "node `{name}` has no port `{port}` now; its ports follow settings and state, here they are {live}"
            );
            findings.push(at(node, edge, Cause::PortAbsent, why));
        };
        let name = &node.info.name;
        if let Some(live) = live(name).filter(|live| is_absent(component, live, &edge.port)) {
            say(name, &edge.port, &live);
        }
        if let Peer::Ours { component } = peer(&edge.to.node)
            && let Some(component) = registry.get(&component)
            && let Some(live) = live(&edge.to.node)
            && is_absent(component, &live, &edge.to.port)
        {
            say(&edge.to.node, &edge.to.port, &live);
        }
    }
    findings
}

fn at(node: &NodeDecl, edge: &EdgeDecl, cause: Cause, why: String) -> Finding {
    let message = format!("node `{}`, edge `{}`: {why}", node.info.name, edge.id);
    Finding { cause, edge: Some(edge.id.clone()), message }
}

/// `` `hello` has no target `imput`, did you mean `input`? It has `input` ``
fn no_port(
    node: &str,
    component: &ComponentType,
    port: &str,
    fits: impl Fn(&PortInfo) -> bool,
) -> String {
    let names = || component.ports().iter().filter(|port| fits(port)).map(|port| port.meta.name);
    format!(
        "node `{node}` ({}) has no such port `{port}`{}; here it has {}",
        component.info.name,
        words::did_you_mean(port, names()),
        words::list(names()),
    )
}
