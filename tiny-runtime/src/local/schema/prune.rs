//! Dropping what a schema does not know.

use serde_json::Value;

use super::{Schema, member};

/// What every object of the API has, without a schema for it.
const HEAD: [&str; 3] = ["apiVersion", "kind", "metadata"];

impl Schema {
    /// Drops unknown fields and returns their paths, in order.
    pub(in crate::local) fn prune(&self, value: &mut Value) -> Vec<String> {
        let mut dropped = Vec::new();
        self.prune_at("", value, &mut dropped);
        dropped
    }

    fn prune_at(&self, path: &str, value: &mut Value, dropped: &mut Vec<String>) {
        match value {
            Value::Object(map) => map.retain(|name, value| {
                if let Some(schema) = self.property(name).or(self.additional.as_deref()) {
                    schema.prune_at(&member(path, name), value, dropped);
                    return true;
                }
                let known = self.preserve || (self.embedded && HEAD.contains(&name.as_str()));
                if !known {
                    dropped.push(member(path, name));
                }
                known
            }),
            Value::Array(list) => {
                if let Some(items) = &self.items {
                    for (at, item) in list.iter_mut().enumerate() {
                        items.prune_at(&format!("{path}[{at}]"), item, dropped);
                    }
                }
            }
            _ => {}
        }
    }
}
