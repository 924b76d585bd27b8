//! Which nodes the namespace has, and whose they are.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use crate::engine::Peer;

/// An index of all nodes of the namespace, kept by the node controller and read by whoever must know to which module a
/// node belongs. Cheap to clone: a clone is another handle to the same index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory(Arc<Index>);

#[derive(Debug, Default)]
struct Index {
    nodes: RwLock<BTreeMap<String, Peer>>,
    changes: watch::Sender<u64>,
}

impl Directory {
    /// What is known of the node called `name`.
    pub(crate) fn peer(&self, name: &str) -> Peer {
        let nodes = self.0.nodes.read().unwrap_or_else(PoisonError::into_inner);
        nodes.get(name).cloned().unwrap_or(Peer::Absent)
    }

    /// Notes what is known of a node; [`Peer::Absent`] takes it out. Returns whether that is new.
    pub(crate) fn put(&self, name: &str, peer: Peer) -> bool {
        let mut nodes = self.0.nodes.write().unwrap_or_else(PoisonError::into_inner);
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

    /// The names of all nodes.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.nodes.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Other modules that nodes ask for, each with the number of its nodes.
    pub(crate) fn foreign(&self) -> BTreeMap<String, usize> {
        let mut modules = BTreeMap::new();
        for peer in self.0.nodes.read().unwrap_or_else(PoisonError::into_inner).values() {
            if let Peer::Foreign { module } = peer {
                *modules.entry(module.clone()).or_default() += 1;
            }
        }
        modules
    }

    /// Tells of every change from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_news_is_told() {
        let directory = Directory::default();
        let mut changes = directory.changes();
        let foreign = Peer::Foreign { module: "other".into() };
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
}
