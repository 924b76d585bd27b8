//! A plan and its slots as the text of JSON: what goes to another module is written without being a value first.

use super::decode::{LIMIT, too_large};
use super::plan::{Node, Plan, Source};
use super::{Held, MapError, Slots, text};

/// The receiver's message as text.
pub(super) fn text(plan: &Plan, slots: &Slots) -> Result<Vec<u8>, MapError> {
    let mut out = Vec::with_capacity(128);
    if !node(&plan.root, slots, &mut out)? {
        out.extend(b"null");
    }
    Ok(out)
}

/// Writes a node; `false`, and nothing written, when its path led nowhere.
fn node(node: &Node, slots: &Slots, out: &mut Vec<u8>) -> Result<bool, MapError> {
    match node {
        Node::Literal(value) => plain(value, out)?,
        Node::Slot(Source { slot, .. }) => {
            let Some(held) = slots.0.get(*slot).and_then(Option::as_ref) else { return Ok(false) };
            plain(Held::value(held), out)?;
        }
        Node::Text(pieces) => {
            let left = LIMIT.saturating_sub(out.len());
            let text = text::joined(pieces, slots, left)?.ok_or_else(too_large)?;
            plain(&text, out)?;
        }
        Node::List(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                if !self::node(item, slots, out)? {
                    out.extend(b"null");
                }
            }
            out.push(b']');
        }
        Node::Object(fields) => {
            out.push(b'{');
            let open = out.len();
            for (key, field) in fields {
                let before = out.len();
                if before > open {
                    out.push(b',');
                }
                plain(key, out)?;
                out.push(b':');
                if !self::node(field, slots, out)? {
                    out.truncate(before);
                }
            }
            out.push(b'}');
        }
    }
    if out.len() > LIMIT { Err(too_large()) } else { Ok(true) }
}

/// Writes what has no path in it.
fn plain<T: serde::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), MapError> {
    serde_json::to_writer(out, value).map_err(|e| MapError(e.to_string()))
}
