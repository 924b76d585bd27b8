//! What may travel through a port.

use std::marker::PhantomData;

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp, Zoned};
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
    /// True when a [`Secret`](super::Secret) is in it, up to so many messages deep: messages may hold each other in a circle, and a
    /// constant cannot ask itself.
    #[doc(hidden)]
    const SECRET: bool = Self::SECRET_5;
    #[doc(hidden)]
    const SECRET_5: bool = false;
    #[doc(hidden)]
    const SECRET_4: bool = false;
    #[doc(hidden)]
    const SECRET_3: bool = false;
    #[doc(hidden)]
    const SECRET_2: bool = false;
    #[doc(hidden)]
    const SECRET_1: bool = false;
    #[doc(hidden)]
    const SECRET_0: bool = false;

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

/// What a message, and all that is in it, must be able to do. Implemented for whatever can.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a message",
    label = "this cannot travel",
    note = "put `#[message]` on the definition of `{Self}`; a type of another crate needs that crate's features for serde and schemars"
)]
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

macro_rules! probed {
    ($($depth:ident)*) => {
        impl<T: Message> Probe<T> {
            $(#[doc(hidden)] pub const $depth: bool = T::$depth;)*
        }

        /// See [`Probe`].
        #[doc(hidden)]
        pub trait NoMessage {
            $(#[doc(hidden)] const $depth: bool = false;)*
        }
    };
}

probed! { SECRET SECRET_4 SECRET_3 SECRET_2 SECRET_1 SECRET_0 }

impl<T> NoMessage for Probe<T> {}

/// In the impl of [`Message`]: these types are in it.
#[doc(hidden)]
#[macro_export]
macro_rules! secrets_in {
    ($($inner:ty),*) => {
        $crate::secrets_in!(@ SECRET_5 of SECRET_4 in $($inner),*);
        $crate::secrets_in!(@ SECRET_4 of SECRET_3 in $($inner),*);
        $crate::secrets_in!(@ SECRET_3 of SECRET_2 in $($inner),*);
        $crate::secrets_in!(@ SECRET_2 of SECRET_1 in $($inner),*);
        $crate::secrets_in!(@ SECRET_1 of SECRET_0 in $($inner),*);
    };
    (@ $depth:ident of $below:ident in $($inner:ty),*) => {
        const $depth: bool = {
            #[allow(unused_imports)]
            use $crate::component::NoMessage as _;
            false $(|| <$crate::component::Probe<$inner>>::$below)*
        };
    };
}

/// In the impl of [`Message`] for what is around a `T`: it has the secrets of that.
macro_rules! secrets_of {
    ($inner:ident: $($depth:ident)*) => { $(const $depth: bool = $inner::$depth;)* };
    ($inner:ident) => {
        secrets_of! { $inner: SECRET_5 SECRET_4 SECRET_3 SECRET_2 SECRET_1 SECRET_0 }
    };
}
pub(super) use secrets_of;

macro_rules! messages {
    ($($type:ty)*) => { $(impl Message for $type {})* };
}

messages! { String bool char i8 i16 i32 i64 u8 u16 u32 u64 usize isize f32 f64 }
messages! { Timestamp Zoned SignedDuration Date DateTime Time }

impl<T: Message> Message for Vec<T> {
    secrets_of! { T }
}

/// A field that cannot travel is told before the derives tell it.
#[doc(hidden)]
pub const fn travels<T: Payload>() {}
