//! The paths that a mapping reads of a message, each once.

use std::collections::HashMap;

use super::path::Segment;

/// What a walk through a message looks for, from here on.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// The slot that takes the value here.
    pub(super) slot: Option<usize>,
    pub(super) keys: Vec<(String, Wanted)>,
    pub(super) indices: Vec<(i64, Wanted)>,
}

impl Wanted {
    pub(super) fn key(&self, key: &str) -> Option<&Self> {
        self.keys.iter().find(|(name, _)| name == key).map(|(_, wanted)| wanted)
    }

    fn child(&mut self, segment: &Segment) -> &mut Self {
        match segment {
            Segment::Key(key) => entry(&mut self.keys, key),
            Segment::Index(index) => entry(&mut self.indices, index),
        }
    }
}

fn entry<'a, K: PartialEq + Clone>(entries: &'a mut Vec<(K, Wanted)>, key: &K) -> &'a mut Wanted {
    let found = entries.iter().position(|(name, _)| name == key);
    let index = found.unwrap_or_else(|| {
        entries.push((key.clone(), Wanted::default()));
        entries.len() - 1
    });
    &mut entries[index].1
}

/// The slots of a mapping, while it is compiled.
#[derive(Debug, Default)]
pub(super) struct Paths {
    pub(super) wanted: Wanted,
    /// The path of each slot; none of one that is computed.
    pub(super) list: Vec<Option<Vec<Segment>>>,
    slots: HashMap<Vec<Segment>, usize>,
}

impl Paths {
    /// The slot of a path.
    pub(super) fn slot(&mut self, path: Vec<Segment>) -> usize {
        if let Some(&slot) = self.slots.get(&path) {
            return slot;
        }
        let slot = self.list.len();
        let end = path.iter().fold(&mut self.wanted, |wanted, segment| wanted.child(segment));
        end.slot = Some(slot);
        self.list.push(Some(path.clone()));
        self.slots.insert(path, slot);
        slot
    }

    /// A slot that no path fills.
    pub(super) fn extra(&mut self) -> usize {
        self.list.push(None);
        self.list.len() - 1
    }
}
