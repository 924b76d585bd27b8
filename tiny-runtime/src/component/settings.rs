//! The configuration cell of a component.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::Value;

use super::{DecodeError, Message};

/// The settings of a node: a value that the framework swaps whole when the node's configuration changes.
///
/// A field of this type gives its component the `_settings` port. Keys that a flow leaves out keep the value of
/// `T::default()`, objects recursively.
///
/// ```
/// use tiny_runtime::prelude::*;
///
/// /// How to greet.
/// #[message]
/// #[derive(Default)]
/// pub struct Greeting {
///     /// The first word.
///     pub salutation: String,
/// }
///
/// let settings = Settings::<Greeting>::default();
/// assert_eq!(settings.get().salutation, "");
/// ```
pub struct Settings<T>(ArcSwap<T>);

impl<T> Settings<T> {
    /// The settings as they are now. Keep the `Arc` for as long as the answer must not change.
    pub fn get(&self) -> Arc<T> {
        self.0.load_full()
    }

    pub(crate) fn put(&self, settings: T) {
        self.0.store(Arc::new(settings));
    }
}

impl<T: Default> Default for Settings<T> {
    fn default() -> Self {
        Self(ArcSwap::from_pointee(T::default()))
    }
}

impl<T: fmt::Debug> fmt::Debug for Settings<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Settings").field(&self.0.load()).finish()
    }
}

/// A component whose settings are a `T`. `#[component]` on a struct with a field `Settings<T>` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no settings of type `{T}`",
    label = "no field `Settings<{T}>`",
    note = "a settings hook takes what the field `Settings<T>` of its component holds"
)]
pub trait SettingsOf<T> {
    /// The cell that holds them.
    fn settings_cell(&self) -> &Settings<T>;
}

/// A settings cell whose type is known to its component only.
pub trait SettingsCell: Send + Sync {
    /// Replaces the settings by the defaults overlaid with `configuration`.
    ///
    /// # Errors
    /// Says which field does not fit; the settings stay as they were.
    fn apply(&self, configuration: Option<&Value>) -> Result<(), DecodeError>;
}

impl<T: Message + Default> SettingsCell for Settings<T> {
    fn apply(&self, configuration: Option<&Value>) -> Result<(), DecodeError> {
        self.put(settings_of(configuration)?);
        Ok(())
    }
}

/// `T::default()` overlaid with `configuration`: keys that it lacks keep their defaults, objects recursively.
pub(crate) fn settings_of<T: Message + Default>(
    configuration: Option<&Value>,
) -> Result<T, DecodeError> {
    let Some(configuration) = configuration else { return Ok(T::default()) };
    let mut merged = serde_json::to_value(T::default())?;
    overlay(&mut merged, configuration);
    super::body::from_value(&merged)
}

/// Objects merge key by key; anything else replaces.
fn overlay(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(key) {
                    Some(slot) => overlay(slot, value),
                    None => {
                        base.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (base, over) => *base = over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_merge_and_the_rest_replaces() {
        let mut base = json!({"a": {"x": 1, "y": [1, 2]}, "b": 1});
        overlay(&mut base, &json!({"a": {"y": [3]}, "c": null}));
        assert_eq!(base, json!({"a": {"x": 1, "y": [3]}, "b": 1, "c": null}));
    }
}
