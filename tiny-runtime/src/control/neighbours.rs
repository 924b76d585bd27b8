//! The nodes of other modules, as far as nodes of this one share definitions with them.

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt;
use kube::runtime::watcher::Event;
use tiny_crds::{ModuleComponent, Payload, TinyModule, TinyNode, names};

use super::sharing::{Member, PortSchema, Sharing};
use super::{declare, face};
use crate::engine::{Face, Proofs};

/// Kept by the node controller.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    /// The module of this process.
    own: String,
    /// The nodes, without what nobody here reads.
    nodes: BTreeMap<String, TinyNode>,
    /// The components of their modules, with the ports whose definitions may travel.
    modules: BTreeMap<String, Vec<Offer>>,
    /// What a list of modules that is under way has brought so far.
    listing: BTreeSet<String>,
}

#[derive(Debug, PartialEq)]
struct Offer {
    names: Vec<String>,
    ports: Vec<PortSchema>,
    face: Face,
}

/// What is kept of all nodes, these among them.
pub(super) struct Known<'a> {
    pub(super) sharing: &'a mut Sharing,
    pub(super) proofs: &'a mut Proofs,
}

impl Offer {
    fn of(component: &ModuleComponent) -> Self {
        let names = std::iter::once(&component.name).chain(&component.aliases).cloned().collect();
        let ports = component.ports.iter().filter_map(PortSchema::of).collect();
        Self { names, ports, face: face::told(component) }
    }
}

impl Neighbours {
    pub(super) fn of(own: &str) -> Self {
        Self { own: own.to_owned(), ..Self::default() }
    }

    /// Takes in one event of the watch of modules.
    pub(super) fn observe(&mut self, event: Event<TinyModule>, known: &mut Known<'_>) {
        match event {
            Event::Init => self.listing.clear(),
            Event::InitApply(module) => {
                self.listing.insert(module.name_any());
                self.put_module(&module, known);
            }
            Event::InitDone => {
                let names = self.modules.keys();
                let gone: Vec<String> =
                    names.filter(|name| !self.listing.contains(*name)).cloned().collect();
                gone.iter().for_each(|name| self.drop_module(name, known));
            }
            Event::Apply(module) => self.put_module(&module, known),
            Event::Delete(module) => self.drop_module(&module.name_any(), known),
        }
    }

    fn put_module(&mut self, module: &TinyModule, known: &mut Known<'_>) {
        let name = module.name_any();
        if names::same_module(&name, &self.own) {
            return;
        }
        let components = module.status.iter().flat_map(|status| &status.components);
        let offers: Vec<Offer> = components.map(Offer::of).collect();
        if self.modules.get(&name) != Some(&offers) {
            self.modules.insert(name.clone(), offers);
            self.again(&name, known);
        }
    }

    fn drop_module(&mut self, name: &str, known: &mut Known<'_>) {
        if self.modules.remove(name).is_some() {
            self.again(name, known);
        }
    }

    /// Looks again at all nodes of a module.
    fn again(&self, module: &str, known: &mut Known<'_>) {
        for (name, node) in self.nodes.iter().filter(|(_, node)| node.belongs_to(module)) {
            self.tell(name, node, known);
        }
    }

    /// Notes a node of another module.
    pub(super) fn put_node(&mut self, node: TinyNode, known: &mut Known<'_>) {
        let (name, node) = (node.name_any(), slim(node));
        self.tell(&name, &node, known);
        self.nodes.insert(name, node);
    }

    fn tell(&self, name: &str, node: &TinyNode, known: &mut Known<'_>) {
        known.sharing.put(name, Some(self.member(node)));
        known.proofs.put(name, Some(face::site(node, &declare(node), self.face(node))));
    }

    /// The component of a node, as its module tells of it.
    fn offer(&self, node: &TinyNode) -> Option<&Offer> {
        let module = self.modules.iter().find(|(name, _)| node.belongs_to(name));
        let mut offers = module.map(|(_, offers)| offers).into_iter().flatten();
        offers.find(|offer| offer.names.contains(&node.spec.component))
    }

    /// What the module tells of the node's ports, and the node of those that only it has.
    fn face(&self, node: &TinyNode) -> Face {
        let told = self.offer(node).map(|offer| offer.face.clone()).unwrap_or_default();
        told.with(face::told_of_node(
            node.status.as_ref().map(|status| &*status.ports).unwrap_or_default(),
        ))
    }

    /// Forgets a node, which is gone or belongs to this module now.
    pub(super) fn drop_node(&mut self, name: &str) {
        self.nodes.remove(name);
    }

    /// The node's own schemas where it has some, else those of its module.
    fn member(&self, node: &TinyNode) -> Member {
        let own = node.status.iter().flat_map(|status| &status.ports).filter_map(PortSchema::of);
        let mut ports: Vec<PortSchema> = own.collect();
        for port in self.offer(node).into_iter().flat_map(|offer| &offer.ports) {
            if !ports.iter().any(|own| own.name == port.name) {
                ports.push(port.clone());
            }
        }
        Member::foreign(node, ports)
    }
}

/// The node without what can be large and is not read here.
fn slim(mut node: TinyNode) -> TinyNode {
    node.metadata.annotations = None;
    if let Some(status) = &mut node.status {
        status.metadata.clear();
        status.conditions.clear();
        status.edges.clear();
        for port in &mut status.ports {
            port.configuration = Payload::ABSENT;
        }
    }
    node
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tiny_crds::PortStatus;

    use super::*;

    fn module(name: &str, context: &Value) -> TinyModule {
        serde_json::from_value(json!({
            "metadata": {"name": name}, "spec": {},
            "status": {"components": [{"name": "start", "aliases": ["begin"], "ports": [
                {"name": "out", "source": true, "schema": {"$defs": {"Context": context}}}
            ]}]}
        }))
        .unwrap()
    }

    fn node(name: &str, component: &str, status: &Value) -> TinyNode {
        serde_json::from_value(json!({
            "metadata": {"name": name},
            "spec": {"module": "other/module", "component": component, "edges": [
                {"id": "e", "port": "out", "to": "mine:in", "configuration": {"context": "{{ $ }}"}}
            ]},
            "status": status
        }))
        .unwrap()
    }

    fn mine() -> Member {
        let open = json!({"$defs": {"Context": {"configurable": true, "path": "$.context"}}});
        let port: PortStatus =
            serde_json::from_value(json!({"name": "in", "schema": open})).unwrap();
        let ports = PortSchema::of(&port).into_iter().collect();
        Member::new(&node("mine", "c", &json!({})), &[], ports)
    }

    fn title(sharing: &Sharing) -> Option<String> {
        let context = sharing.effective("mine").get("in")?.value();
        context["$defs"]["Context"]["title"].as_str().map(str::to_owned)
    }

    #[test]
    fn a_node_of_another_module_shares_what_its_module_says_and_then_what_it_says_itself() {
        let (mut sharing, mut proofs) = (Sharing::default(), Proofs::default());
        let mut known = Known { sharing: &mut sharing, proofs: &mut proofs };
        let mut neighbours = Neighbours::of("mine");
        known.sharing.put("mine", Some(mine()));
        neighbours.put_node(node("far", "begin", &json!({})), &mut known);
        assert_eq!(title(known.sharing), None);

        let said = json!({"type": "object", "shared": true, "title": "Of the module"});
        let event = Event::Apply(module("other-module", &said));
        neighbours.observe(event, &mut known);
        assert_eq!(title(known.sharing).as_deref(), Some("Of the module"));

        let own = json!({"$defs": {"Context": {"type": "object", "shared": true, "title": "Of the node"}}});
        let status = json!({"ports": [{"name": "out", "source": true, "schema": own}]});
        neighbours.put_node(node("far", "begin", &status), &mut known);
        assert_eq!(title(known.sharing).as_deref(), Some("Of the node"));

        neighbours.put_node(node("far", "begin", &json!({})), &mut known);
        neighbours.observe(Event::Init, &mut known);
        neighbours.observe(Event::InitDone, &mut known);
        assert_eq!(title(known.sharing), None, "the module is gone");
    }
}
