//! What may travel through a port.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::failure::Catch;

/// A value that travels through ports: a Rust type inside a component, JSON at the borders.
///
/// `#[message]` on a struct or enum implements it, with serde and schema derives.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message",
    label = "a port carries messages only",
    note = "put `#[message]` on the definition of `{Self}`"
)]
pub trait Message: Payload {
    /// True when a [`Secret`](super::Secret) is in it.
    #[doc(hidden)]
    const SECRET: bool = false;

    /// What a port starts with that nobody configured. `#[message(default)]` gives `Default`; others give nothing.
    fn configuration() -> Option<Value> {
        None
    }

    /// Whose failures an error port of this type takes: only [`Failure`](super::Failure) says.
    #[doc(hidden)]
    fn catch() -> Option<Catch> {
        None
    }
}

/// What a message must be able to do. Implemented for whatever can.
pub trait Payload:
    Clone + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static
{
}

#[diagnostic::do_not_recommend]
impl<T> Payload for T where
    T: Clone + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static
{
}

/// Asks of any type whether there is a secret in it; of what is no message, there is none. `#[message]` asks it of the types
/// in its fields: the inherent constant wins where `T` is a message.
#[doc(hidden)]
#[derive(Debug)]
pub struct Probe<T>(PhantomData<T>);

impl<T: Message> Probe<T> {
    #[doc(hidden)]
    pub const SECRET: bool = T::SECRET;
}

/// See [`Probe`].
#[doc(hidden)]
pub trait NoMessage {
    #[doc(hidden)]
    const SECRET: bool = false;
}

impl<T> NoMessage for Probe<T> {}

macro_rules! messages {
    ($($type:ty)*) => { $(impl Message for $type {})* };
}

messages! { String bool char i8 i16 i32 i64 u8 u16 u32 u64 usize isize f32 f64 }

impl<T: Message> Message for Vec<T> {
    const SECRET: bool = T::SECRET;
}

/// What a field of a message can be. Implemented for whatever can.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a message",
    label = "this field cannot travel",
    note = "put `#[message]` on the definition of `{Self}`; a type of another crate needs that crate's features for serde and schemars"
)]
pub trait Field {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + JsonSchema> Field for T {}

/// A field that cannot travel is told before the derives tell it.
#[doc(hidden)]
pub const fn is_field<T: Field>() {}
