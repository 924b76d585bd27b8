use tiny_runtime::prelude::*;

/// A message.
#[message]
pub struct In {
    /// Somebody else reads it.
    #[ui(minLength = 1)]
    #[serde(deserialize_with = "my::read")]
    name: String,
    /// Not a number.
    #[ui(minimum = "1", pattern = 7, uniqueItems = true)]
    count: u32,
}

fn main() {}
