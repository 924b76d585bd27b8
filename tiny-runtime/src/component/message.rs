//! What may travel through a port.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A value that travels through ports: a Rust type inside a component, JSON at the borders.
///
/// `#[message]` on a struct or enum implements it, with serde and schema derives.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message",
    label = "a port carries messages only",
    note = "put `#[message]` on the definition of `{Self}`"
)]
pub trait Message: Payload {
    /// What a port starts with that nobody configured. `#[message(default)]` gives `Default`; others give nothing.
    fn configuration() -> Option<Value> {
        None
    }
}

/// What a message must be able to do. Implemented for whatever can.
pub trait Payload:
    Clone + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static
{
}

impl<T> Payload for T where
    T: Clone + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static
{
}

impl Message for String {}
impl Message for bool {}
impl Message for i64 {}
impl Message for u64 {}
impl Message for f64 {}
impl<T: Message> Message for Vec<T> {}
