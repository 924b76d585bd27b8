//! Bodies of requests, all of which together are bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tiny_runtime::tokio::time::timeout;

/// Bytes of all bodies that are under way in a node: being read, or in a flow.
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
    TooMany,
    TooSlow,
    /// It is not framed as it says, or ends too early.
    Broken,
}

/// Reads a body of `most` bytes within `limit`.
pub(super) async fn read(
    body: Incoming,
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
        let mut body = body;
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
}
