//! Where the state of nodes is stored.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::component::{BoxFuture, Error, Result};

/// What is stored of one node: texts by key, and the version that they have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Changes with every write; `None` when nobody has read it yet.
    pub version: Option<String>,
    /// The texts.
    pub texts: BTreeMap<String, String>,
}

impl Stored {
    /// True when `other` was surely stored before this. Versions count up (Kubernetes has said so since 1.35); of others nobody
    /// can tell.
    pub(crate) fn is_newer_than(&self, other: &Self) -> bool {
        let number = |stored: &Self| stored.version.as_deref()?.parse::<u128>().ok();
        matches!((number(self), number(other)), (Some(own), Some(theirs)) if own > theirs)
    }
}

/// A write came to nothing.
#[derive(Debug)]
pub enum Unwritten {
    /// Somebody else has written since that version was read.
    Conflict,
    /// Another reason.
    Failed(Error),
}

/// Stores the state of nodes: the plane does, or memory in tests.
pub trait StateStore: Send + Sync {
    /// What is stored of `node` now.
    fn read<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<Stored>>;

    /// Writes `changes` over `version` and keeps all other texts; returns what is stored then.
    fn write<'a>(
        &'a self,
        node: &'a str,
        version: Option<&'a str>,
        changes: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Stored, Unwritten>>;
}

/// A store that ends with its process.
#[derive(Debug, Default)]
pub struct Memory(Mutex<HashMap<String, Stored>>);

impl Memory {
    /// What is stored of `node` now.
    pub fn stored(&self, node: &str) -> Stored {
        let nodes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = || Stored { version: Some("0".into()), ..Stored::default() };
        nodes.get(node).cloned().unwrap_or_else(first)
    }

    /// Stores `changes` whatever was there, as a user of `kubectl edit` might.
    pub fn put(&self, node: &str, changes: &BTreeMap<String, String>) -> Stored {
        let before = self.stored(node);
        let version = before.version.and_then(|version| version.parse::<u64>().ok());
        let mut texts = before.texts;
        texts.extend(changes.iter().map(|(key, text)| (key.clone(), text.clone())));
        let stored = Stored { version: Some((version.unwrap_or(0) + 1).to_string()), texts };
        let mut nodes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.insert(node.to_owned(), stored.clone());
        stored
    }
}

impl StateStore for Memory {
    fn read<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<Stored>> {
        Box::pin(async move { Ok(self.stored(node)) })
    }

    fn write<'a>(
        &'a self,
        node: &'a str,
        version: Option<&'a str>,
        changes: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Stored, Unwritten>> {
        Box::pin(async move {
            // Others may write between a read and this, as on a plane.
            tokio::task::yield_now().await;
            if self.stored(node).version.as_deref() != version {
                return Err(Unwritten::Conflict);
            }
            Ok(self.put(node, changes))
        })
    }
}
