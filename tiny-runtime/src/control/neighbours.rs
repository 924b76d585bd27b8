//! The nodes of other modules, as far as nodes of this one share definitions with them.

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt;
use kube::runtime::watcher::Event;
use tiny_crds::{ModuleComponent, Payload, TinyModule, TinyNode, names};

use super::sharing::{Member, PortSchema, Sharing};

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
}

impl Offer {
    fn of(component: &ModuleComponent) -> Self {
        let names = std::iter::once(&component.name).chain(&component.aliases).cloned().collect();
        Self { names, ports: component.ports.iter().filter_map(PortSchema::of).collect() }
    }
}

impl Neighbours {
    pub(super) fn of(own: &str) -> Self {
        Self { own: own.to_owned(), ..Self::default() }
    }

    /// Takes in one event of the watch of modules.
    pub(super) fn observe(&mut self, event: Event<TinyModule>, sharing: &mut Sharing) {
        match event {
            Event::Init => self.listing.clear(),
            Event::InitApply(module) => {
                self.listing.insert(module.name_any());
                self.put_module(&module, sharing);
            }
            Event::InitDone => {
                let known = self.modules.keys();
                let gone: Vec<String> =
                    known.filter(|name| !self.listing.contains(*name)).cloned().collect();
                gone.iter().for_each(|name| self.drop_module(name, sharing));
            }
            Event::Apply(module) => self.put_module(&module, sharing),
            Event::Delete(module) => self.drop_module(&module.name_any(), sharing),
        }
    }

    fn put_module(&mut self, module: &TinyModule, sharing: &mut Sharing) {
        let name = module.name_any();
        if names::same_module(&name, &self.own) {
            return;
        }
        let components = module.status.iter().flat_map(|status| &status.components);
        let offers: Vec<Offer> = components.map(Offer::of).collect();
        if self.modules.get(&name) != Some(&offers) {
            self.modules.insert(name.clone(), offers);
            self.again(&name, sharing);
        }
    }

    fn drop_module(&mut self, name: &str, sharing: &mut Sharing) {
        if self.modules.remove(name).is_some() {
            self.again(name, sharing);
        }
    }

    /// Looks again at all nodes of a module.
    fn again(&self, module: &str, sharing: &mut Sharing) {
        for (name, node) in self.nodes.iter().filter(|(_, node)| node.belongs_to(module)) {
            sharing.put(name, Some(self.member(node)));
        }
    }

    /// Notes a node of another module.
    pub(super) fn put_node(&mut self, node: TinyNode, sharing: &mut Sharing) {
        let (name, node) = (node.name_any(), slim(node));
        sharing.put(&name, Some(self.member(&node)));
        self.nodes.insert(name, node);
    }

    /// Forgets a node, which is gone or belongs to this module now.
    pub(super) fn drop_node(&mut self, name: &str) {
        self.nodes.remove(name);
    }

    /// The node's own schemas where it has some, else those of its module.
    fn member(&self, node: &TinyNode) -> Member {
        let own = node.status.iter().flat_map(|status| &status.ports).filter_map(PortSchema::of);
        let mut ports: Vec<PortSchema> = own.collect();
        let module = self.modules.iter().find(|(name, _)| node.belongs_to(name));
        let offers = module.map(|(_, offers)| offers).into_iter().flatten();
        let mut offers = offers.filter(|offer| offer.names.contains(&node.spec.component));
        for port in offers.next().into_iter().flat_map(|offer| &offer.ports) {
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
    for port in &mut node.spec.ports {
        port.configuration = Payload::ABSENT;
    }
    for edge in &mut node.spec.edges {
        edge.configuration = None;
    }
    if let Some(status) = &mut node.status {
        status.metadata.clear();
        status.conditions.clear();
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
        let (mut sharing, mut neighbours) = (Sharing::default(), Neighbours::of("mine"));
        sharing.put("mine", Some(mine()));
        neighbours.put_node(node("far", "begin", &json!({})), &mut sharing);
        assert_eq!(title(&sharing), None);

        let said = json!({"type": "object", "shared": true, "title": "Of the module"});
        let event = Event::Apply(module("other-module", &said));
        neighbours.observe(event, &mut sharing);
        assert_eq!(title(&sharing).as_deref(), Some("Of the module"));

        let own = json!({"$defs": {"Context": {"type": "object", "shared": true, "title": "Of the node"}}});
        let status = json!({"ports": [{"name": "out", "source": true, "schema": own}]});
        neighbours.put_node(node("far", "begin", &status), &mut sharing);
        assert_eq!(title(&sharing).as_deref(), Some("Of the node"));

        neighbours.put_node(node("far", "begin", &json!({})), &mut sharing);
        neighbours.observe(Event::Init, &mut sharing);
        neighbours.observe(Event::InitDone, &mut sharing);
        assert_eq!(title(&sharing), None, "the module is gone");
    }
}
