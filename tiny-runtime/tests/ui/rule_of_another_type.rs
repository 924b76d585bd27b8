use tiny_runtime::prelude::*;

/// A message.
#[message]
pub struct In {
    /// A number has no length.
    #[ui(minLength = 1)]
    count: u32,
    /// A text is no number.
    #[ui(maximum = 7)]
    name: String,
    /// Nor a list.
    #[ui(maxItems = 7)]
    names: Option<String>,
}

fn main() {}
