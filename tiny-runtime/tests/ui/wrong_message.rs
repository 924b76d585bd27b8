//! What cannot travel, and what editors do not know.

use tiny_runtime::prelude::*;

/// What comes in.
#[message]
pub struct In {
    /// A name.
    pub name: String,
}

/// Borrows.
#[message(defualt)]
pub struct Borrowed<'a> {
    /// A text.
    pub text: &'a str,
}

/// Is nothing.
#[message]
pub struct Nothing;

/// Has wrong words.
#[message]
pub struct Words {
    /// A field.
    #[ui(configurabel, tab, col_span = 6)]
    pub field: String,
}

/// Cannot carry what is no message.
#[message]
pub fn function() {}

fn main() {}
