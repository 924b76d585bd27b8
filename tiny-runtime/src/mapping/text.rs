//! Values inside text.

use serde_json::Value;

use super::plan::{Piece, Source};
use super::{Held, MapError, Slots};

/// A value as it stands in text; null stands for nothing.
pub(super) fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The whole text; `None` when it would be longer than `limit`.
pub(super) fn joined(
    pieces: &[Piece],
    slots: &Slots,
    limit: usize,
) -> Result<Option<String>, MapError> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(plain) => text += plain,
            Piece::Slot(Source { slot, text: source }) => {
                let held = slots.0.get(*slot).and_then(Option::as_ref);
                let value = held.map(Held::value);
                text += &value.and_then(shown).ok_or_else(|| {
                    MapError(format!("`{{{{ {source} }}}}` gives nothing, and it stands in text"))
                })?;
            }
        }
        if text.len() > limit {
            return Ok(None);
        }
    }
    Ok(Some(text))
}
