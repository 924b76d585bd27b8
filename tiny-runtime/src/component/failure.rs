//! What an error port sends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Message;

/// A message that could not be handled, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure<T> {
    /// The message that failed.
    pub context: T,
    /// What went wrong, in words.
    pub error: String,
    /// True when the cause was transient: sending it again later may succeed.
    pub retryable: bool,
}

impl<T: Message> Message for Failure<T> {}
