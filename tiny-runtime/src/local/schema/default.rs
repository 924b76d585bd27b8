//! Filling in what a schema says when the author says nothing.

use serde_json::Value;

use super::Schema;

impl Schema {
    /// Adds the defaults of absent fields, in objects that are there. A null where null is not
    /// allowed counts as absent when there is a default.
    pub(in crate::local) fn fill(&self, value: &mut Value) {
        match value {
            Value::Object(map) => {
                for (name, schema) in &self.properties {
                    let absent = match map.get(name) {
                        None => true,
                        Some(Value::Null) => !schema.nullable,
                        Some(_) => false,
                    };
                    if let Some(default) = schema.default.as_ref().filter(|_| absent) {
                        map.insert(name.clone(), default.clone());
                    }
                    if let Some(value) = map.get_mut(name) {
                        schema.fill(value);
                    }
                }
                // A null that may not be and that no default replaces is as if not written.
                map.retain(|name, value| {
                    let schema = self.property(name).or(self.additional.as_deref());
                    !value.is_null() || schema.is_none_or(|schema| schema.nullable)
                });
                if let Some(additional) = &self.additional {
                    for (name, value) in map.iter_mut() {
                        if self.property(name).is_none() {
                            fill_or_replace(additional, value);
                        }
                    }
                }
            }
            Value::Array(list) => {
                if let Some(items) = &self.items {
                    list.iter_mut().for_each(|item| fill_or_replace(items, item));
                }
            }
            _ => {}
        }
    }
}

fn fill_or_replace(schema: &Schema, value: &mut Value) {
    if let Some(default) = schema.default.as_ref().filter(|_| value.is_null() && !schema.nullable) {
        *value = default.clone();
    }
    schema.fill(value);
}
