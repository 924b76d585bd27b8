//! The components that a binary registers.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::component::{ComponentType, Registration};

/// Components by name. A value, not a global: two tests can hold two of them.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    components: BTreeMap<&'static str, Arc<ComponentType>>,
    aliases: BTreeMap<&'static str, &'static str>,
}

impl Registry {
    /// What this binary registers by `#[component]`.
    ///
    /// # Errors
    /// When two components share a name or an alias; the sentence names both places.
    pub fn collect() -> Result<Self, DuplicateName> {
        let mut registry = Self::default();
        let mut places = BTreeMap::new();
        for registration in inventory::iter::<Registration> {
            let component = registration.component();
            for name in std::iter::once(&component.info.name).chain(component.info.aliases) {
                if let Some(first) = places.insert(*name, registration.place()) {
                    let second = registration.place();
                    return Err(DuplicateName { name, first, second });
                }
            }
            registry.insert(component);
        }
        Ok(registry)
    }

    /// Adds a component; one of the same name is replaced.
    pub fn insert(&mut self, component: ComponentType) {
        self.share(Arc::new(component));
    }

    /// Adds a component that another registry has, too.
    pub(crate) fn share(&mut self, component: Arc<ComponentType>) {
        for alias in component.info.aliases {
            self.aliases.insert(alias, component.info.name);
        }
        self.components.insert(component.info.name, component);
    }

    /// The component called `name`, now or in an older version.
    pub fn get(&self, name: &str) -> Option<&Arc<ComponentType>> {
        self.components.get(self.aliases.get(name).copied().unwrap_or(name))
    }

    /// All components, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ComponentType>> {
        self.components.values()
    }

    /// Their names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.components.keys().copied()
    }

    /// True when nothing is registered.
    pub fn is_empty(&self) -> bool {
        self.components.is_empty()
    }
}

/// Two components want the same name.
#[derive(Debug, thiserror::Error)]
#[error("two components are called `{name}`: one in {first}, one in {second}; rename one of them")]
pub struct DuplicateName {
    name: &'static str,
    first: &'static str,
    second: &'static str,
}
