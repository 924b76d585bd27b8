//! Which nodes have something new to show.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// What changed of nodes, until somebody takes it: often said, once taken.
#[derive(Debug, Default)]
pub(super) struct News {
    changed: Mutex<BTreeMap<String, What>>,
    any: Notify,
}

/// What changed of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct What {
    /// Its ports did, so that edges of others may fit now, or no longer.
    pub ports: bool,
}

impl News {
    /// Says that `node` has changed.
    pub(super) fn of(&self, node: &str, what: What) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        match changed.get_mut(node) {
            Some(known) => known.ports |= what.ports,
            None => drop(changed.insert(node.to_owned(), what)),
        }
        drop(changed);
        self.any.notify_one();
    }

    fn taken(&self) -> BTreeMap<String, What> {
        std::mem::take(&mut *self.changed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for news and takes all of them.
    pub(super) async fn take(&self) -> BTreeMap<String, What> {
        loop {
            let any = self.any.notified();
            let taken = self.taken();
            if !taken.is_empty() {
                return taken;
            }
            any.await;
        }
    }
}
