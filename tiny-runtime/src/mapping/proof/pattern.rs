//! Regular expressions of schemas, each compiled once.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::Regex;

/// As many are kept; then all are forgotten.
const KEPT: usize = 1024;

/// The largest compiled pattern, in bytes.
const SIZE: usize = 1 << 20;

static KNOWN: LazyLock<Mutex<HashMap<Arc<str>, Option<Regex>>>> = LazyLock::new(Mutex::default);

/// A pattern, as it was written.
#[derive(Clone)]
pub(super) struct Pattern {
    text: Arc<str>,
    regex: Option<Regex>,
}

impl Pattern {
    pub(super) fn of(text: &str) -> Self {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((text, regex)) = known.get_key_value(text) {
            return Self { text: text.clone(), regex: regex.clone() };
        }
        if known.len() >= KEPT {
            known.clear();
        }
        let regex = regex::RegexBuilder::new(text).size_limit(SIZE).build().ok();
        let text: Arc<str> = text.into();
        known.insert(text.clone(), regex.clone());
        Self { text, regex }
    }

    /// Whether it is found in a text; `None` where it is none that is read here.
    pub(super) fn is_in(&self, text: &str) -> Option<bool> {
        self.regex.as_ref().map(|regex| regex.is_match(text))
    }

    /// True for the keys of a map that are numbers in Rust: which ones, the pattern does not say.
    pub(super) fn is_of_numbers(&self) -> bool {
        [r"^\d+$", r"^-?\d+$"].contains(&&*self.text)
    }

    /// Whether `key` is one of its keys, whatever numbers they are; `None` where that cannot be known.
    pub(super) fn has_key(&self, key: &str) -> Option<bool> {
        match self.is_in(key) {
            // The smallest type of numbers has this one.
            Some(true) if self.is_of_numbers() && key.parse::<i8>().is_err() => None,
            known => known,
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({})", self.text)
    }
}
