//! The last changes of each kind, for watches. Bounded; who comes too late starts over.

use std::collections::VecDeque;
use std::sync::Arc;

use super::index::{Key, Stored};
use super::kinds::KindId;

/// Most changes kept for one kind.
const MOST_CHANGES: usize = 4096;
/// Most bytes of object text kept for one kind.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// What happened to one object.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) version: u64,
    pub(super) key: Key,
    /// The object before, absent when it was created.
    pub(super) before: Option<Arc<Stored>>,
    /// The object after; for a removal its last state with the version of the removal.
    pub(super) after: Arc<Stored>,
    pub(super) removed: bool,
}

/// The changes of one kind.
#[derive(Debug, Default)]
struct Shelf {
    changes: VecDeque<Change>,
    bytes: usize,
    /// Changes up to this version are no longer here.
    forgotten: u64,
}

/// The changes of all kinds.
#[derive(Debug)]
pub(super) struct History {
    shelves: Vec<Shelf>,
}

impl History {
    /// An empty history, where the last change of each kind was that of `heads`: who has seen that goes on, who has not starts over.
    pub(super) fn new(heads: impl IntoIterator<Item = u64>) -> Self {
        let shelf = |forgotten| Shelf { forgotten, ..Shelf::default() };
        Self { shelves: heads.into_iter().map(shelf).collect() }
    }

    pub(super) fn push(&mut self, change: Change) {
        let Some(shelf) = self.shelves.get_mut(usize::from(change.key.kind)) else { return };
        shelf.bytes += change.after.text.len();
        shelf.changes.push_back(change);
        while shelf.changes.len() > MOST_CHANGES
            || (shelf.bytes > MOST_BYTES && shelf.changes.len() > 1)
        {
            let Some(oldest) = shelf.changes.pop_front() else { break };
            shelf.bytes -= oldest.after.text.len();
            shelf.forgotten = oldest.version;
        }
    }

    /// Up to `most` changes of a kind after `version`; `None` when some of them are forgotten.
    pub(super) fn after(&self, kind: KindId, version: u64, most: usize) -> Option<Vec<Change>> {
        let shelf = self.shelves.get(usize::from(kind))?;
        if version < shelf.forgotten {
            return None;
        }
        let first = shelf.changes.partition_point(|change| change.version <= version);
        Some(shelf.changes.iter().skip(first).take(most).cloned().collect())
    }

    /// The oldest version that a watch of this kind may start from.
    pub(super) fn oldest(&self, kind: KindId) -> u64 {
        self.shelves.get(usize::from(kind)).map_or(0, |shelf| shelf.forgotten)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(version: u64) -> Change {
        let key = Key { kind: 0, namespace: "a".into(), name: "x".into() };
        let after = Arc::new(Stored::new(version, json!({ "metadata": {} })));
        Change { version, key, before: None, after, removed: false }
    }

    #[test]
    fn a_watch_gets_what_came_after_its_version() {
        let mut history = History::new([5]);
        (6..10).for_each(|version| history.push(change(version)));
        let versions: Vec<_> =
            history.after(0, 7, 100).unwrap().iter().map(|change| change.version).collect();
        assert_eq!(versions, [8, 9]);
        assert!(history.after(0, 4, 100).is_none());
        assert!(history.after(0, 5, 2).is_some_and(|changes| changes.len() == 2));
    }

    #[test]
    fn the_history_is_bounded_and_says_what_it_forgot() {
        let mut history = History::new([0]);
        (1..=MOST_CHANGES as u64 + 10).for_each(|version| history.push(change(version)));
        assert_eq!(history.oldest(0), 10);
        assert!(history.after(0, 9, 1).is_none());
        assert!(history.after(0, 10, 1).is_some());
    }
}
