//! Headers, as flows have them.

use reqwest::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use tiny_runtime::prelude::*;

/// A header of a request or a response.
#[message]
#[derive(PartialEq)]
pub(crate) struct Header {
    /// Its name.
    pub(crate) key: String,
    /// Its value.
    pub(crate) value: String,
}

impl Header {
    /// A header that came. Its name is written like `Content-Type`, as flows of the original have it; what is no text in its value is
    /// replaced.
    pub(crate) fn of(name: &HeaderName, value: &HeaderValue) -> Self {
        let mut key = name.as_str().to_owned();
        let mut is_first = true;
        for at in 0..key.len() {
            if is_first && let Some(letter) = key.get_mut(at..=at) {
                letter.make_ascii_uppercase();
            }
            is_first = key.as_bytes()[at] == b'-';
        }
        Self { key, value: String::from_utf8_lossy(value.as_bytes()).into_owned() }
    }
}

/// The value of the first header of this name, whatever the size of its letters.
pub(crate) fn value<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|header| header.key.eq_ignore_ascii_case(name));
    found.map(|header| header.value.as_str())
}

/// Headers that say how a message is framed on one connection. A flow that hands headers on from one to another has them among those.
const FRAMING: [&str; 10] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
];

/// The headers that a flow wants to be sent, without those that are not for a flow to say.
///
/// # Errors
/// Says which one cannot be a header.
pub(crate) fn map(headers: &[Header]) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for Header { key, value } in headers {
        let name: HeaderName =
            key.parse().map_err(|_| format!("`{}` is no name of a header", key.escape_debug()))?;
        if FRAMING.contains(&name.as_str()) {
            continue;
        }
        if name == HOST {
            return Err("the header `host` is made of the URL, and is not for a flow to say".into());
        }
        map.append(name, value_of(key, value)?);
    }
    Ok(map)
}

/// What stands in the header `name`.
///
/// # Errors
/// When that cannot be.
pub(crate) fn value_of(name: &str, value: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(value)
        .map_err(|_| format!("the header `{name}` has a value that no header can have"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_the_original_does() {
        let written = |name: &'static str| {
            Header::of(&HeaderName::from_static(name), &HeaderValue::from_static("")).key
        };
        assert_eq!(written("content-type"), "Content-Type");
        assert_eq!(written("x-b3-traceid"), "X-B3-Traceid");
        assert_eq!(written("etag"), "Etag");
    }
}
