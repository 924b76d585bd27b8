//! What an error port sends.

use std::any::TypeId;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::message::secrets_of;
use super::{Body, DecodeError, Error, Message};

/// A message that could not be handled, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Failure")]
pub struct Failure<T> {
    /// The message that failed.
    pub context: T,
    /// What went wrong, in words.
    pub error: String,
    /// True when the cause was transient: sending it again later may succeed.
    pub retryable: bool,
}

/// Whose failures an error port takes, and how a failure is made of a message.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Catch {
    /// The type of the messages; the one of [`Json`](super::Json) takes what no other takes.
    pub(crate) takes: TypeId,
    pub(crate) failure: fn(&Body, &Error) -> Result<Body, DecodeError>,
}

impl<T: Message> Message for Failure<T> {
    secrets_of! { T }

    fn catch() -> Option<Catch> {
        let failure = |body: &Body, error: &Error| {
            let context = body.decode::<T>()?;
            let (error, retryable) = (error.to_string(), error.is_retryable());
            Ok(Body::of(Self { context, error, retryable }))
        };
        Some(Catch { takes: TypeId::of::<T>(), failure })
    }
}
