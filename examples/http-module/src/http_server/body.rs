//! Bodies of requests, all of which together are bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tiny_runtime::serde_json::Value;
use tiny_runtime::tokio::time::timeout;

/// Bytes of all bodies that are under way in a node, and of the values that were read from them: being read, or in a flow.
const MOST: usize = 64 * 1024 * 1024;

/// What is held of bodies now.
#[derive(Default)]
pub(super) struct Bodies(AtomicUsize);

/// A part of what may be held, given back when it is dropped.
pub(super) struct Held {
    all: Arc<Bodies>,
    bytes: usize,
}

impl Held {
    /// Holds the values of a body of JSON beside it.
    pub(super) fn values(&mut self, json: &[u8]) -> Result<(), Unread> {
        let bytes = size(json);
        match self.more(bytes) {
            true => Ok(()),
            false if bytes > MOST / 2 => Err(Unread::TooManyValues),
            false => Err(Unread::TooMany),
        }
    }

    /// Holds more; false where that would be too much.
    fn more(&mut self, bytes: usize) -> bool {
        if self.all.0.fetch_add(bytes, Ordering::Relaxed) + bytes > MOST {
            self.all.0.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        self.bytes += bytes;
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.all.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Why a body was not read.
#[derive(Debug, PartialEq)]
pub(super) enum Unread {
    TooLarge,
    /// As text it is not, but as values.
    TooManyValues,
    TooMany,
    TooSlow,
    /// It is not framed as it says, or ends too early.
    Broken,
}

/// Bytes that the values of a text of JSON take at most: a number of one digit becomes a value of its own, and `{"":0}` a map with room for
/// more. Where the text is none it does not matter.
fn size(json: &[u8]) -> usize {
    let (value, list, map, entry) = (size_of::<Value>(), 4 * size_of::<Value>(), 512, 128);
    let mut bytes = value;
    let mut letters = json.iter();
    while let Some(letter) = letters.next() {
        match letter {
            b'"' => {
                // Whatever stands in a text is no value.
                while let Some(letter) = letters.next() {
                    match letter {
                        b'\\' => drop(letters.next()),
                        b'"' => break,
                        _ => bytes += 1,
                    }
                }
            }
            b'[' => bytes += list,
            b'{' => bytes += map,
            b',' => bytes += value,
            b':' => bytes += entry,
            _ => {}
        }
    }
    bytes
}

/// Reads a body of `most` bytes within `limit`.
pub(super) async fn read(
    body: &mut Incoming,
    most: u64,
    limit: Duration,
    all: &Arc<Bodies>,
) -> Result<(Bytes, Held), Unread> {
    let mut held = Held { all: all.clone(), bytes: 0 };
    if body.is_end_stream() {
        return Ok((Bytes::new(), held));
    }
    let hint = body.size_hint();
    if hint.lower() > most {
        return Err(Unread::TooLarge);
    }
    let reading = async {
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(part) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
            if (held.bytes + part.len()) as u64 > most {
                return Err(Unread::TooLarge);
            }
            if !held.more(part.len()) {
                return Err(Unread::TooMany);
            }
            // Most come in one piece.
            match first.is_empty() {
                true => first = part,
                false => rest.extend_from_slice(&part),
            }
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let mut whole = BytesMut::with_capacity(first.len() + rest.len());
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&rest);
        Ok(whole.freeze())
    };
    let read = timeout(limit, reading).await.unwrap_or(Err(Unread::TooSlow))?;
    Ok((read, held))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_bounded_and_given_back() {
        let all = Arc::new(Bodies::default());
        let held = || Held { all: all.clone(), bytes: 0 };
        let (mut one, mut two) = (held(), held());
        assert!(one.more(MOST - 1));
        assert!(!two.more(2));
        assert!(two.more(1));
        drop(one);
        assert!(two.more(MOST - 1));
        drop(two);
        assert_eq!(all.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn values_are_held_as_what_they_take_and_not_as_they_are_written() {
        let all = Arc::new(Bodies::default());
        let held = |json: &str| {
            let mut held = Held { all: all.clone(), bytes: 0 };
            held.values(json.as_bytes()).map(|()| held)
        };
        let many = |text: &str, times| format!("[{}]", vec![text; times].join(","));
        assert!(matches!(held(&many(r#"{"":0}"#, 125_000)), Err(Unread::TooManyValues)));
        let numbers = many("0", 300_000);
        let first = held(&numbers);
        assert!(first.as_ref().is_ok_and(|it| it.bytes >= 300_000 * size_of::<Value>()));
        let second = (0..4).map(|_| held(&numbers)).collect::<Result<Vec<_>, _>>();
        assert!(matches!(second, Err(Unread::TooMany)), "they would fit one at a time");
        let text = format!(r#"{{"text":"{}"}}"#, r#"[,{:\","#.repeat(1000));
        assert!(held(&text).is_ok_and(|it| it.bytes < 8_000 + 2_000), "a text is one value");
    }
}
