//! Headers, as flows have them.

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

/// The value of the first header of this name, whatever the size of its letters.
pub(crate) fn value<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|header| header.key.eq_ignore_ascii_case(name));
    found.map(|header| header.value.as_str())
}
