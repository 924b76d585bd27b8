//! What the plane holds, in memory: every object as the JSON text that readers get.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use serde_json::Value;

use super::kinds::KindId;
use super::object;

/// Where an object is. The order is the order of lists: kind, namespace, name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) kind: KindId,
    /// Empty for kinds without a namespace.
    pub(super) namespace: String,
    pub(super) name: String,
}

/// One version of one object.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) version: u64,
    pub(super) labels: Vec<(String, String)>,
    /// The whole object with its resourceVersion. Text, because that is what readers want, and
    /// because the same object as a tree takes nine times the memory.
    pub(super) text: Bytes,
}

impl Stored {
    /// Takes an object and gives it this version.
    pub(super) fn new(version: u64, mut value: Value) -> Self {
        object::metadata_mut(&mut value)
            .insert("resourceVersion".to_owned(), version.to_string().into());
        let labels = object::labels(&value);
        Self { version, labels, text: Bytes::from(value.to_string()) }
    }

    /// An object that is shown but never stored: the answer to a dry run.
    pub(super) fn unsaved(value: Value) -> Self {
        let labels = object::labels(&value);
        Self { version: 0, labels, text: Bytes::from(value.to_string()) }
    }

    /// The object as a tree.
    pub(super) fn value(&self) -> Value {
        // The text was written from a tree, so it reads back; null would only mean a broken build.
        serde_json::from_slice(&self.text).unwrap_or_default()
    }
}

/// All objects, and the version of the last change.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) version: u64,
    objects: BTreeMap<Key, Arc<Stored>>,
    /// Of each kind the version of its last change, removals too.
    heads: BTreeMap<KindId, u64>,
}

impl Index {
    pub(super) fn get(&self, key: &Key) -> Option<&Arc<Stored>> {
        self.objects.get(key)
    }

    /// Every object of a kind, of one namespace or of all, in order.
    pub(super) fn range<'a>(
        &'a self,
        kind: KindId,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Stored>)> + 'a {
        let from =
            Key { kind, namespace: namespace.unwrap_or_default().to_owned(), name: String::new() };
        self.objects.range(from..).take_while(move |(key, _)| {
            key.kind == kind && namespace.is_none_or(|namespace| key.namespace == namespace)
        })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Arc<Stored>)> {
        self.objects.iter()
    }

    pub(super) fn put(&mut self, key: Key, stored: Arc<Stored>) {
        self.note(key.kind, stored.version);
        self.objects.insert(key, stored);
    }

    pub(super) fn remove(&mut self, key: &Key, version: u64) {
        self.note(key.kind, version);
        self.objects.remove(key);
    }

    /// The version of the last change of a kind.
    pub(super) fn head(&self, kind: KindId) -> u64 {
        self.heads.get(&kind).copied().unwrap_or_default()
    }

    /// Something of a kind has changed.
    pub(super) fn note(&mut self, kind: KindId, version: u64) {
        self.version = self.version.max(version);
        let head = self.heads.entry(kind).or_default();
        *head = version.max(*head);
    }
}
