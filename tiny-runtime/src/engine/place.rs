//! Where edges find their nodes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use arc_swap::ArcSwapOption;

use super::runner::Runner;

/// The place of one node. It stays while instances come and go, so that an edge looks its target up once and not for each message.
pub(crate) struct Place(ArcSwapOption<Runner>);

impl Place {
    /// The live instance, if there is one here.
    pub(crate) fn runner(&self) -> Option<Arc<Runner>> {
        self.0.load_full()
    }
}

/// The places of all nodes that are here, or that an edge leads to.
#[derive(Default)]
pub(crate) struct Places(RwLock<HashMap<Arc<str>, Arc<Place>>>);

impl Places {
    /// The place of node `name`, whether it is here or not.
    pub(crate) fn of(&self, name: &str) -> Arc<Place> {
        if let Some(place) = self.read().get(name) {
            return place.clone();
        }
        let empty = || Arc::new(Place(ArcSwapOption::empty()));
        self.write().entry(name.into()).or_insert_with(empty).clone()
    }

    /// The live instance of node `name`.
    pub(crate) fn runner(&self, name: &str) -> Option<Arc<Runner>> {
        self.read().get(name)?.runner()
    }

    /// All live instances, by the names of their nodes.
    pub(crate) fn runners(&self) -> Vec<(Arc<str>, Arc<Runner>)> {
        let places = self.read();
        let live = |(name, place): (&Arc<str>, &Arc<Place>)| Some((name.clone(), place.runner()?));
        let mut runners: Vec<_> = places.iter().filter_map(live).collect();
        // What happens to all of them happens in the same order every time.
        runners.sort_by(|(one, _), (other, _)| one.cmp(other));
        runners
    }

    /// Puts an instance, or none, in place of what was there.
    pub(crate) fn put(&self, name: &str, runner: Option<Arc<Runner>>) -> Option<Arc<Runner>> {
        let before = self.of(name).0.swap(runner);
        self.forget(name);
        before
    }

    /// Forgets a place where nothing is, and where nothing leads.
    pub(crate) fn forget(&self, name: &str) {
        let mut places = self.write();
        let unused = |place: &Arc<Place>| Arc::strong_count(place) == 1 && place.0.load().is_none();
        if places.get(name).is_some_and(unused) {
            places.remove(name);
        }
    }

    /// Lets go of all instances. They hold places, those to which their edges lead and all others, so nothing else would.
    pub(crate) fn clear(&self) {
        let places = std::mem::take(&mut *self.write());
        for place in places.values() {
            place.0.store(None);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Arc<str>, Arc<Place>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Arc<str>, Arc<Place>>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_stays_while_an_edge_leads_to_it_and_no_longer() {
        let places = Places::default();
        let place = places.of("a");
        assert!(Arc::ptr_eq(&place, &places.of("a")));
        places.forget("a");
        assert!(Arc::ptr_eq(&place, &places.of("a")), "an edge leads there");
        drop(place);
        places.forget("a");
        assert!(places.read().is_empty());
        assert!(places.put("b", None).is_none());
        assert!(places.read().is_empty(), "nobody was there, and nothing leads there");
    }
}
