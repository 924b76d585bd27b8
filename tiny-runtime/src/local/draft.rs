//! Changes that are decided but not yet durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::history::Change;
use super::index::{Index, Key, Stored};
use super::kinds::KindId;

/// The state that a write decides on: what is stored, with the changes before it in the same
/// batch. A write that fails must not have put or removed anything.
pub(super) struct Draft<'a> {
    index: &'a Index,
    pub(super) version: u64,
    touched: BTreeMap<Key, Option<Arc<Stored>>>,
    pub(super) changes: Vec<Change>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(index: &'a Index) -> Self {
        Self { index, version: index.version, touched: BTreeMap::new(), changes: Vec::new() }
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Stored>> {
        match self.touched.get(key) {
            Some(touched) => touched.clone(),
            None => self.index.get(key).cloned(),
        }
    }

    /// Every object of a kind, of one namespace or of all, in order.
    pub(super) fn range(&self, kind: KindId, namespace: Option<&str>) -> Vec<(Key, Arc<Stored>)> {
        let mut found: BTreeMap<_, _> = self
            .index
            .range(kind, namespace)
            .map(|(key, stored)| (key.clone(), Arc::clone(stored)))
            .collect();
        for (key, stored) in &self.touched {
            let meant = key.kind == kind && namespace.is_none_or(|name| key.namespace == name);
            match stored {
                Some(stored) if meant => found.insert(key.clone(), Arc::clone(stored)),
                _ => found.remove(key),
            };
        }
        found.into_iter().collect()
    }

    /// Whether a namespace has an object of a kind.
    pub(super) fn holds_any(&self, kind: KindId, namespace: &str) -> bool {
        let here = |key: &Key| key.kind == kind && key.namespace == namespace;
        let added = |(key, stored): (&Key, &Option<_>)| here(key) && stored.is_some();
        self.touched.iter().any(added)
            || self
                .index
                .range(kind, Some(namespace))
                .any(|(key, _)| !self.touched.contains_key(key))
    }

    /// Stores an object under the next version.
    pub(super) fn put(&mut self, key: &Key, value: Value) -> Arc<Stored> {
        self.change(key, value, false)
    }

    /// Removes an object; `last` is what its watchers see last.
    pub(super) fn remove(&mut self, key: &Key, last: Value) -> Arc<Stored> {
        self.change(key, last, true)
    }

    fn change(&mut self, key: &Key, value: Value, removed: bool) -> Arc<Stored> {
        self.version += 1;
        let before = self.get(key);
        let after = Arc::new(Stored::new(self.version, value));
        self.touched.insert(key.clone(), (!removed).then(|| Arc::clone(&after)));
        self.changes.push(Change {
            version: self.version,
            key: key.clone(),
            before,
            after: Arc::clone(&after),
            removed,
        });
        after
    }
}
