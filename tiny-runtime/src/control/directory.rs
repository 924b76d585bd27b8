//! Which nodes the namespace has, whose they are, and where their modules are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use kube::ResourceExt;
use kube::runtime::watcher::Event;
use tiny_crds::{TinyModule, names};
use tokio::sync::watch;

use crate::engine::Peer;

/// An index of all nodes of the namespace and of the addresses of its modules, kept by the node controller and read by whoever must know
/// to which module a node belongs. Cheap to clone: a clone is another handle to the same index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory(Arc<Index>);

/// Where modules are, each under its sanitised name, as `host:port`.
pub(crate) type Addresses = BTreeMap<String, String>;

#[derive(Debug, Default)]
struct Index {
    nodes: RwLock<BTreeMap<String, Peer>>,
    /// Of nodes of other modules the sanitised name of the module: asked for every message.
    modules: RwLock<HashMap<String, Arc<str>>>,
    changes: watch::Sender<u64>,
    addresses: watch::Sender<Addresses>,
    /// The objects of modules that are there and stay.
    installed: RwLock<BTreeSet<String>>,
    /// Those of them that a list under way has brought.
    listing: RwLock<BTreeSet<String>>,
}

impl Directory {
    /// What is known of the node called `name`.
    pub(crate) fn peer(&self, name: &str) -> Peer {
        match self.read().get(name).cloned() {
            Some(Peer::Foreign { module, .. }) => {
                let is_known = self.0.addresses.borrow().contains_key(&names::sanitise(&module));
                Peer::Foreign { module, is_known }
            }
            known => known.unwrap_or(Peer::Absent),
        }
    }

    /// The sanitised name of the module of a node, if that is another module than this.
    pub(crate) fn foreign_module(&self, name: &str) -> Option<Arc<str>> {
        self.0.modules.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Notes what is known of a node; [`Peer::Absent`] takes it out. Returns whether that is new.
    pub(crate) fn put(&self, name: &str, peer: Peer) -> bool {
        let mut modules = self.0.modules.write().unwrap_or_else(PoisonError::into_inner);
        match &peer {
            Peer::Foreign { module, .. } => {
                drop(modules.insert(name.to_owned(), names::sanitise(module).into()));
            }
            Peer::Ours { .. } | Peer::Absent => drop(modules.remove(name)),
        }
        drop(modules);
        let mut nodes = self.write();
        let before = match &peer {
            Peer::Absent => nodes.remove(name),
            _ => nodes.insert(name.to_owned(), peer.clone()),
        };
        drop(nodes);
        let changed = before.unwrap_or(Peer::Absent) != peer;
        if changed {
            self.0.changes.send_modify(|count| *count += 1);
        }
        changed
    }

    /// Takes in one event of the watch of modules. Returns the sanitised names of those that are somewhere else now.
    pub(crate) fn observe(&self, event: &Event<TinyModule>) -> BTreeSet<String> {
        let mut listing = self.0.listing.write().unwrap_or_else(PoisonError::into_inner);
        let mut installed = self.0.installed.write().unwrap_or_else(PoisonError::into_inner);
        let named = |module: &TinyModule| names::sanitise(&module.name_any());
        match event {
            Event::InitApply(module) => drop(listing.insert(named(module))),
            Event::InitDone => installed.clone_from(&listing),
            Event::Apply(module) if module.metadata.deletion_timestamp.is_none() => {
                installed.insert(named(module));
            }
            Event::Apply(module) | Event::Delete(module) => drop(installed.remove(&named(module))),
            Event::Init => listing.clear(),
        }
        match event {
            Event::Init => BTreeSet::new(),
            Event::InitApply(module) => self.place(module),
            Event::InitDone => {
                let gone = |name: &&String| !listing.contains(*name);
                let gone: Vec<String> =
                    self.0.addresses.borrow().keys().filter(gone).cloned().collect();
                gone.iter().flat_map(|name| self.put_address(name, "")).collect()
            }
            Event::Apply(module) => self.place(module),
            Event::Delete(module) => self.put_address(&named(module), ""),
        }
    }

    /// Whether the module of this sanitised name has an object that stays. One without has been uninstalled, or was never installed.
    pub(crate) fn is_installed(&self, module: &str) -> bool {
        self.0.installed.read().unwrap_or_else(PoisonError::into_inner).contains(module)
    }

    fn place(&self, module: &TinyModule) -> BTreeSet<String> {
        let address = module.status.as_ref().map(|status| status.addr.as_str());
        self.put_address(&names::sanitise(&module.name_any()), address.unwrap_or_default())
    }

    /// Notes where a module is; an empty address is none.
    fn put_address(&self, module: &str, address: &str) -> BTreeSet<String> {
        let changed = self.0.addresses.send_if_modified(|addresses| match address {
            "" => addresses.remove(module).is_some(),
            _ => {
                addresses.insert(module.to_owned(), address.to_owned()).as_deref() != Some(address)
            }
        });
        changed.then(|| module.to_owned()).into_iter().collect()
    }

    /// Where modules are, followed as it changes.
    pub(crate) fn addresses(&self) -> watch::Receiver<Addresses> {
        self.0.addresses.subscribe()
    }

    /// The names of all nodes.
    pub(crate) fn names(&self) -> Vec<String> {
        self.read().keys().cloned().collect()
    }

    /// Other modules that nodes ask for, each with the number of its nodes.
    pub(crate) fn foreign(&self) -> BTreeMap<String, usize> {
        let mut modules = BTreeMap::new();
        for peer in self.read().values() {
            if let Peer::Foreign { module, .. } = peer {
                *modules.entry(module.clone()).or_default() += 1;
            }
        }
        modules
    }

    /// Tells of every change of nodes from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Peer>> {
        self.0.nodes.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Peer>> {
        self.0.nodes.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_news_is_told() {
        let directory = Directory::default();
        let mut changes = directory.changes();
        let foreign = Peer::Foreign { module: "other".into(), is_known: false };
        assert!(directory.put("a", foreign.clone()));
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        assert!(!directory.put("a", foreign.clone()));
        assert!(!changes.has_changed().unwrap());
        assert_eq!(directory.peer("a"), foreign);
        assert_eq!(directory.foreign(), BTreeMap::from([("other".to_owned(), 1)]));
        assert!(directory.put("a", Peer::Absent));
        assert!(directory.names().is_empty());
    }

    #[test]
    fn a_module_is_known_while_it_says_where_it_is() {
        let module = |addr: &str| {
            let module =
                json!({"metadata": {"name": "other-one"}, "spec": {}, "status": {"addr": addr}});
            serde_json::from_value::<TinyModule>(module).unwrap()
        };
        let directory = Directory::default();
        directory.put("a", Peer::Foreign { module: "other_one".into(), is_known: false });
        let is_known = || matches!(directory.peer("a"), Peer::Foreign { is_known: true, .. });
        assert!(directory.observe(&Event::Apply(module(""))).is_empty() && !is_known());
        assert_eq!(directory.observe(&Event::Apply(module("h:1"))).len(), 1);
        assert!(is_known());
        assert!(directory.observe(&Event::Apply(module("h:1"))).is_empty(), "nothing new");
        assert_eq!(directory.observe(&Event::Apply(module("h:2"))).len(), 1);
        assert!(directory.observe(&Event::Init).is_empty());
        assert_eq!(directory.observe(&Event::InitDone).len(), 1);
        assert!(!is_known(), "the list had it no more");
    }

    #[test]
    fn a_module_is_installed_while_its_object_stays() {
        let module = |metadata| -> TinyModule {
            serde_json::from_value(json!({"metadata": metadata, "spec": {}})).unwrap()
        };
        let stays = || module(json!({"name": "one"}));
        let going = || module(json!({"name": "one", "deletionTimestamp": "2026-01-01T00:00:00Z"}));
        let directory = Directory::default();
        let is_installed = |event| {
            directory.observe(&event);
            directory.is_installed("one")
        };
        assert!(!is_installed(Event::Init) && !is_installed(Event::InitApply(stays())));
        assert!(is_installed(Event::InitDone));
        assert!(!is_installed(Event::Apply(going())) && is_installed(Event::Apply(stays())));
        assert!(!is_installed(Event::Delete(stays())));
        assert!(is_installed(Event::Apply(stays())) && is_installed(Event::Init));
        assert!(!is_installed(Event::InitDone), "the list had it no more");
    }
}
