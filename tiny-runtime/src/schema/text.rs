//! Schemas as they are kept: text, each once in the process. A schema of 8 KB takes 72 KB as a parsed value.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use serde_json::Value;

/// A schema as compact JSON text. A clone is a reference count, and equal texts share their memory.
///
/// ```
/// use tiny_runtime::schema;
///
/// let (one, other) = (schema::text::<Vec<u8>>(), schema::text::<Vec<u8>>());
/// assert_eq!(one.as_ptr(), other.as_ptr());
/// assert_eq!(one.value(), schema::of::<Vec<u8>>());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Text(Arc<str>);

/// All texts that somebody holds, and the texts of types.
#[derive(Default)]
struct Shelf {
    texts: HashSet<Arc<str>>,
    types: HashMap<TypeId, Text>,
    /// How many texts there may be before those that nobody holds are looked for.
    room: usize,
}

static SHELF: LazyLock<Mutex<Shelf>> = LazyLock::new(Mutex::default);

impl Text {
    /// The schema, parsed anew on each call.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// The text itself, shared.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }

    /// The text of the type `id`, which `make` tells when nobody has asked for it yet.
    pub(super) fn of_type(id: TypeId, make: impl FnOnce() -> Value) -> Self {
        let known = SHELF.lock().unwrap_or_else(PoisonError::into_inner).types.get(&id).cloned();
        known.unwrap_or_else(|| {
            // Not under the lock: an author's type may ask for the schema of another one.
            let text = Self::from(&make());
            let mut shelf = SHELF.lock().unwrap_or_else(PoisonError::into_inner);
            shelf.types.entry(id).or_insert(text).clone()
        })
    }
}

impl From<&Value> for Text {
    fn from(schema: &Value) -> Self {
        let text = schema.to_string();
        let mut shelf = SHELF.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = shelf.texts.get(&*text) {
            return Self(known.clone());
        }
        if shelf.texts.len() >= shelf.room {
            shelf.texts.retain(|text| Arc::strong_count(text) > 1);
            shelf.room = (2 * shelf.texts.len()).max(64);
        }
        let text: Arc<str> = text.into();
        shelf.texts.insert(text.clone());
        Self(text)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_texts_are_one_and_what_nobody_holds_goes() {
        let held = Text::from(&json!({"held": 1}));
        assert_eq!(held.as_ptr(), Text::from(&json!({"held": 1})).as_ptr());
        for number in 0..1000 {
            drop(Text::from(&json!({ "dropped": number })));
        }
        let shelf = SHELF.lock().unwrap();
        let dropped = shelf.texts.iter().filter(|text| text.contains("dropped")).count();
        assert!(dropped < 500, "{dropped} of 1000 are still there");
        assert!(shelf.texts.contains(&held.0));
    }
}
